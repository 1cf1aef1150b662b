//===- ReuseAttention.cpp - Reuse of attention branches -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-reuse-attention`. The state of a branch is its result, so a
// step that reuses runs nothing of it.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/ReuseAttention.h"
#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Regex.h"

namespace mlir::dit {
#define GEN_PASS_DEF_REUSEATTENTIONPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult mlir::dit::verifySchedule(scf::ForOp loop,
                                        ScheduleAttr schedule) {
  if (!schedule.computes(0))
    return loop.emitError()
           << "schedule \"" << schedule.getSteps()
           << "\" reuses at step 0, before anything was computed; expected it "
              "to start with 1";
  std::optional<APInt> trips = loop.getStaticTripCount();
  if (trips && schedule.getNumSteps() > trips->getSExtValue())
    return loop.emitError()
           << "expected a schedule of at most the " << trips->getSExtValue()
           << " steps of this loop, got " << schedule.getNumSteps();
  return success();
}

bool mlir::dit::canBeState(const AttentionBranch &branch) {
  auto type = dyn_cast<RankedTensorType>(branch.result.getType());
  return type && type.hasStaticShape() && type.getElementType().isIntOrFloat();
}

int64_t mlir::dit::getStateBytes(const AttentionBranch &branch) {
  auto type = cast<RankedTensorType>(branch.result.getType());
  return llvm::divideCeil(static_cast<uint64_t>(type.getNumElements()) *
                              type.getElementTypeBitWidth(),
                          8);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// A state of zeros; the first step overwrites it.
static Value createInitialState(OpBuilder &b, Location loc, Type type) {
  auto tensorType = cast<RankedTensorType>(type);
  Value zero = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(tensorType.getElementType()));
  Value empty = tensor::EmptyOp::create(b, loc, tensorType.getShape(),
                                        tensorType.getElementType());
  return linalg::FillOp::create(b, loc, zero, empty).getResult(0);
}

/// Makes the op that defines `value` write to `destination` if it now writes to
/// a fresh tensor, so that the state is built in place.
static void buildInto(Value value, Value destination) {
  auto op = value.getDefiningOp<DestinationStyleOpInterface>();
  while (op) {
    OpOperand *init = op.getTiedOpOperand(cast<OpResult>(value));
    if (!init || init->get().getType() != destination.getType())
      return;
    if (init->get().getDefiningOp<tensor::EmptyOp>())
      return init->set(destination);
    // Ops of the branch alone may be changed: a fill that starts a sum.
    value = init->get();
    if (!value.hasOneUse() ||
        value.getParentRegion() != destination.getParentRegion())
      return;
    op = value.getDefiningOp<DestinationStyleOpInterface>();
  }
}

static ReuseOp reuseBranch(RewriterBase &rewriter,
                           const AttentionBranch &branch, Value compute,
                           Value oldState) {
  Operation *last = branch.ops.back();
  rewriter.setInsertionPointAfter(last);
  Type type = branch.result.getType();
  AttentionOp attention = branch.attention;
  auto reuse = ReuseOp::create(rewriter, last->getLoc(), TypeRange{type, type},
                               compute, oldState, attention.getSiteAttr());
  rewriter.replaceAllUsesWith(branch.result, reuse->getResult(0));
  Block *body = rewriter.createBlock(&reuse.getComputeRegion(), {}, type,
                                     {oldState.getLoc()});
  for (Operation *op : branch.ops)
    rewriter.moveOpBefore(op, body, body->end());
  rewriter.setInsertionPointToEnd(body);
  Location loc = last->getLoc();
  // A loop can carry a buffer only if each step ends in it, so that is said,
  // whatever becomes of the op that writes the result.
  Value state = body->getArgument(0);
  buildInto(branch.result, state);
  Value result = bufferization::MaterializeInDestinationOp::create(
                     rewriter, loc, type, branch.result, state)
                     .getResult();
  YieldOp::create(rewriter, loc, ValueRange{result, result});
  return reuse;
}

SmallVector<ReuseOp>
mlir::dit::reuseBranches(RewriterBase &rewriter, scf::ForOp loop,
                         ArrayRef<AttentionBranch> branches,
                         ScheduleAttr schedule) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  SmallVector<Value> inits =
      llvm::map_to_vector(branches, [&](const AttentionBranch &branch) {
        return createInitialState(rewriter, branch.result.getLoc(),
                                  branch.result.getType());
      });
  SmallVector<ReuseOp> reuses;
  auto makeStates = [&](OpBuilder &, Location loc,
                        ArrayRef<BlockArgument> states) {
    rewriter.setInsertionPointToStart(loop.getBody());
    Value compute = ScheduledOp::create(rewriter, loc,
                                        createStep(rewriter, loop), schedule);
    SmallVector<Value> newStates;
    for (auto [branch, state] : llvm::zip_equal(branches, states)) {
      reuses.push_back(reuseBranch(rewriter, branch, compute, state));
      newStates.push_back(reuses.back()->getResult(1));
    }
    return newStates;
  };
  bool replaced = succeeded(loop.replaceWithAdditionalYields(
      rewriter, inits, /*replaceInitOperandUsesInLoop=*/false, makeStates));
  assert(replaced && "a loop takes more values");
  (void)replaced;
  return reuses;
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {

struct ReuseAttentionPass
    : mlir::dit::impl::ReuseAttentionPassBase<ReuseAttentionPass> {
  using ReuseAttentionPassBase::ReuseAttentionPassBase;

  LogicalResult initialize(MLIRContext *context) override;
  void runOnOperation() override;

private:
  bool isSelected(AttentionOp op) const;
  /// The branch of `op`, or a remark on why there is none.
  std::optional<AttentionBranch> findBranch(AttentionOp op);
  LogicalResult reuse(scf::ForOp loop, ArrayRef<AttentionBranch> branches);
  void report(ReuseOp reuse, AttentionOp attention);

  ScheduleAttr steps;
};

} // namespace

