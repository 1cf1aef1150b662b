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

#include "dit/Dialect/Dit/Plan/ModulePlans.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

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
    if (failed(writePlan()))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult writePlan();
};

} // namespace

LogicalResult ExportPlanPass::writePlan() {
  // Written to memory first, so that a plan that the format cannot say leaves
  // no file.
  std::string text;
  llvm::raw_string_ostream os(text);
  if (failed(exportPlan(getOperation(), name, format, os)))
    return failure();
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &message);
  if (!output)
    return mlir::emitError(getOperation().getLoc(), "dit-export-plan: ")
           << message;
  output->os() << text;
  output->keep();
  return success();
}
