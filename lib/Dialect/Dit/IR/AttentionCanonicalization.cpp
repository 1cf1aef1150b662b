//===- AttentionCanonicalization.cpp - Simpler forms of an attention ------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Drops operands that change nothing, and folds the transposes and reshapes by
// unit dimensions around an attention into its dimension orders.
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

namespace {

//===----------------------------------------------------------------------===//
// Operands that change nothing
//===----------------------------------------------------------------------===//

/// A pattern in its simplest form; none if it holds every position.
template <typename OpTy>
struct SimplifyAttentionPattern : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    std::optional<PatternAttrInterface> pattern = op.getPattern();
    if (!pattern)
      return rewriter.notifyMatchFailure(op, "no pattern");
    if (AttentionOpInterface(op).getHalfWidths())
      return rewriter.notifyMatchFailure(op, "bands extend the pattern");
    PatternAttrInterface simplified =
        simplifyPattern(*pattern, {op.getQueryLength(), op.getKVLength()});
    if (simplified == *pattern)
      return rewriter.notifyMatchFailure(op, "pattern is in simplest form");
    rewriter.modifyOpInPlace(op, [&] { op.setPatternAttr(simplified); });
    return success();
  }
};

/// A bias of zeros adds nothing.
template <typename OpTy>
struct DropZeroBias : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!op.getBias() || !matchPattern(op.getBias(), m_AnyZeroFloat()))
      return rewriter.notifyMatchFailure(op, "no bias that is constant zero");
    rewriter.modifyOpInPlace(op, [&] { op.getBiasMutable().clear(); });
    return success();
  }
};

} // namespace

/// The number that all elements of a constant reach, or none.
static std::optional<int64_t> constantMinimum(Value value) {
  DenseIntElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) || elements.empty())
    return std::nullopt;
  return llvm::min_element(
             elements.getValues<APInt>(),
             [](const APInt &lhs, const APInt &rhs) { return lhs.slt(rhs); })
      .operator*()
      .getSExtValue();
}

namespace {

/// A kv_valid of all keys hides none.
template <typename OpTy>
struct DropFullKVValid : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    int64_t keys = op.getKVLength();
    std::optional<int64_t> valid = constantMinimum(op.getKvValid());
    if (!valid || ShapedType::isDynamic(keys) || *valid < keys)
      return rewriter.notifyMatchFailure(op, "no constant that is all keys");
    rewriter.modifyOpInPlace(op, [&] { op.getKvValidMutable().clear(); });
    return success();
  }
};

} // namespace

/// Whether `topk` selects every tile of every row. A mass of 1 need not: tiles
/// of score -inf weigh nothing.
static bool selectsAllTiles(TopkMaskOp topk) {
  int64_t tiles = cast<ShapedType>(topk.getScores().getType()).getDimSize(3);
  int64_t capacity = cast<ShapedType>(topk.getIdx().getType()).getDimSize(3);
  if (ShapedType::isDynamic(tiles) || ShapedType::isDynamic(capacity) ||
      capacity < tiles)
    return false;
  if (std::optional<APFloat> fraction = topk.getFraction())
    return fraction->isExactlyValue(1.0);
  std::optional<int64_t> count = constantMinimum(topk.getCount());
  return count && *count >= tiles;
}

namespace {

/// A list of all key tiles hides none.
template <typename OpTy>
struct DropFullTileList : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasTiles())
      return rewriter.notifyMatchFailure(op, "no tile list");
    auto topk = op.getTileNum().template getDefiningOp<TopkMaskOp>();
    if (!topk || topk->getNumResults() != 2 ||
        op.getTileNum() != topk->getResult(0) ||
        op.getTileIdx() != topk->getResult(1) || !selectsAllTiles(topk))
      return rewriter.notifyMatchFailure(op, "no top-k of all tiles");
    int64_t expected = ceilDivExtent(op.getKVLength(), op.getKVTile());
    if (ShapedType::isDynamic(expected) ||
        expected != cast<ShapedType>(topk.getScores().getType()).getDimSize(3))
      return rewriter.notifyMatchFailure(op, "tiles are not those of the keys");
    rewriter.modifyOpInPlace(op, [&] {
      op.getTileNumMutable().clear();
      op.getTileIdxMutable().clear();
      op.removeTileAttr();
    });
    return success();
  }
};

