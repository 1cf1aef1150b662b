//===- PlanAuto.cpp - The best plan of all modes --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-plan-auto`.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"
#include "dit/Dialect/Dit/Planners/AutoPlanner.h"
#include "dit/Dialect/Dit/Planners/Passes.h"

#include <cmath>

namespace mlir::dit {
#define GEN_PASS_DEF_PLANAUTOPASS
#include "dit/Dialect/Dit/Planners/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

/// The best plan at the steps of one profile.
struct Candidate {
  PlannerInputs inputs;
  PlannedResult result;
  double time = 0.0;
  double error = 0.0;
};

struct PlanAutoPass : mlir::dit::impl::PlanAutoPassBase<PlanAutoPass> {
  using PlanAutoPassBase::PlanAutoPassBase;

  void runOnOperation() override {
    if (failed(plan()))
      signalPassFailure();
  }

private:
  LogicalResult plan();
  FailureOr<std::vector<PlannerInputs>> getAllInputs();
  std::optional<PlannedResult> search(const PlannerInputs &inputs);
  void remarkOnProfile(const PlannerInputs &inputs, const Candidate *candidate);
  void remarkOnPlan(PlanOp op, const Candidate &candidate);
  bool boundsTime() const { return maxSeconds >= 0.0; }
  /// The largest error that is asked for.
  double getMaxError() const {
    return minPsnr >= 0.0 ? getErrorOfPSNR(minPsnr, peak) : maxError.getValue();
  }
};

} // namespace

/// The profiles of the option, or all of them. A profile without trials of
/// plans takes the largest factor of the others.
FailureOr<std::vector<PlannerInputs>> PlanAutoPass::getAllInputs() {
  std::vector<std::string> names(profiles.begin(), profiles.end());
  if (names.empty())
    for (auto op : getOperation().getOps<ProfileOp>())
      names.push_back(op.getSymName().str());
  // Without any, the error is that of looking for the only one.
  if (names.empty())
    names.emplace_back();
  std::vector<PlannerInputs> all;
  ErrorModel best;
  for (const std::string &name : names) {
    InputOptions options;
    options.profile = name;
    options.metric = metric;
    FailureOr<PlannerInputs> inputs =
        getInputs(getOperation(), options, getArgument());
    if (failed(inputs))
      return failure();
    if (inputs->errors.numTrials > best.numTrials)
      best = inputs->errors;
    all.push_back(std::move(*inputs));
  }
  for (PlannerInputs &inputs : all) {
    if (inputs.losses->getMetric() != all.front().losses->getMetric())
      return inputs.getOp().emitError()
             << getArgument()
             << ": the profiles have different metrics to plan by; give the "
                "option metric";
    if (inputs.times->isMeasured() != all.front().times->isMeasured())
      return inputs.getOp().emitError()
             << getArgument() << ": some profiles have seconds and some do not";
    if (inputs.errors.numTrials || !best.numTrials)
      continue;
    best.weigh(*inputs.losses);
    inputs.errors.numTrials = best.numTrials;
  }
  return all;
}

std::optional<PlannedResult> PlanAutoPass::search(const PlannerInputs &inputs) {
  AutoPlanner planner(inputs.sites, *inputs.losses, *inputs.times,
                      inputs.profile.getTimesteps());
  BranchSearchOptions options;
  options.cache = cache;
  options.byHead = byHead;
  if (boundsTime())
    return planner.minimizeLoss(maxSeconds - inputs.times->getRestOfAllSteps(),
                                options);
  double loss = inputs.errors.getLoss(getMaxError());
  return loss >= 0.0 ? planner.minimizeCost(loss, options) : std::nullopt;
}

