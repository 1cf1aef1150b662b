//===- BranchEmitter.h - What a branch does at a step -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes out a branch as it runs at one step of a plan.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_BRANCHEMITTER_H
#define DIT_DIALECT_DIT_TRANSFORMS_BRANCHEMITTER_H

#include "dit/Dialect/Dit/Plan/CachePlan.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

/// The plan of `module` called `name`, or its only one if that is empty; else
/// reports an error of the pass `pass`.
FailureOr<PlanOp> lookupPlan(ModuleOp module, StringRef name, StringRef pass);

/// The bytes of a state.
int64_t getStateBytes(RankedTensorType type);

/// A branch with what a plan says of it.
class BranchEmitter {
public:
  /// `eager` as in `CachePlan`.
  BranchEmitter(BranchOp op, BranchPlan plan, bool eager = false);

  /// Why the plan cannot be applied to the branch; empty if it can.
  std::string findObstacle();

  BranchOp getOp() const { return op; }
  const BranchPlan &getPlan() const { return plan; }
  const CachePlan &getCaches() const { return caches; }
  /// The values that are carried, slot by slot.
  ArrayRef<RankedTensorType> getStateTypes() const { return stateTypes; }
  /// The slot of a state.
  int64_t getSlotOfState(int64_t state) const { return slotOf[state]; }

  struct Values {
    /// What is added to the streams.
    SmallVector<Value> added;
    SmallVector<Value> states;
  };
  /// Writes out `step`. `copies` has what to take for values from around the
  /// branch. States that `step` does not read may be null.
  Values emit(RewriterBase &rewriter, const BranchStep &step,
              const IRMapping &copies, ValueRange states);

private:
  Values emitStages(RewriterBase &rewriter, const BranchStep &step,
                    const IRMapping &copies, ValueRange states);
  std::string findStepObstacle(const BranchStep &step);
  SmallVector<Value> load(RewriterBase &rewriter, const BranchStep &step,
                          ValueRange states);
  /// The states of a slot.
  SmallVector<Value> getStates(ValueRange states, int64_t slot) const;
  void store(RewriterBase &rewriter, const SlotUpdate &update, int64_t slot,
             ValueRange values, MutableArrayRef<Value> states);

  BranchOp op;
  BranchPlan plan;
  CachePlan caches;
  SmallVector<RankedTensorType> stateTypes;
  SmallVector<int64_t> slotOf;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_BRANCHEMITTER_H
