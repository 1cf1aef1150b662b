//===- AttentionBuilder.cpp - What attention decompositions share ---------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

AttentionBuilder::AttentionBuilder(ImplicitLocOpBuilder &b,
                                   AttentionOpInterface op)
    : b(b), op(op), type(op.getAccumulatorType()),
      operands(op.getOrderedOperands()) {
  OperandRole ofQueries[] = {OperandRole::Query, OperandRole::Output};
  OperandRole ofKeys[] = {OperandRole::Key, OperandRole::Value};
  batch = getExtentOf('b', {OperandRole::Query, OperandRole::Key,
                            OperandRole::Value, OperandRole::Output});
  heads = getExtentOf('h', ofQueries);
  keyHeads = getExtentOf('h', ofKeys);
  queries = getExtentOf('s', ofQueries);
  keys = getExtentOf('s', ofKeys);
  headSize = getExtentOf('d', {OperandRole::Query, OperandRole::Key});
  valueSize = getExtentOf('d', {OperandRole::Value, OperandRole::Output});
}

OpFoldResult AttentionBuilder::getExtentOf(char letter,
                                           ArrayRef<OperandRole> roles) const {
  const OrderedOperand *first = nullptr;
  for (const OrderedOperand &operand : operands) {
    if (!llvm::is_contained(roles, operand.role))
      continue;
    int64_t extent = operand.getExtent(letter);
    if (ShapedType::isStatic(extent))
      return b.getIndexAttr(extent);
    if (!first)
      first = &operand;
  }
  return tensor::getMixedSize(b, b.getLoc(), first->getValue(),
                              *first->order.position(letter));
}

const OrderedOperand &AttentionBuilder::getOperand(StringRef name) const {
  return *llvm::find_if(operands, [&](const OrderedOperand &operand) {
    return operand.name == name;
  });
}

SmallVector<unsigned> AttentionBuilder::getLoops(DimOrderAttr order) {
  SmallVector<unsigned> loops;
  for (char letter : order.getLetters())
    loops.push_back(StringRef("bhsd").find(letter));
  return loops;
}

Value AttentionBuilder::loadOperand(StringRef name) {
  const OrderedOperand &operand = getOperand(name);
  Value value = operand.getValue();
  bool isOfKeys =
      operand.role == OperandRole::Key || operand.role == OperandRole::Value;
  bool isOfScores =
      operand.role == OperandRole::Query || operand.role == OperandRole::Key;
  SmallVector<OpFoldResult> extents = {batch, heads, isOfKeys ? keys : queries,
                                       isOfScores ? headSize : valueSize};
  bool sameHeads = getConstantIntValue(heads) &&
                   getConstantIntValue(heads) == getConstantIntValue(keyHeads);
  if (isOfKeys && operand.order.position('h') && !sameHeads)
    return repeatHeads(value, operand.order, extents);
  if (operand.order == DimOrderAttr::getDefault(b.getContext()) &&
      getElementTypeOrSelf(value) == type)
    return value;
  return pointwise(b, extents, type, Operand(value, 4, getLoops(operand.order)),
                   [&](ImplicitLocOpBuilder &b, ValueRange element) {
                     return castFloat(b, element[0], type);
                   });
}

Value AttentionBuilder::repeatHeads(Value operand, DimOrderAttr order,
                                    ArrayRef<OpFoldResult> extents) {
  Value queryHeads = getExtent(b, heads);
  Value storedHeads = getExtent(b, keyHeads);
  return pointwise(
      b, extents, type, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        SmallVector<Value> indices;
        for (char letter : order.getLetters()) {
          Value index = loopIndex(b, StringRef("bhsd").find(letter));
          // h / (Hq / Hkv), as Hkv divides Hq.
          if (letter == 'h')
            index = arith::DivUIOp::create(
                b, arith::MulIOp::create(b, index, storedHeads), queryHeads);
          indices.push_back(index);
        }
        return castFloat(b, tensor::ExtractOp::create(b, operand, indices),
                         type);
      });
}

//===----------------------------------------------------------------------===//
// Mask
//===----------------------------------------------------------------------===//

/// For each row of the tile list, batches and heads not yet broadcast, which
/// key tiles it lists.
Value AttentionBuilder::emitListedTiles() {
  Value num = op.getTileNum(), idx = op.getTileIdx();
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, b.getLoc(), num);
  SmallVector<Value> rows;
  for (OpFoldResult extent : extents)
    rows.push_back(getExtent(b, extent));
  extents.push_back(ceilDiv(b, keys, op.getKVTile()));
  Value none = filled(b, extents, constantBool(b, false));
  return forLoops(
      b, rows, none,
      [&](ImplicitLocOpBuilder &b, ValueRange row, ValueRange listed) {
        Value count = extractIndex(b, num, row);
        return forLoops(
            b, count, listed,
            [&](ImplicitLocOpBuilder &b, ValueRange entry, ValueRange listed) {
              SmallVector<Value> at(row);
              at.push_back(entry[0]);
              at.back() = extractIndex(b, idx, at);
              Value next = tensor::InsertOp::create(b, constantBool(b, true),
                                                    listed[0], at);
              return SmallVector<Value>{next};
            });
      })[0];
}