/// Constant half-widths that are one for all heads are a pattern.
struct FoldUniformHalfWidths : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    DenseIntElementsAttr widths;
    if (!op.getHalfWidths() ||
        !matchPattern(op.getHalfWidths(), m_Constant(&widths)) ||
        !widths.isSplat())
      return rewriter.notifyMatchFailure(op, "no constant of one half-width");
    auto width = widths.getSplatValue<APInt>().getSExtValue();
    if (width == 0)
      return rewriter.notifyMatchFailure(op, "all heads are skipped");
    MLIRContext *context = op.getContext();
    PatternAttrInterface pattern;
    if (width > 0)
      pattern = WindowAttr::get(context, width, width);
    if (std::optional<PatternAttrInterface> given = op.getPattern();
        given && pattern)
      pattern = OrAttr::get(context, {*given, pattern});
    rewriter.modifyOpInPlace(op, [&] {
      op.getHalfWidthsMutable().clear();
      op.setPatternAttr(pattern);
    });
    return success();
  }
};

/// An LSE that nobody reads is not computed.
struct DropUnusedLse : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 2 || !op->getResult(1).use_empty())
      return rewriter.notifyMatchFailure(op, "no LSE result, or one with uses");
    AttentionOp smaller = op.cloneWithoutLse(rewriter);
    rewriter.replaceAllUsesWith(op->getResult(0), smaller->getResult(0));
    rewriter.eraseOp(op);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Dimension orders
//===----------------------------------------------------------------------===//

/// A value that holds the elements of an operand, and the order in which it
/// names their dimensions.
struct OrderedValue {
  Value value;
  std::string letters;
};

} // namespace

/// The permutation of a transpose (`linalg.transpose`, or a `linalg.generic`
/// that is one): dimension i of the result is dimension `permutation[i]` of the
/// source.
static std::optional<SmallVector<int64_t>>
getTransposePermutation(Operation *op) {
  if (!op)
    return std::nullopt;
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return llvm::to_vector(transpose.getPermutation());
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return linalg::isaTransposeOpInterface(generic);
  return std::nullopt;
}

/// Whether `groups` name each dimension from 0 on in order. Upstream's
/// verifiers look at the lower half of these 64-bit numbers only.
static bool isReassociation(ArrayRef<ReassociationIndices> groups,
                            int64_t rank) {
  int64_t next = 0;
  for (const ReassociationIndices &group : groups)
    for (int64_t dim : group)
      if (dim != next++)
        return false;
  return next == rank;
}

/// The letters of the small side of a reshape that drops unit dimensions from
/// `expanded`, whose dimensions are named `letters`; empty if a dimension that
/// is not a unit, or `s` or `d`, would go.
static std::string dropUnitLetters(RankedTensorType expanded, StringRef letters,
                                   ArrayRef<ReassociationIndices> groups) {
  if (!isReassociation(groups, expanded.getRank()))
    return {};
  std::string kept;
  for (const ReassociationIndices &group : groups) {
    auto mustStay = [&](int64_t d) {
      return expanded.getDimSize(d) != 1 || letters[d] == 's' ||
             letters[d] == 'd';
    };
    size_t required = llvm::count_if(group, mustStay);
    if (required > 1)
      return {};
    const int64_t *stays = llvm::find_if(group, mustStay);
    kept += letters[stays == group.end() ? group.front() : *stays];
  }
  return kept;
}

