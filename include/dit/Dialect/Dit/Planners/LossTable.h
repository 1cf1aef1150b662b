//===- LossTable.h - The error of modes, measured ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The errors that a profile gives for the modes of each branch, and the error
// of a plan that follows from them.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_LOSSTABLE_H
#define DIT_DIALECT_DIT_PLANNERS_LOSSTABLE_H

#include "dit/Dialect/Dit/Plan/Plan.h"
#include "dit/Dialect/Dit/Plan/Profile.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::dit {

/// The losses of modes in the unit of one metric. The loss of a plan is the sum
/// over its branches, steps and heads: errors are taken to be independent, and
/// what a mode does to the branches after it is in the loss only as far as the
/// metric has it. The value that a share takes keeps the loss of the step it
/// comes from.
class LossTable {
public:
  /// Losses by `metric`, an error of modes or a difference. Of step differences
  /// come shares of up to `maxAge` steps, by the triangle inequality; of
  /// guidance differences nothing, as they do not tell steps apart.
  LossTable(const Profile &profile, Metric metric, int64_t maxAge = 8);

  Metric getMetric() const { return metric; }
  /// What was measured of `site`, each with a mode.
  ArrayRef<Measurement> getModes(StringRef site) const;
  /// The losses of `mode`, whatever its source; null if there are none.
  const Measurement *lookup(StringRef site, Mode mode) const;

  /// For each step and head, its loss; none if a mode or an age of it was not
  /// measured, with the place in `unknown`.
  std::optional<std::vector<double>>
  getLosses(const BranchPlan &branch, ModeFault *unknown = nullptr) const;
  /// Multiplies the losses of `site`.
  void weigh(StringRef site, double weight);
  /// The loss of all branches.
  std::optional<double> predict(const Plan &plan) const;

  /// The first of the metrics that tell most of a sample that `profile` has:
  /// sample error, output loss, rse, step difference.
  static std::optional<Metric> findBestMetric(const Profile &profile);

private:
  Metric metric;
  llvm::StringMap<std::vector<Measurement>> modesOfSite;
};

/// What makes the error of a sample of losses.
struct ErrorModel {
  /// The error of the dense sampler with the same steps.
  double base = 0.0;
  /// The trials that gave the weights; without any, all are 1.
  int64_t numTrials = 0;
  /// For each site, what its losses are multiplied by.
  llvm::StringMap<double> weights;

  double getError(double loss) const { return base + loss; }
  /// The largest loss for an error; negative if there is none.
  double getLoss(double error) const { return error - base; }

  /// Fits weights to the trials of `profile` whose losses `table` knows, and
  /// multiplies the losses by them; `findPlan` gives the plans of trials. Few
  /// trials tell little of a site, so that weights stay near those of its kind,
  /// and these near one factor for all. In the end all are multiplied so that
  /// no trial had a larger error than predicted.
  static ErrorModel
  calibrate(const Profile &profile, LossTable &table, const SiteList &sites,
            llvm::function_ref<std::optional<Plan>(StringRef)> findPlan);
  /// Multiplies the losses of `table` by the weights.
  void weigh(LossTable &table) const;
};

/// The mean squared error at a ratio of `psnr` decibels to `peak`, and back.
double getErrorOfPSNR(double psnr, double peak);
double getPSNROfError(double error, double peak);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_LOSSTABLE_H
