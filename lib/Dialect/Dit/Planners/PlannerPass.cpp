//===- PlannerPass.cpp - What the passes of planners share ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Profiles are checked here against the program, entry by entry; the ops'
// verifiers only check themselves.
//
//===----------------------------------------------------------------------===//

#include "PlannerPass.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dit;

ProfileOp mlir::dit::findProfile(ModuleOp module, StringRef name,
                                 StringRef pass) {
  auto profiles = llvm::to_vector(module.getOps<ProfileOp>());
  auto named = llvm::find_if(
      profiles, [&](ProfileOp op) { return op.getSymName() == name; });
  if (named != profiles.end())
    return *named;
  if (name.empty() && profiles.size() == 1)
    return profiles.front();
  InFlightDiagnostic diag = module.emitError() << pass << ": ";
  if (profiles.empty())
    diag << "the module has no profile; --dit-import-profile reads one";
  else
    diag << "expected the name of a profile; the profiles are: ";
  llvm::interleaveComma(profiles, diag,
                        [&](ProfileOp op) { diag << op.getSymName(); });
  return nullptr;
}

LogicalResult mlir::dit::verifyProfile(ProfileOp op, const SiteList &sites,
                                       StringRef pass) {
  for (auto measured : op.getBody().getOps<MeasuredOp>()) {
    std::string mismatch = Profile::findMismatch(Profile::get(measured), sites);
    if (!mismatch.empty())
      return measured.emitError() << pass << ": " << mismatch;
  }
  auto module = op->getParentOfType<ModuleOp>();
  for (auto trial : op.getBody().getOps<TrialOp>()) {
    std::optional<StringRef> plan = trial.getPlan();
    if (plan &&
        !isa_and_present<PlanOp>(SymbolTable::lookupSymbolIn(module, *plan)))
      return trial.emitError()
             << pass << ": the module has no plan '" << *plan << "'";
  }
  std::string mismatch = Profile::get(op).findMismatch(sites);
  if (!mismatch.empty())
    return op.emitError() << pass << ": " << mismatch;
  return success();
}

FailureOr<SiteList> mlir::dit::findSites(ModuleOp module, StringRef pass) {
  SiteList sites = SiteList::collect(module);
  if (sites.getSites().empty())
    return module.emitError()
           << pass
           << ": the module has no sites to plan for; raise and name "
              "its attentions first";
  return sites;
}

FailureOr<PlanOp> mlir::dit::addPlan(ModuleOp module, const Plan &plan,
                                     StringRef name, StringRef pass) {
  if (Operation *other = SymbolTable::lookupSymbolIn(module, name)) {
    InFlightDiagnostic diag = module.emitError()
                              << pass << ": there is a symbol '" << name
                              << "' already; give another option name";
    diag.attachNote(other->getLoc()) << "it is here";
    return diag;
  }
  for (const BranchPlan &branch : plan.getBranches())
    if (!ModesAttr::getChecked(
            [&] {
              return module.emitError()
                     << pass << ": site '" << branch.site << "': ";
            },
            module.getContext(), branch.heads, ArrayRef<Mode>(branch.modes)))
      return failure();
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  return plan.create(builder, module.getLoc(), name);
}

remark::RemarkOpts mlir::dit::remarkOn(PlanOp op, StringRef name,
                                       StringRef pass) {
  return remark::RemarkOpts::name(name).category(pass).function(
      op.getSymName());
}

FailureOr<SmallVector<BranchKind>>
mlir::dit::parseKinds(ModuleOp module, ArrayRef<std::string> names,
                      StringRef pass) {
  SmallVector<BranchKind> kinds;
  for (const std::string &name : names) {
    std::optional<BranchKind> kind = symbolizeBranchKind(name);
    if (!kind)
      return module.emitError()
             << pass
             << ": expected kinds of self, full, spatial, temporal, "
                "cross, joint and mlp, got '"
             << name << "'";
    kinds.push_back(*kind);
  }
  return kinds;
}
