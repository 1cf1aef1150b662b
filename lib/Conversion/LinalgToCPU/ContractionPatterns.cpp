//===- ContractionPatterns.cpp - Simpler matrix products ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractionPatterns.h"

#include "ConstantBytes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A transposed weight is stored transposed.
struct FoldConstantTranspose : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    ElementsAttr attr;
    if (!op.hasPureTensorSemantics() ||
        !matchPattern(op.getInput(), m_Constant(&attr)))
      return rewriter.notifyMatchFailure(op, "input is not constant");
    ElementsAttr folded =
        permuteElements(attr, cast<ShapedType>(attr.getType()).getShape(),
                        op.getPermutation(), "dit_transposed");
    if (!folded)
      return rewriter.notifyMatchFailure(op, "no plain data to permute");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, folded);
    return success();
  }
};

/// A product with a transposed operand reads the operand in place.
struct FoldTransposeIntoProduct : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op))
      return rewriter.notifyMatchFailure(op, "not a product of tensors");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    SmallVector<Value> inputs = op.getDpsInputs();
    bool changed = false;
    for (auto [input, map] : llvm::zip(inputs, maps)) {
      auto transpose = input.getDefiningOp<linalg::TransposeOp>();
      // A constant is better stored transposed, with rows in order.
      if (!transpose || matchPattern(transpose.getInput(), m_Constant()))
        continue;
      // Element p of the input is element permutation(p) of the transpose.
      SmallVector<AffineExpr> results(map.getNumResults());
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        results[from] = map.getResult(to);
      map = AffineMap::get(map.getNumDims(), 0, results, op.getContext());
      input = transpose.getInput();
      changed = true;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "no operand is a transpose");
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), op->getResultTypes(), inputs, op.getDpsInits(),
        maps, op.getIteratorTypesArray());
    rewriter.cloneRegionBefore(op->getRegion(0), generic.getRegion(),
                               generic.getRegion().begin());
    rewriter.replaceOp(op, generic);
    return success();
  }
};

} // namespace

/// The matrix that `value`, of three dimensions, repeats for each batch.
static Value getBroadcastMatrix(Value value) {
  if (auto broadcast = value.getDefiningOp<linalg::BroadcastOp>())
    return ArrayRef<int64_t>(broadcast.getDimensions()) == ArrayRef<int64_t>{0}
               ? broadcast.getInput()
               : Value();
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getBlock()->getOperations().size() != 1 ||
      generic.getBlock()->getTerminator()->getOperand(0) !=
          generic.getBlock()->getArgument(0))
    return {};
  AffineMap input =
      generic.getMatchingIndexingMap(generic.getDpsInputOperand(0));
  AffineMap output =
      generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  if (!output.isIdentity() || input != output.getMinorSubMap(2))
    return {};
  return generic.getDpsInputs().front();
}

namespace {

/// A batched product with one right-hand side for all batches is a product of
/// all rows.
struct FlattenBatches : OpRewritePattern<linalg::BatchMatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::BatchMatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.hasUserDefinedMaps())
      return rewriter.notifyMatchFailure(op, "not the default form");
    Value right = getBroadcastMatrix(op.getInputs()[1]);
    if (!right)
      return rewriter.notifyMatchFailure(op, "right-hand side has batches");
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<ReassociationIndices> groups = {{0, 1}, {2}};
    Value left = tensor::CollapseShapeOp::create(rewriter, loc,
                                                 op.getInputs()[0], groups);
    Value init = tensor::CollapseShapeOp::create(rewriter, loc,
                                                 op.getOutputs()[0], groups);
    Value product =
        linalg::MatmulOp::create(rewriter, loc, ValueRange{left, right},
                                 ValueRange{init})
            .getResult(0);
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, op.getOutputs()[0]);
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, type, product,
                                                       groups, sizes);
    return success();
  }
};

