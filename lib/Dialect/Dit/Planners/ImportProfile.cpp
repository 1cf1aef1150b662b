//===- ImportProfile.cpp - Profiles from JSON -----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-import-profile`.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/ProfileFile.h"
#include "dit/Dialect/Dit/Planners/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::dit {
#define GEN_PASS_DEF_IMPORTPROFILEPASS
#include "dit/Dialect/Dit/Planners/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ImportProfilePass
    : mlir::dit::impl::ImportProfilePassBase<ImportProfilePass> {
  using ImportProfilePassBase::ImportProfilePassBase;

  void runOnOperation() override {
    if (failed(importProfile()))
      signalPassFailure();
  }

private:
  LogicalResult importProfile();
};

} // namespace

/// Products of three extents stay inside 64 bits.
static constexpr int64_t kMaxExtent = int64_t(1) << 20;

LogicalResult ImportProfilePass::importProfile() {
  ModuleOp module = getOperation();
  auto emit = [&] {
    return mlir::emitError(module.getLoc(), "dit-import-profile: ");
  };
  if (file.empty())
    return emit() << "expected a file of a profile: give the option file";
  if (Operation *other = SymbolTable::lookupSymbolIn(module, name)) {
    InFlightDiagnostic diag = emit() << "there is a symbol '" << name
                                     << "' already; give another option name";
    diag.attachNote(other->getLoc()) << "it is here";
    return diag;
  }
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(file, &message);
  if (!buffer)
    return emit() << message;
  auto isPlan = [&](StringRef name) {
    return isa_and_present<PlanOp>(SymbolTable::lookupSymbolIn(module, name));
  };
  SiteList sites = SiteList::collect(module);
  llvm::Expected<Profile> profile =
      parseProfileFile(sites, isPlan, buffer->getBuffer());
  if (!profile)
    return emit() << "profile file '" << file
                  << "': " << llvm::toString(profile.takeError());
  if (!grid.empty()) {
    auto isExtent = [](int64_t extent) {
      return extent >= 1 && extent <= kMaxExtent;
    };
    if (grid.size() != 3 || !llvm::all_of(grid, isExtent))
      return emit() << "expected frames, height and width in the option grid, "
                       "each between 1 and "
                    << kMaxExtent;
    *profile = profile->getRescaled(
        SmallVector<int64_t>(grid.begin(), grid.end()), sites);
  }
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  profile->create(builder, module.getLoc(), name);
  numMeasured += profile->getMeasurements().size();
  numTrials += profile->getTrials().size();
  return success();
}