/// Whether `|query - key| <= halfWidth`, or `halfWidth` is negative.
static Value emitInBand(ImplicitLocOpBuilder &b, Value query, Value key,
                        Value halfWidth) {
  auto atMost = [&](Value lhs, Value rhs) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, lhs, rhs);
  };
  Value above = atMost(key, arith::AddIOp::create(b, query, halfWidth));
  Value below = atMost(query, arith::AddIOp::create(b, key, halfWidth));
  Value unlimited = isLess(b, halfWidth, constantIndex(b, 0));
  return arith::OrIOp::create(b, unlimited,
                              arith::AndIOp::create(b, above, below));
}

Value AttentionBuilder::emitMask() {
  std::optional<PatternAttrInterface> pattern = op.getPattern();
  Value halfWidths = op.getHalfWidths();
  if (!pattern && !op.hasTiles() && !op.getKvValid() && !halfWidths)
    return {};
  Value listed = op.hasTiles() ? emitListedTiles() : Value();
  SmallVector<Operand> inputs;
  if (op.getKvValid())
    inputs.emplace_back(op.getKvValid(), 4, ArrayRef<unsigned>{Batch});
  if (halfWidths)
    inputs.emplace_back(halfWidths, 4, ArrayRef<unsigned>{Head});
  Value numQueries = getExtent(b, queries), numKeys = getExtent(b, keys);
  return pointwise(
      b, {batch, heads, queries, keys}, b.getI1Type(), inputs,
      [&](ImplicitLocOpBuilder &b, ValueRange elements) {
        Value allowed;
        auto require = [&](Value condition) {
          allowed = allowed ? arith::AndIOp::create(b, allowed, condition)
                            : condition;
        };
        Value query = loopIndex(b, Query), key = loopIndex(b, Key);
        Value inPattern;
        if (pattern)
          inPattern = pattern->emitContains(b, b.getLoc(), query, key,
                                            numQueries, numKeys);
        if (halfWidths) {
          Value inBand = emitInBand(b, query, key, toIndex(b, elements.back()));
          inPattern =
              inPattern ? arith::OrIOp::create(b, inPattern, inBand) : inBand;
        }
        if (inPattern)
          require(inPattern);
        if (listed) {
          Value row =
              arith::DivUIOp::create(b, query, constantIndex(b, op.getQTile()));
          Value tile =
              arith::DivUIOp::create(b, key, constantIndex(b, op.getKVTile()));
          SmallVector<Value> at = broadcastRow(
              b, listed, {loopIndex(b, Batch), loopIndex(b, Head), row});
          at.push_back(tile);
          require(tensor::ExtractOp::create(b, listed, at));
        }
        if (op.getKvValid())
          require(isLess(b, key, toIndex(b, elements[0])));
        return allowed;
      });
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value AttentionBuilder::emitProducts(Value rows, Value columns) {
  return sum(b, {batch, heads, queries, keys}, type,
             {Operand(rows, 5, {Batch, Head, Query, 4}),
              Operand(columns, 5, {Batch, Head, Key, 4})},
             /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
               return arith::MulFOp::create(b, e[0], e[1]);
             });
}

Value AttentionBuilder::emitScores(Value mask) {
  Value products = emitProducts(loadOperand("q"), loadOperand("k"));
  Value scale = constantFloat(b, type, op.getScale().convertToDouble());
  Value minusInfinity = constantFloat(b, type, -INFINITY);
  SmallVector<Operand> inputs = {
      Operand(products, 4, {Batch, Head, Query, Key})};
  if (Value bias = op.getBias()) {
    SmallVector<AffineExpr> exprs;
    for (auto [loop, extent] :
         llvm::enumerate(cast<ShapedType>(bias.getType()).getShape()))
      exprs.push_back(extent == 1 ? b.getAffineConstantExpr(0)
                                  : b.getAffineDimExpr(loop));
    inputs.emplace_back(bias, AffineMap::get(4, 0, exprs, b.getContext()));
  }
  if (mask)
    inputs.emplace_back(mask, 4, ArrayRef<unsigned>{Batch, Head, Query, Key});
  return pointwise(
      b, {batch, heads, queries, keys}, type, inputs,
      [&](ImplicitLocOpBuilder &b, ValueRange e) {
        Value score = arith::MulFOp::create(b, e[0], scale);
        if (op.getBias())
          score = arith::AddFOp::create(b, score, castFloat(b, e[1], type));
        if (mask)
          score = arith::SelectOp::create(b, e.back(), score, minusInfinity);
        return score;
      });
}
