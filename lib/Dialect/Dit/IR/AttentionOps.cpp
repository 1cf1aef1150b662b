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
// What an attention and its gradient have in common
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/DitOpInterfaces.cpp.inc"

int64_t mlir::dit::detail::getExtent(ArrayRef<OrderedOperand> operands,
                                     char letter, ArrayRef<OperandRole> roles) {
  for (const OrderedOperand &operand : operands) {
    int64_t extent = operand.getExtent(letter);
    bool counts = roles.empty() || llvm::is_contained(roles, operand.role);
    if (counts && ShapedType::isStatic(extent))
      return extent;
  }
  return ShapedType::kDynamic;
}

static DimOrderAttr orDefault(std::optional<DimOrderAttr> order,
                              MLIRContext *context) {
  return order ? *order : DimOrderAttr::getDefault(context);
}

/// The first operand before `operand` that has dimension `letter` in common
/// with it, by their roles.
static const OrderedOperand *
findEqual(ArrayRef<OrderedOperand> operands, const OrderedOperand &operand,
          llvm::function_ref<bool(OperandRole, OperandRole)> share) {
  for (const OrderedOperand &other : operands) {
    if (&other == &operand)
      break;
    if (share(other.role, operand.role))
      return &other;
  }
  return nullptr;
}

/// Element type, rank and head size of each operand with an order.
static LogicalResult verifyOperandTypes(AttentionOpInterface op,
                                        ArrayRef<OrderedOperand> operands) {
  for (const OrderedOperand &operand : operands) {
    ShapedType type = operand.getType();
    // attention_c1
    // attention_backward_c1
    // attention_pair_c1
    if (type.getElementType() != op.getElementType())
      return op->emitOpError()
             << "expected " << operand.name << " of element type "
             << op.getElementType() << " as q, got " << type.getElementType();
    // attention_c2
    // attention_backward_c2
    // attention_pair_c2
    if (type.getRank() != operand.order.getRank())
      return op->emitOpError()
             << "expected " << operand.name << " with the "
             << operand.order.getRank() << " dimensions of its order "
             << operand.order.getLetters() << ", got " << type.getRank();
    // attention_c3
    // attention_backward_c3
    // attention_pair_c3
    if (type.isDynamicDim(*operand.order.position('d')))
      return op->emitOpError()
             << "expected a static head size in " << operand.name;
  }
  return success();
}

/// The extents that operands with an order have to agree on.
static LogicalResult verifyOperandShapes(AttentionOpInterface op,
                                         ArrayRef<OrderedOperand> operands) {
  auto agree = [&](char letter, const char *what,
                   llvm::function_ref<bool(OperandRole, OperandRole)> share)
      -> LogicalResult {
    for (const OrderedOperand &operand : operands)
      if (const OrderedOperand *first = findEqual(operands, operand, share))
        if (failed(verifyExtent(op, operand.getExtent(letter),
                                first->getExtent(letter),
                                Twine(operand.name) + " with a " + what)))
          return failure();
    return success();
  };
  auto isOfQueries = [](OperandRole role) {
    return role == OperandRole::Query || role == OperandRole::Output;
  };
  auto sameSequence = [&](OperandRole lhs, OperandRole rhs) {
    return isOfQueries(lhs) == isOfQueries(rhs);
  };
  auto isOfScores = [](OperandRole role) {
    return role == OperandRole::Query || role == OperandRole::Key;
  };
  auto sameSize = [&](OperandRole lhs, OperandRole rhs) {
    return isOfScores(lhs) == isOfScores(rhs);
  };
  // attention_c4
  // attention_backward_c4
  // attention_pair_c4
  for (const OrderedOperand &operand : operands)
    if (failed(verifyExtent(op, operand.getExtent('b'), op.getBatch(),
                            Twine(operand.name) + " with a batch")))
      return failure();
  // attention_c5
  // attention_backward_c5
  // attention_pair_c5
  if (failed(agree('h', "head count", sameSequence)))
    return failure();
  // attention_c6
  // attention_backward_c6
  // attention_pair_c6
  if (failed(agree('s', "sequence length", sameSequence)))
    return failure();
  // attention_c7
  // attention_backward_c7
  // attention_pair_c7
  return agree('d', "head size", sameSize);
}

