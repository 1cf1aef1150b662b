//===- PlanCompression.cpp - Plans of DiTFastAttn -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-plan-compression`.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"
#include "dit/Dialect/Dit/Planners/CompressionPlanner.h"
#include "dit/Dialect/Dit/Planners/Passes.h"

namespace mlir::dit {
#define GEN_PASS_DEF_PLANCOMPRESSIONPASS
#include "dit/Dialect/Dit/Planners/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct PlanCompressionPass
    : mlir::dit::impl::PlanCompressionPassBase<PlanCompressionPass> {
  using PlanCompressionPassBase::PlanCompressionPassBase;

  void runOnOperation() override {
    if (failed(plan()))
      signalPassFailure();
  }

private:
  LogicalResult plan();
  FailureOr<CompressionOptions> getOptions();
  LogicalResult verifyMetric(ProfileOp op, const PlannerInputs &inputs,
                             const CompressionOptions &options);
  Plan planGreedily(const PlannerInputs &inputs,
                    const CompressionOptions &options);
  Plan planByHead(const PlannerInputs &inputs,
                  const CompressionOptions &options);
  void remarkOnBranches(PlanOp op);
};

} // namespace

FailureOr<CompressionOptions> PlanCompressionPass::getOptions() {
  ModuleOp module = getOperation();
  auto emit = [&] {
    return mlir::emitError(module.getLoc()) << getArgument() << ": ";
  };
  CompressionOptions options;
  if (searchVersion != 1 && searchVersion != 2)
    return emit() << "expected 1 or 2 in the option version, got "
                  << searchVersion.getValue();
  if (!(threshold >= 0.0))
    return emit() << "expected a threshold that is not negative, got "
                  << threshold.getValue();
  if (window < 0)
    return emit() << "expected a half-width in the option window, got "
                  << window.getValue();
  if (!(headFactor > 0.0))
    return emit() << "expected a positive number in the option head-factor, "
                     "got "
                  << headFactor.getValue();
  options.threshold = threshold;
  options.window = window;
  options.conditional = conditional;
  options.headFactor = headFactor;
  if (kinds.empty())
    return options;
  FailureOr<SmallVector<BranchKind>> parsed =
      parseKinds(module, kinds, getArgument());
  if (failed(parsed))
    return failure();
  options.kinds = *parsed;
  return options;
}

/// Reports the first branch of a planned kind without the metric of the search.
LogicalResult
PlanCompressionPass::verifyMetric(ProfileOp op, const PlannerInputs &inputs,
                                  const CompressionOptions &options) {
  Metric needed = searchVersion == 1 ? Metric::OutputLoss : Metric::Rse;
  for (const Site &site : inputs.sites.getSites())
    if (llvm::is_contained(options.kinds, site.kind) &&
        inputs.profile.getModes(site.name, needed).empty())
      return op.emitError()
             << getArgument() << ": the profile has no "
             << stringifyMetric(needed) << " of site '" << site.name
             << "', which version " << searchVersion.getValue()
             << " of the search needs; measure it or leave out its kind";
  return success();
}

Plan PlanCompressionPass::planGreedily(const PlannerInputs &inputs,
                                       const CompressionOptions &options) {
  TableEvaluator evaluator(inputs.profile);
  auto countTokens = [&](StringRef site) -> int64_t {
    for (const BranchWork &work : inputs.works)
      if (work.site.name == site)
        return work.isKnown ? work.keys : 0;
    return 0;
  };
  std::vector<CompressionDecision> decisions;
  Plan plan =
      mlir::dit::planGreedily(inputs.sites, inputs.profile.getTimesteps(),
                              evaluator, countTokens, options, &decisions);
  for (const CompressionDecision &decision : decisions)
    for (const auto &[mode, loss] : decision.tried)
      numTried += loss.has_value();
  return plan;
}

Plan PlanCompressionPass::planByHead(const PlannerInputs &inputs,
                                     const CompressionOptions &options) {
  TableEvaluator evaluator(inputs.profile);
  auto getCandidates = [&](const BranchPlan &branch) {
    SmallVector<Mode> modes = inputs.profile.getModes(branch.site, Metric::Rse);
    llvm::erase_if(modes, [&](const Mode &mode) {
      return mode == Mode::full() || !branch.canHave(mode);
    });
    numTried += modes.size() * branch.heads;
    return modes;
  };
  auto getSaved = [&](const BranchPlan &branch, int64_t step,
                      const Mode &mode) {
    auto getCost = [&](const Mode &mode) {
      return inputs.times->getUniform(branch.site, step, mode, branch.cache);
    };
    return (getCost(Mode::full()) - getCost(mode)) /
           static_cast<double>(branch.heads);
  };
  return mlir::dit::planByHead(inputs.sites, inputs.profile.getTimesteps(),
                               evaluator, getCandidates, getSaved, options);
}

/// One remark for each branch: what its heads do, and how often.
void PlanCompressionPass::remarkOnBranches(PlanOp op) {
  Plan plan = Plan::get(op);
  for (const BranchPlan &branch : plan.getBranches()) {
    if (branch.isFull())
      continue;
    ++numBranches;
    remarkOnModes(op, branch, getArgument());
  }
}

LogicalResult PlanCompressionPass::plan() {
  FailureOr<CompressionOptions> options = getOptions();
  if (failed(options))
    return failure();
  ProfileOp profileOp = findProfile(getOperation(), profile, getArgument());
  if (!profileOp)
    return failure();
  FailureOr<PlannerInputs> inputs =
      getInputs(getOperation(),
                {profileOp.getSymName(), /*metric=*/"", /*timesteps=*/{},
                 /*steps=*/0, /*needsLosses=*/true},
                getArgument());
  if (failed(inputs) || failed(verifyMetric(profileOp, *inputs, *options)))
    return failure();
  Plan plan = searchVersion == 1 ? planGreedily(*inputs, *options)
                                 : planByHead(*inputs, *options);
  FailureOr<PlanOp> op = addPlan(getOperation(), plan, name, getArgument());
  if (failed(op))
    return failure();
  remarkOnBranches(*op);
  return success();
}