/// A convolution whose windows do not overlap is a product: the windows become
/// rows, and the filters columns.
template <typename ConvOp, unsigned SpatialRank>
struct ConvToProduct : OpRewritePattern<ConvOp> {
  using OpRewritePattern<ConvOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto input = dyn_cast<RankedTensorType>(op.getInputs()[0].getType());
    auto filter = dyn_cast<RankedTensorType>(op.getInputs()[1].getType());
    auto output = dyn_cast<RankedTensorType>(op.getOutputs()[0].getType());
    if (!input || !filter || !output || !input.hasStaticShape() ||
        !filter.hasStaticShape() || !output.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "not on static tensors");
    auto strides =
        llvm::to_vector(op.getStrides().template getValues<int64_t>());
    for (unsigned d = 0; d < SpatialRank; ++d)
      if (strides[d] != filter.getDimSize(2 + d) ||
          input.getDimSize(2 + d) != strides[d] * output.getDimSize(2 + d))
        return rewriter.notifyMatchFailure(op, "windows overlap or leave gaps");
    if (llvm::any_of(op.getDilations().template getValues<int64_t>(),
                     [](int64_t dilation) { return dilation != 1; }))
      return rewriter.notifyMatchFailure(op, "filter is dilated");
    rewriter.replaceOp(op, build(op, input, filter, output, rewriter));
    return success();
  }

private:
  static Value transpose(PatternRewriter &rewriter, Location loc, Value value,
                         ArrayRef<int64_t> permutation) {
    auto type = cast<RankedTensorType>(value.getType());
    Value init = tensor::EmptyOp::create(
        rewriter, loc, applyPermutation(type.getShape(), permutation),
        type.getElementType());
    return linalg::TransposeOp::create(rewriter, loc, value, init, permutation)
        ->getResult(0);
  }

  /// Dimensions 0 to `split` and the rest as a matrix.
  static Value collapse(PatternRewriter &rewriter, Location loc, Value value,
                        int64_t split) {
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    return tensor::CollapseShapeOp::create(
        rewriter, loc, value,
        ArrayRef<ReassociationIndices>{
            llvm::to_vector<2>(llvm::seq<int64_t>(0, split)),
            llvm::to_vector<2>(llvm::seq<int64_t>(split, rank))});
  }

  /// [N, C, s...] to [N, C, s0, w0, ...] to windows [N, s..., C, w...].
  static Value windows(PatternRewriter &rewriter, Location loc, Value value,
                       RankedTensorType filter) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape = {type.getDimSize(0), type.getDimSize(1)};
    SmallVector<ReassociationIndices> groups = {{0}, {1}};
    SmallVector<int64_t> outer = {0}, inner = {1};
    for (unsigned d = 0; d < SpatialRank; ++d) {
      int64_t width = filter.getDimSize(2 + d), at = shape.size();
      shape.append({type.getDimSize(2 + d) / width, width});
      groups.push_back({at, at + 1});
      outer.push_back(at);
      inner.push_back(at + 1);
    }
    Value split = tensor::ExpandShapeOp::create(
        rewriter, loc, type.clone(shape), value, groups);
    llvm::append_range(outer, inner);
    return transpose(rewriter, loc, split, outer);
  }

  static Value build(ConvOp op, RankedTensorType input, RankedTensorType filter,
                     RankedTensorType output, PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Value rows = collapse(rewriter, loc,
                          windows(rewriter, loc, op.getInputs()[0], filter),
                          1 + SpatialRank);
    Value columns = transpose(
        rewriter, loc, collapse(rewriter, loc, op.getInputs()[1], 1), {1, 0});
    // The output with its channels last, before and after the product.
    SmallVector<int64_t> last = {0}, back = {0, 1 + SpatialRank};
    for (int64_t d = 0; d < SpatialRank; ++d) {
      last.push_back(2 + d);
      back.push_back(1 + d);
    }
    last.push_back(1);
    Value init = transpose(rewriter, loc, op.getOutputs()[0], last);
    Value product =
        linalg::MatmulOp::create(
            rewriter, loc, ValueRange{rows, columns},
            ValueRange{collapse(rewriter, loc, init, 1 + SpatialRank)})
            .getResult(0);
    SmallVector<ReassociationIndices> groups = {
        llvm::to_vector<2>(llvm::seq<int64_t>(0, 1 + SpatialRank)),
        {1 + SpatialRank}};
    Value expanded = tensor::ExpandShapeOp::create(
        rewriter, loc, init.getType(), product, groups);
    return transpose(rewriter, loc, expanded, back);
  }
};

} // namespace

void mlir::dit::populateContractionPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<FoldConstantTranspose>(context, /*benefit=*/2);
  patterns.add<FoldTransposeIntoProduct, FlattenBatches,
               ConvToProduct<linalg::Conv2DNchwFchwOp, 2>,
               ConvToProduct<linalg::Conv3DNcdhwFcdhwOp, 3>>(context);
}
