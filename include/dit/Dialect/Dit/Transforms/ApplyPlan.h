//===- ApplyPlan.h - Programs under a plan ----------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes out the steps of a sampler, or of a denoiser, under a plan.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_APPLYPLAN_H
#define DIT_DIALECT_DIT_TRANSFORMS_APPLYPLAN_H

#include "dit/Dialect/Dit/Transforms/BranchEmitter.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::dit {

/// The branches of one block and the states that they carry.
class PlannedBody {
public:
  PlannedBody(Block &body, std::vector<BranchEmitter> branches,
              int64_t numSteps);

  Block &getBody() const { return body; }
  MutableArrayRef<BranchEmitter> getBranches() { return branches; }
  int64_t getNumSteps() const { return numSteps; }
  ArrayRef<RankedTensorType> getStateTypes() const { return stateTypes; }

  /// For each step, a number that is equal for steps that run the same code.
  SmallVector<int64_t> getClasses() const;

  /// Whether a later step reads a state after `step`.
  bool isLiveAfter(int64_t state, int64_t step) const;
  /// Whether `step` changes a state.
  bool isWritten(int64_t state, int64_t step) const;

  /// Copies the ops of the body as they run at `steps`. Where these differ,
  /// `step` says at run time which one it is, or a tensor does with an element
  /// for each branch. `copies` has what to take for
  /// values from outside. Replaces `states`, of which some may be null.
  void emit(RewriterBase &rewriter, ArrayRef<int64_t> steps, Value step,
            IRMapping &copies, MutableArrayRef<Value> states);

  /// The step of branch `index`, if `step` is a tensor with one for each; else
  /// `step`.
  static Value getStepOf(OpBuilder &builder, Location loc, Value step,
                         size_t index);

private:
  Block &body;
  std::vector<BranchEmitter> branches;
  int64_t numSteps;
  SmallVector<RankedTensorType> stateTypes;
  /// For each state, its branch and its number there.
  SmallVector<std::pair<int64_t, int64_t>> owners;
  /// The first state of each branch, and the end.
  SmallVector<int64_t> offsets;
};

/// What a denoiser becomes.
struct StepFunctionOptions {
  /// The function that returns the first states.
  StringRef init;
  /// Whether each branch is given a step of its own.
  bool stepByBranch = false;
};

/// A state of zeros.
Value createInitialState(OpBuilder &builder, Location loc,
                         RankedTensorType type);

/// Replaces `loop`, whose body `body` is, by one that carries the states, or by
/// its steps.
void applyToLoop(RewriterBase &rewriter, scf::ForOp loop, PlannedBody &body,
                 PlanForm form);

/// Gives `function`, whose body `body` is, the step and the states as last
/// arguments, and the new states as last results; then makes a function
/// that returns the first states.
void applyToFunction(RewriterBase &rewriter, func::FuncOp function,
                     PlannedBody &body, PlanForm form,
                     const StepFunctionOptions &options);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_APPLYPLAN_H
