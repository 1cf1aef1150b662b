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

#include "mlir/IR/Operation.h"

#include <optional>
#include <string>

namespace mlir::dit {

/// The timesteps 1000 (1 - i / n), computed in single precision as samplers do:
/// for 30 steps, number 27 is 100.00002, which lies inside of a window that
/// opens at 100.
SmallVector<double> getUniformTimesteps(int64_t steps);

/// Names the timesteps of a step loop, an array of f64.
inline constexpr llvm::StringLiteral kTimestepsAttrName = "dit.timesteps";

/// The timesteps of the step loops below `root`; empty if no loop names them,
/// or several that differ.
SmallVector<double> findTimesteps(Operation *root);

enum class Solver {
  /// x += h v, with h the step of sigma.
  Euler,
  /// The method of Adams and Bashforth of order 2, for steps of any lengths:
  /// x += h ((1 + r / 2) v - r / 2 v'), with v' the velocity of the step before
  /// and r the length of the step over that of the one before.
  Adams,
  /// DPM-Solver++(2M) (arXiv 2211.01095) for the alpha 1 - sigma: of order 2 in
  /// the logarithm of alpha / sigma, and of order 1 where that is infinite, at
  /// the first, second and last step.
  DPM
};

struct SamplerOptions {
  int64_t steps = 0;
  /// One more than steps, descending; if empty, (n - i) / n.
  SmallVector<double> sigmas;
  /// In place of sigmas: what the model takes, from scale at most down to above
  /// 0. The last step ends at sigma 0.
  SmallVector<double> timesteps;
  /// Each sigma becomes shift * sigma / (1 + (shift - 1) * sigma).
  double shift = 1.0;
  /// What the model takes as its timestep is this times sigma.
  double scale = 1000.0;
  Solver solver = Solver::Euler;
};

/// A step of a solver, with the x from before it:
///
///   x    <- sample x + velocity v + past p
///   p    <- pastOfSample x + pastOfVelocity v
///
/// where p starts as zeros.
struct SamplerStep {
  double sample = 1.0;
  double velocity = 0.0;
  double past = 0.0;
  double pastOfSample = 0.0;
  double pastOfVelocity = 0.0;
};

class SamplerSchedule {
public:
  /// None, and a message in `error`, if the options make no schedule.
  static std::optional<SamplerSchedule> get(const SamplerOptions &options,
                                            std::string &error);

  int64_t getNumSteps() const { return timesteps.size(); }
  ArrayRef<double> getTimesteps() const { return timesteps; }
  ArrayRef<SamplerStep> getSteps() const { return steps; }
  /// Whether anything but x goes from step to step.
  bool usesPast() const { return past; }

private:
  SmallVector<double> timesteps;
  SmallVector<SamplerStep> steps;
  bool past = false;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_SAMPLERSCHEDULE_H
