//===- ReuseOps.cpp - Reuse across diffusion steps ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// ScheduledOp
//===----------------------------------------------------------------------===//

OpFoldResult ScheduledOp::fold(FoldAdaptor adaptor) {
  // Steps outside the schedule compute, so a schedule of ones always does.
  if (getSchedule().getSteps().find('0') == StringRef::npos)
    return BoolAttr::get(getContext(), true);
  if (auto step = dyn_cast_or_null<IntegerAttr>(adaptor.getStep()))
    return BoolAttr::get(getContext(), getSchedule().computes(step.getInt()));
  return {};
}

//===----------------------------------------------------------------------===//
// ReuseOp
//===----------------------------------------------------------------------===//

YieldOp ReuseOp::getComputeYield() {
  return cast<YieldOp>(getComputeRegion().front().getTerminator());
}

YieldOp ReuseOp::getOtherwiseYield() {
  return cast<YieldOp>(getOtherwiseRegion().front().getTerminator());
}

LogicalResult ReuseOp::verifyRegions() {
  TypeRange states = getStates().getTypes();
  // reuse_c7
  for (Region &region : getOperation()->getRegions())
    if (!region.empty() && !isa<YieldOp>(region.front().getTerminator()))
      return emitOpError() << "expected each region to end with "
                           << YieldOp::getOperationName() << ", got "
                           << region.front().getTerminator()->getName();
  // reuse_c1
  if (getNumResults() < getNumStates() ||
      TypeRange(getResultTypes()).take_back(states.size()) != states)
    return emitOpError() << "expected the last " << states.size()
                         << " results to have the types of the states";
  TypeRange outputs = TypeRange(getResultTypes()).drop_back(states.size());
  // reuse_c2
  if (getComputeRegion().getArgumentTypes() != states)
    return emitOpError() << "expected the compute region to take one argument "
                            "of the type of each state";
  // reuse_c3
  if (getComputeYield().getValues().getTypes() != TypeRange(getResultTypes()))
    return emitOpError() << "expected the compute region to yield the outputs "
                            "and then one new state for each state";
  if (!hasOtherwise()) {
    // reuse_c4
    if (outputs != states.take_front(outputs.size()))
      return emitOpError() << "expected an otherwise region, or outputs with "
                              "the types of the first states";
    return success();
  }
  // reuse_c5
  if (getOtherwiseRegion().getArgumentTypes() != states)
    return emitOpError() << "expected the otherwise region to take one "
                            "argument of the type of each state";
  // reuse_c6
  if (getOtherwiseYield().getValues().getTypes() != outputs)
    return emitOpError() << "expected the otherwise region to yield the "
                            "outputs alone";
  return success();
}

namespace {

/// A reuse whose condition is constant is one of its regions.
struct InlineConstantReuse : OpRewritePattern<ReuseOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReuseOp op,
                                PatternRewriter &rewriter) const override {
    BoolAttr compute;
    if (!matchPattern(op.getCompute(), m_Constant(&compute)))
      return rewriter.notifyMatchFailure(op, "condition is not constant");
    SmallVector<Value> results;
    if (compute.getValue()) {
      results = llvm::to_vector(op.getComputeYield().getValues());
      inlineRegion(op, op.getComputeRegion(), results, rewriter);
    } else if (op.hasOtherwise()) {
      results = llvm::to_vector(op.getOtherwiseYield().getValues());
      inlineRegion(op, op.getOtherwiseRegion(), results, rewriter);
      llvm::append_range(results, op.getStates());
    } else {
      llvm::append_range(results,
                         op.getStates().take_front(op.getNumOutputs()));
      llvm::append_range(results, op.getStates());
    }
    rewriter.replaceOp(op, results);
    return success();
  }

private:
  /// Moves the body of `region` before `op`, with the states as arguments;
  /// `results` that were arguments become states.
  static void inlineRegion(ReuseOp op, Region &region,
                           SmallVectorImpl<Value> &results,
                           PatternRewriter &rewriter) {
    Block &body = region.front();
    for (Value &result : results)
      if (auto argument = dyn_cast<BlockArgument>(result);
          argument && argument.getOwner() == &body)
        result = op.getStates()[argument.getArgNumber()];
    rewriter.eraseOp(body.getTerminator());
    rewriter.inlineBlockBefore(&body, op, op.getStates());
  }
};

} // namespace

void ReuseOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<InlineConstantReuse>(context);
}
