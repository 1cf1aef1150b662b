//===- MultipleChoice.cpp - One option of each group ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the linear relaxation only the options on the lower convex hull of a group
// matter, and steps along the hulls of all groups are taken by what they save
// for their loss. Whole steps that fit give the first known choice.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/MultipleChoice.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <tuple>

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A step along the hull of a group, from its last option to `option`.
struct HullStep {
  size_t group;
  int64_t option;
  /// The place among the steps of the group.
  size_t place;
  double saved;
  double loss;
  /// Saves more for its loss, or comes first.
  bool operator<(const HullStep &other) const {
    double mine = saved * other.loss, others = other.saved * loss;
    return mine != others
               ? mine > others
               : std::tie(group, place) < std::tie(other.group, other.place);
  }
};

/// A choice for the first groups.
struct Partial {
  double cost;
  double loss;
  /// What it extends, and by which option of the last group.
  int64_t parent;
  int64_t option;
};

class Solver {
public:
  Solver(ArrayRef<std::vector<Choice>> groups, double maxLoss,
         size_t maxPartials)
      : groups(groups), maxLoss(maxLoss), maxPartials(maxPartials) {}

  std::optional<Choices> solve();

private:
  void reduce();
  void addHull(size_t group);
  void chooseGreedily();
  void prepareBounds(size_t group);
  double getBound(double loss) const;
  std::vector<Partial> extend(size_t group, ArrayRef<Partial> partials);
  bool evaluate(Choices &choices) const;

  ArrayRef<std::vector<Choice>> groups;
  double maxLoss;
  size_t maxPartials;
  /// Of each group, the options that no other one beats, by their loss.
  std::vector<SmallVector<int64_t>> kept;
  std::vector<HullStep> hull;
  /// Least losses of the groups from one on.
  std::vector<double> leastLoss;
  /// Of the groups that remain: the cost at the least loss, and what steps
  /// along the hull save up to a loss.
  double baseCost = 0.0;
  std::vector<Choice> frontier;
  Choices best;
};

} // namespace

/// Sorts options by their loss and drops those that save nothing for it.
void Solver::reduce() {
  for (const std::vector<Choice> &group : groups) {
    auto order = llvm::to_vector(llvm::seq<int64_t>(0, group.size()));
    llvm::sort(order, [&](int64_t lhs, int64_t rhs) {
      return std::tie(group[lhs].loss, group[lhs].cost, lhs) <
             std::tie(group[rhs].loss, group[rhs].cost, rhs);
    });
    SmallVector<int64_t> &options = kept.emplace_back();
    for (int64_t option : order)
      if (options.empty() || group[option].cost < group[options.back()].cost)
        options.push_back(option);
  }
  leastLoss.assign(groups.size() + 1, 0.0);
  for (size_t group = groups.size(); group-- > 0;)
    leastLoss[group] =
        leastLoss[group + 1] + groups[group][kept[group].front()].loss;
}

/// Appends the steps along the lower convex hull of `group`.
void Solver::addHull(size_t group) {
  SmallVector<int64_t> corners;
  auto get = [&](int64_t option) { return groups[group][option]; };
  auto isBelow = [&](int64_t from, int64_t corner, int64_t to) {
    Choice a = get(from), b = get(corner), c = get(to);
    return (a.cost - b.cost) * (c.loss - b.loss) >
           (b.cost - c.cost) * (b.loss - a.loss);
  };
  for (int64_t option : kept[group]) {
    while (corners.size() > 1 &&
           !isBelow(corners[corners.size() - 2], corners.back(), option))
      corners.pop_back();
    corners.push_back(option);
  }
  for (size_t i = 1; i < corners.size(); ++i) {
    Choice from = get(corners[i - 1]), to = get(corners[i]);
    hull.push_back(
        {group, corners[i], i, from.cost - to.cost, to.loss - from.loss});
  }
}

/// Sets the sums of `choices`; returns whether it keeps to the bound.
bool Solver::evaluate(Choices &choices) const {
  choices.cost = choices.loss = 0.0;
  for (auto [group, option] : llvm::zip(groups, choices.chosen)) {
    choices.cost += group[option].cost;
    choices.loss += group[option].loss;
  }
  return choices.loss <= maxLoss;
}