/// What a profile has to offer, or why it has nothing.
void PlanAutoPass::remarkOnProfile(const PlannerInputs &inputs,
                                   const Candidate *candidate) {
  auto options = remark::RemarkOpts::name("Profile")
                     .category(getArgument())
                     .function(inputs.getOp().getSymName());
  int64_t steps = inputs.profile.getNumSteps();
  if (!candidate) {
    remark::missed(inputs.getOp().getLoc(), options)
        << remark::metric("Steps", steps)
        << remark::metric("DenseError", formatShort(inputs.errors.base))
        << remark::reason("no plan at these steps keeps to the bound");
    return;
  }
  remark::passed(inputs.getOp().getLoc(), options)
      << remark::metric("Steps", steps)
      << remark::metric("Metric", stringifyMetric(inputs.losses->getMetric()))
      << remark::metric("Trials", inputs.errors.numTrials)
      << remark::metric("Error", formatShort(candidate->error))
      << remark::metric(inputs.times->isMeasured() ? "Seconds" : "Flops",
                        formatShort(candidate->time));
}

void PlanAutoPass::remarkOnPlan(PlanOp op, const Candidate &candidate) {
  const TimeTable &times = *candidate.inputs.times;
  double dense = times.getDense() + times.getRestOfAllSteps();
  StringRef unit = times.isMeasured() ? "Seconds" : "Flops";
  remark::passed(op.getLoc(), remarkOn(op, "Plan", getArgument()))
      << remark::metric("Profile", candidate.inputs.getOp().getSymName())
      << remark::metric("Steps", op.getNumSteps())
      << remark::metric(unit, formatShort(candidate.time))
      << remark::metric(("Dense" + unit).str(), formatShort(dense))
      << remark::metric("Error", formatShort(candidate.error))
      << remark::metric("PSNR",
                        formatShort(getPSNROfError(candidate.error, peak)))
      << remark::metric("Optimal", candidate.result.isOptimal ? "yes" : "no");
  for (const BranchPlan &branch : candidate.result.plan.getBranches()) {
    if (branch.isFull())
      continue;
    ++numBranches;
    numShared += branch.countSharedSteps();
    remarkOnModes(op, branch, getArgument());
  }
}

LogicalResult PlanAutoPass::plan() {
  ModuleOp module = getOperation();
  auto emit = [&] {
    return mlir::emitError(module.getLoc()) << getArgument() << ": ";
  };
  if ((maxError >= 0.0) + (minPsnr >= 0.0) + boundsTime() != 1)
    return emit() << "expected one of the options max-error, min-psnr and "
                     "max-seconds";
  FailureOr<std::vector<PlannerInputs>> all = getAllInputs();
  if (failed(all))
    return failure();
  // Checks the options of the bound; a profile that cannot keep to it is left
  // out below.
  if (minPsnr >= 0.0) {
    if (!(peak > 0.0))
      return emit() << "expected a positive number in the option peak, got "
                    << peak.getValue();
    if (all->front().errors.numTrials == 0 &&
        all->front().losses->getMetric() != Metric::SampleError)
      return reportNoCalibration(all->front(), getArgument());
  }
  std::optional<Candidate> best;
  for (PlannerInputs &inputs : *all) {
    std::optional<PlannedResult> result = search(inputs);
    if (!result) {
      remarkOnProfile(inputs, nullptr);
      continue;
    }
    Candidate candidate{inputs, *result};
    candidate.time = result->cost + inputs.times->getRestOfAllSteps();
    candidate.error = inputs.errors.getError(result->loss);
    remarkOnProfile(inputs, &candidate);
    bool isBetter = !best || (boundsTime() ? candidate.error < best->error
                                           : candidate.time < best->time);
    if (isBetter)
      best = std::move(candidate);
  }
  if (!best)
    return emit() << "no plan keeps to the bound at the steps of any of the "
                  << all->size() << " profiles; allow more";
  FailureOr<PlanOp> op =
      addPlan(module, best->result.plan, name, getArgument());
  if (failed(op))
    return failure();
  remarkOnPlan(*op, *best);
  return success();
}
