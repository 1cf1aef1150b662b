//===- Attention.cpp - The meaning of dit.attention -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention as its formula says it, with the whole score matrix in memory:
// operands as the accumulator type in the order bhsd with one key head per
// query head, the mask, the scores, their softmax, the weighted values.
//
//===----------------------------------------------------------------------===//

#include "DecomposeUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

namespace {

/// Loops of the score matrix, in this order wherever they appear.
enum Loop : unsigned { Batch, Head, Query, Key };

class AttentionEmitter {
public:
  AttentionEmitter(ImplicitLocOpBuilder &b, AttentionOp op);

  SmallVector<Value> emit();

private:
  Value loadOperand(Value operand, DimOrderAttr order, int64_t numHeads,
                    OpFoldResult length, OpFoldResult size);
  Value repeatHeads(Value operand, DimOrderAttr order,
                    ArrayRef<OpFoldResult> extents);
  Value emitListedTiles();
  Value emitMask();
  Value emitScores(Value mask);
  Value emitRowShift(Value scores);
  Value emitWeightedValues(Value weights, Value mask);

  /// Extent of dimension `letter`, from the first operand that states it.
  OpFoldResult
  getExtentOf(char letter,
              ArrayRef<std::pair<Value, DimOrderAttr>> operands) const;

  ImplicitLocOpBuilder &b;
  AttentionOp op;
  Type type;
  OpFoldResult batch, heads, queries, keys, headSize, valueSize;
};

} // namespace

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

AttentionEmitter::AttentionEmitter(ImplicitLocOpBuilder &b, AttentionOp op)
    : b(b), op(op), type(op.getAccumulatorType()) {
  std::pair<Value, DimOrderAttr> q(op.getQ(), op.getQDimOrder()),
      k(op.getK(), op.getKDimOrder()), v(op.getV(), op.getVDimOrder()),
      o(op.getOutput(), op.getODimOrder());
  batch = getExtentOf('b', {q, k, v, o});
  heads = getExtentOf('h', {q, o});
  queries = getExtentOf('s', {q, o});
  keys = getExtentOf('s', {k, v});
  headSize = getExtentOf('d', {q, k});
  valueSize = getExtentOf('d', {v, o});
}

OpFoldResult AttentionEmitter::getExtentOf(
    char letter, ArrayRef<std::pair<Value, DimOrderAttr>> operands) const {
  for (auto [value, order] : operands) {
    int64_t extent =
        order.extent(letter, cast<ShapedType>(value.getType()).getShape());
    if (ShapedType::isStatic(extent))
      return b.getIndexAttr(extent);
  }
  auto [value, order] = operands.front();
  return tensor::getMixedSize(b, b.getLoc(), value, *order.position(letter));
}

/// `operand` as a tensor `[batch, heads, length, size]` of the accumulator
/// type. A head of k or v stands there once for each of its query heads;
/// `numHeads` of them are known to be stored.
Value AttentionEmitter::loadOperand(Value operand, DimOrderAttr order,
                                    int64_t numHeads, OpFoldResult length,
                                    OpFoldResult size) {
  SmallVector<OpFoldResult> extents = {batch, heads, length, size};
  bool isQuery = operand == op.getQ() && order == op.getQDimOrder();
  if (order.position('h') && !isQuery && getConstantIntValue(heads) != numHeads)
    return repeatHeads(operand, order, extents);
  if (order == DimOrderAttr::getDefault(b.getContext()) &&
      getElementTypeOrSelf(operand) == type)
    return operand;
  SmallVector<unsigned> loops;
  for (char letter : order.getLetters())
    loops.push_back(StringRef("bhsd").find(letter));
  return pointwise(b, extents, type, Operand(operand, 4, loops),
                   [&](ImplicitLocOpBuilder &b, ValueRange element) {
                     return castFloat(b, element[0], type);
                   });
}

