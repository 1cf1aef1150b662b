//===- CachePlan.cpp - Which values a branch keeps, and for how long ------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Live ranges are found backwards from their uses: a share or a residual names
// the step whose value it reads. Slots are then given in the order of
// producers.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/CachePlan.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

#include <array>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// BranchStep
//===----------------------------------------------------------------------===//

bool BranchStep::isShared() const {
  return llvm::none_of(
      heads, [](const HeadStep &head) { return head.mode.computes(); });
}

bool BranchStep::writes() const {
  return llvm::any_of(updates, [](const SlotUpdate &update) {
    return update.kind != SlotUpdate::Keep;
  });
}

BatchPart BranchStep::getPart() const {
  BatchPart part = heads.front().mode.part;
  return llvm::all_of(
             heads,
             [&](const HeadStep &head) { return head.mode.part == part; })
             ? part
             : BatchPart::All;
}

//===----------------------------------------------------------------------===//
// CachePlan
//===----------------------------------------------------------------------===//

/// The mask of `mode`, of a residual, as the same for all steps.
static Mode getMask(Mode mode) {
  mode.residual = false;
  mode.part = BatchPart::All;
  mode.source = Mode::kLatest;
  return mode;
}

/// Whether each head keeps a value of its own. A projection mixes them.
static bool keepsByHead(const BranchPlan &branch) {
  return branch.cache == CachePoint::BeforeProjection;
}

void CachePlan::collect(const BranchPlan &branch) {
  ModeTable table = branch.getTable();
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    for (int64_t head = 0; head < branch.heads; ++head) {
      const Mode &mode = table.get(step, head);
      bool ofAllHeads =
          mode.addsHalf() || (!mode.residual && !keepsByHead(branch));
      if (!mode.hasSource() || (head > 0 && ofAllHeads))
        continue;
      std::optional<Mode> mask;
      if (mode.residual)
        mask = getMask(mode);
      auto *known = const_cast<Kept *>(lookup(head, mode.source, mask));
      if (known)
        known->lastUse = step;
      else
        kept.insert(llvm::upper_bound(kept, mode.source,
                                      [](int64_t producer, const Kept &value) {
                                        return producer < value.producer;
                                      }),
                    {head, mode.source, step, mask});
    }
}

const CachePlan::Kept *
CachePlan::lookup(int64_t head, int64_t producer,
                  const std::optional<Mode> &mask) const {
  auto found = llvm::find_if(kept, [&](const Kept &value) {
    return value.head == head && value.producer == producer &&
           value.mask == mask;
  });
  return found == kept.end() ? nullptr : &*found;
}

/// Whether `mask`, of a residual, is that of a half.
static bool isOfHalf(const std::optional<Mode> &mask) {
  return mask && mask->kind == ModeKind::Full;
}

void CachePlan::assignSlots() {
  // The last step at which a slot holds something, by head.
  SmallVector<DenseMap<int64_t, int64_t>> heldUntil;
  for (Kept &value : kept) {
    int64_t slot = 0;
    bool halves = isOfHalf(value.mask);
    bool residual = value.mask && !halves;
    while (slot < static_cast<int64_t>(slots.size()) &&
           (slots[slot].residual != residual || slots[slot].halves != halves ||
            (heldUntil[slot].contains(value.head) &&
             heldUntil[slot][value.head] >= value.producer)))
      ++slot;
    if (slot == static_cast<int64_t>(slots.size())) {
      slots.emplace_back();
      slots.back().residual = residual;
      slots.back().halves = halves;
      slots.back().liveAfter.assign(getNumSteps(), false);
      heldUntil.emplace_back();
    }
    value.slot = slot;
    heldUntil[slot][value.head] = value.lastUse;
    for (int64_t step = value.producer; step < value.lastUse; ++step)
      slots[slot].liveAfter[step] = true;
  }
}

