//===- AttentionOps.cpp - Attention ops -----------------------------------===//
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

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

static ShapedType shapedTypeOf(Value value) {
  return cast<ShapedType>(value.getType());
}

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

DIT_DEFINE_DESTINATION_OP_METHODS(AttentionOp)
DIT_DEFINE_CAST_FOLD(AttentionOp)

MutableOperandRange AttentionOp::getDpsInitsMutable() {
  unsigned inits = getLse() ? 2 : 1;
  return MutableOperandRange(getOperation(), getNumOperands() - inits, inits);
}

LogicalResult
AttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                              ValueRange operands, DictionaryAttr attributes,
                              OpaqueProperties properties, RegionRange regions,
                              SmallVectorImpl<Type> &types) {
  // The output is the last operand but for the lse; the op may not have been
  // verified yet.
  Adaptor adaptor(operands, attributes, properties, regions);
  size_t inits = adaptor.getLse() ? 2 : 1;
  if (operands.size() < inits)
    return failure();
  appendTensorTypes(operands.take_back(inits), types);
  return success();
}

static DimOrderAttr orDefault(std::optional<DimOrderAttr> order,
                              MLIRContext *context) {
  return order ? *order : DimOrderAttr::getDefault(context);
}

DimOrderAttr AttentionOp::getQDimOrder() {
  return orDefault(getQOrder(), getContext());
}
DimOrderAttr AttentionOp::getKDimOrder() {
  return orDefault(getKOrder(), getContext());
}
DimOrderAttr AttentionOp::getVDimOrder() {
  return orDefault(getVOrder(), getContext());
}
DimOrderAttr AttentionOp::getODimOrder() {
  return orDefault(getOOrder(), getContext());
}

/// The extent of dimension `letter`, from whichever of the operands knows it.
static int64_t knownExtent(char letter,
                           ArrayRef<std::pair<Value, DimOrderAttr>> operands) {
  for (auto [value, order] : operands) {
    int64_t extent = order.extent(letter, shapedTypeOf(value).getShape());
    if (!ShapedType::isDynamic(extent))
      return extent;
  }
  return ShapedType::kDynamic;
}

int64_t AttentionOp::getBatch() {
  return knownExtent('b', {{getQ(), getQDimOrder()},
                           {getK(), getKDimOrder()},
                           {getV(), getVDimOrder()},
                           {getOutput(), getODimOrder()}});
}
int64_t AttentionOp::getNumQueryHeads() {
  return knownExtent('h',
                     {{getQ(), getQDimOrder()}, {getOutput(), getODimOrder()}});
}
int64_t AttentionOp::getNumKVHeads() {
  return knownExtent('h', {{getK(), getKDimOrder()}, {getV(), getVDimOrder()}});
}
int64_t AttentionOp::getQueryLength() {
  return knownExtent('s',
                     {{getQ(), getQDimOrder()}, {getOutput(), getODimOrder()}});
}
int64_t AttentionOp::getKVLength() {
  return knownExtent('s', {{getK(), getKDimOrder()}, {getV(), getVDimOrder()}});
}
int64_t AttentionOp::getHeadSize() {
  return knownExtent('d', {{getQ(), getQDimOrder()}, {getK(), getKDimOrder()}});
}
int64_t AttentionOp::getValueHeadSize() {
  return knownExtent('d',
                     {{getV(), getVDimOrder()}, {getOutput(), getODimOrder()}});
}

Type AttentionOp::getAccumulatorType() {
  return mlir::dit::getAccumulatorType(getElementType());
}

