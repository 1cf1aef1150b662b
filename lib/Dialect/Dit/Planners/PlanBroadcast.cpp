//===- PlanBroadcast.cpp - Plans of attention broadcast -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-plan-broadcast`.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"
#include "dit/Dialect/Dit/Planners/BroadcastPlanner.h"
#include "dit/Dialect/Dit/Planners/Passes.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

namespace mlir::dit {
#define GEN_PASS_DEF_PLANBROADCASTPASS
#include "dit/Dialect/Dit/Planners/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct PlanBroadcastPass
    : mlir::dit::impl::PlanBroadcastPassBase<PlanBroadcastPass> {
  using PlanBroadcastPassBase::PlanBroadcastPassBase;

  void runOnOperation() override {
    if (failed(plan()))
      signalPassFailure();
  }

private:
  LogicalResult plan();
  FailureOr<PlannedRule> parseRule(StringRef text);
  FailureOr<std::vector<PlannedRule>> getGivenRules();
  FailureOr<std::vector<PlannedRule>> chooseRules(const PlannerInputs &inputs);
  void remarkOnRules(PlanOp op, const PlannerInputs &inputs,
                     ArrayRef<PlannedRule> chosen);
};

} // namespace

/// Reads "kind:period:lower:upper".
FailureOr<PlannedRule> PlanBroadcastPass::parseRule(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, ':');
  PlannedRule planned{BranchKind::Self, {}};
  std::optional<BranchKind> kind =
      parts.size() == 4 ? symbolizeBranchKind(parts[0]) : std::nullopt;
  BroadcastRule &rule = planned.rule;
  if (!kind || parts[1].getAsInteger(10, rule.period) || rule.period < 1 ||
      parts[2].getAsDouble(rule.lower) || parts[3].getAsDouble(rule.upper) ||
      !std::isfinite(rule.lower) || !std::isfinite(rule.upper))
    return mlir::emitError(getOperation().getLoc())
           << getArgument()
           << ": expected kind:period:lower:upper in the option rules, such as "
              "cross:6:100:850, got '"
           << text << "'";
  planned.kind = *kind;
  return planned;
}

FailureOr<std::vector<PlannedRule>> PlanBroadcastPass::getGivenRules() {
  std::vector<PlannedRule> result;
  for (const std::string &text : rules) {
    FailureOr<PlannedRule> rule = parseRule(text);
    if (failed(rule))
      return failure();
    for (const PlannedRule &other : result)
      if (other.kind == rule->kind)
        return mlir::emitError(getOperation().getLoc())
               << getArgument() << ": expected one rule for the kind "
               << stringifyBranchKind(rule->kind);
    result.push_back(*rule);
  }
  return result;
}

FailureOr<std::vector<PlannedRule>>
PlanBroadcastPass::chooseRules(const PlannerInputs &inputs) {
  ModuleOp module = getOperation();
  BroadcastOptions options;
  options.cache = cache;
  options.maxPeriod = maxPeriod;
  FailureOr<SmallVector<BranchKind>> parsed =
      parseKinds(module, kinds, getArgument());
  if (failed(parsed))
    return failure();
  options.kinds = *parsed;
  if (maxPeriod < 2 || maxPeriod > 64)
    return mlir::emitError(module.getLoc())
           << getArgument()
           << ": expected a period between 2 and 64 in the option max-period, "
              "got "
           << maxPeriod.getValue();
  FailureOr<double> bound =
      getLossBound(inputs, {maxError, minPsnr, peak}, getArgument());
  if (failed(bound))
    return failure();
  // A bound that is not negative always has a choice: no reuse at all.
  return *mlir::dit::chooseRules(inputs.sites, *inputs.losses, *inputs.times,
                                 inputs.profile.getTimesteps(), *bound,
                                 options);
}

/// One remark for each rule.
void PlanBroadcastPass::remarkOnRules(PlanOp op, const PlannerInputs &inputs,
                                      ArrayRef<PlannedRule> chosen) {
  for (const PlannedRule &rule : chosen) {
    auto remark =
        remark::passed(op.getLoc(), remarkOn(op, "Rule", getArgument()));
    remark << remark::metric("Kind", stringifyBranchKind(rule.kind))
           << remark::metric("Period", rule.rule.period)
           << remark::metric("Lower", formatShort(rule.rule.lower))
           << remark::metric("Upper", formatShort(rule.rule.upper))
           << remark::metric("Reused", rule.reused)
           << remark::metric("Steps", op.getNumSteps());
    if (inputs.losses && rules.empty())
      remark << remark::metric("Loss", formatShort(rule.loss))
             << remark::metric(inputs.times->isMeasured() ? "Seconds" : "Flops",
                               formatShort(rule.cost));
  }
}

LogicalResult PlanBroadcastPass::plan() {
  FailureOr<PlannerInputs> inputs =
      getInputs(getOperation(),
                {profile, metric, timesteps, steps,
                 /*needsLosses=*/rules.empty()},
                getArgument());
  if (failed(inputs))
    return failure();
  FailureOr<std::vector<PlannedRule>> chosen =
      rules.empty() ? chooseRules(*inputs) : getGivenRules();
  if (failed(chosen))
    return failure();
  ArrayRef<double> timesteps = inputs->profile.getTimesteps();
  for (PlannedRule &rule : *chosen) {
    rule.reused = 0;
    for (auto [step, timestep] : llvm::enumerate(timesteps))
      rule.reused += rule.rule.reuses(step, timestep);
    numReused += rule.reused;
  }
  FailureOr<PlanOp> op = addPlan(
      getOperation(), applyRules(inputs->sites, timesteps, *chosen, cache),
      name, getArgument());
  if (failed(op))
    return failure();
  numRules += chosen->size();
  remarkOnRules(*op, *inputs, *chosen);
  return success();
}
