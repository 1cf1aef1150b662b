//===- ApplyPlan.cpp - Programs under a plan ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-apply-plan`. Everything that can be wrong is looked for
// before anything changes.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/ApplyPlan.h"
#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace mlir::dit {
#define GEN_PASS_DEF_APPLYPLANPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct ApplyPlanPass : mlir::dit::impl::ApplyPlanPassBase<ApplyPlanPass> {
  using ApplyPlanPassBase::ApplyPlanPassBase;

  void runOnOperation() override {
    if (failed(apply()))
      signalPassFailure();
  }

private:
  /// The plan if it is for the sites of the module.
  FailureOr<Plan> readPlan(PlanOp op);
  /// The branches of the module, which all lie in one block.
  FailureOr<Block *> findBody(SmallVectorImpl<BranchOp> &branches);
  /// Fits `plan` to the steps of `loop`.
  LogicalResult fitSteps(PlanOp op, scf::ForOp loop, Plan &plan);
  FailureOr<std::vector<BranchEmitter>> plan(PlanOp op, const Plan &plan,
                                             ArrayRef<BranchOp> branches);
  LogicalResult apply();
  void report(BranchEmitter &branch);
};

} // namespace

/// Where `plan` speaks of `site`.
static Operation *findEntry(PlanOp plan, StringRef site) {
  for (auto planned : plan.getBody().getOps<PlannedOp>())
    if (planned.getSite() == site)
      return planned;
  return plan;
}

FailureOr<Plan> ApplyPlanPass::readPlan(PlanOp op) {
  Plan plan = Plan::get(op);
  SiteList sites = SiteList::collect(getOperation());
  for (const BranchPlan &branch : plan.getBranches()) {
    std::string text = Plan::findMismatch(branch, sites);
    if (!text.empty())
      return findEntry(op, branch.site)->emitError("dit-apply-plan: ") << text;
  }
  std::string text = plan.findMismatch(sites);
  if (!text.empty())
    return op.emitError("dit-apply-plan: the plan does not fit: ") << text;
  return plan;
}

FailureOr<Block *>
ApplyPlanPass::findBody(SmallVectorImpl<BranchOp> &branches) {
  getOperation().walk([&](BranchOp op) { branches.push_back(op); });
  if (branches.empty())
    return mlir::emitError(
        getOperation().getLoc(),
        "dit-apply-plan: there is no branch; run --dit-outline-branches first");
  Block *block = branches.front()->getBlock();
  for (BranchOp op : branches) {
    if (op->getBlock() == block)
      continue;
    InFlightDiagnostic diag =
        op.emitError("dit-apply-plan: expected all branches in one function or "
                     "one step loop");
    diag.attachNote(branches.front().getLoc()) << "another one is here";
    return diag;
  }
  if (!isa<scf::ForOp, func::FuncOp>(block->getParentOp()))
    return branches.front().emitError(
               "dit-apply-plan: expected branches right in a function or in a "
               "step loop, got them in ")
           << block->getParentOp()->getName();
  return block;
}

LogicalResult ApplyPlanPass::fitSteps(PlanOp op, scf::ForOp loop, Plan &plan) {
  std::optional<APInt> trips = loop.getStaticTripCount();
  if (!trips)
    return loop.emitError("dit-apply-plan: expected a step loop with a known "
                          "number of steps");
  int64_t steps = trips->getSExtValue();
  auto timesteps = loop->getAttrOfType<DenseF64ArrayAttr>(kTimestepsAttrName);
  if (steps < 1)
    return loop.emitError("dit-apply-plan: the step loop has no steps");
  if (steps != plan.getNumSteps() && !remap) {
    InFlightDiagnostic diag =
        op.emitError("dit-apply-plan: the plan is for ")
        << plan.getNumSteps() << " steps, and the sampler has " << steps
        << "; make a plan for these, or give the option remap to take for "
           "each step the nearest one of the plan";
    diag.attachNote(loop.getLoc()) << "the steps are here";
    return diag;
  }
  if (remap)
    plan = plan.getRemapped(steps, timesteps ? timesteps.asArrayRef()
                                             : ArrayRef<double>());
  if (!timesteps)
    return success();
  for (auto [step, value] : llvm::enumerate(plan.getTimesteps())) {
    double expected = timesteps[step];
    // Files may round, and samplers cut to integers.
    if (std::abs(value - expected) > std::max(1.0, 1e-3 * expected))
      return op.emitError("dit-apply-plan: the plan is for timestep ")
             << formatNumber(value) << " at step " << step
             << ", and the sampler has " << formatNumber(expected)
             << "; the option remap takes the nearest step of the plan";
  }
  return success();
}