/// The letters of the large side of a reshape that adds unit dimensions to a
/// value named `letters`: those take the letters that are missing; empty if
/// there are too few, or the reshape does more.
static std::string addUnitLetters(RankedTensorType expanded, StringRef letters,
                                  ArrayRef<ReassociationIndices> groups) {
  if (!isReassociation(groups, expanded.getRank()) ||
      groups.size() != letters.size())
    return {};
  std::string missing;
  for (char letter : StringRef("bh"))
    if (!letters.contains(letter))
      missing += letter;
  std::string all(expanded.getRank(), ' ');
  for (auto [index, group] : llvm::enumerate(groups)) {
    auto isLarge = [&](int64_t d) { return expanded.getDimSize(d) != 1; };
    if (llvm::count_if(group, isLarge) > 1)
      return {};
    const int64_t *large = llvm::find_if(group, isLarge);
    all[large == group.end() ? group.front() : *large] = letters[index];
  }
  for (char &letter : all) {
    if (letter != ' ')
      continue;
    if (missing.empty())
      return {};
    letter = missing.front();
    missing.erase(missing.begin());
  }
  return all;
}

/// What `value`, named `letters`, was made of by a transpose or by a reshape
/// over unit dimensions.
static std::optional<OrderedValue> lookThroughProducer(Value value,
                                                       StringRef letters) {
  Operation *producer = value.getDefiningOp();
  if (auto permutation = getTransposePermutation(producer)) {
    std::string source(letters.size(), ' ');
    for (auto [result, dim] : llvm::enumerate(*permutation))
      source[dim] = letters[result];
    return OrderedValue{producer->getOperand(0), source};
  }
  std::string source;
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(producer))
    source = dropUnitLetters(expand.getResultType(), letters,
                             expand.getReassociationIndices());
  else if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(producer))
    source = addUnitLetters(collapse.getSrcType(), letters,
                            collapse.getReassociationIndices());
  if (source.empty())
    return std::nullopt;
  return OrderedValue{producer->getOperand(0), source};
}

/// The letters of what `user` makes of a value named `letters`, by a transpose
/// or by a reshape over unit dimensions; empty if it does something else.
static std::string lookThroughUser(Operation *user, StringRef letters) {
  if (auto permutation = getTransposePermutation(user)) {
    std::string result;
    for (int64_t dim : *permutation)
      result += letters[dim];
    return result;
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(user))
    return dropUnitLetters(collapse.getSrcType(), letters,
                           collapse.getReassociationIndices());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(user))
    return addUnitLetters(expand.getResultType(), letters,
                          expand.getReassociationIndices());
  return {};
}

/// Writes `letters` into the attribute `name`, which the default order lacks.
static void setOrder(Operation *op, StringAttr name, StringRef letters) {
  auto order = DimOrderAttr::get(op->getContext(), letters);
  if (order == DimOrderAttr::getDefault(op->getContext()))
    op->removeAttr(name);
  else
    op->setAttr(name, order);
}

namespace {

/// Reads inputs before the transposes and unit reshapes that made them.
struct FoldInputLayouts : OpInterfaceRewritePattern<AttentionOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(AttentionOpInterface op,
                                PatternRewriter &rewriter) const override {
    auto destination = cast<DestinationStyleOpInterface>(op.getOperation());
    bool changed = false;
    for (const OrderedOperand &operand : op.getOrderedOperands()) {
      if (destination.isDpsInit(operand.operand))
        continue;
      std::optional<OrderedValue> source =
          lookThroughProducer(operand.getValue(), operand.order.getLetters());
      if (!source)
        continue;
      rewriter.modifyOpInPlace(op, [&] {
        operand.operand->set(source->value);
        setOrder(op, operand.orderName, source->letters);
      });
      changed = true;
    }
    return success(changed);
  }
};

} // namespace

/// A new destination of these sizes, with the value of `fill` if there is one.
static Value createDestination(OpBuilder &builder, Location loc,
                               ArrayRef<OpFoldResult> sizes, Type elementType,
                               linalg::FillOp fill) {
  Value init = tensor::EmptyOp::create(builder, loc, sizes, elementType);
  if (!fill)
    return init;
  return linalg::FillOp::create(builder, loc, fill.getInputs(), init)
      .getResult(0);
}

