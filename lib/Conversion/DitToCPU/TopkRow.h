//===- TopkRow.h - Selection in one row of scores ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores become integers that order as they do, tiles to be kept the highest of
// all. An integer that n of them reach, or the n-th highest where that is tied,
// is the threshold (TopkSearch.cpp); what reaches it is listed. The result is
// exact and ties go by index.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_TOPKROW_H
#define DIT_LIB_CONVERSION_DITTOCPU_TOPKROW_H

#include "KernelLibrary.h"
#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::cpu {

/// Keys of one vector.
int64_t getKeyLanes(const CPUTarget &target, unsigned bits);

/// Memory that a row takes for its keys, and for the candidates.
Value getKeySpace(KernelBuilder &kb, Value tiles, int64_t lanes);
Value getCandidateSpace(KernelBuilder &kb, Value tiles, int64_t lanes);

/// Scratch memory for one row.
struct RowScratch {
  Value keys;
  /// A part of the keys, while the threshold is looked for.
  Value candidates;
  /// Null unless the number of tiles depends on their mass.
  Value weights;
};

/// What a row reads and writes.
struct RowOperands {
  /// The scores, and the indices of the row's before the tile.
  Value scores;
  SmallVector<Value> scoreRow;
  /// Tiles to take of each head; null if there is none.
  Value counts;
  Value num, idx;
  /// The row of the list: batch, head, query tile.
  SmallVector<Value> row;
};

/// Tiles whose keys lie above `bound` are taken, and the first `ties` of those
/// whose key is `tied`.
struct Threshold {
  Value bound, tied, ties;
};

/// Emits the selection of one row of scores.
class RowEmitter {
public:
  RowEmitter(TopkMaskOp op, KernelBuilder &kb, const CPUTarget &target,
             const RowOperands &operands, RowScratch scratch);

  void emit();

private:
  // TopkRow.cpp
  Value emitKey(Value score);
  Value loadScores(Value tile);
  void emitFillKeys();
  void emitHighest();
  Value emitNumber();
  Value emitFillWeights();
  Value emitMassAbove(Value bound);
  Value emitNumberByMass();
  Value emitKeepTiles();
  void emitList(const Threshold &threshold);
  Value emitStoreTiles(Value firstTile, Value taken, Value next);
  Value emitStoreTaken(Value vector, Value taken, Value next,
                       llvm::function_ref<void(Value, Value)> storeVector,
                       llvm::function_ref<void(Value, Value)> storeLane);
  Value emitFirstBits(Value bits, Value count);
  Value emitBits(Value lanes);
  Value emitOnes(Value bits);

  // TopkSearch.cpp
  /// Keys between which the threshold lies, the lower of which at least the
  /// wanted number reach and the higher fewer, and how many reach them.
  struct Bounds {
    Value low, atLow, high, atHigh;
    SmallVector<Value> values() const { return {low, atLow, high, atHigh}; }
    static Bounds get(ValueRange values) {
      return {values[0], values[1], values[2], values[3]};
    }
  };
  /// The keys that are counted: every `stride`-th vector of the first `length`
  /// of `memory`, and `above` more that any guess is reached by.
  struct KeyRange {
    Value memory, length;
    Value above;
    int64_t stride = 1;
  };
  Threshold emitThreshold(Value number);
  Bounds emitFirstBounds(Value number);
  Bounds emitNarrow(const KeyRange &range, Value number, const Bounds &bounds,
                    Value enough);
  Bounds emitSampledBounds(Value number, const Bounds &bounds);
  Bounds emitTry(Value guess, Value number, const Bounds &bounds);
  Value emitCollect(const Bounds &bounds);
  Value emitGuess(Value number, const Bounds &bounds, Value round);
  Value emitCount(const KeyRange &range, arith::CmpIPredicate predicate,
                  Value bound);
  Value emitCount(arith::CmpIPredicate predicate, Value bound);

  /// A loop over the tiles that carries one value.
  Value fold(Value init, llvm::function_ref<Value(Value, Value)> body);
  Value loadScore(Value tile);
  /// A sum whose order is left to the vectoriser.
  Value addUnordered(Value lhs, Value rhs) {
    auto sum = arith::AddFOp::create(kb, lhs, rhs);
    sum.setFastmath(arith::FastMathFlags::reassoc);
    return sum;
  }
  Value toNumber(Value bit) {
    return arith::IndexCastUIOp::create(kb, kb.getIndexType(), bit);
  }

  TopkMaskOp op;
  KernelBuilder &kb;
  SmallVector<Value> row, scoreRow;
  Value scores, counts, num, idx;
  Type type;
  unsigned bits;
  Type integer;
  int64_t lanes;
  VectorType vec;
  /// Whether a vector of keys can be compressed by one instruction.
  bool compresses;
  Value tiles, keys, candidates, weights, highest, highestKey;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_TOPKROW_H
