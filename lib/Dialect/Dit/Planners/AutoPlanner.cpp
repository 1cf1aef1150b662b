//===- AutoPlanner.cpp - The best plan of all modes -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/AutoPlanner.h"
#include "dit/Dialect/Dit/Planners/MultipleChoice.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit;

AutoPlanner::AutoPlanner(const SiteList &sites, const LossTable &losses,
                         const TimeTable &times, ArrayRef<double> timesteps)
    : sites(sites), losses(losses), times(times), timesteps(timesteps) {}

std::vector<std::vector<BranchOption>>
AutoPlanner::findOptions(const BranchSearchOptions &options) const {
  std::vector<std::vector<BranchOption>> branches;
  for (const Site &site : sites.getSites())
    branches.push_back(
        findBranchOptions(site, timesteps.size(), losses, times, options));
  return branches;
}

std::optional<PlannedResult>
AutoPlanner::choose(ArrayRef<std::vector<BranchOption>> branches, double bound,
                    bool boundsCost) const {
  std::vector<std::vector<Choice>> groups;
  for (const std::vector<BranchOption> &options : branches) {
    std::vector<Choice> &group = groups.emplace_back();
    for (const BranchOption &option : options)
      group.push_back(boundsCost ? Choice{option.loss, option.cost}
                                 : Choice{option.cost, option.loss});
  }
  std::optional<Choices> choices = chooseOptions(groups, bound);
  if (!choices)
    return std::nullopt;
  PlannedResult result{Plan(timesteps), choices->cost, choices->loss,
                       choices->isOptimal};
  if (boundsCost)
    std::swap(result.cost, result.loss);
  result.plan.setFingerprint(sites.getFingerprint());
  for (auto [options, chosen] : llvm::zip(branches, choices->chosen)) {
    BranchPlan branch = options[chosen].plan;
    resolveSources(branch.heads, branch.modes);
    result.plan.add(std::move(branch));
  }
  return result;
}

std::optional<PlannedResult>
AutoPlanner::minimizeCost(double maxLoss, BranchSearchOptions options) const {
  options.maxLoss = maxLoss;
  return choose(findOptions(options), maxLoss, /*boundsCost=*/false);
}

std::optional<PlannedResult>
AutoPlanner::minimizeLoss(double maxCost, BranchSearchOptions options) const {
  options.maxLoss = std::numeric_limits<double>::infinity();
  return choose(findOptions(options), maxCost, /*boundsCost=*/true);
}
