//===- Plan.cpp - What each branch does at each step ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/Plan.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// BranchPlan
//===----------------------------------------------------------------------===//

BranchPlan BranchPlan::getFull(const Site &site, int64_t steps) {
  BranchPlan branch;
  branch.site = site.name;
  branch.kind = site.kind;
  branch.layer = site.layer;
  branch.heads = site.heads;
  branch.grid = site.grid;
  branch.modes.assign(steps * site.heads, Mode::full());
  return branch;
}

void BranchPlan::setStep(int64_t step, const Mode &mode) {
  std::fill_n(modes.begin() + step * heads, heads, mode);
}

int64_t BranchPlan::countSharedSteps() const {
  int64_t count = 0;
  ModeTable table = getTable();
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    count += llvm::none_of(table.getStep(step),
                           [](const Mode &mode) { return mode.computes(); });
  return count;
}

bool BranchPlan::isFull() const {
  return llvm::all_of(modes,
                      [](const Mode &mode) { return mode == Mode::full(); });
}

bool BranchPlan::canHave(const Mode &mode) const {
  // After a full step, for what reuses.
  SmallVector<Mode> modes = {Mode::full(), mode};
  resolveSources(/*heads=*/1, modes);
  ModeTable table(/*heads=*/1, modes);
  return !findTableFault(table) &&
         !findBranchFault(table, kind, cache, grid, tile);
}

std::optional<ModeFault> BranchPlan::findFault() const {
  if (std::optional<ModeFault> fault = findTableFault(getTable()))
    return fault;
  return findBranchFault(getTable(), kind, cache, grid, tile);
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

Plan Plan::getFull(const SiteList &sites, ArrayRef<double> timesteps) {
  Plan plan(timesteps);
  plan.setFingerprint(sites.getFingerprint());
  for (const Site &site : sites.getSites())
    plan.add(BranchPlan::getFull(site, timesteps.size()));
  return plan;
}

Plan Plan::get(PlanOp op) {
  Plan plan(op.getTimesteps());
  plan.setFingerprint(op.getFingerprint().value_or(""));
  for (auto planned : op.getBody().getOps<PlannedOp>()) {
    BranchPlan branch;
    branch.site = planned.getSite().str();
    branch.kind = planned.getKind();
    branch.layer = planned.getLayer();
    branch.cache = planned.getCache();
    branch.grid = planned.getGridAttr();
    llvm::append_range(branch.tile,
                       planned.getTile().value_or(ArrayRef<int64_t>()));
    branch.rounded = planned.getRounded();
    branch.heads = planned.getModes().getHeads();
    llvm::append_range(branch.modes, planned.getModes().getModes());
    plan.add(std::move(branch));
  }
  return plan;
}

PlanOp Plan::create(OpBuilder &builder, Location loc, StringRef name) const {
  OpBuilder::InsertionGuard guard(builder);
  auto op = PlanOp::create(
      builder, loc, builder.getStringAttr(name),
      /*sym_visibility=*/StringAttr(), builder.getDenseF64ArrayAttr(timesteps),
      fingerprint.empty() ? StringAttr() : builder.getStringAttr(fingerprint));
  builder.createBlock(&op.getBody());
  for (const BranchPlan &branch : branches) {
    auto optionalInt = [&](std::optional<int64_t> value) {
      return value ? builder.getI64IntegerAttr(*value) : IntegerAttr();
    };
    PlannedOp::create(
        builder, loc, builder.getStringAttr(branch.site),
        BranchKindAttr::get(builder.getContext(), branch.kind),
        optionalInt(branch.layer),
        CachePointAttr::get(builder.getContext(), branch.cache),
        ModesAttr::get(builder.getContext(), branch.heads, branch.modes),
        branch.grid,
        branch.tile.empty() ? DenseI64ArrayAttr()
                            : builder.getDenseI64ArrayAttr(branch.tile),
        branch.rounded ? builder.getUnitAttr() : UnitAttr());
  }
  return op;
}

const BranchPlan *Plan::lookup(StringRef site) const {
  auto branch = llvm::find_if(
      branches, [&](const BranchPlan &branch) { return branch.site == site; });
  return branch == branches.end() ? nullptr : &*branch;
}

Plan Plan::getCompleted(const SiteList &sites) const {
  Plan plan(timesteps);
  plan.setFingerprint(fingerprint);
  for (const Site &site : sites.getSites()) {
    const BranchPlan *branch = lookup(site.name);
    plan.add(branch ? *branch : BranchPlan::getFull(site, getNumSteps()));
  }
  return plan;
}

/// The step of `timesteps` that is nearest to `timestep`, the first of equals.
static int64_t findNearest(ArrayRef<double> timesteps, double timestep) {
  auto distance = [&](double value) { return std::abs(value - timestep); };
  return llvm::min_element(timesteps,
                           [&](double lhs, double rhs) {
                             return distance(lhs) < distance(rhs);
                           }) -
         timesteps.begin();
}

Plan Plan::getRemapped(int64_t steps, ArrayRef<double> newTimesteps) const {
  SmallVector<int64_t> sources;
  Plan plan(newTimesteps);
  plan.setFingerprint(fingerprint);
  for (int64_t step = 0; step < steps; ++step) {
    int64_t place = step * getNumSteps() / steps;
    sources.push_back(newTimesteps.empty()
                          ? place
                          : findNearest(timesteps, newTimesteps[step]));
    if (newTimesteps.empty())
      plan.timesteps.push_back(timesteps[place]);
  }
  for (const BranchPlan &branch : branches) {
    BranchPlan mapped = branch;
    mapped.modes.clear();
    for (int64_t source : sources)
      for (Mode mode : branch.getTable().getStep(source)) {
        mode.source = Mode::kLatest;
        mapped.modes.push_back(mode);
      }
    resolveSources(mapped.heads, mapped.modes);
    for (Mode &mode : mapped.modes)
      if (mode.hasSource() && mode.source == Mode::kLatest)
        mode = Mode::full();
    for (Mode &mode : mapped.modes)
      mode.source = Mode::kLatest;
    resolveSources(mapped.heads, mapped.modes);
    plan.add(std::move(mapped));
  }
  return plan;
}

std::string Plan::findMismatch(const BranchPlan &branch,
                               const SiteList &sites) {
  const Site *site = sites.lookup(branch.site);
  if (!site)
    return llvm::formatv(
        "the program has no site '{0}'; its sites are: {1:$[, ]}", branch.site,
        llvm::map_range(sites.getSites(),
                        [](const Site &site) { return site.name; }));
  if (site->kind != branch.kind)
    return llvm::formatv("site '{0}' is of kind {1} in the program, got {2}",
                         branch.site, stringifyBranchKind(site->kind),
                         stringifyBranchKind(branch.kind));
  if (site->heads != branch.heads)
    return llvm::formatv("site '{0}' has {1} heads in the program, got {2}",
                         branch.site, site->heads, branch.heads);
  return "";
}

std::string Plan::findMismatch(const SiteList &sites) const {
  for (const BranchPlan &branch : branches) {
    std::string text = findMismatch(branch, sites);
    if (!text.empty())
      return text;
  }
  if (!fingerprint.empty() && fingerprint != sites.getFingerprint())
    return llvm::formatv("it is for a program whose sites have the fingerprint "
                         "{0}, and those of this one have {1}; without a "
                         "fingerprint it applies to any program that has its "
                         "sites",
                         fingerprint, sites.getFingerprint());
  return "";
}
