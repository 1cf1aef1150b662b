//===- Merge.cpp - The meaning of dit.attention_merge ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The two sides are weighed by exp(lse), both relative to the larger one.
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

/// The weights of the two sides of one row, relative to `shift`.
struct RowWeights {
  RowWeights(ImplicitLocOpBuilder &b, Value lse1, Value lse2) {
    Value larger = arith::MaximumFOp::create(b, lse1, lse2);
    Value lowest = constantFloat(b, lse1.getType(), -INFINITY);
    Value zero = constantFloat(b, lse1.getType(), 0.0);
    isEmpty =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, larger, lowest);
    shift = arith::SelectOp::create(b, isEmpty, zero, larger);
    first = math::ExpOp::create(b, arith::SubFOp::create(b, lse1, shift));
    second = math::ExpOp::create(b, arith::SubFOp::create(b, lse2, shift));
    total = arith::AddFOp::create(b, first, second);
  }

  Value isEmpty, shift, first, second, total;
};

struct DecomposeMerge : OpRewritePattern<AttentionMergeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionMergeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto outputType = cast<RankedTensorType>(op.getOutput().getType());
    Type type = getAccumulatorType(outputType.getElementType());
    Value output = generic(
        b,
        {Operand(op.getO1(), 4, {0, 1, 2, 3}),
         Operand(op.getLse1(), 4, {0, 1, 2}),
         Operand(op.getO2(), 4, {0, 1, 2, 3}),
         Operand(op.getLse2(), 4, {0, 1, 2})},
        Operand(op.getOutput(), 4, {0, 1, 2, 3}), /*numReductions=*/0,
        [&](ImplicitLocOpBuilder &b, ValueRange e) {
          RowWeights weights(b, e[1], e[3]);
          Value sum = arith::AddFOp::create(
              b,
              arith::MulFOp::create(b, weights.first, castFloat(b, e[0], type)),
              arith::MulFOp::create(b, weights.second,
                                    castFloat(b, e[2], type)));
          Value mean = arith::DivFOp::create(b, sum, weights.total);
          Value result = arith::SelectOp::create(
              b, weights.isEmpty, constantFloat(b, type, 0.0), mean);
          return castFloat(b, result, outputType.getElementType());
        });
    Value lse =
        generic(b,
                {Operand(op.getLse1(), 3, {0, 1, 2}),
                 Operand(op.getLse2(), 3, {0, 1, 2})},
                Operand(op.getLse(), 3, {0, 1, 2}), /*numReductions=*/0,
                [&](ImplicitLocOpBuilder &b, ValueRange e) {
                  // Two empty sides have a total of 0, and ln 0 = -inf.
                  RowWeights weights(b, e[0], e[1]);
                  return arith::AddFOp::create(
                      b, weights.shift, math::LogOp::create(b, weights.total));
                });
    rewriter.replaceOp(op, {output, lse});
    return success();
  }
};

} // namespace

void decompose::populateMergePatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeMerge>(patterns.getContext());
}
