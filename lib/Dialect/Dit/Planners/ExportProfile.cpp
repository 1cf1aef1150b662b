//===- ExportProfile.cpp - Profiles as JSON -------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-export-profile`.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"
#include "dit/Dialect/Dit/Plan/ProfileFile.h"
#include "dit/Dialect/Dit/Planners/Passes.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::dit {
#define GEN_PASS_DEF_EXPORTPROFILEPASS
#include "dit/Dialect/Dit/Planners/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ExportProfilePass
    : mlir::dit::impl::ExportProfilePassBase<ExportProfilePass> {
  using ExportProfilePassBase::ExportProfilePassBase;

  void runOnOperation() override {
    if (failed(exportProfile()))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult exportProfile();
};

} // namespace

LogicalResult ExportProfilePass::exportProfile() {
  ProfileOp op = findProfile(getOperation(), name, getArgument());
  if (!op)
    return failure();
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &message);
  if (!output)
    return op.emitError("dit-export-profile: ") << message;
  writeProfileFile(Profile::get(op), output->os());
  output->keep();
  return success();
}
