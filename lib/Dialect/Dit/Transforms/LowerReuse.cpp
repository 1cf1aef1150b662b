//===- LowerReuse.cpp - Reuse to control flow -----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-lower-reuse`. The destination argument of a reuse becomes
// the state itself: the branch that computes overwrites the cache, the other
// one passes it through, so both branches end in the same buffer.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/LowerReuse.h"
#include "dit/Dialect/Dit/IR/Dit.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::dit {
#define GEN_PASS_DEF_LOWERREUSEPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

static constexpr int64_t kWordBits = 64;

/// The steps of `schedule` as bits, step 0 lowest; bits past the end are zero.
static SmallVector<int64_t> packSchedule(ScheduleAttr schedule) {
  int64_t numSteps = schedule.getNumSteps();
  SmallVector<int64_t> words(
      llvm::divideCeil(static_cast<uint64_t>(numSteps), kWordBits));
  for (int64_t step = 0; step < numSteps; ++step)
    if (schedule.computes(step))
      words[step / kWordBits] |= static_cast<int64_t>(1ull << step % kWordBits);
  return words;
}

namespace {

struct LowerScheduled : OpRewritePattern<ScheduledOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScheduledOp op,
                                PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value always = arith::ConstantIntOp::create(b, true, /*width=*/1);
    int64_t numSteps = op.getSchedule().getNumSteps();
    if (numSteps == 0) {
      rewriter.replaceOp(op, always);
      return success();
    }
    // An unsigned comparison also sorts out negative steps.
    Value inside =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, op.getStep(),
                              arith::ConstantIndexOp::create(b, numSteps));
    // Step 0 stands in for steps outside: a shift or a position out of range
    // would be undefined.
    Value step = arith::SelectOp::create(b, inside, op.getStep(),
                                         arith::ConstantIndexOp::create(b, 0));
    Value bit = emitBit(b, packSchedule(op.getSchedule()), step);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, inside, bit, always);
    return success();
  }

private:
  /// Bit `step` of `words` as an i1.
  static Value emitBit(ImplicitLocOpBuilder &b, ArrayRef<int64_t> words,
                       Value step) {
    Value word, position = step;
    if (words.size() == 1) {
      word = arith::ConstantIntOp::create(b, words[0], kWordBits);
    } else {
      auto type = RankedTensorType::get({static_cast<int64_t>(words.size())},
                                        b.getI64Type());
      Value table = arith::ConstantOp::create(
          b, type, DenseElementsAttr::get(type, words));
      Value bits = arith::ConstantIndexOp::create(b, kWordBits);
      Value at = arith::DivUIOp::create(b, step, bits);
      word = tensor::ExtractOp::create(b, table, at);
      position = arith::RemUIOp::create(b, step, bits);
    }
    Value shift = arith::IndexCastOp::create(b, b.getI64Type(), position);
    Value shifted = arith::ShRUIOp::create(b, word, shift);
    return arith::TruncIOp::create(b, b.getI1Type(), shifted);
  }
};

struct LowerReuse : OpRewritePattern<ReuseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReuseOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto ifOp = scf::IfOp::create(rewriter, loc, op.getResultTypes(),
                                  op.getCompute(), /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
    SmallVector<Value> computed = inlineBody(
        op.getComputeRegion(), op.getStates(), ifOp.thenBlock(), rewriter);
    rewriter.setInsertionPointToEnd(ifOp.thenBlock());
    scf::YieldOp::create(rewriter, loc, computed);

    SmallVector<Value> kept;
    if (op.hasOtherwise())
      kept = inlineBody(op.getOtherwiseRegion(), op.getStates(),
                        ifOp.elseBlock(), rewriter);
    else
      llvm::append_range(kept, op.getStates().take_front(op.getNumOutputs()));
    llvm::append_range(kept, op.getStates());
    rewriter.setInsertionPointToEnd(ifOp.elseBlock());
    scf::YieldOp::create(rewriter, loc, kept);

    rewriter.replaceOp(op, ifOp);
    return success();
  }

private:
  /// Moves the body of `region` into `block` with `states` for its arguments
  /// and returns what it yielded.
  static SmallVector<Value> inlineBody(Region &region, ValueRange states,
                                       Block *block,
                                       PatternRewriter &rewriter) {
    Block &body = region.front();
    Operation *terminator = body.getTerminator();
    rewriter.inlineBlockBefore(&body, block, block->end(), states);
    // Read after inlining, which has replaced arguments that were yielded.
    SmallVector<Value> yielded(terminator->getOperands());
    rewriter.eraseOp(terminator);
    return yielded;
  }
};

/// A branch that no plan changed is what its stages do.
struct InlineBranch : OpRewritePattern<BranchOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BranchOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> values;
    for (Region &region : op->getRegions()) {
      if (region.empty())
        continue;
      Operation *terminator = region.front().getTerminator();
      rewriter.inlineBlockBefore(&region.front(), op, values);
      // Read after inlining, which has replaced arguments that were yielded.
      values = llvm::to_vector(terminator->getOperands());
      rewriter.eraseOp(terminator);
    }
    rewriter.replaceOp(op, values);
    return success();
  }
};

struct LowerReusePass : mlir::dit::impl::LowerReusePassBase<LowerReusePass> {
  using LowerReusePassBase::LowerReusePassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateLowerReusePatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      numBranches += isa<BranchOp>(op);
      numReuses += isa<ReuseOp>(op);
      numSchedules += isa<ScheduledOp>(op);
    });
    walkAndApplyPatterns(getOperation(), patterns);
    // Symbols that nothing uses any more and that machine code has no form of.
    getOperation()->walk([](Operation *op) {
      if (isa<PlanOp, ProfileOp>(op))
        op->erase();
    });
  }

private:
  FrozenRewritePatternSet patterns;
};

} // namespace

void mlir::dit::populateLowerReusePatterns(RewritePatternSet &patterns) {
  patterns.add<InlineBranch, LowerReuse, LowerScheduled>(patterns.getContext());
}
