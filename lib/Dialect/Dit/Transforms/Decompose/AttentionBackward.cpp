//===- AttentionBackward.cpp - The meaning of dit.attention_backward ------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The gradient as its formulas say it, with the weights and their gradients in
// memory whole.
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

namespace {

class BackwardEmitter : public AttentionBuilder {
public:
  using AttentionBuilder::AttentionBuilder;

  SmallVector<Value> emit();

private:
  Value emitWeights(Value mask);
  Value emitScoreGradients(Value weights, Value mask, Value dO);
  Value emitQueryGradient(Value ds, Value mask);
  Value emitKeyGradient(Value weights, Value rows, Value mask,
                        OpFoldResult size);
  Value sumGroups(Value gradients, OpFoldResult size);
  Value store(Value gradients, StringRef name, double factor);

  /// lhs * rhs where allowed, else zero: what stands where nothing is allowed
  /// has no influence, whatever it is.
  Value maskedProduct(ImplicitLocOpBuilder &b, ValueRange e, Value mask) {
    Value term = arith::MulFOp::create(b, e[0], e[1]);
    return mask ? arith::SelectOp::create(b, e[2], term, zero()) : term;
  }
};

} // namespace

/// p = exp(s - lse); a row with an LSE of -inf has none.
Value BackwardEmitter::emitWeights(Value mask) {
  Value scores = emitScores(mask);
  Value minusInfinity = constantFloat(b, type, -INFINITY);
  return pointwise(b, {batch, heads, queries, keys}, type,
                   {Operand(scores, 4, {Batch, Head, Query, Key}),
                    Operand(op.getLse(), 4, {Batch, Head, Query})},
                   [&](ImplicitLocOpBuilder &b, ValueRange e) {
                     Value isEmpty = arith::CmpFOp::create(
                         b, arith::CmpFPredicate::OEQ, e[1], minusInfinity);
                     Value weight = math::ExpOp::create(
                         b, arith::SubFOp::create(b, e[0], e[1]));
                     return arith::SelectOp::create(b, isEmpty, zero(), weight);
                   });
}

/// ds = p (do v - delta) where allowed, else zero.
Value BackwardEmitter::emitScoreGradients(Value weights, Value mask, Value dO) {
  Value delta =
      sum(b, {batch, heads, queries}, type,
          {Operand(dO, 4, {Batch, Head, Query, 3}),
           Operand(loadOperand("o"), 4, {Batch, Head, Query, 3})},
          /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
            return arith::MulFOp::create(b, e[0], e[1]);
          });
  Value products = emitProducts(dO, loadOperand("v"));
  SmallVector<Operand> inputs = {
      Operand(weights, 4, {Batch, Head, Query, Key}),
      Operand(products, 4, {Batch, Head, Query, Key}),
      Operand(delta, 4, {Batch, Head, Query})};
  if (mask)
    inputs.emplace_back(mask, 4, ArrayRef<unsigned>{Batch, Head, Query, Key});
  return pointwise(b, {batch, heads, queries, keys}, type, inputs,
                   [&](ImplicitLocOpBuilder &b, ValueRange e) -> Value {
                     Value gradient = arith::MulFOp::create(
                         b, e[0], arith::SubFOp::create(b, e[1], e[2]));
                     if (mask)
                       gradient =
                           arith::SelectOp::create(b, e[3], gradient, zero());
                     return gradient;
                   });
}

/// The sum of k under `ds`.
Value BackwardEmitter::emitQueryGradient(Value ds, Value mask) {
  // Loops batch, head, query, element, key.
  SmallVector<Operand> inputs = {
      Operand(ds, 5, {Batch, Head, Query, 4}),
      Operand(loadOperand("k"), 5, {Batch, Head, 4, 3})};
  if (mask)
    inputs.emplace_back(mask, 5, ArrayRef<unsigned>{Batch, Head, Query, 4});
  return sum(b, {batch, heads, queries, headSize}, type, inputs,
             /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
               return maskedProduct(b, e, mask);
             });
}

/// The sum of `rows`, q or do, under the columns of `weights`, for each query
/// head.
Value BackwardEmitter::emitKeyGradient(Value weights, Value rows, Value mask,
                                       OpFoldResult size) {
  // Loops batch, head, key, element, query.
  SmallVector<Operand> inputs = {Operand(weights, 5, {Batch, Head, 4, 2}),
                                 Operand(rows, 5, {Batch, Head, 4, 3})};
  if (mask)
    inputs.emplace_back(mask, 5, ArrayRef<unsigned>{Batch, Head, 4, 2});
  return sum(b, {batch, heads, keys, size}, type, inputs, /*numReductions=*/1,
             [&](ImplicitLocOpBuilder &b, ValueRange e) {
               return maskedProduct(b, e, mask);
             });
}

/// `[batch, heads, keys, size]` summed over the query heads of each key head.
Value BackwardEmitter::sumGroups(Value gradients, OpFoldResult size) {
  std::optional<int64_t> numHeads = getConstantIntValue(heads),
                         numKeyHeads = getConstantIntValue(keyHeads);
  if (numHeads && numHeads == numKeyHeads)
    return gradients;
  // Without any key head there is no query head either.
  Value divisor =
      arith::MaxUIOp::create(b, getExtent(b, keyHeads), constantIndex(b, 1));
  Value group = arith::DivUIOp::create(b, getExtent(b, heads), divisor);
  // Only its extent matters.
  Value members = tensor::EmptyOp::create(
      b, ArrayRef<OpFoldResult>{OpFoldResult(group)}, type);
  // Loops batch, key head, key, element, member of the group.
  return sum(b, {batch, keyHeads, keys, size}, type, Operand(members, 5, {4}),
             /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange) {
               Value head = arith::AddIOp::create(
                   b, arith::MulIOp::create(b, loopIndex(b, 1), group),
                   loopIndex(b, 4));
               return tensor::ExtractOp::create(
                   b, gradients,
                   ValueRange{loopIndex(b, 0), head, loopIndex(b, 2),
                              loopIndex(b, 3)});
             });
}

/// `gradients` times `factor`, rounded into the init `name`.
Value BackwardEmitter::store(Value gradients, StringRef name, double factor) {
  const OrderedOperand &init = getOperand(name);
  return generic(
      b, Operand(gradients, 4, {0, 1, 2, 3}),
      Operand(init.getValue(), 4, getLoops(init.order)),
      /*numReductions=*/0, [&](ImplicitLocOpBuilder &b, ValueRange e) {
        Value scaled = e[0];
        if (factor != 1.0)
          scaled =
              arith::MulFOp::create(b, scaled, constantFloat(b, type, factor));
        return castFloat(b, scaled, op.getElementType());
      });
}

SmallVector<Value> BackwardEmitter::emit() {
  Value mask = emitMask();
  Value weights = emitWeights(mask);
  Value dO = loadOperand("do");
  Value ds = emitScoreGradients(weights, mask, dO);
  Value dq = emitQueryGradient(ds, mask);
  Value dk = emitKeyGradient(ds, loadOperand("q"), mask, headSize);
  Value dv = emitKeyGradient(weights, dO, mask, valueSize);
  double scale = op.getScale().convertToDouble();
  return {store(dq, "dq", scale), store(sumGroups(dk, headSize), "dk", scale),
          store(sumGroups(dv, valueSize), "dv", 1.0)};
}

namespace {

struct DecomposeAttentionBackward : OpRewritePattern<AttentionBackwardOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionBackwardOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, BackwardEmitter(b, op).emit());
    return success();
  }
};

} // namespace

void decompose::populateAttentionBackwardPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeAttentionBackward>(patterns.getContext());
}
