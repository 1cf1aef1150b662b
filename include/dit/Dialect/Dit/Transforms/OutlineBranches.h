//===- OutlineBranches.h - Branches as ops ----------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Puts a residual branch of a flat function into a `dit.branch`.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_OUTLINEBRANCHES_H
#define DIT_DIALECT_DIT_TRANSFORMS_OUTLINEBRANCHES_H

#include "dit/Dialect/Dit/Analysis/ResidualBranches.h"

#include <array>

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

/// The ops of a branch, stage by stage, and what each stage yields.
class BranchStages {
public:
  static constexpr unsigned kNumStages = 3;

  explicit BranchStages(const ResidualBranch &branch);

  /// Why the branch cannot become an op, empty if it can.
  StringRef getObstacle() const { return obstacle; }
  /// In program order. Ops that are in several stages are free to repeat.
  ArrayRef<Operation *> getOps(unsigned stage) const { return ops[stage]; }
  ArrayRef<Value> getYielded(unsigned stage) const { return yielded[stage]; }

private:
  void collect(const ResidualBranch &branch);
  /// Splits `members` into the stages; ops that several stages need and that
  /// are not free to repeat leave `members`. Returns whether any did.
  bool split(DenseSet<Operation *> &members);

  std::array<SmallVector<Operation *>, kNumStages> ops;
  std::array<SmallVector<Value>, kNumStages> yielded;
  StringRef obstacle;
};

/// Moves the ops of `stages` into a `dit.branch` before the first addition of
/// `branch`. Fails, and changes nothing, if what the branch reads is not known
/// there.
FailureOr<BranchOp> outlineBranch(RewriterBase &rewriter,
                                  const ResidualBranch &branch,
                                  const BranchStages &stages, StringRef site,
                                  int64_t layer);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_OUTLINEBRANCHES_H
