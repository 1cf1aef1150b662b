//===- ModulePlans.h - Plans into and out of modules ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `--dit-import-plan`, `--dit-export-plan` and the C API do: a text
// becomes a `dit.plan` for the sites of a module, and a plan becomes a text.
// Errors and warnings are diagnostics.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_MODULEPLANS_H
#define DIT_DIALECT_DIT_PLAN_MODULEPLANS_H

#include "dit/Dialect/Dit/Plan/PlanFile.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir::dit {

/// What a text does not say about the plan that it becomes.
struct PlanImportOptions {
  /// The symbol of the plan.
  StringRef name = "plan";
  /// What the text is called in diagnostics.
  StringRef fileName = "-";
  /// The timesteps of the sampler, or their number n (`getUniformTimesteps`);
  /// if the file has none either, those of the step loop of the module.
  ArrayRef<double> timesteps;
  int64_t steps = 0;
  int64_t window = 64;
  BatchPart conditional = BatchPart::All;
};

/// Makes a plan of `text`, in any of the formats, at the beginning of `module`.
/// On an error the module is as it was.
FailureOr<PlanOp> importPlan(ModuleOp module, StringRef text,
                             const PlanImportOptions &options);

/// Writes the plan `name` of `module`; "" stands for the only one.
LogicalResult exportPlan(ModuleOp module, StringRef name, PlanFormat format,
                         raw_ostream &os);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_MODULEPLANS_H
