//===- SamplerSchedule.h - The numbers of a sampler -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A sampler of flow matching moves x from noise (sigma 1) to data (sigma 0)
// along the velocity v of the model.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_SAMPLERSCHEDULE_H
#define DIT_DIALECT_DIT_PLAN_SAMPLERSCHEDULE_H

#include "mlir/Support/LLVM.h"

#include <optional>
#include <string>

namespace mlir::dit {

/// The timesteps 1000 (1 - i / n), computed in single precision as samplers do:
/// for 30 steps, number 27 is 100.00002, which lies inside of a window that
/// opens at 100.
SmallVector<double> getUniformTimesteps(int64_t steps);

enum class Solver {
  /// x += h v, with h the step of sigma.
  Euler,
  /// The method of Adams and Bashforth of order 2, for steps of any lengths:
  /// x += h ((1 + r / 2) v - r / 2 v'), with v' the velocity of the step before
  /// and r the length of the step over that of the one before.
  Adams
};

struct SamplerOptions {
  int64_t steps = 0;
  /// One more than steps, descending; if empty, (n - i) / n.
  SmallVector<double> sigmas;
  /// Each sigma becomes shift * sigma / (1 + (shift - 1) * sigma).
  double shift = 1.0;
  /// What the model takes as its timestep is this times sigma.
  double scale = 1000.0;
  Solver solver = Solver::Euler;
};

class SamplerSchedule {
public:
  /// None, and a message in `error`, if the options make no schedule.
  static std::optional<SamplerSchedule> get(const SamplerOptions &options,
                                            std::string &error);

  int64_t getNumSteps() const { return timesteps.size(); }
  ArrayRef<double> getTimesteps() const { return timesteps; }
  /// The factors of the velocity of a step, and of that of the step before.
  ArrayRef<double> getWeights() const { return weights; }
  ArrayRef<double> getPreviousWeights() const { return previousWeights; }
  bool usesPrevious() const { return !previousWeights.empty(); }

private:
  SmallVector<double> timesteps;
  SmallVector<double> weights;
  SmallVector<double> previousWeights;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_SAMPLERSCHEDULE_H
