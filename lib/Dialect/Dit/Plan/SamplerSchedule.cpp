//===- SamplerSchedule.cpp - The numbers of a sampler ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "dit/Dialect/Dit/IR/Mode.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <charconv>
#include <cmath>

using namespace mlir;
using namespace mlir::dit;

/// Why `sigmas`, one more than the steps, are no way from noise to data.
static std::string findFault(ArrayRef<double> sigmas) {
  for (size_t i = 0; i < sigmas.size(); ++i) {
    if (!std::isfinite(sigmas[i]) || sigmas[i] < 0.0)
      return llvm::formatv("expected finite sigmas that are not negative, got "
                           "{0}",
                           sigmas[i]);
    if (i > 0 && sigmas[i] >= sigmas[i - 1])
      return llvm::formatv("expected sigmas that descend, got {0} after {1}",
                           formatNumber(sigmas[i]),
                           formatNumber(sigmas[i - 1]));
  }
  return "";
}

/// `value` in single precision, with the fewest digits that tell it from its
/// neighbours.
static double toSingle(float value) {
  std::array<char, 64> digits;
  std::to_chars_result end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value);
  double result = value;
  (void)StringRef(digits.data(), end.ptr - digits.data()).getAsDouble(result);
  return result;
}

SmallVector<double> mlir::dit::getUniformTimesteps(int64_t steps) {
  SmallVector<double> timesteps;
  for (int64_t step = 0; step < steps; ++step)
    timesteps.push_back(
        toSingle(1000.0f * (1.0f - static_cast<float>(step) /
                                       static_cast<float>(steps))));
  return timesteps;
}

SmallVector<double> mlir::dit::findTimesteps(Operation *root) {
  SmallVector<double> found;
  WalkResult result = root->walk([&](Operation *op) {
    auto timesteps = op->getAttrOfType<DenseF64ArrayAttr>(kTimestepsAttrName);
    if (!timesteps)
      return WalkResult::advance();
    if (!found.empty() && timesteps.asArrayRef() != ArrayRef<double>(found))
      return WalkResult::interrupt();
    found.assign(timesteps.asArrayRef().begin(), timesteps.asArrayRef().end());
    return WalkResult::advance();
  });
  return result.wasInterrupted() ? SmallVector<double>() : found;
}

//===----------------------------------------------------------------------===//
// Sigmas
//===----------------------------------------------------------------------===//

/// The sigmas of given timesteps.
static SmallVector<double> getSigmas(const SamplerOptions &options,
                                     std::string &error) {
  SmallVector<double> sigmas;
  for (double timestep : options.timesteps) {
    double before =
        sigmas.empty() ? options.scale : options.timesteps[sigmas.size() - 1];
    bool falls = sigmas.empty() ? timestep <= before : timestep < before;
    if (!falls || !(timestep > 0.0)) {
      error = llvm::formatv("expected falling timesteps from {0} at most to "
                            "above 0, got {1} at step {2}",
                            formatNumber(options.scale), formatNumber(timestep),
                            sigmas.size());
      return {};
    }
    sigmas.push_back(timestep / options.scale);
  }
  sigmas.push_back(0.0);
  return sigmas;
}

/// What is wrong with the options as a whole; empty if nothing is.
static std::string findFault(const SamplerOptions &options, int64_t steps) {
  if (!options.sigmas.empty() && !options.timesteps.empty())
    return "expected one of the options sigmas and timesteps";
  if (steps < 1 || steps > kMaxSteps)
    return llvm::formatv("expected between 1 and {0} steps, got {1}", kMaxSteps,
                         steps);
  if (!options.sigmas.empty() &&
      static_cast<int64_t>(options.sigmas.size()) != steps + 1)
    return llvm::formatv("expected one sigma more than the {0} steps, got {1}",
                         steps, options.sigmas.size());
  if (!options.timesteps.empty() &&
      static_cast<int64_t>(options.timesteps.size()) != steps)
    return llvm::formatv("expected a timestep for each of the {0} steps, got "
                         "{1}",
                         steps, options.timesteps.size());
  if (!(options.shift > 0.0) || !std::isfinite(options.shift) ||
      !(options.scale > 0.0) || !std::isfinite(options.scale))
    return "expected a positive shift and a positive scale";
  if (!options.timesteps.empty() && options.shift != 1.0)
    return "expected no shift of given timesteps";
  return "";
}

