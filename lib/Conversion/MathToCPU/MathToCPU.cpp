//===- MathToCPU.cpp - Math functions as vector arithmetic ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replaces the math functions that models call in hot loops by arithmetic on
// vectors. Functions that need care over their whole range, such as the sine
// of a large timestep, are left to libm.
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::dit {
#define GEN_PASS_DEF_CONVERTMATHTOCPU
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;

/// Largest constant exponent that becomes multiplications.
static constexpr int64_t kMaxUnrolledExponent = 64;

/// The integer that all elements of `value` are, if it is known.
static std::optional<int64_t> getConstantInteger(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    return getConstantInteger(broadcast.getSource());
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

static Value onesLike(OpBuilder &builder, Location loc, Type type) {
  return arith::ConstantOp::create(builder, loc, builder.getOneAttr(type));
}

namespace {

/// Integer powers: multiplications for small constant exponents, else powf.
struct ExpandFPowI : OpRewritePattern<math::FPowIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FPowIOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type type = op.getType();
    std::optional<int64_t> exponent = getConstantInteger(op.getRhs());
    if (!exponent || std::abs(*exponent) > kMaxUnrolledExponent) {
      Value power = arith::SIToFPOp::create(rewriter, loc, type, op.getRhs());
      rewriter.replaceOpWithNewOp<math::PowFOp>(op, op.getLhs(), power);
      return success();
    }
    Value result, square = op.getLhs();
    for (int64_t rest = std::abs(*exponent); rest > 0; rest /= 2) {
      if (rest % 2 == 1)
        result = result ? arith::MulFOp::create(rewriter, loc, result, square)
                              .getResult()
                        : square;
      if (rest > 1)
        square = arith::MulFOp::create(rewriter, loc, square, square);
    }
    if (!result)
      result = onesLike(rewriter, loc, type);
    if (*exponent < 0)
      result = arith::DivFOp::create(rewriter, loc,
                                     onesLike(rewriter, loc, type), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// The instruction for a reciprocal square root is an estimate; this is exact
/// to two roundings.
struct ExpandRsqrt : OpRewritePattern<math::RsqrtOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::RsqrtOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value root = math::SqrtOp::create(rewriter, loc, op.getOperand());
    Value one = onesLike(rewriter, loc, op.getType());
    rewriter.replaceOpWithNewOp<arith::DivFOp>(op, one, root);
    return success();
  }
};

struct ConvertMathToCPUPass
    : dit::impl::ConvertMathToCPUBase<ConvertMathToCPUPass> {
  void runOnOperation() override;
};

} // namespace

/// Whether `op` works on vectors of f32 or narrower floats.
static bool isNarrowVectorOp(Operation *op) {
  auto type = op->getNumResults() == 1
                  ? dyn_cast<VectorType>(op->getResult(0).getType())
                  : VectorType();
  return type && isa<FloatType>(type.getElementType()) &&
         type.getElementTypeBitWidth() <= 32;
}

void ConvertMathToCPUPass::runOnOperation() {
  RewritePatternSet exact(&getContext());
  exact.add<ExpandFPowI, ExpandRsqrt>(&getContext());
  if (failed(applyPatternsGreedily(getOperation(), std::move(exact))))
    return signalPassFailure();

  // Approximations only where there are vectors: a single value is as well
  // served by libm.
  SmallVector<Operation *> ops;
  getOperation()->walk([&](Operation *op) {
    if (isa<math::ExpOp, math::TanhOp, math::ErfOp, math::LogOp>(op) &&
        isNarrowVectorOp(op))
      ops.push_back(op);
  });
  numApproximated += ops.size();
  auto isHot = [](StringRef name) {
    return llvm::is_contained(
        {math::ExpOp::getOperationName(), math::TanhOp::getOperationName(),
         math::ErfOp::getOperationName(), math::LogOp::getOperationName()},
        name);
  };
  RewritePatternSet approximations(&getContext());
  populateMathF32ExpansionPatterns(approximations, isHot);
  populateMathPolynomialApproximationPatterns(approximations, isHot);
  if (failed(applyOpPatternsGreedily(ops, std::move(approximations))))
    return signalPassFailure();
}
