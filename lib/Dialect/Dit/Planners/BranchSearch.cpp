//===- BranchSearch.cpp - Sequences of modes of a branch ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For given weights of cost and loss a dynamic programme finds the best
// sequence; weights come from the line between two known options, until nothing
// lies below it.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/BranchSearch.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

namespace {

/// What a step has to know of those before it. An age of 0 stands for nothing
/// to reuse.
struct State {
  int64_t option = 0;
  int64_t age = 0;
  int64_t fullAge = 0;
  bool taken = false;
};

class SequenceSearch {
public:
  SequenceSearch(ArrayRef<ModeOption> options, int64_t steps, double costWeight,
                 double lossWeight);
  ModeSequence run();

private:
  struct Edge {
    double value = std::numeric_limits<double>::infinity();
    int64_t parent = -1;
    int64_t option = -1;
  };

  int64_t getIndex(const State &state) const {
    return ((state.option * (maxAge + 1) + state.age) * (maxFullAge + 1) +
            state.fullAge) *
               2 +
           state.taken;
  }
  State getState(int64_t index) const;
  std::optional<double> getLoss(const State &state, int64_t step,
                                const ModeOption &option) const;
  double getCost(const State &state, int64_t step,
                 const ModeOption &option) const;
  State advance(State state, int64_t chosen) const;
  ModeSequence trace(ArrayRef<std::vector<Edge>> edges) const;

  ArrayRef<ModeOption> options;
  int64_t steps;
  double costWeight, lossWeight;
  int64_t maxAge = 1, maxFullAge = 1;
};

} // namespace

SequenceSearch::SequenceSearch(ArrayRef<ModeOption> options, int64_t steps,
                               double costWeight, double lossWeight)
    : options(options), steps(steps), costWeight(costWeight),
      lossWeight(lossWeight) {
  for (const ModeOption &option : options) {
    if (option.mode.kind == ModeKind::Share)
      maxAge = std::max(maxAge, option.ages);
    if (option.mode.residual)
      maxFullAge = std::max(maxFullAge, option.ages);
  }
}

State SequenceSearch::getState(int64_t index) const {
  State state;
  state.taken = index % 2;
  index /= 2;
  state.fullAge = index % (maxFullAge + 1);
  index /= maxFullAge + 1;
  state.age = index % (maxAge + 1);
  state.option = index / (maxAge + 1);
  return state;
}

/// The loss of `option` at `step`, none if it cannot be there.
std::optional<double> SequenceSearch::getLoss(const State &state, int64_t step,
                                              const ModeOption &option) const {
  if (option.mode.residual)
    return state.fullAge == 0 || state.fullAge > option.ages
               ? std::nullopt
               : std::optional(option.getLoss(step, state.fullAge));
  if (option.mode.computes())
    return option.getLoss(step);
  if (state.age == 0 || state.age > option.ages)
    return std::nullopt;
  // The value keeps the loss of its step; the age that its residual had there
  // is that of now less the steps since, or the largest if it is not known.
  const ModeOption &source = options[state.option];
  int64_t age = 1;
  if (source.mode.residual)
    age = state.fullAge > state.age ? state.fullAge - state.age : source.ages;
  return option.getLoss(step, state.age) +
         source.getLoss(step - state.age, std::min(age, source.ages));
}

double SequenceSearch::getCost(const State &state, int64_t step,
                               const ModeOption &option) const {
  double cost = option.cost[step];
  if (option.mode.residual && !state.taken)
    cost += option.residualCost[step];
  return cost;
}

State SequenceSearch::advance(State state, int64_t chosen) const {
  const Mode &mode = options[chosen].mode;
  if (mode == Mode::full()) {
    state.fullAge = 1;
    state.taken = false;
  } else {
    // An age past the largest is one of nothing to reuse.
    state.fullAge = state.fullAge == 0 || state.fullAge == maxFullAge
                        ? 0
                        : state.fullAge + 1;
    state.taken = state.fullAge != 0 && (state.taken || mode.residual);
  }
  if (mode.computes()) {
    state.option = chosen;
    state.age = 1;
  } else {
    state.age = state.age == maxAge ? 0 : state.age + 1;
    if (state.age == 0)
      state.option = 0;
  }
  return state;
}

