//===- ReportBranches.cpp - The branches of a model as JSON ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-report-branches`.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/ResidualBranches.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::dit {
#define GEN_PASS_DEF_REPORTBRANCHESPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

static void remarkMissed(Operation *op, StringRef reason) {
  StringRef function;
  if (auto parent = op->getParentOfType<FunctionOpInterface>())
    function = parent.getName();
  remark::missed(op->getLoc(), remark::RemarkOpts::name("ReportBranches")
                                   .category("dit-report-branches")
                                   .function(function))
      << remark::reason("{0}", reason);
}

namespace {

struct ReportBranchesPass
    : mlir::dit::impl::ReportBranchesPassBase<ReportBranchesPass> {
  using ReportBranchesPassBase::ReportBranchesPassBase;

  void runOnOperation() override {
    std::string error;
    std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &error);
    if (!output) {
      mlir::emitError(getOperation()->getLoc())
          << "dit-report-branches: " << error;
      return signalPassFailure();
    }
    const auto &analysis = getAnalysis<ResidualBranchAnalysis>();
    for (const UnknownJoin &unknown : analysis.getUnknown())
      remarkMissed(unknown.join.addition, unknown.reason);
    for (AttentionOp attention : analysis.getLoose())
      remarkMissed(attention, "no addition joins it to a stream");
    numBranches += analysis.getBranches().size();
    llvm::json::OStream json(output->os(), /*IndentSize=*/1);
    analysis.writeJSON(json);
    output->os() << "\n";
    output->keep();
    markAllAnalysesPreserved();
  }
};

} // namespace
