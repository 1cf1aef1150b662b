//===- PlannerPass.cpp - What the passes of planners share ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Profiles are checked here against the program, entry by entry; the ops'
// verifiers only check themselves.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

ProfileOp mlir::dit::findProfile(ModuleOp module, StringRef name,
                                 StringRef pass) {
  auto profiles = llvm::to_vector(module.getOps<ProfileOp>());
  auto *named = llvm::find_if(
      profiles, [&](ProfileOp op) { return op.getSymName() == name; });
  if (named != profiles.end())
    return *named;
  if (name.empty() && profiles.size() == 1)
    return profiles.front();
  InFlightDiagnostic diag = mlir::emitError(module.getLoc()) << pass << ": ";
  if (profiles.empty())
    diag << "the module has no profile; --dit-import-profile reads one";
  else
    diag << "expected the name of a profile; the profiles are: ";
  llvm::interleaveComma(profiles, diag,
                        [&](ProfileOp op) { diag << op.getSymName(); });
  return nullptr;
}

LogicalResult mlir::dit::verifyProfile(ProfileOp op, const SiteList &sites,
                                       StringRef pass) {
  for (auto measured : op.getBody().getOps<MeasuredOp>()) {
    std::string mismatch = Profile::findMismatch(Profile::get(measured), sites);
    if (!mismatch.empty())
      return measured.emitError() << pass << ": " << mismatch;
  }
  auto module = op->getParentOfType<ModuleOp>();
  for (auto trial : op.getBody().getOps<TrialOp>()) {
    std::optional<StringRef> plan = trial.getPlan();
    if (plan &&
        !isa_and_present<PlanOp>(SymbolTable::lookupSymbolIn(module, *plan)))
      return trial.emitError()
             << pass << ": the module has no plan '" << *plan << "'";
  }
  std::string mismatch = Profile::get(op).findMismatch(sites);
  if (!mismatch.empty())
    return op.emitError() << pass << ": " << mismatch;
  return success();
}

FailureOr<SiteList> mlir::dit::findSites(ModuleOp module, StringRef pass) {
  SiteList sites = SiteList::collect(module);
  if (sites.getSites().empty())
    return mlir::emitError(module.getLoc())
           << pass
           << ": the module has no sites to plan for; raise and name "
              "its attentions first";
  return sites;
}

FailureOr<PlanOp> mlir::dit::addPlan(ModuleOp module, const Plan &plan,
                                     StringRef name, StringRef pass) {
  if (Operation *other = SymbolTable::lookupSymbolIn(module, name)) {
    InFlightDiagnostic diag = mlir::emitError(module.getLoc())
                              << pass << ": there is a symbol '" << name
                              << "' already; give another option name";
    diag.attachNote(other->getLoc()) << "it is here";
    return diag;
  }
  for (const BranchPlan &branch : plan.getBranches())
    if (!ModesAttr::getChecked(
            [&] {
              return mlir::emitError(module.getLoc())
                     << pass << ": site '" << branch.site << "': ";
            },
            module.getContext(), branch.heads, ArrayRef<Mode>(branch.modes)))
      return failure();
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  return plan.create(builder, module.getLoc(), name);
}

remark::RemarkOpts mlir::dit::remarkOn(PlanOp op, StringRef name,
                                       StringRef pass) {
  return remark::RemarkOpts::name(name).category(pass).function(
      op.getSymName());
}