/// Takes each step along the hulls that fits; after one that does not, those of
/// the same group are no steps from where it is.
void Solver::chooseGreedily() {
  for (const SmallVector<int64_t> &options : kept)
    best.chosen.push_back(options.front());
  evaluate(best);
  std::vector<bool> stopped(groups.size(), false);
  for (const HullStep &step : hull) {
    if (stopped[step.group])
      continue;
    Choices next = best;
    next.chosen[step.group] = step.option;
    next.loss = best.loss + step.loss;
    // The cheap test first; the sum in order decides.
    if (next.loss <= maxLoss && evaluate(next))
      best = std::move(next);
    else
      stopped[step.group] = true;
  }
}

/// Makes the relaxation of the groups from `group` on.
void Solver::prepareBounds(size_t group) {
  baseCost = 0.0;
  for (size_t i = group; i < groups.size(); ++i)
    baseCost += groups[i][kept[i].front()].cost;
  frontier.assign(1, Choice());
  for (const HullStep &step : hull)
    if (step.group >= group)
      frontier.push_back({frontier.back().cost + step.saved,
                          frontier.back().loss + step.loss});
}

/// The least that the remaining groups cost if their losses exceed the least
/// ones by `loss` at most, in the relaxation.
double Solver::getBound(double loss) const {
  auto next =
      llvm::upper_bound(frontier, loss, [](double loss, const Choice &at) {
        return loss < at.loss;
      });
  if (next == frontier.begin())
    return baseCost;
  auto at = std::prev(next);
  double saved = at->cost;
  if (next != frontier.end())
    saved +=
        (next->cost - at->cost) * (loss - at->loss) / (next->loss - at->loss);
  return baseCost - saved;
}

/// All partial choices with an option of `group` that can still lead to less
/// than the best known cost.
std::vector<Partial> Solver::extend(size_t group, ArrayRef<Partial> partials) {
  std::vector<Partial> all;
  // Sums in another order differ in their last digits.
  double slack = 1e-12 * (1.0 + maxLoss);
  for (auto [parent, partial] : llvm::enumerate(partials))
    for (int64_t option : kept[group]) {
      Choice choice = groups[group][option];
      double loss = partial.loss + choice.loss;
      if (loss + leastLoss[group + 1] > maxLoss + slack)
        break;
      all.push_back({partial.cost + choice.cost, loss,
                     static_cast<int64_t>(parent), option});
    }
  llvm::sort(all, [](const Partial &lhs, const Partial &rhs) {
    return std::tie(lhs.loss, lhs.cost, lhs.parent, lhs.option) <
           std::tie(rhs.loss, rhs.cost, rhs.parent, rhs.option);
  });
  prepareBounds(group + 1);
  double enough = best.cost - 1e-12 * std::abs(best.cost);
  std::vector<Partial> result;
  for (const Partial &partial : all) {
    if (!result.empty() && partial.cost >= result.back().cost)
      continue;
    double left = maxLoss + slack - partial.loss - leastLoss[group + 1];
    if (partial.cost + getBound(left) < enough)
      result.push_back(partial);
  }
  if (result.size() > maxPartials) {
    best.isOptimal = false;
    // The ones that promise most go on.
    auto promise = [&](const Partial &partial) {
      return partial.cost +
             getBound(maxLoss - partial.loss - leastLoss[group + 1]);
    };
    llvm::sort(result, [&](const Partial &lhs, const Partial &rhs) {
      return std::make_pair(promise(lhs), lhs.loss) <
             std::make_pair(promise(rhs), rhs.loss);
    });
    result.resize(maxPartials);
  }
  return result;
}

std::optional<Choices> Solver::solve() {
  reduce();
  for (size_t group = 0; group < groups.size(); ++group)
    addHull(group);
  llvm::sort(hull);
  chooseGreedily();
  if (!(best.loss <= maxLoss))
    return std::nullopt;
  std::vector<std::vector<Partial>> levels = {{{0.0, 0.0, -1, -1}}};
  for (size_t group = 0; group < groups.size(); ++group)
    levels.push_back(extend(group, levels.back()));
  for (const Partial &last : levels.back()) {
    Choices choices;
    choices.chosen.resize(groups.size());
    const Partial *at = &last;
    for (size_t group = groups.size(); group-- > 0;) {
      choices.chosen[group] = at->option;
      at = &levels[group][at->parent];
    }
    choices.isOptimal = best.isOptimal;
    if (evaluate(choices) && choices.cost < best.cost)
      best = std::move(choices);
  }
  return best;
}

std::optional<Choices>
mlir::dit::chooseOptions(ArrayRef<std::vector<Choice>> groups, double maxLoss,
                         size_t maxPartialChoices) {
  return Solver(groups, maxLoss, maxPartialChoices).solve();
}