ModeSequence SequenceSearch::trace(ArrayRef<std::vector<Edge>> edges) const {
  const std::vector<Edge> &last = edges.back();
  int64_t at = llvm::min_element(last,
                                 [](const Edge &lhs, const Edge &rhs) {
                                   return lhs.value < rhs.value;
                                 }) -
               last.begin();
  ModeSequence sequence;
  sequence.modes.resize(steps);
  for (int64_t step = steps; step-- > 0;) {
    const Edge &edge = edges[step + 1][at];
    const ModeOption &option = options[edge.option];
    State state = getState(edge.parent);
    sequence.modes[step] = option.mode;
    sequence.cost += getCost(state, step, option);
    sequence.loss += *getLoss(state, step, option);
    at = edge.parent;
  }
  resolveSources(/*heads=*/1, sequence.modes);
  return sequence;
}

ModeSequence SequenceSearch::run() {
  int64_t numStates = static_cast<int64_t>(options.size()) * (maxAge + 1) *
                      (maxFullAge + 1) * 2;
  std::vector<std::vector<Edge>> edges(steps + 1, std::vector<Edge>(numStates));
  edges[0][getIndex(State())].value = 0.0;
  for (int64_t step = 0; step < steps; ++step)
    for (int64_t from = 0; from < numStates; ++from) {
      double value = edges[step][from].value;
      if (value == std::numeric_limits<double>::infinity())
        continue;
      State state = getState(from);
      for (auto [chosen, option] : llvm::enumerate(options)) {
        std::optional<double> loss = getLoss(state, step, option);
        if (!loss)
          continue;
        double next = value + costWeight * getCost(state, step, option) +
                      lossWeight * *loss;
        Edge &edge = edges[step + 1][getIndex(advance(state, chosen))];
        if (next < edge.value)
          edge = {next, from, static_cast<int64_t>(chosen)};
      }
    }
  return trace(edges);
}

