//===- TilingInterfaceImpl.cpp - Tiling of dit's ops ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An attention is tiled over batches, query heads and queries, all of them
// parallel. A pattern and a tile list speak of absolute queries, so with one of
// them the queries stay whole; heads that share keys go one by one. What cannot
// be tiled fails without a diagnostic, since fusion only tries.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/TilingInterfaceImpl.h"
#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// The loops of an attention, by the letters of dimension orders.
constexpr StringLiteral kLoops = "bhs";

/// Offset and size along one dimension.
struct Section {
  OpFoldResult offset;
  OpFoldResult size;
};

/// Takes the operands of one tile of an attention.
class AttentionTiler {
public:
  AttentionTiler(OpBuilder &b, AttentionOp op, ArrayRef<OpFoldResult> offsets,
                 ArrayRef<OpFoldResult> sizes)
      : b(b), op(op) {
    for (auto [loop, offset, size] : llvm::enumerate(offsets, sizes))
      loops[loop] = {offset, size};
  }

  FailureOr<TilingResult> tile();

private:
  bool isTiled(unsigned loop) {
    auto output = cast<ShapedType>(op.getOutput().getType());
    int64_t extent = op.getODimOrder().extent(kLoops[loop], output.getShape());
    return !isConstantIntValue(loops[loop].offset, 0) ||
           ShapedType::isDynamic(extent) ||
           !isConstantIntValue(loops[loop].size, extent);
  }

  /// The key heads that the query heads of the tile look at; no size stands for
  /// all of them.
  FailureOr<Section> getKeyHeads();

  Section whole(Value value, unsigned dim) {
    OpFoldResult size = isa<MemRefType>(value.getType())
                            ? memref::getMixedSize(b, op.getLoc(), value, dim)
                            : tensor::getMixedSize(b, op.getLoc(), value, dim);
    return {b.getIndexAttr(0), size};
  }

  /// A part of `value`, and the op that takes it.
  Value slice(Value value, ArrayRef<Section> sections);

  /// A part of an operand with a dimension order. Keys are whole.
  Value sliceOrdered(Value value, DimOrderAttr order, Section heads,
                     bool isQuery);

  /// A part of an operand whose first dimensions are the loops; those of
  /// extent 1 broadcast.
  Value sliceByLoops(Value value, unsigned numLoops);

  OpBuilder &b;
  AttentionOp op;
  Section loops[3];
  SmallVector<Operation *> slices;
};

} // namespace

FailureOr<Section> AttentionTiler::getKeyHeads() {
  int64_t queryHeads = op.getNumQueryHeads(), keyHeads = op.getNumKVHeads();
  Section heads = loops[1];
  if (!isTiled(1))
    return Section{b.getIndexAttr(0), OpFoldResult()};
  if (keyHeads == 1)
    return Section{b.getIndexAttr(0), b.getIndexAttr(1)};
  if (ShapedType::isDynamic(queryHeads) || ShapedType::isDynamic(keyHeads))
    return failure();
  if (queryHeads == keyHeads)
    return heads;
  // Larger tiles need not start at a group of heads.
  if (!isConstantIntValue(heads.size, 1))
    return failure();
  AffineExpr head = b.getAffineDimExpr(0);
  return Section{
      affine::makeComposedFoldedAffineApply(
          b, op.getLoc(), head.floorDiv(queryHeads / keyHeads), {heads.offset}),
      b.getIndexAttr(1)};
}

Value AttentionTiler::slice(Value value, ArrayRef<Section> sections) {
  SmallVector<OpFoldResult> offsets, sizes;
  for (const Section &section : sections) {
    offsets.push_back(section.offset);
    sizes.push_back(section.size);
  }
  SmallVector<OpFoldResult> strides(sections.size(), b.getIndexAttr(1));
  Operation *part;
  if (isa<MemRefType>(value.getType()))
    part = memref::SubViewOp::create(b, op.getLoc(), value, offsets, sizes,
                                     strides);
  else
    part = tensor::ExtractSliceOp::create(b, op.getLoc(), value, offsets, sizes,
                                          strides);
  slices.push_back(part);
  return part->getResult(0);
}

Value AttentionTiler::sliceOrdered(Value value, DimOrderAttr order,
                                   Section heads, bool isQuery) {
  SmallVector<Section> sections;
  for (auto [dim, letter] : llvm::enumerate(order.getLetters())) {
    if (letter == 'b')
      sections.push_back(loops[0]);
    else if (letter == 'h' && heads.size)
      sections.push_back(heads);
    else if (letter == 's' && isQuery)
      sections.push_back(loops[2]);
    else
      sections.push_back(whole(value, dim));
  }
  return slice(value, sections);
}

Value AttentionTiler::sliceByLoops(Value value, unsigned numLoops) {
  if (!value)
    return {};
  auto type = cast<ShapedType>(value.getType());
  SmallVector<Section> sections;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    bool broadcasts = type.getRank() > 1 && type.getDimSize(dim) == 1;
    sections.push_back(dim < numLoops && !broadcasts ? loops[dim]
                                                     : whole(value, dim));
  }
  return slice(value, sections);
}

