//===- BranchSearch.h - Sequences of modes of a branch ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The sequences of modes over the steps of one branch that no other ones beat
// in cost and loss, up to convex combinations.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_BRANCHSEARCH_H
#define DIT_DIALECT_DIT_PLANNERS_BRANCHSEARCH_H

#include "dit/Dialect/Dit/Planners/LossTable.h"
#include "dit/Dialect/Dit/Planners/TimeTable.h"

namespace mlir::dit {

/// A mode that a sequence can have, with its numbers.
struct ModeOption {
  Mode mode;
  /// For each step.
  SmallVector<double> cost;
  /// What a residual adds once for the step that it comes from.
  SmallVector<double> residualCost;
  /// For each step and age; with one age if nothing is reused.
  std::vector<double> loss;
  int64_t ages = 1;

  double getLoss(int64_t step, int64_t age = 1) const {
    return loss[step * ages + age - 1];
  }
};

/// A mode for each step, with sources.
struct ModeSequence {
  SmallVector<Mode> modes;
  double cost = 0.0;
  double loss = 0.0;
};

/// The sequence with the least weighted sum of cost and loss. The first option
/// is full and has no loss. A dynamic programme over the steps, whose states
/// are the mode and the age of the value that a share would take, the age of
/// the last full step, and whether its residual was taken.
ModeSequence findSequence(ArrayRef<ModeOption> options, int64_t steps,
                          double costWeight, double lossWeight);

/// A way to run a branch.
struct BranchOption {
  BranchPlan plan;
  double cost = 0.0;
  double loss = 0.0;
};

/// What the search for one branch may use.
struct BranchSearchOptions {
  CachePoint cache = CachePoint::AfterProjection;
  /// Whether heads may have modes of their own.
  bool byHead = true;
  /// Options of a larger loss are of no interest, nor are more than so many.
  double maxLoss = 0.0;
  int64_t maxOptions = 96;
};

/// The options of `site` on the lower convex hull of cost and loss, by their
/// losses; the first one is dense. With all heads in one mode the cache is
/// where the options say; with heads of their own it lies before the
/// projection.
std::vector<BranchOption> findBranchOptions(const Site &site, int64_t steps,
                                            const LossTable &losses,
                                            const TimeTable &times,
                                            const BranchSearchOptions &options);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_BRANCHSEARCH_H
