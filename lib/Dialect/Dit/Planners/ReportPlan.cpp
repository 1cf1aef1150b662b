//===- ReportPlan.cpp - Work of a plan as JSON ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-report-plan`.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"
#include "dit/Dialect/Dit/Planners/Passes.h"
#include "dit/Dialect/Dit/Planners/PlanCost.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::dit {
#define GEN_PASS_DEF_REPORTPLANPASS
#include "dit/Dialect/Dit/Planners/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ReportPlanPass : mlir::dit::impl::ReportPlanPassBase<ReportPlanPass> {
  using ReportPlanPassBase::ReportPlanPassBase;

  void runOnOperation() override {
    if (failed(reportPlan()))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult reportPlan();
};

} // namespace

LogicalResult ReportPlanPass::reportPlan() {
  ModuleOp module = getOperation();
  PlanOp op = findPlan(module, name, getArgument());
  if (!op)
    return failure();
  FailureOr<SiteList> sites = findSites(module, getArgument());
  if (failed(sites))
    return failure();
  Plan plan = Plan::get(op);
  std::string mismatch = plan.findMismatch(*sites);
  if (!mismatch.empty())
    return op.emitError("dit-report-plan: ") << mismatch;
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &message);
  if (!output)
    return op.emitError("dit-report-plan: ") << message;
  llvm::json::OStream json(output->os(), /*IndentSize=*/1);
  PlanCost(collectBranchWork(module), plan).writeJSON(json);
  output->os() << "\n";
  output->keep();
  return success();
}
