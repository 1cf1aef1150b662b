//===- ModulePlans.cpp - Plans into and out of modules --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads a text for the sites of a module, and writes one of a plan in it.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/ModulePlans.h"
#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Importing
//===----------------------------------------------------------------------===//

/// What the options say of the sampler.
static FailureOr<PlanFileContext>
getFileContext(ModuleOp module, const PlanImportOptions &options) {
  auto emit = [&] {
    return mlir::emitError(module.getLoc(), "dit-import-plan: ");
  };
  if (options.steps < 0 || options.steps > kMaxSteps)
    return emit() << "expected between 1 and " << kMaxSteps
                  << " in the option steps, got " << options.steps;
  if (options.steps && !options.timesteps.empty())
    return emit() << "expected one of the options steps and timesteps";
  if (options.window < 0)
    return emit() << "expected a half-width in the option window, got "
                  << options.window;
  PlanFileContext context{module.getContext(), SiteList::collect(module),
                          llvm::to_vector(options.timesteps),
                          findTimesteps(module)};
  if (options.steps)
    context.timesteps = getUniformTimesteps(options.steps);
  context.window = options.window;
  context.conditional = options.conditional;
  return context;
}

FailureOr<PlanOp> mlir::dit::importPlan(ModuleOp module, StringRef text,
                                        const PlanImportOptions &options) {
  auto emit = [&] {
    return mlir::emitError(module.getLoc(), "dit-import-plan: ");
  };
  FailureOr<PlanFileContext> context = getFileContext(module, options);
  if (failed(context))
    return failure();
  if (Operation *other = SymbolTable::lookupSymbolIn(module, options.name)) {
    InFlightDiagnostic diag = emit() << "there is a symbol '" << options.name
                                     << "' already; give another option name";
    diag.attachNote(other->getLoc()) << "it is here";
    return diag;
  }
  llvm::Expected<PlanFile> read = parsePlanFile(*context, text);
  if (!read)
    return emit() << "plan file '" << options.fileName
                  << "': " << llvm::toString(read.takeError());
  for (const std::string &warning : read->warnings)
    module.emitWarning() << "dit-import-plan: plan file '" << options.fileName
                         << "': " << warning;
  // A program may have more heads than a table of so many steps can.
  for (const BranchPlan &branch : read->plan.getBranches())
    if (!ModesAttr::getChecked(
            [&] { return emit() << "site '" << branch.site << "': "; },
            module.getContext(), branch.heads, ArrayRef<Mode>(branch.modes)))
      return failure();
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  return read->plan.create(builder, module.getLoc(), options.name);
}

//===----------------------------------------------------------------------===//
// Exporting
//===----------------------------------------------------------------------===//

/// The plan `name`, or the only one.
static PlanOp findPlan(ModuleOp module, StringRef name) {
  auto plans = llvm::to_vector(module.getOps<PlanOp>());
  auto *named = llvm::find_if(
      plans, [&](PlanOp plan) { return plan.getSymName() == name; });
  if (named != plans.end())
    return *named;
  if (name.empty() && plans.size() == 1)
    return plans.front();
  InFlightDiagnostic diag =
      mlir::emitError(module.getLoc(), "dit-export-plan: ");
  if (plans.empty())
    diag << "the module has no plan";
  else
    diag << "expected the option name to be that of a plan; the plans are: ";
  llvm::interleaveComma(plans, diag,
                        [&](PlanOp plan) { diag << plan.getSymName(); });
  return nullptr;
}

LogicalResult mlir::dit::exportPlan(ModuleOp module, StringRef name,
                                    PlanFormat format, raw_ostream &os) {
  PlanOp op = findPlan(module, name);
  if (!op)
    return failure();
  Plan plan = Plan::get(op);
  if (SiteList sites = SiteList::collect(module); !sites.getSites().empty()) {
    std::string mismatch = plan.findMismatch(sites);
    if (!mismatch.empty())
      return op.emitError("dit-export-plan: ") << mismatch;
    plan = plan.getCompleted(sites);
  }
  if (llvm::Error error = writePlanFile(plan, format, os))
    return op.emitError("dit-export-plan: ")
           << llvm::toString(std::move(error));
  return success();
}