SlotUpdate CachePlan::makeUpdate(const BranchStep &made, int64_t slot,
                                 int64_t step, bool byHead, bool eager) const {
  SlotUpdate update;
  for (const Kept &value : kept)
    if (value.slot == slot && value.producer == step)
      update.heads.emplace_back(value.head, value.mask.value_or(Mode()));
  // Whether the value of all heads that is there anyway has, for heads that
  // stay in the slot, what the slot holds.
  bool residual = slots[slot].residual;
  bool isOutput = !residual && !slots[slot].halves;
  auto isSpare = [&](const Kept &value) {
    return isOutput && made.heads[value.head].load == slot;
  };
  bool fits = true;
  for (const Kept &value : kept)
    if (value.slot == slot && value.producer < step && step < value.lastUse)
      fits &= isSpare(value);
  if (!update.heads.empty()) {
    bool replaces = fits || !(byHead || residual);
    update.kind = replaces ? SlotUpdate::Replace : SlotUpdate::Merge;
    if (replaces && !residual)
      update.heads.clear();
    return update;
  }
  // A value of some heads that was built into a slot may stay in it.
  bool builtInto = isOutput && !made.isShared() &&
                   llvm::any_of(made.heads, [&](const HeadStep &head) {
                     return !head.mode.computes() && head.load == slot;
                   });
  bool isFree = eager && isOutput && !made.isShared();
  if ((builtInto || isFree) && fits)
    update.kind = SlotUpdate::Replace;
  return update;
}

BranchStep CachePlan::makeStep(const BranchPlan &branch, int64_t step,
                               bool eager) const {
  BranchStep made;
  ModeTable table = branch.getTable();
  bool byHead = keepsByHead(branch);
  for (int64_t head = 0; head < branch.heads; ++head) {
    HeadStep at;
    at.mode = table.get(step, head);
    if (at.mode.residual)
      at.load = lookup(at.mode.addsHalf() ? 0 : head, at.mode.source,
                       getMask(at.mode))
                    ->slot;
    else if (!at.mode.computes())
      at.load = lookup(byHead ? head : 0, at.mode.source, std::nullopt)->slot;
    at.mode.source = Mode::kLatest;
    made.heads.push_back(at);
  }
  for (int64_t slot = 0; slot < static_cast<int64_t>(slots.size()); ++slot)
    made.updates.push_back(makeUpdate(made, slot, step, byHead, eager));
  return made;
}

CachePlan::CachePlan(const BranchPlan &branch, bool eager) {
  assert(!branch.findFault() && "the plan has a fault");
  classOf.resize(branch.getTable().getNumSteps());
  collect(branch);
  assignSlots();
  for (int64_t step = 0; step < getNumSteps(); ++step) {
    BranchStep made = makeStep(branch, step, eager);
    auto known = llvm::find(classes, made);
    classOf[step] = known - classes.begin();
    if (known == classes.end())
      classes.push_back(std::move(made));
  }
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

/// Longer periods are not looked for.
static constexpr int64_t kMaxPeriod = 64;

SmallVector<StepRun> mlir::dit::findStepRuns(ArrayRef<int64_t> classes) {
  int64_t steps = classes.size();
  // Backwards, the fewest steps that have to be written out from each one on,
  // and for each period how many steps are equal to those a period later.
  SmallVector<int64_t> cost(steps + 1, 0);
  SmallVector<StepRun> best(steps);
  std::array<int64_t, kMaxPeriod + 1> equal = {};
  for (int64_t begin = steps - 1; begin >= 0; --begin) {
    cost[begin] = cost[begin + 1] + 1;
    best[begin] = {begin, 1, 1};
    int64_t longest = std::min(kMaxPeriod, steps - begin - 1);
    for (int64_t period = 1; period <= longest; ++period) {
      bool same = classes[begin] == classes[begin + period];
      equal[period] = same ? equal[period] + 1 : 0;
      int64_t repeats = equal[period] / period + 1;
      int64_t whole = period + cost[begin + period * repeats];
      if (repeats == 1 || whole >= cost[begin])
        continue;
      cost[begin] = whole;
      best[begin] = {begin, period, repeats};
    }
  }
  SmallVector<StepRun> runs;
  for (int64_t begin = 0; begin < steps;) {
    runs.push_back(best[begin]);
    begin += best[begin].period * best[begin].repeats;
  }
  return runs;
}
