//===- ImportPlan.cpp - Plans from JSON -----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-import-plan`.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/ModulePlans.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::dit {
#define GEN_PASS_DEF_IMPORTPLANPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ImportPlanPass : mlir::dit::impl::ImportPlanPassBase<ImportPlanPass> {
  using ImportPlanPassBase::ImportPlanPassBase;

  void runOnOperation() override {
    if (failed(readPlan()))
      signalPassFailure();
  }

private:
  LogicalResult readPlan();
};

} // namespace

LogicalResult ImportPlanPass::readPlan() {
  auto emit = [&] {
    return mlir::emitError(getOperation().getLoc(), "dit-import-plan: ");
  };
  if (file.empty())
    return emit() << "expected a file of a plan: give the option file";
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(file, &message);
  if (!buffer)
    return emit() << message;
  SmallVector<double> times(timesteps.begin(), timesteps.end());
  FailureOr<PlanOp> plan =
      importPlan(getOperation(), buffer->getBuffer(),
                 {name, file, times, steps, window, conditional});
  if (failed(plan))
    return failure();
  numBranches += Plan::get(*plan).getBranches().size();
  return success();
}