PlanOp mlir::dit::findPlan(ModuleOp module, StringRef name, StringRef pass) {
  auto plans = llvm::to_vector(module.getOps<PlanOp>());
  auto named =
      llvm::find_if(plans, [&](PlanOp op) { return op.getSymName() == name; });
  if (named != plans.end())
    return *named;
  if (name.empty() && plans.size() == 1)
    return plans.front();
  InFlightDiagnostic diag = mlir::emitError(module.getLoc()) << pass << ": ";
  if (plans.empty())
    diag << "the module has no plan";
  else
    diag << "expected the option name to be that of a plan; the plans are: ";
  llvm::interleaveComma(plans, diag,
                        [&](PlanOp op) { diag << op.getSymName(); });
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// The timesteps that the options give, if they do.
static LogicalResult getTimesteps(ModuleOp module, const InputOptions &options,
                                  SmallVectorImpl<double> &timesteps,
                                  StringRef pass) {
  auto emit = [&] { return mlir::emitError(module.getLoc()) << pass << ": "; };
  if (options.steps && !options.timesteps.empty())
    return emit() << "expected one of the options steps and timesteps";
  if (options.steps < 0 || options.steps > kMaxSteps)
    return emit() << "expected between 1 and " << kMaxSteps
                  << " in the option steps, got " << options.steps;
  llvm::append_range(timesteps, options.timesteps);
  for (int64_t step = 0; step < options.steps; ++step)
    timesteps.push_back(1000.0 * static_cast<double>(options.steps - step) /
                        static_cast<double>(options.steps));
  for (double timestep : timesteps)
    if (!std::isfinite(timestep) || timestep < 0.0)
      return emit() << "expected finite timesteps that are not negative, got "
                    << timestep;
  return success();
}

/// Fills in losses, times and the error model from the profile.
static LogicalResult setTables(ModuleOp module, PlannerInputs &inputs,
                               StringRef metric, StringRef pass) {
  constexpr Metric kMetrics[] = {Metric::SampleError, Metric::OutputLoss,
                                 Metric::Rse, Metric::StepDifference};
  std::optional<Metric> chosen = metric.empty()
                                     ? LossTable::findBestMetric(inputs.profile)
                                     : symbolizeMetric(metric);
  if (!metric.empty() && (!chosen || !llvm::is_contained(kMetrics, *chosen)))
    return mlir::emitError(module.getLoc())
           << pass
           << ": expected sample_error, output_loss, rse or "
              "step_difference in the option metric, got '"
           << metric << "'";
  auto isChosen = [&](const Measurement &entry) {
    return entry.metric == chosen;
  };
  if (!llvm::any_of(inputs.profile.getMeasurements(), isChosen))
    return inputs.op.emitError()
           << pass << ": the profile has no "
           << (metric.empty() ? "sample_error, output_loss, rse or "
                                "step_difference"
                              : metric)
           << " to plan by";
  inputs.losses.emplace(inputs.profile, *chosen);
  inputs.times.emplace(inputs.works, inputs.profile);
  if (!inputs.times->getMissingSite().empty())
    return inputs.getOp().emitError()
           << pass << ": the profile has seconds of some sites and none of '"
           << inputs.times->getMissingSite()
           << "'; measure all of them or none";
  auto findPlan = [&](StringRef name) -> std::optional<Plan> {
    auto op =
        dyn_cast_or_null<PlanOp>(SymbolTable::lookupSymbolIn(module, name));
    if (!op || op.getTimesteps() != inputs.profile.getTimesteps())
      return std::nullopt;
    return Plan::get(op);
  };
  inputs.errors = ErrorModel::calibrate(inputs.profile, *inputs.losses,
                                        inputs.sites, findPlan);
  return success();
}

FailureOr<PlannerInputs> mlir::dit::getInputs(ModuleOp module,
                                              const InputOptions &options,
                                              StringRef pass) {
  PlannerInputs inputs;
  FailureOr<SiteList> sites = findSites(module, pass);
  SmallVector<double> timesteps;
  if (failed(sites) || failed(getTimesteps(module, options, timesteps, pass)))
    return failure();
  inputs.sites = *sites;
  if (!timesteps.empty() && !options.needsLosses) {
    inputs.profile = Profile(timesteps);
    return inputs;
  }
  if (!timesteps.empty())
    return mlir::emitError(module.getLoc())
           << pass
           << ": expected the timesteps of the profile, not those of an "
              "option, to choose by it";
  inputs.op = findProfile(module, options.profile, pass);
  if (!inputs.getOp() || failed(verifyProfile(inputs.getOp(), *sites, pass)))
    return failure();
  inputs.profile = Profile::get(inputs.getOp());
  if (!options.needsLosses)
    return inputs;
  inputs.works = collectBranchWork(module);
  if (failed(setTables(module, inputs, options.metric, pass)))
    return failure();
  return inputs;
}

LogicalResult mlir::dit::reportNoCalibration(const PlannerInputs &inputs,
                                             StringRef pass) {
  ProfileOp op = inputs.op;
  return op.emitError()
         << pass
         << ": the profile has no trial of a plan whose modes were "
            "measured, to tell what error of a sample comes of a loss by "
         << stringifyMetric(inputs.losses->getMetric())
         << "; add one or give max-error in its unit";
}

FailureOr<double> mlir::dit::getLossBound(const PlannerInputs &inputs,
                                          const BoundOptions &options,
                                          StringRef pass) {
  auto module = inputs.getOp()->getParentOfType<ModuleOp>();
  bool hasError = options.maxError >= 0.0, hasPsnr = options.minPsnr >= 0.0;
  if (hasError == hasPsnr)
    return mlir::emitError(module.getLoc())
           << pass << ": expected one of the options max-error and min-psnr";
  if (!(options.peak > 0.0))
    return mlir::emitError(module.getLoc())
           << pass << ": expected a positive number in the option peak, got "
           << options.peak;
  if (hasPsnr && inputs.errors.numTrials == 0 &&
      inputs.losses->getMetric() != Metric::SampleError)
    return reportNoCalibration(inputs, pass);
  double error = hasPsnr ? getErrorOfPSNR(options.minPsnr, options.peak)
                         : options.maxError;
  double loss = inputs.errors.getLoss(error);
  if (!(loss >= 0.0))
    return inputs.getOp().emitError()
           << pass << ": the dense sampler at these steps has an error of "
           << formatNumber(inputs.errors.base) << " already, more than "
           << formatNumber(error);
  return loss;
}

std::string mlir::dit::formatShort(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
  return text;
}

void mlir::dit::remarkOnModes(PlanOp op, const BranchPlan &branch,
                              StringRef pass) {
  std::vector<std::pair<std::string, int64_t>> counts;
  for (Mode mode : branch.modes) {
    mode.source = Mode::kLatest;
    std::string text;
    llvm::raw_string_ostream os(text);
    printMode(os, mode);
    auto count = llvm::find_if(
        counts, [&](const auto &count) { return count.first == text; });
    if (count == counts.end())
      count = counts.insert(count, {text, 0});
    ++count->second;
  }
  std::string list;
  llvm::raw_string_ostream os(list);
  llvm::interleaveComma(counts, os, [&](const auto &count) {
    os << count.second << " " << count.first;
  });
  remark::passed(op.getLoc(), remarkOn(op, "Branch", pass))
      << remark::metric("Site", branch.site)
      << remark::metric("HeadSteps", branch.modes.size())
      << remark::metric("Modes", list);
}

FailureOr<SmallVector<BranchKind>>
mlir::dit::parseKinds(ModuleOp module, ArrayRef<std::string> names,
                      StringRef pass) {
  SmallVector<BranchKind> kinds;
  for (const std::string &name : names) {
    std::optional<BranchKind> kind = symbolizeBranchKind(name);
    if (!kind)
      return mlir::emitError(module.getLoc())
             << pass
             << ": expected kinds of self, full, spatial, temporal, "
                "cross, joint and mlp, got '"
             << name << "'";
    kinds.push_back(*kind);
  }
  return kinds;
}
