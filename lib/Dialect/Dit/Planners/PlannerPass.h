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

#include "dit/Dialect/Dit/Plan/Plan.h"
#include "dit/Dialect/Dit/Plan/Profile.h"
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

/// The kinds that `names` lists, or an error.
FailureOr<SmallVector<BranchKind>>
parseKinds(ModuleOp module, ArrayRef<std::string> names, StringRef pass);

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_PLANNERS_PLANNERPASS_H
