//===- ExportPlan.cpp - Plans as JSON -------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-export-plan`.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/PlanFile.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::dit {
#define GEN_PASS_DEF_EXPORTPLANPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ExportPlanPass : mlir::dit::impl::ExportPlanPassBase<ExportPlanPass> {
  using ExportPlanPassBase::ExportPlanPassBase;

  void runOnOperation() override {
    if (failed(exportPlan()))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  /// The plan of the option name, or the only one.
  PlanOp findPlan();
  LogicalResult exportPlan();
};

} // namespace

PlanOp ExportPlanPass::findPlan() {
  auto plans = llvm::to_vector(getOperation().getOps<PlanOp>());
  auto named = llvm::find_if(
      plans, [&](PlanOp plan) { return plan.getSymName() == name; });
  if (named != plans.end())
    return *named;
  if (name.empty() && plans.size() == 1)
    return plans.front();
  InFlightDiagnostic diag = getOperation().emitError("dit-export-plan: ");
  if (plans.empty())
    diag << "the module has no plan";
  else
    diag << "expected the option name to be that of a plan; the plans are: ";
  llvm::interleaveComma(plans, diag,
                        [&](PlanOp plan) { diag << plan.getSymName(); });
  return nullptr;
}

LogicalResult ExportPlanPass::exportPlan() {
  PlanOp op = findPlan();
  if (!op)
    return failure();
  Plan plan = Plan::get(op);
  if (SiteList sites = SiteList::collect(getOperation());
      !sites.getSites().empty()) {
    std::string mismatch = plan.findMismatch(sites);
    if (!mismatch.empty())
      return op.emitError("dit-export-plan: ") << mismatch;
    plan = plan.getCompleted(sites);
  }
  // Written to memory first, so that a plan that the format cannot say leaves
  // no file.
  std::string text;
  llvm::raw_string_ostream os(text);
  if (llvm::Error error = writePlanFile(plan, format, os))
    return op.emitError("dit-export-plan: ")
           << llvm::toString(std::move(error));
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &message);
  if (!output)
    return op.emitError("dit-export-plan: ") << message;
  output->os() << text;
  output->keep();
  return success();
}