LogicalResult ReuseAttentionPass::initialize(MLIRContext *context) {
  auto emit = [&] {
    return emitError(UnknownLoc::get(context)) << "dit-reuse-attention: ";
  };
  std::string error;
  if (!llvm::Regex(sites).isValid(error))
    return emit() << "expected a regular expression in the option sites, got '"
                  << StringRef(sites) << "': " << error;
  for (const std::string &kind : kinds)
    if (!symbolizeAttentionKind(kind))
      return emit() << "expected a kind of attention in the option kinds, got '"
                    << kind << "'";
  if (schedule.empty())
    return emit() << "expected the option schedule, a 1 or 0 for each step";
  if (failed(ScheduleAttr::verify(emit, StringRef(schedule))))
    return failure();
  steps = ScheduleAttr::get(context, StringRef(schedule));
  return success();
}

bool ReuseAttentionPass::isSelected(AttentionOp op) const {
  if (!llvm::Regex(sites).match(op.getSite().value_or("")))
    return false;
  if (kinds.empty())
    return true;
  return op.getKind() &&
         llvm::is_contained(kinds, stringifyAttentionKind(*op.getKind()));
}

static remark::RemarkOpts remarkOn(AttentionOp op) {
  StringRef function;
  if (auto parent = op->getParentOfType<FunctionOpInterface>())
    function = parent.getName();
  return remark::RemarkOpts::name("ReuseAttention")
      .category("dit-reuse-attention")
      .function(function);
}

std::optional<AttentionBranch> ReuseAttentionPass::findBranch(AttentionOp op) {
  auto missed = [&](const char *reason) {
    ++numSkipped;
    remark::missed(op.getLoc(), remarkOn(op))
        << remark::metric("Site", op.getSite().value_or(""))
        << remark::reason("{0}", reason);
    return std::nullopt;
  };
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop)
    return missed("it is not directly in the body of a step loop");
  std::optional<AttentionBranch> branch = AttentionBranchFinder(loop).find(op);
  if (!branch)
    return missed("it has no single result that is used");
  if (!canBeState(*branch))
    return missed("the result of its branch has a dynamic shape, so no state "
                  "can be set up before the loop");
  return branch;
}

void ReuseAttentionPass::report(ReuseOp reuse, AttentionOp attention) {
  ExecutionCount count = countExecutions(attention);
  int64_t bytes =
      getStateBytes(AttentionBranch{attention, {}, reuse.getResult(0)});
  int64_t skipped = count.steps - count.executed;
  ++numReused;
  stateBytes += bytes;
  auto remark = remark::passed(attention.getLoc(), remarkOn(attention));
  remark << remark::metric("Site", attention.getSite().value_or(""))
         << remark::metric("Steps", count.steps)
         << remark::metric("ReusedSteps", skipped)
         << remark::metric(
                "OpsInBranch",
                reuse.getComputeRegion().front().getOperations().size() - 2)
         << remark::metric("StateBytes", bytes);
  if (std::optional<AttentionCost> cost = AttentionCost::get(attention)) {
    int64_t saved =
        skipped * (cost->getKeptFlops() + cost->getSelectionFlops());
    savedFlops += saved;
    remark << remark::metric("SavedAttentionFlops", saved);
  }
}

LogicalResult ReuseAttentionPass::reuse(scf::ForOp loop,
                                        ArrayRef<AttentionBranch> branches) {
  if (failed(verifySchedule(loop, steps)))
    return failure();
  IRRewriter rewriter(&getContext());
  SmallVector<ReuseOp> reuses = reuseBranches(rewriter, loop, branches, steps);
  for (auto [reuse, branch] : llvm::zip_equal(reuses, branches))
    report(reuse, branch.attention);
  return success();
}

void ReuseAttentionPass::runOnOperation() {
  SmallVector<AttentionOp> selected;
  getOperation()->walk([&](AttentionOp op) {
    if (isSelected(op) && !op->getParentOfType<ReuseOp>())
      selected.push_back(op);
  });
  // A branch may hold an earlier attention whose result only it uses.
  llvm::MapVector<scf::ForOp, SmallVector<AttentionBranch>> branches;
  DenseSet<Operation *> taken;
  for (AttentionOp op : llvm::reverse(selected)) {
    if (taken.contains(op))
      continue;
    std::optional<AttentionBranch> branch = findBranch(op);
    if (!branch)
      continue;
    taken.insert_range(branch->ops);
    branches[cast<scf::ForOp>(op->getParentOp())].push_back(std::move(*branch));
  }
  for (auto &[loop, ofLoop] : llvm::reverse(branches)) {
    std::reverse(ofLoop.begin(), ofLoop.end());
    if (failed(reuse(loop, ofLoop)))
      return signalPassFailure();
  }
}