static LogicalResult verifyHeads(AttentionOpInterface op) {
  // attention_c8
  // attention_backward_c8
  // attention_pair_c8
  return verifyHeadGroups(op, op.getNumQueryHeads(), op.getNumKVHeads());
}

static LogicalResult verifyBias(AttentionOpInterface op) {
  if (!op.getBias())
    return success();
  ShapedType type = shapedTypeOf(op.getBias());
  // attention_c9
  // attention_backward_c9
  // attention_pair_c9
  if (type.getElementType() != op.getElementType() &&
      type.getElementType() != op.getAccumulatorType())
    return op->emitOpError()
           << "expected bias of element type " << op.getElementType() << " or "
           << op.getAccumulatorType() << ", got " << type.getElementType();
  // attention_c10
  // attention_backward_c10
  // attention_pair_c10
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

static LogicalResult verifyMask(AttentionOpInterface op) {
  // attention_c11
  // attention_backward_c11
  if (static_cast<bool>(op.getTileNum()) !=
          static_cast<bool>(op.getTileIdx()) ||
      static_cast<bool>(op.getTileNum()) != op.getTile().has_value())
    return op->emitOpError() << "expected the num and idx of a tile list and "
                                "its tile together";
  if (op.hasTiles()) {
    // attention_c12
    // attention_backward_c12
    if (failed(verifyTile(op, *op.getTile())))
      return failure();
    // attention_c13
    // attention_backward_c13
    if (failed(verifyTileList(op, shapedTypeOf(op.getTileNum()),
                              shapedTypeOf(op.getTileIdx()), op.getBatch(),
                              op.getNumQueryHeads(),
                              ceilDivExtent(op.getQueryLength(), op.getQTile()),
                              /*broadcast=*/true, "tile list")))
      return failure();
  }
  // attention_c14
  // attention_backward_c14
  // attention_pair_c11
  if (op.getKvValid() &&
      failed(verifyExtent(op, shapedTypeOf(op.getKvValid()).getDimSize(0),
                          op.getBatch(), "kv_valid with a batch")))
    return failure();
  // attention_c15
  // attention_backward_c15
  // attention_pair_c12
  if (std::optional<PatternAttrInterface> pattern = op.getPattern())
    return pattern->verifyShape([&] { return op->emitOpError(); },
                                {op.getQueryLength(), op.getKVLength()});
  return success();
}

static LogicalResult verifyLse(AttentionOpInterface op) {
  if (!op.getLse())
    return success();
  ShapedType type = shapedTypeOf(op.getLse());
  // attention_c16
  // attention_backward_c16
  if (type.getElementType() != op.getAccumulatorType())
    return op->emitOpError()
           << "expected lse of element type " << op.getAccumulatorType()
           << ", got " << type.getElementType();
  // attention_c17
  // attention_backward_c17
  int64_t expected[] = {op.getBatch(), op.getNumQueryHeads(),
                        op.getQueryLength()};
  const char *names[] = {"batch", "head count", "sequence length"};
  for (int64_t d = 0; d < 3; ++d)
    if (failed(verifyExtent(op, type.getDimSize(d), expected[d],
                            Twine("lse with a ") + names[d])))
      return failure();
  return success();
}

static LogicalResult verifyAttention(AttentionOpInterface op) {
  SmallVector<OrderedOperand> operands = op.getOrderedOperands();
  if (failed(verifyUniformOperands(op)) ||
      failed(verifyOperandTypes(op, operands)) ||
      failed(verifyOperandShapes(op, operands)) || failed(verifyHeads(op)) ||
      failed(verifyBias(op)) || failed(verifyMask(op)) || failed(verifyLse(op)))
    return failure();
  // attention_c18
  // attention_backward_c18
  // attention_pair_c13
  if (!op.getScale().isFinite())
    return op->emitOpError() << "expected a finite scale";
  return success();
}

/// ODS checks the segments of optional operands only; those at `indices` of
/// the definition are single.
template <typename OpTy>
static LogicalResult
verifySegments(OpTy op, ArrayRef<std::pair<unsigned, const char *>> single) {
  for (auto [index, name] : single) {
    unsigned length = op.getODSOperandIndexAndLength(index).second;
    if (length != 1)
      return op.emitOpError() << "expected one " << name << ", got " << length;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

DIT_DEFINE_DESTINATION_OP_METHODS(AttentionOp)
DIT_DEFINE_CAST_FOLD(AttentionOp)

MutableOperandRange AttentionOp::getDpsInitsMutable() {
  return MutableOperandRange(
      getOperation(), getOutputMutable().getOperandNumber(), getLse() ? 2 : 1);
}

LogicalResult
AttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                              ValueRange operands, DictionaryAttr attributes,
                              OpaqueProperties properties, RegionRange regions,
                              SmallVectorImpl<Type> &types) {
  // The output and the lse are the last operands but for the half-widths; the
  // op may not have been verified yet.
  Adaptor adaptor(operands, attributes, properties, regions);
  size_t inits = adaptor.getLse() ? 2 : 1;
  size_t after = adaptor.getHalfWidths() ? 1 : 0;
  if (operands.size() < inits + after)
    return failure();
  appendTensorTypes(operands.drop_back(after).take_back(inits), types);
  return success();
}

AttentionOp AttentionOp::cloneWithoutLse(OpBuilder &builder) {
  assert(getLse() && "expected an LSE to leave out");
  constexpr unsigned kLseSegment = 8;
  Properties properties = getProperties();
  properties.operandSegmentSizes[kLseSegment] = 0;
  SmallVector<Value> operands(getOperands());
  operands.erase(operands.begin() +
                 getODSOperandIndexAndLength(kLseSegment).first);
  return AttentionOp::create(builder, getLoc(), operands, properties,
                             llvm::to_vector((*this)->getDiscardableAttrs()));
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

SmallVector<OrderedOperand> AttentionOp::getOrderedOperands() {
  return {{"q", &getQMutable(), OperandRole::Query, getQOrderAttrName(),
           getQDimOrder()},
          {"k", &getKMutable(), OperandRole::Key, getKOrderAttrName(),
           getKDimOrder()},
          {"v", &getVMutable(), OperandRole::Value, getVOrderAttrName(),
           getVDimOrder()},
          {"output", &getOutputMutable(), OperandRole::Output,
           getOOrderAttrName(), getODimOrder()}};
}

LogicalResult AttentionOp::verify() {
  // attention_c21
  if (failed(
          verifySegments(*this, {{0, "q"}, {1, "k"}, {2, "v"}, {7, "output"}})))
    return failure();
  if (failed(verifyAttention(*this)))
    return failure();
  // attention_c22
  if (getHalfWidths() &&
      failed(verifyExtent(*this, shapedTypeOf(getHalfWidths()).getDimSize(0),
                          getNumQueryHeads(), "half_widths with a head count")))
    return failure();
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
// AttentionPairOp
//===----------------------------------------------------------------------===//

DIT_DEFINE_TRAILING_INITS_OP_METHODS(AttentionPairOp, 2)
DIT_DEFINE_CAST_FOLD(AttentionPairOp)

SmallVector<OrderedOperand> AttentionPairOp::getOrderedOperands() {
  MLIRContext *context = getContext();
  return {{"q", &getQMutable(), OperandRole::Query, getQOrderAttrName(),
           orDefault(getQOrder(), context)},
          {"k", &getKMutable(), OperandRole::Key, getKOrderAttrName(),
           orDefault(getKOrder(), context)},
          {"v", &getVMutable(), OperandRole::Value, getVOrderAttrName(),
           orDefault(getVOrder(), context)},
          {"output", &getOutputMutable(), OperandRole::Output,
           getOOrderAttrName(), orDefault(getOOrder(), context)},
          {"inner", &getInnerMutable(), OperandRole::Output,
           getInnerOrderAttrName(), orDefault(getInnerOrder(), context)}};
}

PatternAttrInterface AttentionPairOp::getInnerPattern() {
  std::optional<PatternAttrInterface> outer = getPattern(), inner = getWithin();
  if (outer && inner)
    return AndAttr::get(getContext(), {*outer, *inner});
  return inner ? *inner : outer.value_or(PatternAttrInterface());
}

LogicalResult AttentionPairOp::verify() {
  // attention_pair_c14
  if (failed(verifySegments(
          *this, {{0, "q"}, {1, "k"}, {2, "v"}, {6, "output"}, {7, "inner"}})))
    return failure();
  if (failed(verifyAttention(*this)))
    return failure();
  // attention_pair_c18
  if (std::optional<PatternAttrInterface> within = getWithin())
    if (failed(within->verifyShape([&] { return emitOpError(); },
                                   {getQueryLength(), getKVLength()})))
      return failure();
  // attention_pair_c15
  if (!getWithin() && !getHalfWidths())
    return emitOpError() << "expected a second pattern, by within or "
                            "half_widths, got neither";
  if (!getHalfWidths())
    return success();
  // attention_pair_c16
  if (getPattern())
    return emitOpError() << "expected half_widths without a pattern; put what "
                            "limits both results into a bias or kv_valid";
  // attention_pair_c17
  return verifyExtent(*this, shapedTypeOf(getHalfWidths()).getDimSize(0),
                      getNumQueryHeads(), "half_widths with a head count");
}

//===----------------------------------------------------------------------===//
// AttentionBackwardOp
//===----------------------------------------------------------------------===//

DIT_DEFINE_TRAILING_INITS_OP_METHODS(AttentionBackwardOp, 3)
DIT_DEFINE_CAST_FOLD(AttentionBackwardOp)

SmallVector<OrderedOperand> AttentionBackwardOp::getOrderedOperands() {
  auto make = [&](StringRef name, OpOperand &operand, OperandRole role,
                  StringAttr orderName, std::optional<DimOrderAttr> order) {
    return OrderedOperand{name, &operand, role, orderName,
                          orDefault(order, getContext())};
  };
  return {make("q", getQMutable(), OperandRole::Query, getQOrderAttrName(),
               getQOrder()),
          make("k", getKMutable(), OperandRole::Key, getKOrderAttrName(),
               getKOrder()),
          make("v", getVMutable(), OperandRole::Value, getVOrderAttrName(),
               getVOrder()),
          make("o", getOMutable(), OperandRole::Output, getOOrderAttrName(),
               getOOrder()),
          make("do", getDOMutable(), OperandRole::Output, getDoOrderAttrName(),
               getDoOrder()),
          make("dq", getDqMutable(), OperandRole::Query, getDqOrderAttrName(),
               getDqOrder()),
          make("dk", getDkMutable(), OperandRole::Key, getDkOrderAttrName(),
               getDkOrder()),
          make("dv", getDvMutable(), OperandRole::Value, getDvOrderAttrName(),
               getDvOrder())};
}

LogicalResult AttentionBackwardOp::verify() {
  // attention_backward_c19
  if (failed(verifySegments(*this, {{0, "q"},
                                    {1, "k"},
                                    {2, "v"},
                                    {3, "o"},
                                    {4, "lse"},
                                    {5, "do"},
                                    {10, "dq"},
                                    {11, "dk"},
                                    {12, "dv"}})))
    return failure();
  return verifyAttention(*this);
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
