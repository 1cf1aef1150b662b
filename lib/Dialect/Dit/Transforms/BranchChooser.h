//===- BranchChooser.h - Branches whose steps differ ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes out a branch that asks at run time which step it is.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_BRANCHCHOOSER_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_BRANCHCHOOSER_H

#include "dit/Dialect/Dit/Transforms/BranchEmitter.h"

namespace mlir::dit {

/// Steps of a branch that run the same code.
struct StepGroup {
  const BranchStep *step;
  SmallVector<int64_t> steps;
};

/// Writes out a branch that asks for the step.
class BranchChooser {
public:
  BranchChooser(RewriterBase &rewriter, BranchEmitter &branch, Value step,
                const IRMapping &copies)
      : rewriter(rewriter), branch(branch), step(step), copies(copies) {}

  BranchEmitter::Values choose(ArrayRef<int64_t> steps, ValueRange states);

private:
  /// True at the steps of `groups`, of those of the plan.
  Value isOneOf(ArrayRef<StepGroup> groups);
  /// One of `groups`; with `keeps`, these leave the states alone and yield
  /// none.
  BranchEmitter::Values chooseAmong(ArrayRef<StepGroup> groups,
                                    ValueRange states, bool keeps);
  BranchEmitter::Values createReuse(ArrayRef<StepGroup> writers,
                                    ArrayRef<StepGroup> keepers,
                                    ValueRange states);

  RewriterBase &rewriter;
  BranchEmitter &branch;
  Value step;
  const IRMapping &copies;
};

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_BRANCHCHOOSER_H
