//===- BroadcastPlanner.cpp - Periods and windows from a profile ----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A window of steps gives a schedule of reuse, of which the widest window of
// timesteps is the rule; the best rule of each kind is a multiple choice.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/BroadcastPlanner.h"
#include "dit/Dialect/Dit/Planners/MultipleChoice.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// The candidates of one kind.
class KindSearch {
public:
  KindSearch(BranchKind kind, const SiteList &sites, const LossTable &losses,
             const TimeTable &times, ArrayRef<double> timesteps,
             const BroadcastOptions &options)
      : kind(kind), losses(losses), times(times), timesteps(timesteps),
        options(options) {
    for (const Site &site : sites.getSites())
      if (site.kind == kind)
        branches.push_back(BranchPlan::getFull(site, timesteps.size()));
  }

  std::vector<PlannedRule> run();

private:
  std::optional<PlannedRule> evaluate(ArrayRef<bool> reused) const;

  BranchKind kind;
  const LossTable &losses;
  const TimeTable &times;
  ArrayRef<double> timesteps;
  const BroadcastOptions &options;
  std::vector<BranchPlan> branches;
};

} // namespace

/// The rule that reuses at these steps, if there is one and its shares were
/// measured.
std::optional<PlannedRule> KindSearch::evaluate(ArrayRef<bool> reused) const {
  std::optional<BroadcastRule> rule = BroadcastRule::find(timesteps, reused);
  if (!rule)
    return std::nullopt;
  PlannedRule planned{kind, *rule};
  planned.reused = llvm::count(reused, true);
  for (BranchPlan branch : branches) {
    branch.cache = options.cache;
    rule->apply(timesteps, branch);
    std::optional<std::vector<double>> loss = losses.getLosses(branch);
    if (!loss)
      return std::nullopt;
    for (double value : *loss)
      planned.loss += value;
    for (size_t step = 0; step < timesteps.size(); ++step)
      planned.cost += times.getStep(branch, step);
  }
  return planned;
}

std::vector<PlannedRule> KindSearch::run() {
  int64_t steps = timesteps.size();
  std::vector<PlannedRule> rules;
  std::vector<SmallVector<bool>> seen;
  SmallVector<bool> reused(steps, false);
  rules.push_back(*evaluate(reused));
  for (int64_t period = 2; period <= options.maxPeriod; ++period)
    for (int64_t begin = 1; begin < steps; ++begin) {
      reused.assign(steps, false);
      // A window that begins or ends at a multiple of the period is one that
      // begins or ends next to it.
      if (begin % period == 0)
        continue;
      for (int64_t step = begin; step < steps; ++step) {
        if (step % period == 0)
          continue;
        reused[step] = true;
        if (llvm::is_contained(seen, reused))
          continue;
        seen.push_back(reused);
        if (std::optional<PlannedRule> rule = evaluate(reused))
          rules.push_back(*rule);
      }
    }
  return rules;
}

std::optional<std::vector<PlannedRule>>
mlir::dit::chooseRules(const SiteList &sites, const LossTable &losses,
                       const TimeTable &times, ArrayRef<double> timesteps,
                       double maxLoss, const BroadcastOptions &options) {
  std::vector<std::vector<PlannedRule>> rules;
  std::vector<std::vector<Choice>> groups;
  SmallVector<BranchKind> kinds;
  for (const Site &site : sites.getSites()) {
    if (llvm::is_contained(kinds, site.kind) ||
        (!options.kinds.empty() &&
         !llvm::is_contained(options.kinds, site.kind)))
      continue;
    kinds.push_back(site.kind);
    rules.push_back(
        KindSearch(site.kind, sites, losses, times, timesteps, options).run());
    std::vector<Choice> &group = groups.emplace_back();
    for (const PlannedRule &rule : rules.back())
      group.push_back({rule.cost, rule.loss});
  }
  std::optional<Choices> choices = chooseOptions(groups, maxLoss);
  if (!choices)
    return std::nullopt;
  std::vector<PlannedRule> result;
  for (auto [ofKind, chosen] : llvm::zip(rules, choices->chosen))
    result.push_back(ofKind[chosen]);
  return result;
}

Plan mlir::dit::applyRules(const SiteList &sites, ArrayRef<double> timesteps,
                           ArrayRef<PlannedRule> rules, CachePoint cache) {
  Plan plan = Plan::getFull(sites, timesteps);
  for (BranchPlan &branch : plan.getBranches())
    for (const PlannedRule &rule : rules)
      if (rule.kind == branch.kind) {
        branch.cache = cache;
        rule.rule.apply(timesteps, branch);
      }
  return plan;
}
