//===- PlanCost.h - Work that a plan leaves ---------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts the operations of a sampler under a plan, with and without
// projections.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_PLANCOST_H
#define DIT_DIALECT_DIT_PLANNERS_PLANCOST_H

#include "dit/Dialect/Dit/Planners/BranchWork.h"

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace mlir::dit {

/// Operations of a branch, at one step or over several.
struct StepWork {
  /// QK^T and PV of the positions that the modes keep.
  double attention = 0.0;
  /// The same of the windows that full steps compute for a later residual.
  double residual = 0.0;
  /// Projections, and all of an MLP.
  double projection = 0.0;

  double getTotal() const { return attention + residual + projection; }
  StepWork &operator+=(const StepWork &other);
};

/// The work of one branch under its modes. Heads share the projections before
/// the attention equally, and a head that shares needs none of them. The output
/// projection runs wherever a value of the step or, with a cache before it, any
/// value goes into it; for half of the batch if no other value does.
class BranchCost {
public:
  BranchCost(const BranchWork &work, const BranchPlan &branch);

  const BranchWork &getWork() const { return work; }
  const BranchPlan &getBranch() const { return branch; }
  int64_t getNumSteps() const { return branch.getTable().getNumSteps(); }
  /// The steps at which a head or more computes.
  int64_t countComputedSteps() const;

  /// Once in full.
  StepWork getDense() const { return getUniform(Mode::full()); }
  /// Of all heads in `mode`, without a residual for later.
  StepWork getUniform(const Mode &mode) const;
  StepWork getStep(int64_t step) const;
  StepWork getTotal() const;
  /// Whether the numbers given so far are known, and no estimates.
  bool isExact() const { return exact; }

private:
  StepWork getWorkOf(ArrayRef<Mode> modes) const;
  double getAttention(const Mode &mode) const;
  double getResidual(int64_t step) const;

  BranchWork work;
  BranchPlan branch;
  /// Operations of one head under a mask.
  mutable std::vector<std::pair<Mode, double>> flopsOfMask;
  mutable bool exact;
};

/// The work of a program under a plan.
class PlanCost {
public:
  /// `works` are the sites of the program; branches that `plan` leaves out are
  /// full.
  PlanCost(ArrayRef<BranchWork> works, const Plan &plan);

  ArrayRef<BranchCost> getBranches() const { return branches; }
  StepWork getDense() const;
  StepWork getTotal() const;
  StepWork getStep(int64_t step) const;
  bool isExact() const;

  /// Writes an object with the arrays `branches` and `steps` and the object
  /// `total`.
  void writeJSON(llvm::json::OStream &json) const;

private:
  int64_t numSteps;
  std::vector<BranchCost> branches;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_PLANCOST_H
