//===- ReuseAttention.h - Reuse of attention branches -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Carries the results of attention branches from step to step of a loop, and
// computes them only at the steps of a schedule.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_REUSEATTENTION_H
#define DIT_DIALECT_DIT_TRANSFORMS_REUSEATTENTION_H

#include "dit/Dialect/Dit/Analysis/AttentionBranch.h"

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

/// Fails with a diagnostic on `loop` unless `schedule` computes at the first
/// step, where the states hold nothing, and is no longer than the loop.
LogicalResult verifySchedule(scf::ForOp loop, ScheduleAttr schedule);

/// Whether the result of `branch` can be a state: a tensor of static shape
/// whose elements have a zero.
bool canBeState(const AttentionBranch &branch);

/// Bytes of the state of `branch`.
int64_t getStateBytes(const AttentionBranch &branch);

/// Moves each of `branches`, all in the body of `loop`, into a `dit.reuse`
/// under `schedule`, with a state that the loop carries. Replaces the loop and
/// returns the new ops.
SmallVector<ReuseOp> reuseBranches(RewriterBase &rewriter, scf::ForOp loop,
                                   ArrayRef<AttentionBranch> branches,
                                   ScheduleAttr schedule);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_REUSEATTENTION_H
