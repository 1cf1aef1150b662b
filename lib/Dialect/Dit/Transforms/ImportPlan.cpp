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

#include "dit/Dialect/Dit/Plan/PlanFile.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
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
    if (failed(importPlan()))
      signalPassFailure();
  }

private:
  /// What the options say of the sampler.
  FailureOr<PlanFileContext> getContext();
  LogicalResult importPlan();
};

} // namespace

FailureOr<PlanFileContext> ImportPlanPass::getContext() {
  auto emit = [&] { return getOperation().emitError("dit-import-plan: "); };
  PlanFileContext context{
      &ImportPlanPassBase::getContext(), SiteList::collect(getOperation()),
      SmallVector<double>(timesteps.begin(), timesteps.end())};
  if (steps < 0 || steps > kMaxSteps)
    return emit() << "expected between 1 and " << kMaxSteps
                  << " in the option steps, got " << steps.getValue();
  if (steps && !timesteps.empty())
    return emit() << "expected one of the options steps and timesteps";
  for (int64_t step = 0; step < steps; ++step)
    context.timesteps.push_back(1000.0 * (steps - step) / steps);
  if (window < 0)
    return emit() << "expected a half-width in the option window, got "
                  << window.getValue();
  context.window = window;
  context.conditional = conditional;
  return context;
}

LogicalResult ImportPlanPass::importPlan() {
  auto emit = [&] { return getOperation().emitError("dit-import-plan: "); };
  if (file.empty())
    return emit() << "expected a file of a plan: give the option file";
  FailureOr<PlanFileContext> context = getContext();
  if (failed(context))
    return failure();
  if (Operation *other = SymbolTable::lookupSymbolIn(getOperation(), name)) {
    InFlightDiagnostic diag = emit() << "there is a symbol '" << name
                                     << "' already; give another option name";
    diag.attachNote(other->getLoc()) << "it is here";
    return diag;
  }
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(file, &message);
  if (!buffer)
    return emit() << message;
  llvm::Expected<PlanFile> read = parsePlanFile(*context, buffer->getBuffer());
  if (!read)
    return emit() << "plan file '" << file
                  << "': " << llvm::toString(read.takeError());
  for (const std::string &warning : read->warnings)
    getOperation().emitWarning()
        << "dit-import-plan: plan file '" << file << "': " << warning;
  // A program may have more heads than a table of so many steps can.
  for (const BranchPlan &branch : read->plan.getBranches())
    if (!ModesAttr::getChecked(
            [&] { return emit() << "site '" << branch.site << "': "; },
            &ImportPlanPassBase::getContext(), branch.heads,
            ArrayRef<Mode>(branch.modes)))
      return failure();
  OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
  read->plan.create(builder, getOperation().getLoc(), name);
  numBranches += read->plan.getBranches().size();
  return success();
}
