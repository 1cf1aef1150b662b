//===- WorkCounter.h - Operations counted at run time ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops that compute how much work another op does, from what it is given at run
// time.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_WORK_WORKCOUNTER_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_WORK_WORKCOUNTER_H

#include "dit/Dialect/Dit/Analysis/ProgramWork.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::dit {

/// Emits counts of the work of ops in a function. It asks each position of a
/// mask whether it is kept, and each tile list for its entries, and shares
/// nothing with `AttentionCost`, which adds up intervals.
class WorkCounter {
public:
  /// What is the same at each run is computed at the start of `entry`.
  explicit WorkCounter(Block &entry) : entry(entry) {}

  /// The operations of one run of `op`, an i64, at the place of `b`.
  Value emit(ImplicitLocOpBuilder &b, Operation *op);

private:
  /// Score positions that all heads and batches of `op` keep, an index.
  Value emitPositions(ImplicitLocOpBuilder &b, AttentionOp op);

  Block &entry;
  /// By pattern, batch, heads, queries, and keys.
  DenseMap<std::pair<Attribute, SmallVector<int64_t>>, Value> positions;
};

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_WORK_WORKCOUNTER_H
