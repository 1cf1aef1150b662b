//===- AutoPlanner.h - The best plan of all modes ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One search over the modes of all branches, for the least time at a bound on
// loss or the least loss at a bound on time.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_AUTOPLANNER_H
#define DIT_DIALECT_DIT_PLANNERS_AUTOPLANNER_H

#include "dit/Dialect/Dit/Planners/BranchSearch.h"

namespace mlir::dit {

/// A plan with what it is predicted to cost and to lose.
struct PlannedResult {
  Plan plan;
  double cost = 0.0;
  double loss = 0.0;
  /// Whether no combination of the options of the branches is better.
  bool isOptimal = true;
};

/// Chooses among the options of the branches, exactly.
class AutoPlanner {
public:
  AutoPlanner(const SiteList &sites, const LossTable &losses,
              const TimeTable &times, ArrayRef<double> timesteps);

  /// The least cost with a loss of at most `maxLoss`; none if that is negative.
  std::optional<PlannedResult>
  minimizeCost(double maxLoss, BranchSearchOptions options = {}) const;
  /// The least loss with a cost of at most `maxCost`, if there is a plan.
  std::optional<PlannedResult>
  minimizeLoss(double maxCost, BranchSearchOptions options = {}) const;

private:
  std::vector<std::vector<BranchOption>>
  findOptions(const BranchSearchOptions &options) const;
  std::optional<PlannedResult>
  choose(ArrayRef<std::vector<BranchOption>> branches, double bound,
         bool boundsCost) const;

  const SiteList &sites;
  const LossTable &losses;
  const TimeTable &times;
  SmallVector<double> timesteps;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_AUTOPLANNER_H