FailureOr<std::vector<BranchEmitter>>
ApplyPlanPass::plan(PlanOp op, const Plan &plan, ArrayRef<BranchOp> branches) {
  std::vector<BranchEmitter> planned;
  for (const BranchPlan &entry : plan.getBranches()) {
    if (entry.isFull())
      continue;
    auto found = llvm::find_if(branches, [&](BranchOp branch) {
      return branch.getSite() == entry.site;
    });
    if (found == branches.end())
      return findEntry(op, entry.site)->emitError("dit-apply-plan: site '")
             << entry.site
             << "' is in no branch; remarks of --dit-outline-branches say why";
    // The grid is a property of the program, if it has one.
    BranchPlan completed = entry;
    if (AttentionOp attention = BranchOp(*found).getAttention();
        attention && !completed.grid)
      completed.grid = attention.getGridAttr();
    if (std::optional<ModeFault> fault = completed.findFault())
      return findEntry(op, entry.site)->emitError("dit-apply-plan: site '")
             << entry.site << "': " << fault->describe();
    BranchEmitter emitter(*found, std::move(completed),
                          form == PlanForm::Table);
    std::string text = emitter.findObstacle();
    if (!text.empty()) {
      InFlightDiagnostic diag =
          findEntry(op, entry.site)->emitError("dit-apply-plan: site '")
          << entry.site << "': " << text;
      diag.attachNote(BranchOp(*found).getLoc()) << "the branch is here";
      return diag;
    }
    planned.push_back(std::move(emitter));
  }
  return planned;
}

void ApplyPlanPass::report(BranchEmitter &branch) {
  BranchOp op = branch.getOp();
  StringRef function;
  if (auto parent = op->getParentOfType<FunctionOpInterface>())
    function = parent.getName();
  int64_t bytes = 0;
  for (RankedTensorType type : branch.getStateTypes())
    bytes += getStateBytes(type);
  ++numBranches;
  numSharedSteps += branch.getPlan().countSharedSteps();
  stateBytes += bytes;
  remark::passed(op.getLoc(), remark::RemarkOpts::name("ApplyPlan")
                                  .category("dit-apply-plan")
                                  .function(function))
      << remark::metric("Site", op.getSite())
      << remark::metric("Steps", branch.getCaches().getNumSteps())
      << remark::metric("SharedSteps", branch.getPlan().countSharedSteps())
      << remark::metric("DistinctSteps", branch.getCaches().getClasses().size())
      << remark::metric("States", branch.getStateTypes().size())
      << remark::metric("StateBytes", bytes);
}

LogicalResult ApplyPlanPass::apply() {
  FailureOr<PlanOp> found = lookupPlan(getOperation(), name, "dit-apply-plan");
  if (failed(found))
    return failure();
  PlanOp op = *found;
  FailureOr<Plan> read = readPlan(op);
  if (failed(read))
    return failure();
  SmallVector<BranchOp> branches;
  FailureOr<Block *> block = findBody(branches);
  if (failed(block))
    return failure();
  auto loop = dyn_cast<scf::ForOp>((*block)->getParentOp());
  auto function = dyn_cast<func::FuncOp>((*block)->getParentOp());
  if (loop && failed(fitSteps(op, loop, *read)))
    return failure();
  if (stepByBranch && (loop || form != PlanForm::Table))
    return mlir::emitError(
        getOperation().getLoc(),
        "dit-apply-plan: the option step-by-branch is for a denoiser and "
        "form=table");
  if (function) {
    Operation *other = SymbolTable::lookupSymbolIn(getOperation(), init);
    if (other)
      return other->emitError("dit-apply-plan: the symbol '")
             << init << "' is taken; give another option init";
    if (!SymbolTable::symbolKnownUseEmpty(function, getOperation()))
      return function.emitError(
          "dit-apply-plan: the function is called in the module, and the plan "
          "changes its signature; inline it into the step loop");
  }
  FailureOr<std::vector<BranchEmitter>> planned = plan(op, *read, branches);
  if (failed(planned))
    return failure();
  for (BranchEmitter &branch : *planned)
    report(branch);
  IRRewriter rewriter(&getContext());
  int64_t steps = read->getNumSteps();
  rewriter.eraseOp(op);
  if (planned->empty() && loop)
    return success();
  PlannedBody body(**block, std::move(*planned), steps);
  if (loop)
    applyToLoop(rewriter, loop, body, form);
  else
    applyToFunction(rewriter, function, body, form, {init, stepByBranch});
  return success();
}