ModeSequence mlir::dit::findSequence(ArrayRef<ModeOption> options,
                                     int64_t steps, double costWeight,
                                     double lossWeight) {
  return SequenceSearch(options, steps, costWeight, lossWeight).run();
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

namespace {

/// Finds the hull of one branch.
class HullSearch {
public:
  HullSearch(const Site &site, int64_t steps, const LossTable &losses,
             const TimeTable &times, const BranchSearchOptions &options);
  std::vector<BranchOption> run();

private:
  ModeOption getOption(const Mode &mode, const Measurement *losses,
                       CachePoint cache, int64_t head, double share) const;
  void addOptions(CachePoint cache, int64_t head,
                  std::vector<ModeOption> &result) const;
  BranchOption solve(double costWeight, double lossWeight) const;
  BranchOption solveWhole(double costWeight, double lossWeight) const;
  BranchOption solveByHead(double costWeight, double lossWeight) const;
  void refine(const BranchOption &low, const BranchOption &high);

  const Site &site;
  int64_t steps;
  const LossTable &losses;
  const TimeTable &times;
  const BranchSearchOptions &options;
  /// Options of all heads together, and of each one.
  std::vector<ModeOption> whole;
  std::vector<std::vector<ModeOption>> ofHead;
  std::vector<BranchOption> found;
};

} // namespace

HullSearch::HullSearch(const Site &site, int64_t steps, const LossTable &losses,
                       const TimeTable &times,
                       const BranchSearchOptions &options)
    : site(site), steps(steps), losses(losses), times(times), options(options) {
  addOptions(options.cache, /*head=*/-1, whole);
  bool byHead = options.byHead && site.heads > 1 &&
                llvm::any_of(losses.getModes(site.name),
                             [](const Measurement &m) { return m.heads > 1; });
  for (int64_t head = 0; byHead && head < site.heads; ++head)
    addOptions(CachePoint::BeforeProjection, head, ofHead.emplace_back());
}

/// The numbers of `mode` for `head`, or for all heads if it is -1. `share` is
/// the part of the branch that the head is.
ModeOption HullSearch::getOption(const Mode &mode, const Measurement *entry,
                                 CachePoint cache, int64_t head,
                                 double share) const {
  ModeOption option;
  option.mode = mode;
  option.ages = entry ? entry->ages : 1;
  for (int64_t step = 0; step < steps; ++step) {
    option.cost.push_back(share *
                          times.getUniform(site.name, step, mode, cache));
    if (mode.residual)
      option.residualCost.push_back(share *
                                    times.getResidual(site.name, step, mode));
    for (int64_t age = 1; age <= option.ages; ++age)
      option.loss.push_back(!entry     ? 0.0
                            : head < 0 ? entry->getSum(step, age)
                                       : entry->get(step, head, age));
  }
  return option;
}

void HullSearch::addOptions(CachePoint cache, int64_t head,
                            std::vector<ModeOption> &result) const {
  double share = head < 0 ? 1.0 : 1.0 / static_cast<double>(site.heads);
  BranchPlan branch = BranchPlan::getFull(site, steps);
  branch.cache = cache;
  result.push_back(getOption(Mode::full(), nullptr, cache, head, share));
  for (const Measurement &entry : losses.getModes(site.name))
    if (branch.canHave(*entry.mode) && (head < 0 || entry.heads > 1))
      result.push_back(getOption(*entry.mode, &entry, cache, head, share));
}

BranchOption HullSearch::solveWhole(double costWeight,
                                    double lossWeight) const {
  ModeSequence sequence = findSequence(whole, steps, costWeight, lossWeight);
  BranchOption option{BranchPlan::getFull(site, steps), sequence.cost,
                      sequence.loss};
  option.plan.cache = options.cache;
  for (auto [step, mode] : llvm::enumerate(sequence.modes))
    option.plan.setStep(step, mode);
  return option;
}

BranchOption HullSearch::solveByHead(double costWeight,
                                     double lossWeight) const {
  BranchOption option{BranchPlan::getFull(site, steps), 0.0, 0.0};
  option.plan.cache = CachePoint::BeforeProjection;
  for (auto [head, modes] : llvm::enumerate(ofHead)) {
    ModeSequence sequence = findSequence(modes, steps, costWeight, lossWeight);
    option.cost += sequence.cost;
    option.loss += sequence.loss;
    for (auto [step, mode] : llvm::enumerate(sequence.modes))
      option.plan.modes[step * site.heads + head] = mode;
  }
  return option;
}

BranchOption HullSearch::solve(double costWeight, double lossWeight) const {
  BranchOption best = solveWhole(costWeight, lossWeight);
  if (ofHead.empty())
    return best;
  BranchOption other = solveByHead(costWeight, lossWeight);
  auto getValue = [&](const BranchOption &option) {
    return costWeight * option.cost + lossWeight * option.loss;
  };
  return getValue(other) < getValue(best) ? other : best;
}

/// Looks for options below the line from `low`, of less loss, to `high`.
void HullSearch::refine(const BranchOption &low, const BranchOption &high) {
  if (low.loss > options.maxLoss ||
      static_cast<int64_t>(found.size()) >= options.maxOptions)
    return;
  double costWeight = high.loss - low.loss, lossWeight = low.cost - high.cost;
  if (!(costWeight > 0.0) || !(lossWeight > 0.0))
    return;
  BranchOption middle = solve(costWeight, lossWeight);
  double line = costWeight * low.cost + lossWeight * low.loss;
  double value = costWeight * middle.cost + lossWeight * middle.loss;
  if (value > line - 1e-9 * std::abs(line))
    return;
  found.push_back(middle);
  refine(low, middle);
  refine(middle, high);
}

std::vector<BranchOption> HullSearch::run() {
  // The least loss is none, that of full steps.
  BranchOption dense{BranchPlan::getFull(site, steps), 0.0, 0.0};
  dense.plan.cache = options.cache;
  for (double cost : whole.front().cost)
    dense.cost += cost;
  found.push_back(dense);
  BranchOption least = solve(/*costWeight=*/1.0, /*lossWeight=*/0.0);
  if (least.loss > 0.0 && least.cost < dense.cost) {
    found.push_back(least);
    refine(dense, least);
  } else if (least.cost < dense.cost) {
    found.push_back(least);
  }
  llvm::sort(found, [](const BranchOption &lhs, const BranchOption &rhs) {
    return std::make_pair(lhs.loss, lhs.cost) <
           std::make_pair(rhs.loss, rhs.cost);
  });
  return std::move(found);
}

std::vector<BranchOption>
mlir::dit::findBranchOptions(const Site &site, int64_t steps,
                             const LossTable &losses, const TimeTable &times,
                             const BranchSearchOptions &options) {
  return HullSearch(site, steps, losses, times, options).run();
}
