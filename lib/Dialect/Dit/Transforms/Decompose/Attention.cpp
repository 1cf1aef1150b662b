//===- Attention.cpp - The meaning of dit.attention -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention as its formula says it, with the whole score matrix in memory: the
// mask, the scores, their softmax, the weighted values.
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

class AttentionEmitter : public AttentionBuilder {
public:
  using AttentionBuilder::AttentionBuilder;

  SmallVector<Value> emit();

private:
  Value emitRowShift(Value scores);
  Value emitWeightedValues(Value weights, Value mask);
  Value emitResult(SmallVector<Operand> inputs, Operand init,
                   BodyFn emitElement);
  Value emitOutput(Value weighted, Value total);
  Value emitLse(Value shift, Value total);
};

} // namespace

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
  Value v = loadOperand("v");
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

/// Writes a result: what `emitElement` gives for the elements of `inputs`, or
/// what `init` holds in heads that are skipped.
Value AttentionEmitter::emitResult(SmallVector<Operand> inputs, Operand init,
                                   BodyFn emitElement) {
  Value halfWidths = op.getHalfWidths();
  if (halfWidths)
    inputs.emplace_back(halfWidths, init.map.getNumDims(),
                        ArrayRef<unsigned>{Head});
  return generic(b, inputs, init, /*numReductions=*/0,
                 [&](ImplicitLocOpBuilder &b, ValueRange e) -> Value {
                   Value element = emitElement(b, e);
                   if (!halfWidths)
                     return element;
                   Value width = e.drop_back().back();
                   Value skipped = arith::CmpIOp::create(
                       b, arith::CmpIPredicate::eq, width,
                       arith::ConstantIntOp::create(b, 0, /*width=*/32));
                   return arith::SelectOp::create(b, skipped, e.back(),
                                                  element);
                 });
}

/// An empty row has a total of 0: it gives zeros.
Value AttentionEmitter::emitOutput(Value weighted, Value total) {
  const OrderedOperand &output = getOperand("output");
  Value zero = constantFloat(b, type, 0.0);
  return emitResult(
      {Operand(weighted, 4, {Batch, Head, Query, 3}),
       Operand(total, 4, {Batch, Head, Query})},
      Operand(output.getValue(), 4, getLoops(output.order)),
      [&](ImplicitLocOpBuilder &b, ValueRange e) {
        Value isEmpty =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[1], zero);
        Value mean = arith::DivFOp::create(b, e[0], e[1]);
        return castFloat(b, arith::SelectOp::create(b, isEmpty, zero, mean),
                         op.getElementType());
      });
}

/// The total of an empty row, 0, has the logarithm -inf.
Value AttentionEmitter::emitLse(Value shift, Value total) {
  return emitResult({Operand(shift, 3, {Batch, Head, Query}),
                     Operand(total, 3, {Batch, Head, Query})},
                    Operand(op.getLse(), 3, {Batch, Head, Query}),
                    [&](ImplicitLocOpBuilder &b, ValueRange e) -> Value {
                      return arith::AddFOp::create(
                          b, e[0], math::LogOp::create(b, e[1]));
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

  SmallVector<Value> results = {emitOutput(weighted, total)};
  if (op.getLse())
    results.push_back(emitLse(shift, total));
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

/// A pair is an attention under the first pattern and one under both.
struct DecomposePair : OpRewritePattern<AttentionPairOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionPairOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value widths = op.getHalfWidths();
    AttentionOp outer = createAttention(
        b, op, op.getOutput(), op.getOOrderAttr(), op.getPatternAttr(),
        widths ? emitUnlimited(b, widths) : Value());
    AttentionOp inner =
        createAttention(b, op, op.getInner(), op.getInnerOrderAttr(),
                        op.getInnerPattern(), widths);
    SmallVector<Value> results;
    for (AttentionOp attention : {outer, inner}) {
      llvm::append_range(results, AttentionEmitter(b, attention).emit());
      rewriter.eraseOp(attention);
    }
    rewriter.replaceOp(op, results);
    return success();
  }

private:
  /// Half-widths that skip the same heads and limit none.
  static Value emitUnlimited(ImplicitLocOpBuilder &b, Value widths) {
    return pointwise(
        b, tensor::getMixedSizes(b, b.getLoc(), widths), b.getI32Type(),
        Operand(widths, 1, {0u}),
        [&](ImplicitLocOpBuilder &b, ValueRange e) -> Value {
          Value zero = arith::ConstantIntOp::create(b, 0, /*width=*/32);
          Value none = arith::ConstantIntOp::create(b, -1, /*width=*/32);
          Value skips =
              arith::CmpIOp::create(b, arith::CmpIPredicate::eq, e[0], zero);
          return arith::SelectOp::create(b, skips, zero, none);
        });
  }

  static AttentionOp createAttention(ImplicitLocOpBuilder &b,
                                     AttentionPairOp op, Value init,
                                     DimOrderAttr order,
                                     PatternAttrInterface pattern,
                                     Value widths) {
    return AttentionOp::create(
        b, init.getType(), op.getQ(), op.getK(), op.getV(), op.getBias(),
        /*tileNum=*/Value(), /*tileIdx=*/Value(), op.getKvValid(), init,
        /*lse=*/Value(), widths, op.getScaleAttr(), pattern, /*tile=*/nullptr,
        op.getQOrderAttr(), op.getKOrderAttr(), op.getVOrderAttr(), order,
        /*site=*/nullptr, /*kind=*/nullptr, /*layer=*/nullptr,
        /*grid=*/nullptr);
  }
};

} // namespace

void decompose::populateAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeAttention, DecomposePair>(patterns.getContext());
}
