//===- SamplerSchedule.cpp - The numbers of a sampler ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "dit/Dialect/Dit/IR/Mode.h"

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

std::optional<SamplerSchedule>
SamplerSchedule::get(const SamplerOptions &options, std::string &error) {
  int64_t steps = options.steps;
  if (steps == 0 && !options.sigmas.empty())
    steps = options.sigmas.size() - 1;
  if (steps < 1 || steps > kMaxSteps) {
    error = llvm::formatv("expected between 1 and {0} steps, got {1}",
                          kMaxSteps, steps);
    return std::nullopt;
  }
  if (!options.sigmas.empty() &&
      static_cast<int64_t>(options.sigmas.size()) != steps + 1) {
    error = llvm::formatv("expected one sigma more than the {0} steps, got {1}",
                          steps, options.sigmas.size());
    return std::nullopt;
  }
  if (!(options.shift > 0.0) || !(options.scale > 0.0)) {
    error = "expected a positive shift and a positive scale";
    return std::nullopt;
  }
  bool isUniform =
      options.sigmas.empty() && options.shift == 1.0 && options.scale == 1000.0;
  SmallVector<double> uniform;
  if (isUniform)
    uniform = getUniformTimesteps(steps);
  SmallVector<double> sigmas = options.sigmas;
  for (int64_t step = 0; sigmas.size() <= static_cast<size_t>(steps); ++step)
    sigmas.push_back(1.0 - static_cast<double>(step) / steps);
  if (options.shift != 1.0)
    for (double &sigma : sigmas)
      sigma = options.shift * sigma / (1.0 + (options.shift - 1.0) * sigma);
  error = findFault(sigmas);
  if (!error.empty())
    return std::nullopt;
  SamplerSchedule schedule;
  for (int64_t step = 0; step < steps; ++step) {
    double length = sigmas[step + 1] - sigmas[step];
    schedule.timesteps.push_back(isUniform ? uniform[step]
                                           : options.scale * sigmas[step]);
    double extra = 0.0;
    if (options.solver == Solver::Adams && step > 0)
      extra = length / (sigmas[step] - sigmas[step - 1]) / 2.0;
    schedule.weights.push_back(length * (1.0 + extra));
    if (options.solver == Solver::Adams)
      schedule.previousWeights.push_back(-length * extra);
  }
  return schedule;
}
