//===- ScoreEmitter.h - Scores of pairs of tiles ----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The proxies of all tiles are made first: those of the queries as rows, those
// of the keys transposed, so that a row of scores is a sum of scaled vectors.
// Scores come in register tiles of rows.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_SCOREEMITTER_H
#define DIT_LIB_CONVERSION_DITTOCPU_SCOREEMITTER_H

#include "KernelLibrary.h"
#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::cpu {

class ScoreEmitter {
public:
  /// Scores of tiles of `op`, in the type `compute`.
  ScoreEmitter(LowRankScoreOp op, Type compute, const CPUTarget &target);

  /// Rows of a register tile.
  int64_t getTileRows() const { return tileRows; }

  /// Proxies of all tiles.
  struct Proxies {
    Value queries, keys;
  };
  Proxies emitProxies(KernelBuilder &kb, Value q, Value k);

  /// Where the scores of a row of a register tile go.
  struct Target {
    Value memory;
    /// The indices before the column.
    llvm::function_ref<SmallVector<Value>(Value row)> at;
  };
  /// The scores of register tile `block` = (batch, head, index) of rows, of
  /// which there are `rows` in all, with all keys.
  void emitRows(KernelBuilder &kb, const Proxies &proxies, ValueRange block,
                Value rows, const Target &target);

private:
  Value emitProxy(KernelBuilder &kb, Value tokens, ValueRange tile, Value r,
                  int64_t size);
  Value emitProxies(KernelBuilder &kb, Value tokens, int64_t size,
                    bool transposed);
  void emitStore(KernelBuilder &kb, Value sum, Value memory, ValueRange at);

  LowRankScoreOp op;
  Type compute;
  VectorType vec;
  /// The register tile: rows of queries by vectors of keys.
  int64_t tileRows = 1, tileVectors = 1;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_SCOREEMITTER_H