/// Orders, element types and extents of q, k, v and the output.
static LogicalResult verifyOperandShapes(AttentionOp op) {
  struct Operand {
    const char *name;
    Value value;
    DimOrderAttr order;
  };
  Operand operands[] = {{"q", op.getQ(), op.getQDimOrder()},
                        {"k", op.getK(), op.getKDimOrder()},
                        {"v", op.getV(), op.getVDimOrder()},
                        {"output", op.getOutput(), op.getODimOrder()}};
  for (Operand &operand : operands) {
    ShapedType type = shapedTypeOf(operand.value);
    // attention_c1
    if (type.getElementType() != op.getElementType())
      return op.emitOpError()
             << "expected " << operand.name << " of element type "
             << op.getElementType() << " as q, got " << type.getElementType();
    // attention_c2
    if (type.getRank() != operand.order.getRank())
      return op.emitOpError()
             << "expected " << operand.name << " with the "
             << operand.order.getRank() << " dimensions of its order "
             << operand.order.getLetters() << ", got " << type.getRank();
    // attention_c3
    if (type.isDynamicDim(*operand.order.position('d')))
      return op.emitOpError()
             << "expected a static head size in " << operand.name;
  }
  // For each dimension, the operands that have to agree on it.
  auto extentOf = [](const Operand &operand, char letter) {
    return operand.order.extent(letter, shapedTypeOf(operand.value).getShape());
  };
  auto agree = [&](const Operand &lhs, const Operand &rhs, char letter,
                   const char *what) {
    return verifyExtent(op, extentOf(rhs, letter), extentOf(lhs, letter),
                        Twine(rhs.name) + " with a " + what);
  };
  const Operand &q = operands[0], &k = operands[1], &v = operands[2],
                &o = operands[3];
  // attention_c4
  for (const Operand *other : {&k, &v, &o})
    if (failed(verifyExtent(op, extentOf(*other, 'b'), op.getBatch(),
                            Twine(other->name) + " with a batch")))
      return failure();
  // attention_c5
  if (failed(agree(q, o, 'h', "head count")) ||
      failed(agree(k, v, 'h', "head count")))
    return failure();
  // attention_c6
  if (failed(agree(q, o, 's', "sequence length")) ||
      failed(agree(k, v, 's', "sequence length")))
    return failure();
  // attention_c7
  if (failed(agree(q, k, 'd', "head size")) ||
      failed(agree(v, o, 'd', "head size")))
    return failure();
  return success();
}

static LogicalResult verifyBias(AttentionOp op) {
  if (!op.getBias())
    return success();
  ShapedType type = shapedTypeOf(op.getBias());
  // attention_c9
  if (type.getElementType() != op.getElementType() &&
      type.getElementType() != op.getAccumulatorType())
    return op.emitOpError()
           << "expected bias of element type " << op.getElementType() << " or "
           << op.getAccumulatorType() << ", got " << type.getElementType();
  // attention_c10
  int64_t expected[] = {op.getBatch(), op.getNumQueryHeads(),
                        op.getQueryLength(), op.getKVLength()};
  const char *names[] = {"batch", "head count", "query length", "key length"};
  for (int64_t d = 0; d < 4; ++d)
    if (type.getDimSize(d) != 1 &&
        failed(verifyExtent(op, type.getDimSize(d), expected[d],
                            Twine("bias with a ") + names[d])))
      return failure();
  return success();
}

static LogicalResult verifyMask(AttentionOp op) {
  // attention_c11
  if (static_cast<bool>(op.getTileNum()) !=
          static_cast<bool>(op.getTileIdx()) ||
      static_cast<bool>(op.getTileNum()) != op.getTile().has_value())
    return op.emitOpError() << "expected the num and idx of a tile list and "
                               "its tile together";
  if (op.hasTiles()) {
    // attention_c12
    if (failed(verifyTile(op, *op.getTile())))
      return failure();
    // attention_c13
    if (failed(verifyTileList(op, shapedTypeOf(op.getTileNum()),
                              shapedTypeOf(op.getTileIdx()), op.getBatch(),
                              op.getNumQueryHeads(),
                              ceilDivExtent(op.getQueryLength(), op.getQTile()),
                              /*broadcast=*/true, "tile list")))
      return failure();
  }
  // attention_c14
  if (op.getKvValid() &&
      failed(verifyExtent(op, shapedTypeOf(op.getKvValid()).getDimSize(0),
                          op.getBatch(), "kv_valid with a batch")))
    return failure();
  // attention_c15
  if (std::optional<PatternAttrInterface> pattern = op.getPattern())
    return pattern->verifyShape([&] { return op.emitOpError(); },
                                {op.getQueryLength(), op.getKVLength()});
  return success();
}

