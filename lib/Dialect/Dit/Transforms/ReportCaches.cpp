//===- ReportCaches.cpp - Memory of caches as JSON ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-report-caches`.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/BranchEmitter.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::dit {
#define GEN_PASS_DEF_REPORTCACHESPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

/// What the caches of the branches under a plan take.
class CacheReport {
public:
  explicit CacheReport(int64_t steps) : live(steps, 0) {}

  void add(const BranchEmitter &branch);
  void write(llvm::json::OStream &json) const;

private:
  struct Slot {
    std::string site;
    StringRef holds;
    int64_t bytes;
    SmallVector<int64_t> saved;
    SmallVector<bool> liveAfter;
  };
  std::vector<Slot> slots;
  SmallVector<int64_t> live;
};

struct ReportCachesPass
    : mlir::dit::impl::ReportCachesPassBase<ReportCachesPass> {
  using ReportCachesPassBase::ReportCachesPassBase;

  void runOnOperation() override;
};

} // namespace

void CacheReport::add(const BranchEmitter &branch) {
  const CachePlan &caches = branch.getCaches();
  for (auto [index, held] : llvm::enumerate(caches.getSlots())) {
    StringRef holds = held.residual ? "residual"
                      : held.halves ? "halves"
                                    : "output";
    Slot slot{branch.getPlan().site, holds, 0, {}, held.liveAfter};
    for (auto [state, type] : llvm::enumerate(branch.getStateTypes()))
      if (branch.getSlotOfState(state) == static_cast<int64_t>(index))
        slot.bytes += getStateBytes(type);
    for (int64_t step = 0; step < caches.getNumSteps(); ++step) {
      if (caches.getStep(step).updates[index].kind != SlotUpdate::Keep)
        slot.saved.push_back(step);
      if (held.liveAfter[step])
        live[step] += slot.bytes;
    }
    slots.push_back(std::move(slot));
  }
}

void CacheReport::write(llvm::json::OStream &json) const {
  int64_t carried = 0;
  json.object([&] {
    json.attributeArray("caches", [&] {
      for (const Slot &slot : slots) {
        carried += slot.bytes;
        json.object([&] {
          json.attribute("site", slot.site);
          json.attribute("holds", slot.holds);
          json.attribute("bytes", slot.bytes);
          json.attributeArray("saved", [&] {
            for (int64_t step : slot.saved)
              json.value(step);
          });
          json.attributeArray("live_after", [&] {
            for (auto [step, isLive] : llvm::enumerate(slot.liveAfter))
              if (isLive)
                json.value(static_cast<int64_t>(step));
          });
        });
      }
    });
    json.attributeArray("bytes_after_step", [&] {
      for (int64_t bytes : live)
        json.value(bytes);
    });
    json.attribute("peak_bytes", *llvm::max_element(live));
    json.attribute("carried_bytes", carried);
  });
}

void ReportCachesPass::runOnOperation() {
  std::string error;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(file, &error);
  auto emit = [&](Operation *op) {
    signalPassFailure();
    return op->emitError("dit-report-caches: ");
  };
  if (!output)
    return void(emit(getOperation()) << error);
  FailureOr<PlanOp> op = lookupPlan(getOperation(), name, "dit-report-caches");
  if (failed(op))
    return signalPassFailure();
  Plan plan = Plan::get(*op);
  CacheReport report(plan.getNumSteps());
  SmallVector<BranchOp> branches;
  getOperation().walk([&](BranchOp branch) { branches.push_back(branch); });
  for (const BranchPlan &entry : plan.getBranches()) {
    if (entry.isFull())
      continue;
    auto found = llvm::find_if(branches, [&](BranchOp branch) {
      return branch.getSite() == entry.site;
    });
    if (found == branches.end())
      return void(emit(*op) << "site '" << entry.site << "' is in no branch");
    BranchEmitter emitter(*found, entry);
    for (RankedTensorType type : emitter.getStateTypes())
      if (!type.hasStaticShape())
        return void(emit(*found) << "what it keeps has a dynamic shape");
    report.add(emitter);
  }
  llvm::json::OStream json(output->os(), /*IndentSize=*/1);
  report.write(json);
  output->os() << "\n";
  output->keep();
  markAllAnalysesPreserved();
}
