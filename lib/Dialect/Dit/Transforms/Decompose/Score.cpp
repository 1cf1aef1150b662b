//===- Score.cpp - The meaning of dit.low_rank_score ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each tile of tokens is first reduced to its proxy; scores are the products
// of proxies.
//
//===----------------------------------------------------------------------===//

#include "DecomposeUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

/// Token `offset` of tile `index`, each of `tile` tokens.
static Value emitToken(ImplicitLocOpBuilder &b, Value index, int64_t tile,
                       Value offset) {
  Value first = arith::MulIOp::create(b, index, constantIndex(b, tile));
  return arith::AddIOp::create(b, first, offset);
}

/// The proxies `[B, H, tiles, r]` of `tokens` `[B, H, S, r]`, where one token
/// stands for its tile; a ragged tile that ends before it has its last one.
static Value emitTokenProxies(ImplicitLocOpBuilder &b, Value tokens,
                              ArrayRef<OpFoldResult> extents, int64_t tile,
                              int64_t offset, Type type) {
  Value length = getExtent(b, tokens, 2);
  return pointwise(
      b, extents, type, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        Value token =
            emitToken(b, loopIndex(b, 2), tile, constantIndex(b, offset));
        Value last = arith::SubIOp::create(b, length, constantIndex(b, 1));
        token = arith::MinSIOp::create(b, token, last);
        Value element = tensor::ExtractOp::create(
            b, tokens,
            ValueRange{loopIndex(b, 0), loopIndex(b, 1), token,
                       loopIndex(b, 3)});
        return castFloat(b, element, type);
      });
}

/// The proxies of `tokens` as the means over those tokens of each tile that
/// exist.
static Value emitMeanProxies(ImplicitLocOpBuilder &b, Value tokens,
                             ArrayRef<OpFoldResult> extents, int64_t tile,
                             Type type) {
  Value length = getExtent(b, tokens, 2);
  Value zero = constantFloat(b, type, 0.0);
  // The inner loop runs over the tokens of a tile; its extent has to appear
  // in an operand.
  Value places =
      tensor::EmptyOp::create(b, ArrayRef<int64_t>{tile}, b.getI1Type());
  Value total =
      sum(b, extents, type, Operand(places, 5, {4}), /*numReductions=*/1,
          [&](ImplicitLocOpBuilder &b, ValueRange) {
            Value token = emitToken(b, loopIndex(b, 2), tile, loopIndex(b, 4));
            Value exists = isLess(b, token, length);
            Value last = arith::SubIOp::create(b, length, constantIndex(b, 1));
            Value element = tensor::ExtractOp::create(
                b, tokens,
                ValueRange{loopIndex(b, 0), loopIndex(b, 1),
                           arith::MinSIOp::create(b, token, last),
                           loopIndex(b, 3)});
            return arith::SelectOp::create(b, exists,
                                           castFloat(b, element, type), zero);
          });
  return pointwise(
      b, extents, type, Operand(total, 4, {0, 1, 2, 3}),
      [&](ImplicitLocOpBuilder &b, ValueRange e) {
        Value first = emitToken(b, loopIndex(b, 2), tile, constantIndex(b, 0));
        Value count = arith::MinSIOp::create(
            b, arith::SubIOp::create(b, length, first), constantIndex(b, tile));
        Value divisor = arith::SIToFPOp::create(
            b, type, arith::IndexCastOp::create(b, b.getI64Type(), count));
        return arith::DivFOp::create(b, e[0], divisor);
      });
}

static Value emitProxies(ImplicitLocOpBuilder &b, Value tokens, Proxy proxy,
                         int64_t tile, Type type) {
  SmallVector<OpFoldResult> extents =
      tensor::getMixedSizes(b, b.getLoc(), tokens);
  extents[2] = ceilDiv(b, extents[2], tile);
  switch (proxy) {
  case Proxy::Center:
    return emitTokenProxies(b, tokens, extents, tile, tile / 2, type);
  case Proxy::First:
    return emitTokenProxies(b, tokens, extents, tile, 0, type);
  case Proxy::Mean:
    return emitMeanProxies(b, tokens, extents, tile, type);
  }
  llvm_unreachable("every proxy has a case");
}

/// The proxies `[B, Hkv, tiles, r]` of the keys once for each of the `heads`
/// query heads that share them.
static Value repeatHeads(ImplicitLocOpBuilder &b, Value proxies,
                         OpFoldResult heads, Type type) {
  SmallVector<OpFoldResult> extents =
      tensor::getMixedSizes(b, b.getLoc(), proxies);
  std::optional<int64_t> known = getConstantIntValue(heads);
  if (known && getConstantIntValue(extents[1]) == known)
    return proxies;
  Value queryHeads = getExtent(b, heads);
  Value keyHeads = getExtent(b, extents[1]);
  extents[1] = heads;
  return pointwise(
      b, extents, type, {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        // h / (Hq / Hkv), as Hkv divides Hq.
        Value head = arith::DivUIOp::create(
            b, arith::MulIOp::create(b, loopIndex(b, 1), keyHeads), queryHeads);
        return tensor::ExtractOp::create(b, proxies,
                                         ValueRange{loopIndex(b, 0), head,
                                                    loopIndex(b, 2),
                                                    loopIndex(b, 3)});
      });
}

namespace {

struct DecomposeLowRankScore : OpRewritePattern<LowRankScoreOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LowRankScoreOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type type =
        cast<RankedTensorType>(op.getScores().getType()).getElementType();
    Value q = emitProxies(b, op.getQ(), op.getProxy(), op.getQTile(), type);
    Value k = emitProxies(b, op.getK(), op.getProxy(), op.getKVTile(), type);
    k = repeatHeads(b, k, tensor::getMixedSize(b, b.getLoc(), op.getQ(), 1),
                    type);
    Value products =
        sum(b, tensor::getMixedSizes(b, b.getLoc(), op.getScores()), type,
            {Operand(q, 5, {0, 1, 2, 4}), Operand(k, 5, {0, 1, 3, 4})},
            /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
              return arith::MulFOp::create(b, e[0], e[1]);
            });
    Value scale = constantFloat(b, type, op.getScale().convertToDouble());
    Value scores =
        generic(b, Operand(products, 4, {0, 1, 2, 3}),
                Operand(op.getScores(), 4, {0, 1, 2, 3}), /*numReductions=*/0,
                [&](ImplicitLocOpBuilder &b, ValueRange e) {
                  return arith::MulFOp::create(b, e[0], scale);
                });
    rewriter.replaceOp(op, scores);
    return success();
  }
};

} // namespace

void decompose::populateScorePatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeLowRankScore>(patterns.getContext());
}