static LogicalResult verifyLse(AttentionOp op) {
  if (!op.getLse())
    return success();
  ShapedType type = shapedTypeOf(op.getLse());
  // attention_c16
  if (type.getElementType() != op.getAccumulatorType())
    return op.emitOpError()
           << "expected lse of element type " << op.getAccumulatorType()
           << ", got " << type.getElementType();
  // attention_c17
  int64_t expected[] = {op.getBatch(), op.getNumQueryHeads(),
                        op.getQueryLength()};
  const char *names[] = {"batch", "head count", "sequence length"};
  for (int64_t d = 0; d < 3; ++d)
    if (failed(verifyExtent(op, type.getDimSize(d), expected[d],
                            Twine("lse with a ") + names[d])))
      return failure();
  return success();
}

/// ODS checks the segments of optional operands only.
static LogicalResult verifySegments(AttentionOp op) {
  // attention_c21
  for (auto [index, name] : {std::pair(0, "q"), std::pair(1, "k"),
                             std::pair(2, "v"), std::pair(7, "output")}) {
    unsigned length = op.getODSOperandIndexAndLength(index).second;
    if (length != 1)
      return op.emitOpError() << "expected one " << name << ", got " << length;
  }
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(verifySegments(*this)))
    return failure();
  if (failed(verifyUniformOperands(*this)) ||
      failed(verifyOperandShapes(*this)))
    return failure();
  // attention_c8
  if (failed(verifyHeadGroups(*this, getNumQueryHeads(), getNumKVHeads())))
    return failure();
  if (failed(verifyBias(*this)) || failed(verifyMask(*this)) ||
      failed(verifyLse(*this)))
    return failure();
  // attention_c18
  if (!getScale().isFinite())
    return emitOpError() << "expected a finite scale";
  // attention_c19
  if (getSite() && getSite()->empty())
    return emitOpError() << "expected a site name that is not empty";
  // attention_c20
  if (std::optional<GridAttr> grid = getGrid())
    return verifyExtent(*this, getQueryLength(), grid->getNumTokens(),
                        "a query length equal to the grid's number of tokens,");
  return success();
}

//===----------------------------------------------------------------------===//
// AttentionMergeOp
//===----------------------------------------------------------------------===//

DIT_DEFINE_TRAILING_INITS_OP_METHODS(AttentionMergeOp, 2)
DIT_DEFINE_CAST_FOLD(AttentionMergeOp)

LogicalResult AttentionMergeOp::verify() {
  if (failed(verifyUniformOperands(*this)))
    return failure();
  ShapedType first = shapedTypeOf(getO1());
  Type lseElement = getAccumulatorType(first.getElementType());
  const char *names[] = {"o1", "lse1", "o2", "lse2", "output", "lse"};
  for (auto [name, operand] : llvm::zip(names, getOperands())) {
    ShapedType type = shapedTypeOf(operand);
    bool isLse = type.getRank() == 3;
    // attention_merge_c1
    Type element = isLse ? lseElement : first.getElementType();
    if (type.getElementType() != element)
      return emitOpError() << "expected " << name << " of element type "
                           << element << ", got " << type.getElementType();
    // attention_merge_c2
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (failed(verifyExtent(*this, type.getDimSize(d), first.getDimSize(d),
                              Twine(name) + " with an extent in dimension " +
                                  Twine(d))))
        return failure();
  }
  return success();
}
