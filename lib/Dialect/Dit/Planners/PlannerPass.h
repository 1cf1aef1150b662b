//===- PlannerPass.h - What the passes of planners share --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds the profile of a module, checks it against the program, and puts a plan
// into the module.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_PLANNERS_PLANNERPASS_H
#define DIT_LIB_DIALECT_DIT_PLANNERS_PLANNERPASS_H

#include "dit/Dialect/Dit/Planners/LossTable.h"
#include "dit/Dialect/Dit/Planners/TimeTable.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"

namespace mlir::dit {

/// The profile of this name, or the only one if it is empty. Reports an error
/// and returns null if there is none. `pass` is the name of the pass.
ProfileOp findProfile(ModuleOp module, StringRef name, StringRef pass);

/// Reports the first entry of `op` that does not fit a program of `sites`.
LogicalResult verifyProfile(ProfileOp op, const SiteList &sites,
                            StringRef pass);

/// The sites of `module`, or an error if it has none.
FailureOr<SiteList> findSites(ModuleOp module, StringRef pass);

/// Puts `plan` into `module` as `name`, which has to be free.
FailureOr<PlanOp> addPlan(ModuleOp module, const Plan &plan, StringRef name,
                          StringRef pass);

/// What a remark of `pass` on `op` is called.
remark::RemarkOpts remarkOn(PlanOp op, StringRef name, StringRef pass);

/// The plan of this name, or the only one if it is empty. Reports an error and
/// returns null if there is none.
PlanOp findPlan(ModuleOp module, StringRef name, StringRef pass);

/// Which profile, or which timesteps without one, a planner takes.
struct InputOptions {
  StringRef profile;
  /// The metric of losses; if empty, the best one that the profile has.
  StringRef metric;
  ArrayRef<double> timesteps;
  int64_t steps = 0;
  bool needsLosses = true;
};

/// What a planner works with. Without a profile, losses and times are none.
struct PlannerInputs {
  ProfileOp op;
  SiteList sites;
  std::vector<BranchWork> works;
  Profile profile;
  std::optional<LossTable> losses;
  std::optional<TimeTable> times;
  ErrorModel errors;

  ProfileOp getOp() const { return op; }
};
FailureOr<PlannerInputs> getInputs(ModuleOp module, const InputOptions &options,
                                   StringRef pass);

/// A bound on the error of a sample; one of the first two is given.
struct BoundOptions {
  double maxError = -1.0;
  double minPsnr = -1.0;
  double peak = 1.0;
};
/// The largest loss under `options`, which has to be reachable.
FailureOr<double> getLossBound(const PlannerInputs &inputs,
                               const BoundOptions &options, StringRef pass);

/// Reports that nothing tells the error of a sample from a loss.
LogicalResult reportNoCalibration(const PlannerInputs &inputs, StringRef pass);

/// A number of a remark: six digits.
std::string formatShort(double value);

/// How often the heads of `branch` have each of its modes.
void remarkOnModes(PlanOp op, const BranchPlan &branch, StringRef pass);

/// The kinds that `names` lists, or an error.
FailureOr<SmallVector<BranchKind>>
parseKinds(ModuleOp module, ArrayRef<std::string> names, StringRef pass);

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_PLANNERS_PLANNERPASS_H