//===----------------------------------------------------------------------===//
// Solvers
//===----------------------------------------------------------------------===//

static SamplerStep getAdamsStep(double before, double from, double to,
                                bool isFirst) {
  SamplerStep step;
  double length = to - from;
  double extra = isFirst ? 0.0 : length / (from - before) / 2.0;
  step.velocity = length * (1.0 + extra);
  step.past = -length * extra;
  step.pastOfVelocity = 1.0;
  return step;
}

/// The past is a prediction of the data, x - sigma v.
static SamplerStep getDPMStep(double before, double from, double to,
                              bool isFirst) {
  SamplerStep step;
  step.pastOfSample = 1.0;
  step.pastOfVelocity = -from;
  if (isFirst || before >= 1.0 || to <= 0.0) {
    step.velocity = to - from;
    return step;
  }
  auto getLogSNR = [](double sigma) { return std::log((1.0 - sigma) / sigma); };
  double ahead = (getLogSNR(to) - getLogSNR(from)) /
                 (getLogSNR(from) - getLogSNR(before)) / 2.0;
  double weight = 1.0 - to / from;
  step.sample = to / from + weight * (1.0 + ahead);
  step.velocity = -weight * (1.0 + ahead) * from;
  step.past = -weight * ahead;
  return step;
}

static SamplerStep getStep(Solver solver, ArrayRef<double> sigmas,
                           size_t index) {
  double from = sigmas[index], to = sigmas[index + 1];
  double before = index ? sigmas[index - 1] : 0.0;
  SamplerStep step;
  switch (solver) {
  case Solver::Euler:
    step.velocity = to - from;
    return step;
  case Solver::Adams:
    return getAdamsStep(before, from, to, index == 0);
  case Solver::DPM:
    return getDPMStep(before, from, to, index == 0);
  }
  llvm_unreachable("all solvers are listed");
}

std::optional<SamplerSchedule>
SamplerSchedule::get(const SamplerOptions &options, std::string &error) {
  int64_t steps = options.steps;
  if (steps == 0 && !options.timesteps.empty())
    steps = options.timesteps.size();
  if (steps == 0 && !options.sigmas.empty())
    steps = options.sigmas.size() - 1;
  error = findFault(options, steps);
  if (!error.empty())
    return std::nullopt;
  SmallVector<double> sigmas = options.sigmas;
  if (!options.timesteps.empty())
    sigmas = getSigmas(options, error);
  if (!error.empty())
    return std::nullopt;
  for (int64_t step = 0; sigmas.size() <= static_cast<size_t>(steps); ++step)
    sigmas.push_back(1.0 - static_cast<double>(step) / steps);
  if (options.shift != 1.0)
    for (double &sigma : sigmas)
      sigma = options.shift * sigma / (1.0 + (options.shift - 1.0) * sigma);
  error = findFault(sigmas);
  if (!error.empty())
    return std::nullopt;
  SamplerSchedule schedule;
  schedule.past = options.solver != Solver::Euler;
  schedule.timesteps = options.timesteps;
  if (options.sigmas.empty() && options.timesteps.empty() &&
      options.shift == 1.0 && options.scale == 1000.0)
    schedule.timesteps = getUniformTimesteps(steps);
  for (int64_t step = 0; step < steps; ++step) {
    if (step >= static_cast<int64_t>(schedule.timesteps.size()))
      schedule.timesteps.push_back(options.scale * sigmas[step]);
    schedule.steps.push_back(getStep(options.solver, sigmas, step));
  }
  return schedule;
}
