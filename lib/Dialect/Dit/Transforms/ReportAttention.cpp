//===- ReportAttention.cpp - Work of attentions as JSON -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-report-attention`.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::dit {
#define GEN_PASS_DEF_REPORTATTENTIONPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ReportAttentionPass
    : mlir::dit::impl::ReportAttentionPassBase<ReportAttentionPass> {
  using ReportAttentionPassBase::ReportAttentionPassBase;

  void runOnOperation() override {
    std::string error;
    std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &error);
    if (!output) {
      mlir::emitError(getOperation()->getLoc())
          << "dit-report-attention: " << error;
      return signalPassFailure();
    }
    llvm::json::OStream json(output->os(), /*IndentSize=*/1);
    getAnalysis<AttentionCostAnalysis>().writeJSON(json);
    output->os() << "\n";
    output->keep();
    markAllAnalysesPreserved();
  }
};

} // namespace
