//===- PlanCost.cpp - Work that a plan leaves -----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/PlanCost.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::dit;

StepWork &StepWork::operator+=(const StepWork &other) {
  attention += other.attention;
  residual += other.residual;
  projection += other.projection;
  return *this;
}

/// `mode` without what does not change its mask.
static Mode getMask(Mode mode) {
  mode.part = BatchPart::All;
  mode.residual = false;
  mode.source = Mode::kLatest;
  return mode;
}

/// The share of the batch that `mode` computes.
static double getBatchShare(const Mode &mode) {
  if (!mode.computes())
    return 0.0;
  return mode.part == BatchPart::All ? 1.0 : 0.5;
}

//===----------------------------------------------------------------------===//
// BranchCost
//===----------------------------------------------------------------------===//

BranchCost::BranchCost(const BranchWork &work, const BranchPlan &branch)
    : work(work), branch(branch), exact(work.isKnown) {}

double BranchCost::getAttention(const Mode &mode) const {
  if (!mode.computes() || !work.isKnown)
    return 0.0;
  Mode mask = getMask(mode);
  auto entry = llvm::find_if(
      flopsOfMask, [&](const auto &entry) { return entry.first == mask; });
  if (entry == flopsOfMask.end()) {
    KeptPositions kept = countPositions(work, branch, mask);
    exact &= kept.isExact;
    double flops = static_cast<double>(kept.count) * work.getFlopsOfPosition();
    entry = flopsOfMask.insert(entry, {mask, flops});
  }
  return entry->second * getBatchShare(mode);
}

StepWork BranchCost::getWorkOf(ArrayRef<Mode> modes) const {
  StepWork result;
  double computed = 0.0;
  for (const Mode &mode : modes) {
    result.attention += getAttention(mode);
    computed += getBatchShare(mode);
  }
  result.projection =
      work.inputFlops * (computed / static_cast<double>(modes.size()));
  bool keepsBefore = branch.cache == CachePoint::BeforeProjection;
  auto isHalf = [&](const Mode &mode) {
    return mode.part != BatchPart::All && mode.part == modes.front().part;
  };
  if (llvm::all_of(modes, isHalf))
    result.projection += work.outputFlops / 2.0;
  else if (computed > 0.0 || keepsBefore)
    result.projection += work.outputFlops;
  return result;
}

/// The windows of the heads of `step`, for each mask with a residual that takes
/// the step as its source.
double BranchCost::getResidual(int64_t step) const {
  ModeTable table = branch.getTable();
  double flops = 0.0;
  for (int64_t head = 0; head < branch.heads; ++head) {
    SmallVector<Mode> masks;
    for (int64_t later = step + 1; later < table.getNumSteps(); ++later) {
      const Mode &mode = table.get(later, head);
      if (mode.residual && !mode.addsHalf() && mode.source == step &&
          !llvm::is_contained(masks, getMask(mode)))
        masks.push_back(getMask(mode));
    }
    for (const Mode &mask : masks)
      flops += getAttention(mask) * getBatchShare(table.get(step, head));
  }
  return flops;
}

StepWork BranchCost::getUniform(const Mode &mode) const {
  return getWorkOf(SmallVector<Mode>(branch.heads, mode));
}

StepWork BranchCost::getStep(int64_t step) const {
  StepWork result = getWorkOf(branch.getTable().getStep(step));
  result.residual = getResidual(step);
  return result;
}

StepWork BranchCost::getTotal() const {
  StepWork total;
  for (int64_t step = 0; step < getNumSteps(); ++step)
    total += getStep(step);
  return total;
}

int64_t BranchCost::countComputedSteps() const {
  return getNumSteps() - branch.countSharedSteps();
}

//===----------------------------------------------------------------------===//
// PlanCost
//===----------------------------------------------------------------------===//

PlanCost::PlanCost(ArrayRef<BranchWork> works, const Plan &plan)
    : numSteps(plan.getNumSteps()) {
  for (const BranchWork &work : works) {
    const BranchPlan *branch = plan.lookup(work.site.name);
    branches.emplace_back(
        work, branch ? *branch : BranchPlan::getFull(work.site, numSteps));
  }
}

