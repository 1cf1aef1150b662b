//===- TimeTable.cpp - The time of modes, measured or scaled --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/TimeTable.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dit;

TimeTable::TimeTable(std::vector<BranchWork> works, const Profile &profile)
    : profile(profile) {
  for (BranchWork &work : works) {
    bool hasSeconds = profile.lookup(work.site.name, Metric::Seconds);
    measured |= hasSeconds;
    if (!hasSeconds && missingSite.empty())
      missingSite = work.site.name;
    BranchPlan full = BranchPlan::getFull(work.site, profile.getNumSteps());
    costs.emplace_back(std::move(work), std::move(full));
  }
  if (!measured)
    missingSite.clear();
  const Trial *dense = profile.getDenseTrial();
  if (measured && missingSite.empty() && dense && dense->seconds)
    rest = std::max(0.0, *dense->seconds - getDense()) /
           static_cast<double>(profile.getNumSteps());
}

const BranchCost *TimeTable::lookup(StringRef site) const {
  auto cost = llvm::find_if(costs, [&](const BranchCost &cost) {
    return cost.getWork().site.name == site;
  });
  return cost == costs.end() ? nullptr : &*cost;
}

double TimeTable::getUniform(StringRef site, int64_t step, const Mode &mode,
                             CachePoint cache) const {
  const BranchCost *cost = lookup(site);
  if (!cost)
    return 0.0;
  double dense = cost->getDense().getTotal();
  double full = dense;
  if (const Measurement *seconds = profile.lookup(site, Metric::Seconds))
    full = seconds->getSum(step);
  if (mode == Mode::full())
    return full;
  if (!mode.computes() && cache != CachePoint::BeforeProjection)
    return 0.0;
  Mode alone = mode;
  alone.source = Mode::kLatest;
  if (const Measurement *seconds = profile.lookup(site, Metric::Seconds, alone))
    return seconds->getSum(step);
  if (dense <= 0.0) {
    // Nothing tells how a mode scales, but what runs not at all or for half of
    // the batch.
    if (!mode.computes())
      return 0.0;
    return mode.part == BatchPart::All ? full : full / 2.0;
  }
  if (!mode.computes())
    return full * static_cast<double>(cost->getWork().outputFlops) / dense;
  return full * cost->getUniform(alone).getTotal() / dense;
}

double TimeTable::getResidual(StringRef site, int64_t step,
                              const Mode &mask) const {
  const BranchCost *cost = lookup(site);
  // That of a half is a subtraction.
  if (!cost || mask.addsHalf() || cost->getDense().getTotal() <= 0.0)
    return 0.0;
  double share = cost->getUniform(mask).attention / cost->getDense().getTotal();
  return share *
         getUniform(site, step, Mode::full(), CachePoint::AfterProjection);
}

double TimeTable::getStep(const BranchPlan &branch, int64_t step) const {
  ModeTable table = branch.getTable();
  double sum = 0.0;
  for (int64_t head = 0; head < branch.heads; ++head) {
    const Mode &mode = table.get(step, head);
    sum += getUniform(branch.site, step, mode, branch.cache);
    // The first residual that takes a step pays for its window.
    if (!mode.residual)
      continue;
    bool isFirst = true;
    for (int64_t at = mode.source + 1; at < step; ++at)
      isFirst &= !(table.get(at, head).residual &&
                   table.get(at, head).source == mode.source);
    if (isFirst)
      sum += getResidual(branch.site, step, mode);
  }
  return sum / static_cast<double>(branch.heads);
}

double TimeTable::predict(const Plan &plan) const {
  double sum = 0.0;
  for (const BranchCost &cost : costs) {
    const BranchPlan *planned = plan.lookup(cost.getWork().site.name);
    const BranchPlan &branch = planned ? *planned : cost.getBranch();
    for (int64_t step = 0; step < profile.getNumSteps(); ++step)
      sum += getStep(branch, step);
  }
  return sum;
}

double TimeTable::getDense() const {
  return predict(Plan(profile.getTimesteps()));
}
