//===- CompressionPlanner.cpp - The searches of DiTFastAttn ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/CompressionPlanner.h"
#include "dit/Dialect/Dit/Planners/MultipleChoice.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Evaluators
//===----------------------------------------------------------------------===//

InfluenceEvaluator::~InfluenceEvaluator() = default;

void InfluenceEvaluator::commit(const Plan &, int64_t) {}

/// The age of the value that `mode` takes at `step`.
static int64_t getAge(const Mode &mode, int64_t step) {
  return mode.hasSource() ? step - mode.source : 1;
}

std::optional<double> TableEvaluator::getOutputLoss(const Plan &plan,
                                                    int64_t step) {
  double sum = 0.0;
  for (const BranchPlan &branch : plan.getBranches()) {
    const Mode &mode = branch.getTable().get(step, 0);
    if (mode == Mode::full())
      continue;
    const Measurement *entry = outputLosses.lookup(branch.site, mode);
    int64_t age = getAge(mode, step);
    if (!entry || age > entry->ages)
      return std::nullopt;
    sum += entry->getSum(step, age);
  }
  return sum;
}

std::optional<double> TableEvaluator::getHeadError(const Plan &plan,
                                                   int64_t step, int64_t branch,
                                                   int64_t head,
                                                   const Mode &mode) {
  const BranchPlan &planned = plan.getBranches()[branch];
  const Measurement *entry = headErrors.lookup(planned.site, mode);
  int64_t age = getAge(mode, step);
  if (!entry || age > entry->ages || entry->heads != planned.heads)
    return std::nullopt;
  return entry->get(step, head, age);
}

//===----------------------------------------------------------------------===//
// Version 1
//===----------------------------------------------------------------------===//

/// The strategies of version 1 but full, in the order in which they are tried.
static SmallVector<Mode> getStrategies(int64_t window, BatchPart conditional) {
  Mode residual = Mode::window(window);
  residual.residual = true;
  auto getHalf = [&](Mode mode) {
    mode.part = conditional;
    return mode;
  };
  SmallVector<Mode> strategies = {Mode::share()};
  if (conditional != BatchPart::All)
    strategies.push_back(getHalf(residual));
  strategies.push_back(residual);
  if (conditional != BatchPart::All)
    strategies.push_back(getHalf(Mode::full()));
  return strategies;
}

/// Sets the modes of all heads at `step`, with their sources; returns whether
/// the branch can have them.
static bool setStep(BranchPlan &branch, int64_t step, Mode mode) {
  for (int64_t head = 0; head < branch.heads; ++head) {
    if (mode.hasSource())
      mode.source = branch.getTable().findLatest(step, head, mode);
    branch.modes[step * branch.heads + head] = mode;
  }
  return !branch.findFault();
}

Plan mlir::dit::planGreedily(const SiteList &sites, ArrayRef<double> timesteps,
                             InfluenceEvaluator &evaluator,
                             TokenCount countTokens,
                             const CompressionOptions &options,
                             std::vector<CompressionDecision> *decisions) {
  Plan plan = Plan::getFull(sites, timesteps);
  SmallVector<BranchPlan *> layers;
  for (BranchPlan &branch : plan.getBranches())
    if (llvm::is_contained(options.kinds, branch.kind))
      layers.push_back(&branch);
  evaluator.commit(plan, 0);
  for (int64_t step = 1; step < plan.getNumSteps(); ++step) {
    for (auto [index, branch] : llvm::enumerate(layers)) {
      double bound = options.threshold * static_cast<double>(index + 1) /
                     static_cast<double>(layers.size());
      int64_t window =
          options.window ? options.window : countTokens(branch->site) / 8;
      CompressionDecision decision{branch->site, step, {}, false};
      for (const Mode &mode : getStrategies(window, options.conditional)) {
        std::optional<double> loss;
        if (setStep(*branch, step, mode))
          loss = evaluator.getOutputLoss(plan, step);
        decision.tried.push_back({mode, loss});
        decision.taken = loss && *loss < bound;
        if (decision.taken)
          break;
      }
      if (!decision.taken)
        branch->setStep(step, Mode::full());
      if (decisions)
        decisions->push_back(std::move(decision));
    }
    evaluator.commit(plan, step);
  }
  return plan;
}

//===----------------------------------------------------------------------===//
// Version 2
//===----------------------------------------------------------------------===//

namespace {

/// Chooses the modes of the heads of one branch at one step.
class HeadChooser {
public:
  HeadChooser(Plan &plan, int64_t step, int64_t branch,
              InfluenceEvaluator &evaluator, const CompressionOptions &options)
      : plan(plan), branch(plan.getBranches()[branch]), step(step),
        index(branch), evaluator(evaluator), options(options) {}

  void run(ArrayRef<Mode> candidates,
           llvm::function_ref<double(const BranchPlan &, int64_t, const Mode &)>
               save);

private:
  Plan &plan;
  BranchPlan &branch;
  int64_t step;
  int64_t index;
  InfluenceEvaluator &evaluator;
  const CompressionOptions &options;
};

} // namespace

void HeadChooser::run(
    ArrayRef<Mode> candidates,
    llvm::function_ref<double(const BranchPlan &, int64_t, const Mode &)>
        save) {
  double gate = options.headFactor * options.threshold /
                static_cast<double>(branch.heads);
  std::vector<std::vector<Choice>> groups(branch.heads, {Choice()});
  std::vector<SmallVector<Mode>> modes(branch.heads, {Mode::full()});
  for (int64_t head = 0; head < branch.heads; ++head)
    for (Mode mode : candidates) {
      if (mode.hasSource())
        mode.source = branch.getTable().findLatest(step, head, mode);
      if (mode.hasSource() && mode.source == Mode::kLatest)
        continue;
      std::optional<double> error =
          evaluator.getHeadError(plan, step, index, head, mode);
      if (!error || !(*error < gate))
        continue;
      groups[head].push_back({-save(branch, step, mode), *error});
      modes[head].push_back(mode);
    }
  // Each head in full loses nothing, so that there is always a choice.
  std::optional<Choices> choices = chooseOptions(groups, options.threshold);
  for (int64_t head = 0; head < branch.heads; ++head)
    branch.modes[step * branch.heads + head] =
        choices ? modes[head][choices->chosen[head]] : Mode::full();
}

Plan mlir::dit::planByHead(
    const SiteList &sites, ArrayRef<double> timesteps,
    InfluenceEvaluator &evaluator,
    llvm::function_ref<SmallVector<Mode>(const BranchPlan &)> candidates,
    llvm::function_ref<double(const BranchPlan &, int64_t, const Mode &)> save,
    const CompressionOptions &options) {
  Plan plan = Plan::getFull(sites, timesteps);
  for (BranchPlan &branch : plan.getBranches())
    if (branch.kind != BranchKind::MLP)
      branch.cache = CachePoint::BeforeProjection;
  evaluator.commit(plan, 0);
  int64_t numBranches = plan.getBranches().size();
  for (int64_t step = 1; step < plan.getNumSteps(); ++step) {
    for (int64_t index = 0; index < numBranches; ++index) {
      const BranchPlan &branch = plan.getBranches()[index];
      if (llvm::is_contained(options.kinds, branch.kind))
        HeadChooser(plan, step, index, evaluator, options)
            .run(candidates(branch), save);
    }
    evaluator.commit(plan, step);
  }
  return plan;
}