Value AttentionEmitter::repeatHeads(Value operand, DimOrderAttr order,
                                    ArrayRef<OpFoldResult> extents) {
  Value queryHeads = getExtent(b, heads);
  Value keyHeads = getExtent(b, operand, *order.position('h'));
  return pointwise(
      b, extents, type, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        SmallVector<Value> indices;
        for (char letter : order.getLetters()) {
          Value index = loopIndex(b, StringRef("bhsd").find(letter));
          // h / (Hq / Hkv), as Hkv divides Hq.
          if (letter == 'h')
            index = arith::DivUIOp::create(
                b, arith::MulIOp::create(b, index, keyHeads), queryHeads);
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
Value AttentionEmitter::emitListedTiles() {
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

/// Which positions are allowed; null where all are.
Value AttentionEmitter::emitMask() {
  std::optional<PatternAttrInterface> pattern = op.getPattern();
  if (!pattern && !op.hasTiles() && !op.getKvValid())
    return {};
  Value listed = op.hasTiles() ? emitListedTiles() : Value();
  SmallVector<Operand> inputs;
  if (op.getKvValid())
    inputs.emplace_back(op.getKvValid(), 4, ArrayRef<unsigned>{Batch});
  Value numQueries = getExtent(b, queries), numKeys = getExtent(b, keys);
  return pointwise(
      b, {batch, heads, queries, keys}, b.getI1Type(), inputs,
      [&](ImplicitLocOpBuilder &b, ValueRange numValid) {
        Value allowed;
        auto require = [&](Value condition) {
          allowed = allowed ? arith::AndIOp::create(b, allowed, condition)
                            : condition;
        };
        Value query = loopIndex(b, Query), key = loopIndex(b, Key);
        if (pattern)
          require(pattern->emitContains(b, b.getLoc(), query, key, numQueries,
                                        numKeys));
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
          require(isLess(b, key, toIndex(b, numValid[0])));
        return allowed;
      });
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// s = scale * q k + bias where allowed, else -inf.
Value AttentionEmitter::emitScores(Value mask) {
  Value q = loadOperand(op.getQ(), op.getQDimOrder(), op.getNumQueryHeads(),
                        queries, headSize);
  Value k = loadOperand(op.getK(), op.getKDimOrder(), op.getNumKVHeads(), keys,
                        headSize);
  Value products =
      sum(b, {batch, heads, queries, keys}, type,
          {Operand(q, 5, {Batch, Head, Query, 4}),
           Operand(k, 5, {Batch, Head, Key, 4})},
          /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
            return arith::MulFOp::create(b, e[0], e[1]);
          });
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

/// What is subtracted from the scores of a row before the exponential: their
/// maximum, or 0 where nothing is above -inf.
Value AttentionEmitter::emitRowShift(Value scores) {
  Value minusInfinity = constantFloat(b, type, -INFINITY);
  Value lowest = filled(b, {batch, heads, queries}, minusInfinity);
  Value maximum =
      generic(b, Operand(scores, 4, {Batch, Head, Query, Key}),
              Operand(lowest, 4, {Batch, Head, Query}), /*numReductions=*/1,
              [&](ImplicitLocOpBuilder &b, ValueRange e) {
                return arith::MaximumFOp::create(b, e[1], e[0]);
              });
  Value zero = constantFloat(b, type, 0.0);
  return pointwise(b, {batch, heads, queries}, type,
                   Operand(maximum, 3, {Batch, Head, Query}),
                   [&](ImplicitLocOpBuilder &b, ValueRange e) {
                     Value isEmpty = arith::CmpFOp::create(
                         b, arith::CmpFPredicate::OEQ, e[0], minusInfinity);
                     return arith::SelectOp::create(b, isEmpty, zero, e[0]);
                   });
}

/// The sum of v under `weights`. Masked keys are left out rather than weighed
/// with zero, so that what v holds there has no influence.
Value AttentionEmitter::emitWeightedValues(Value weights, Value mask) {
  Value v = loadOperand(op.getV(), op.getVDimOrder(), op.getNumKVHeads(), keys,
                        valueSize);
  Value zero = constantFloat(b, type, 0.0);
  // Loops batch, head, query, value element, key.
  SmallVector<Operand> inputs = {Operand(weights, 5, {Batch, Head, Query, 4}),
                                 Operand(v, 5, {Batch, Head, 4, 3})};
  if (mask)
    inputs.emplace_back(mask, 5, ArrayRef<unsigned>{Batch, Head, Query, 4});
  return sum(b, {batch, heads, queries, valueSize}, type, inputs,
             /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
               Value term = arith::MulFOp::create(b, e[0], e[1]);
               if (mask)
                 term = arith::SelectOp::create(b, e[2], term, zero);
               return term;
             });
}

SmallVector<Value> AttentionEmitter::emit() {
  Value mask = emitMask();
  Value scores = emitScores(mask);
  Value shift = emitRowShift(scores);
  Value weights = pointwise(b, {batch, heads, queries, keys}, type,
                            {Operand(scores, 4, {Batch, Head, Query, Key}),
                             Operand(shift, 4, {Batch, Head, Query})},
                            [&](ImplicitLocOpBuilder &b, ValueRange e) {
                              return math::ExpOp::create(
                                  b, arith::SubFOp::create(b, e[0], e[1]));
                            });
  Value total =
      sum(b, {batch, heads, queries}, type,
          Operand(weights, 4, {Batch, Head, Query, Key}), /*numReductions=*/1,
          [&](ImplicitLocOpBuilder &, ValueRange e) { return e[0]; });
  Value weighted = emitWeightedValues(weights, mask);

  // An empty row has a total of 0: it gives zeros, and ln 0 = -inf.
  SmallVector<unsigned> outputLoops;
  for (char letter : op.getODimOrder().getLetters())
    outputLoops.push_back(StringRef("bhsd").find(letter));
  Value zero = constantFloat(b, type, 0.0);
  SmallVector<Value> results = {generic(
      b,
      {Operand(weighted, 4, {Batch, Head, Query, 3}),
       Operand(total, 4, {Batch, Head, Query})},
      Operand(op.getOutput(), 4, outputLoops), /*numReductions=*/0,
      [&](ImplicitLocOpBuilder &b, ValueRange e) {
        Value isEmpty =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[1], zero);
        Value mean = arith::DivFOp::create(b, e[0], e[1]);
        return castFloat(b, arith::SelectOp::create(b, isEmpty, zero, mean),
                         op.getElementType());
      })};
  if (Value lse = op.getLse())
    results.push_back(generic(
        b,
        {Operand(shift, 3, {Batch, Head, Query}),
         Operand(total, 3, {Batch, Head, Query})},
        Operand(lse, 3, {Batch, Head, Query}), /*numReductions=*/0,
        [&](ImplicitLocOpBuilder &b, ValueRange e) {
          return arith::AddFOp::create(b, e[0], math::LogOp::create(b, e[1]));
        }));
  return results;
}

namespace {

struct DecomposeAttention : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, AttentionEmitter(b, op).emit());
    return success();
  }
};

} // namespace

void decompose::populateAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeAttention>(patterns.getContext());
}
