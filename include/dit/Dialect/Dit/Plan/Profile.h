//===- Profile.h - What was measured of a sampler ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A profile as a plain value, of which `dit.profile` is the printed form.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_PROFILE_H
#define DIT_DIALECT_DIT_PLAN_PROFILE_H

#include "dit/Dialect/Dit/Plan/SiteList.h"

namespace mlir::dit {

/// One quantity of one branch, for each step, head and age. With one head it is
/// of all heads together; with one age, of the value of the step before.
struct Measurement {
  std::string site;
  Metric metric = Metric::Seconds;
  std::optional<double> mass;
  std::optional<Mode> mode;
  int64_t heads = 1;
  int64_t ages = 1;
  /// Steps, heads and ages, row by row.
  std::vector<double> values;

  double get(int64_t step, int64_t head = 0, int64_t age = 1) const {
    return values[(step * heads + head) * ages + age - 1];
  }
  /// The sum over the heads.
  double getSum(int64_t step, int64_t age = 1) const;
  int64_t getNumSteps() const { return values.size() / (heads * ages); }
};

/// A whole run.
struct Trial {
  /// The symbol of its plan; empty for the dense sampler.
  std::string plan;
  SmallVector<double> errors;
  std::optional<double> seconds;

  double getLargestError() const;
};

/// What was measured of the branches and of whole runs.
class Profile {
public:
  Profile() = default;
  explicit Profile(ArrayRef<double> timesteps) : timesteps(timesteps) {}

  static Profile get(ProfileOp op);
  static Measurement get(MeasuredOp op);

  /// Makes the op; the entries keep its constraints.
  ProfileOp create(OpBuilder &builder, Location loc, StringRef name) const;

  ArrayRef<double> getTimesteps() const { return timesteps; }
  int64_t getNumSteps() const { return timesteps.size(); }
  StringRef getFingerprint() const { return fingerprint; }
  void setFingerprint(StringRef value) { fingerprint = value.str(); }
  ArrayRef<Measurement> getMeasurements() const { return measurements; }
  ArrayRef<Trial> getTrials() const { return trials; }
  void add(Measurement entry) { measurements.push_back(std::move(entry)); }
  void add(Trial entry) { trials.push_back(std::move(entry)); }

  /// The quantity of `site`; null if it was not measured.
  const Measurement *lookup(StringRef site, Metric metric,
                            std::optional<Mode> mode = std::nullopt) const;
  /// The dense run; null if there was none.
  const Trial *getDenseTrial() const;
  /// The modes of `site` for which `metric` was measured, in their order.
  SmallVector<Mode> getModes(StringRef site, Metric metric) const;

  /// What stands for a program of `sites` of a profile of the same one at
  /// another resolution, whose video had `tokens` (frames, height, width):
  /// widths of windows cover the same share of the grid. Times are left out.
  /// Sites without a grid have no rescaled windows either.
  Profile getRescaled(ArrayRef<int64_t> tokens, const SiteList &sites) const;

  /// Why the entry does not fit a program of `sites`, empty if it does.
  static std::string findMismatch(const Measurement &entry,
                                  const SiteList &sites);
  /// Why the fingerprint is not that of `sites`, empty if it is or is none.
  std::string findMismatch(const SiteList &sites) const;

private:
  SmallVector<double> timesteps;
  std::string fingerprint;
  std::vector<Measurement> measurements;
  std::vector<Trial> trials;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_PROFILE_H