/// The work of a branch that is full at each step.
static StepWork getDenseOfAllSteps(const BranchCost &branch) {
  StepWork total, once = branch.getDense();
  for (int64_t step = 0; step < branch.getNumSteps(); ++step)
    total += once;
  return total;
}

StepWork PlanCost::getDense() const {
  StepWork total;
  for (const BranchCost &branch : branches)
    total += getDenseOfAllSteps(branch);
  return total;
}

StepWork PlanCost::getTotal() const {
  StepWork total;
  for (const BranchCost &branch : branches)
    total += branch.getTotal();
  return total;
}

StepWork PlanCost::getStep(int64_t step) const {
  StepWork total;
  for (const BranchCost &branch : branches)
    total += branch.getStep(step);
  return total;
}

bool PlanCost::isExact() const {
  return llvm::all_of(branches,
                      [](const BranchCost &cost) { return cost.isExact(); });
}

//===----------------------------------------------------------------------===//
// Report
//===----------------------------------------------------------------------===//

static void writeWork(StringRef key, const StepWork &work,
                      llvm::json::OStream &json) {
  // JSON numbers are whole where work is.
  auto write = [&](StringRef name, double flops) {
    if (flops < 0x1p63)
      json.attribute(name, static_cast<int64_t>(flops));
    else
      json.attribute(name, flops);
  };
  json.attributeObject(key, [&] {
    write("attention", work.attention);
    write("residual", work.residual);
    write("projection", work.projection);
  });
}

/// Writes what share of the dense work is left, where there is some.
static void writeShares(const StepWork &dense, const StepWork &planned,
                        llvm::json::OStream &json) {
  if (dense.attention > 0.0)
    json.attribute("attention_share",
                   (planned.attention + planned.residual) / dense.attention);
  if (dense.getTotal() > 0.0)
    json.attribute("share", planned.getTotal() / dense.getTotal());
}

namespace {
/// How often heads have a mode, and the operations of their attention.
struct ModeUse {
  std::string name;
  int64_t headSteps = 0;
  double flops = 0.0;
};
} // namespace

static std::vector<ModeUse> countUses(const BranchCost &cost) {
  std::vector<ModeUse> uses;
  ModeTable table = cost.getBranch().getTable();
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    for (Mode mode : table.getStep(step)) {
      mode.source = Mode::kLatest;
      std::string name;
      llvm::raw_string_ostream os(name);
      printMode(os, mode);
      auto use = llvm::find_if(
          uses, [&](const ModeUse &use) { return use.name == name; });
      if (use == uses.end())
        use = uses.insert(use, ModeUse{name});
      ++use->headSteps;
      use->flops += cost.getUniform(mode).attention / table.getNumHeads();
    }
  return uses;
}

static void writeBranch(const BranchCost &cost, llvm::json::OStream &json) {
  const Site &site = cost.getWork().site;
  StepWork dense = getDenseOfAllSteps(cost), planned = cost.getTotal();
  json.attribute("site", site.name);
  json.attribute("kind", stringifyBranchKind(site.kind));
  if (site.layer)
    json.attribute("layer", *site.layer);
  json.attribute("computed_steps", cost.countComputedSteps());
  writeWork("dense_flops", dense, json);
  writeWork("flops", planned, json);
  writeShares(dense, planned, json);
  json.attributeObject("modes", [&] {
    for (const ModeUse &use : countUses(cost))
      json.attributeObject(use.name, [&] {
        json.attribute("head_steps", use.headSteps);
        json.attribute("attention", use.flops);
      });
  });
  json.attribute("exact", cost.isExact());
}

void PlanCost::writeJSON(llvm::json::OStream &json) const {
  json.object([&] {
    json.attributeArray("branches", [&] {
      for (const BranchCost &cost : branches)
        json.object([&] { writeBranch(cost, json); });
    });
    json.attributeArray("steps", [&] {
      for (int64_t step = 0; step < numSteps; ++step)
        json.value(getStep(step).getTotal());
    });
    json.attributeObject("total", [&] {
      StepWork dense = getDense(), planned = getTotal();
      writeWork("dense_flops", dense, json);
      writeWork("flops", planned, json);
      writeShares(dense, planned, json);
      json.attribute("exact", isExact());
    });
  });
}
