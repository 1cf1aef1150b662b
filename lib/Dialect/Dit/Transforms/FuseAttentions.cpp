//===- FuseAttentions.cpp - Two attentions in one pass --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-fuse-attentions`. The pair stands where the later of the
// two attentions was, unless the result of the earlier one is needed before
// that; then it stands where the earlier one was, if the other's operands are
// there.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/Dit.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

namespace mlir::dit {
#define GEN_PASS_DEF_FUSEATTENTIONSPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Whether the op can be one of a pair.
static bool isCandidate(AttentionOp op) {
  return op->getNumResults() == 1 && !op.hasTiles();
}

/// Whether both compute the same scores of the same values.
static bool shareScores(AttentionOp lhs, AttentionOp rhs) {
  return lhs.getQ() == rhs.getQ() && lhs.getK() == rhs.getK() &&
         lhs.getV() == rhs.getV() && lhs.getBias() == rhs.getBias() &&
         lhs.getKvValid() == rhs.getKvValid() &&
         lhs.getScaleAttr() == rhs.getScaleAttr() &&
         lhs.getQDimOrder() == rhs.getQDimOrder() &&
         lhs.getKDimOrder() == rhs.getKDimOrder() &&
         lhs.getVDimOrder() == rhs.getVDimOrder();
}

/// The parts of an `and`, or the pattern alone.
static ArrayRef<PatternAttrInterface>
getParts(const PatternAttrInterface &pattern) {
  if (auto both = dyn_cast<AndAttr>(pattern))
    return both.getPatterns();
  return pattern;
}

/// Whether no head is skipped: the half-widths are constants other than 0.
static bool computesAllHeads(AttentionOp op) {
  if (!op.getHalfWidths())
    return true;
  DenseIntElementsAttr widths;
  return matchPattern(op.getHalfWidths(), m_Constant(&widths)) &&
         llvm::none_of(widths.getValues<APInt>(),
                       [](const APInt &width) { return width.isZero(); });
}

/// Whether everything that `inner` may attend to is what `outer` attends to,
/// and a pair can say it.
static bool isWithin(AttentionOp inner, AttentionOp outer) {
  if (outer.getHalfWidths() || !computesAllHeads(inner))
    return false;
  std::optional<PatternAttrInterface> limit = outer.getPattern();
  if (!limit)
    return inner.getPattern() || inner.getHalfWidths();
  std::optional<PatternAttrInterface> pattern = inner.getPattern();
  if (!pattern || inner.getHalfWidths() || *pattern == *limit)
    return false;
  ArrayRef<PatternAttrInterface> parts = getParts(*pattern);
  return llvm::all_of(getParts(*limit), [&](PatternAttrInterface part) {
    return llvm::is_contained(parts, part);
  });
}

/// The place where both results can be computed; null if there is none.
static Operation *findPlace(AttentionOp first, AttentionOp second,
                            DominanceInfo &dominance) {
  Block *block = second->getBlock();
  bool isUsedBefore = llvm::any_of(first->getUsers(), [&](Operation *user) {
    Operation *ancestor = block->findAncestorOpInBlock(*user);
    return ancestor && ancestor != second && ancestor->isBeforeInBlock(second);
  });
  if (!isUsedBefore)
    return second;
  bool isThere = llvm::all_of(second->getOperands(), [&](Value operand) {
    return operand == second.getOutput() ||
           dominance.properlyDominates(operand, first);
  });
  return isThere ? first.getOperation() : nullptr;
}

/// What the pair writes a result to. What an attention of all heads finds in
/// its destination does not matter, so a destination that the pair itself
/// computes, or one that is not there yet, gives way to an empty tensor.
static Value createDestination(OpBuilder &builder, AttentionOp op,
                               AttentionOp other, DominanceInfo &dominance) {
  Value init = op.getOutput();
  if (init != other->getResult(0) &&
      dominance.properlyDominates(init, &*builder.getInsertionPoint()))
    return init;
  auto type = cast<RankedTensorType>(init.getType());
  if (!type.hasStaticShape())
    return {};
  return tensor::EmptyOp::create(builder, op.getLoc(), type.getShape(),
                                 type.getElementType());
}

/// Fuses `first` and `second`, of which the one comes before the other, if the
/// first one's positions contain the second one's or the other way round.
static FailureOr<AttentionPairOp> fuse(RewriterBase &rewriter,
                                       AttentionOp first, AttentionOp second,
                                       DominanceInfo &dominance) {
  if (!shareScores(first, second))
    return failure();
  AttentionOp outer = first, inner = second;
  if (!isWithin(inner, outer))
    std::swap(outer, inner);
  if (!isWithin(inner, outer))
    return failure();
  Operation *place = findPlace(first, second, dominance);
  if (!place)
    return failure();
  rewriter.setInsertionPoint(place);
  Value output = createDestination(rewriter, outer, inner, dominance);
  Value innerOutput = createDestination(rewriter, inner, outer, dominance);
  if (!output || !innerOutput)
    return failure();
  Location loc = rewriter.getFusedLoc({first.getLoc(), second.getLoc()});
  auto pair = AttentionPairOp::create(
      rewriter, loc, TypeRange{output.getType(), innerOutput.getType()},
      outer.getQ(), outer.getK(), outer.getV(), outer.getBias(),
      outer.getKvValid(), inner.getHalfWidths(), output, innerOutput,
      outer.getScaleAttr(), outer.getPatternAttr(), inner.getPatternAttr(),
      outer.getQOrderAttr(), outer.getKOrderAttr(), outer.getVOrderAttr(),
      outer.getOOrderAttr(), inner.getOOrderAttr());
  remark::passed(loc, remark::RemarkOpts::name("AttentionsFused")
                          .category("dit-fuse-attentions"))
      << remark::add("two attentions of the same queries and keys share their "
                     "scores");
  rewriter.replaceOp(outer, pair->getResult(0));
  rewriter.replaceOp(inner, pair->getResult(1));
  return pair;
}

namespace {

struct FuseAttentionsPass
    : public dit::impl::FuseAttentionsPassBase<FuseAttentionsPass> {
  using FuseAttentionsPassBase::FuseAttentionsPassBase;

  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation()->walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      runOnBlock(*block);
  }

private:
  void runOnBlock(Block &block) {
    SmallVector<AttentionOp> open;
    IRRewriter rewriter(&getContext());
    auto &dominance = getAnalysis<DominanceInfo>();
    for (auto op : llvm::make_early_inc_range(block.getOps<AttentionOp>())) {
      if (!isCandidate(op))
        continue;
      AttentionOp *partner = llvm::find_if(open, [&](AttentionOp other) {
        return succeeded(fuse(rewriter, other, op, dominance));
      });
      if (partner == open.end()) {
        open.push_back(op);
        continue;
      }
      open.erase(partner);
      ++numFused;
    }
  }
};

} // namespace