FailureOr<TilingResult> AttentionTiler::tile() {
  if (isTiled(2) && (op.getPattern() || op.hasTiles() || op.getHalfWidths()))
    return failure();
  FailureOr<Section> keyHeads = getKeyHeads();
  if (failed(keyHeads))
    return failure();
  SmallVector<Value> operands = {
      sliceOrdered(op.getQ(), op.getQDimOrder(), loops[1], /*isQuery=*/true),
      sliceOrdered(op.getK(), op.getKDimOrder(), *keyHeads, /*isQuery=*/false),
      sliceOrdered(op.getV(), op.getVDimOrder(), *keyHeads, /*isQuery=*/false)};
  for (auto [value, numLoops] : {std::pair(op.getBias(), 3),
                                 {op.getTileNum(), 2},
                                 {op.getTileIdx(), 2},
                                 {op.getKvValid(), 1}})
    if (Value part = sliceByLoops(value, numLoops))
      operands.push_back(part);
  unsigned firstInit = operands.size();
  operands.push_back(sliceOrdered(op.getOutput(), op.getODimOrder(), loops[1],
                                  /*isQuery=*/true));
  if (op.getLse())
    operands.push_back(slice(op.getLse(), loops));
  unsigned endInit = operands.size();
  if (Value widths = op.getHalfWidths())
    operands.push_back(slice(widths, {loops[1]}));

  auto tiled = AttentionOp::create(b, op.getLoc(), operands, op.getProperties(),
                                   llvm::to_vector(op->getDiscardableAttrs()));
  // The grid is that of all queries.
  if (isTiled(2))
    tiled.removeGridAttr();
  SmallVector<Value> values(tiled->getResults());
  if (values.empty())
    values.assign(operands.begin() + firstInit, operands.begin() + endInit);
  return TilingResult{{tiled}, values, slices};
}

namespace {

struct AttentionTilingModel
    : TilingInterface::ExternalModel<AttentionTilingModel, AttentionOp> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *) const {
    return SmallVector<utils::IteratorType>(kLoops.size(),
                                            utils::IteratorType::parallel);
  }

  SmallVector<Range> getIterationDomain(Operation *op, OpBuilder &b) const {
    auto attention = cast<AttentionOp>(op);
    Value output = attention.getOutput();
    SmallVector<Range> domain;
    for (char letter : kLoops) {
      OpFoldResult size = b.getIndexAttr(1);
      if (auto dim = attention.getODimOrder().position(letter))
        size = isa<MemRefType>(output.getType())
                   ? memref::getMixedSize(b, op->getLoc(), output, *dim)
                   : tensor::getMixedSize(b, op->getLoc(), output, *dim);
      domain.push_back({b.getIndexAttr(0), size, b.getIndexAttr(1)});
    }
    return domain;
  }

  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &b,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    return AttentionTiler(b, cast<AttentionOp>(op), offsets, sizes).tile();
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &b, unsigned resultNumber,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    auto attention = cast<AttentionOp>(op);
    if (resultNumber == 1) {
      resultOffsets.assign(offsets.begin(), offsets.end());
      resultSizes.assign(sizes.begin(), sizes.end());
      return success();
    }
    for (char letter : attention.getODimOrder().getLetters()) {
      size_t loop = kLoops.find(letter);
      bool isLoop = loop != StringRef::npos;
      resultOffsets.push_back(isLoop ? offsets[loop] : b.getIndexAttr(0));
      resultSizes.push_back(
          isLoop ? sizes[loop] : b.getIndexAttr(attention.getValueHeadSize()));
    }
    return success();
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &b, unsigned resultNumber,
      ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
      SmallVectorImpl<OpFoldResult> &loopOffsets,
      SmallVectorImpl<OpFoldResult> &loopSizes) const {
    auto attention = cast<AttentionOp>(op);
    if (resultNumber == 1) {
      loopOffsets.assign(offsets.begin(), offsets.end());
      loopSizes.assign(sizes.begin(), sizes.end());
      return success();
    }
    DimOrderAttr order = attention.getODimOrder();
    unsigned head = *order.position('d');
    if (!isConstantIntValue(offsets[head], 0) ||
        !isConstantIntValue(sizes[head], attention.getValueHeadSize()))
      return failure();
    for (char letter : kLoops) {
      std::optional<unsigned> dim = order.position(letter);
      loopOffsets.push_back(dim ? offsets[*dim] : b.getIndexAttr(0));
      loopSizes.push_back(dim ? sizes[*dim] : b.getIndexAttr(1));
    }
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &b, unsigned resultNumber,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> loopOffsets, loopSizes;
    if (failed(getIterationDomainTileFromResultTile(
            op, b, resultNumber, offsets, sizes, loopOffsets, loopSizes)))
      return failure();
    FailureOr<TilingResult> tiled =
        getTiledImplementation(op, b, loopOffsets, loopSizes);
    if (failed(tiled))
      return failure();
    return TilingResult{tiled->tiledOps,
                        {tiled->tiledValues[resultNumber]},
                        tiled->generatedSlices};
  }
};

} // namespace

void mlir::dit::registerTilingInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DitDialect *) {
    AttentionOp::attachInterface<AttentionTilingModel>(*context);
    // Tiles are made of these.
    context->loadDialect<affine::AffineDialect, memref::MemRefDialect,
                         tensor::TensorDialect>();
  });
}