namespace {

/// Writes a result in the layout that its only user would bring it into.
struct FoldOutputLayouts : OpInterfaceRewritePattern<AttentionOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(AttentionOpInterface op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() == 0)
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    auto destination = cast<DestinationStyleOpInterface>(op.getOperation());
    for (const OrderedOperand &operand : op.getOrderedOperands())
      if (destination.isDpsInit(operand.operand) &&
          succeeded(fold(destination, operand, rewriter)))
        return success();
    return rewriter.notifyMatchFailure(op, "no result that is only laid out");
  }

  LogicalResult fold(DestinationStyleOpInterface op,
                     const OrderedOperand &operand,
                     PatternRewriter &rewriter) const {
    OpResult result = op.getTiedOpResult(operand.operand);
    if (!result.hasOneUse())
      return failure();
    OpOperand &use = *result.use_begin();
    Operation *user = use.getOwner();
    if (use.getOperandNumber() != 0)
      return failure();
    StringRef oldLetters = operand.order.getLetters();
    std::string letters = lookThroughUser(user, oldLetters);
    if (letters.empty())
      return failure();

    // Heads that are skipped keep what the destination holds; else the op
    // overwrites all of it.
    linalg::FillOp fill;
    if (cast<AttentionOpInterface>(op.getOperation()).getHalfWidths() &&
        !operand.getValue().getDefiningOp<tensor::EmptyOp>()) {
      fill = operand.getValue().getDefiningOp<linalg::FillOp>();
      if (!fill)
        return failure();
    }
    SmallVector<OpFoldResult> sizes;
    SmallVector<OpFoldResult> oldSizes =
        tensor::getMixedSizes(rewriter, op.getLoc(), operand.getValue());
    for (char letter : letters) {
      size_t dim = oldLetters.find(letter);
      sizes.push_back(dim == StringRef::npos ? rewriter.getIndexAttr(1)
                                             : oldSizes[dim]);
    }
    Value init = createDestination(rewriter, op.getLoc(), sizes,
                                   operand.getType().getElementType(), fill);
    SmallVector<Value> operands(op->getOperands());
    operands[operand.operand->getOperandNumber()] = init;
    SmallVector<Type> types(op->getResultTypes());
    types[result.getResultNumber()] = init.getType();
    Operation *laidOut = clone(rewriter, op, types, operands);
    setOrder(laidOut, operand.orderName, letters);
    for (OpResult old : op->getResults())
      if (old != result)
        rewriter.replaceAllUsesWith(old,
                                    laidOut->getResult(old.getResultNumber()));

    Value output = laidOut->getResult(result.getResultNumber());
    if (Type wanted = user->getResult(0).getType(); output.getType() != wanted)
      output = tensor::CastOp::create(rewriter, user->getLoc(), wanted, output);
    rewriter.replaceOp(user, output);
    rewriter.eraseOp(op);
    return success();
  }
};

/// The default order is not written down.
struct DropDefaultOrders : OpInterfaceRewritePattern<AttentionOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(AttentionOpInterface op,
                                PatternRewriter &rewriter) const override {
    auto standard = DimOrderAttr::getDefault(getContext());
    bool changed = false;
    for (const OrderedOperand &operand : op.getOrderedOperands()) {
      if (op->getAttr(operand.orderName) != standard)
        continue;
      rewriter.modifyOpInPlace(op, [&] { op->removeAttr(operand.orderName); });
      changed = true;
    }
    return success(changed);
  }
};

} // namespace

template <typename OpTy>
static void addSharedPatterns(RewritePatternSet &patterns) {
  patterns.add<SimplifyAttentionPattern<OpTy>, DropZeroBias<OpTy>,
               DropFullKVValid<OpTy>, FoldInputLayouts, FoldOutputLayouts,
               DropDefaultOrders>(patterns.getContext());
}

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  addSharedPatterns<AttentionOp>(patterns);
  patterns
      .add<DropUnusedLse, DropFullTileList<AttentionOp>, FoldUniformHalfWidths>(
          context);
}

void AttentionBackwardOp::getCanonicalizationPatterns(
    RewritePatternSet &patterns, MLIRContext *) {
  addSharedPatterns<AttentionBackwardOp>(patterns);
  patterns.add<DropFullTileList<AttentionBackwardOp>>(patterns.getContext());
}

void AttentionPairOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                  MLIRContext *) {
  addSharedPatterns<AttentionPairOp>(patterns);
}
