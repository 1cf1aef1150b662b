//===- TimeTable.h - The time of modes, measured or scaled ------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What each branch costs under each mode: measured seconds, or measured seconds
// of the branch in full, scaled by the operations that are left.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_TIMETABLE_H
#define DIT_DIALECT_DIT_PLANNERS_TIMETABLE_H

#include "dit/Dialect/Dit/Plan/Profile.h"
#include "dit/Dialect/Dit/Planners/PlanCost.h"

namespace mlir::dit {

/// The costs of modes of branches. A step costs the mean over its heads of what
/// the branch costs with all heads in their mode.
class TimeTable {
public:
  /// `profile` has to be one of `works`.
  TimeTable(std::vector<BranchWork> works, const Profile &profile);

  /// The site without seconds, if others have them; else empty.
  StringRef getMissingSite() const { return missingSite; }
  /// Whether costs are seconds. Else they are operations.
  bool isMeasured() const { return measured; }

  /// The branch with all heads in `mode` at `step`, with a cache at `cache`.
  double getUniform(StringRef site, int64_t step, const Mode &mode,
                    CachePoint cache) const;
  /// What it adds to a full step that a residual of `mask` comes from.
  double getResidual(StringRef site, int64_t step, const Mode &mask) const;
  double getStep(const BranchPlan &branch, int64_t step) const;
  /// The branches at all steps.
  double predict(const Plan &plan) const;
  /// The same without a plan.
  double getDense() const;
  /// What a step costs beside the branches, by the time of a dense run.
  double getRest() const { return rest; }
  double getRestOfAllSteps() const { return rest * profile.getNumSteps(); }

private:
  const BranchCost *lookup(StringRef site) const;

  Profile profile;
  /// Each branch in full, at all steps.
  std::vector<BranchCost> costs;
  std::string missingSite;
  bool measured = false;
  double rest = 0.0;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_TIMETABLE_H
