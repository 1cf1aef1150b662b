//===- Topk.cpp - The meaning of dit.topk_mask ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Selection by rank: the rank of a tile is the number of tiles of its row that
// come before it, so the first n are those of rank below n. Ranks are a
// permutation, because ties go by index.
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

class TopkEmitter {
public:
  TopkEmitter(ImplicitLocOpBuilder &b, TopkMaskOp op);

  SmallVector<Value> emit();

private:
  Value emitComparableScores();
  Value emitKept();
  Value emitRowMaximum();
  Value emitNumberByCount();
  Value emitNumberByFraction();
  Value emitNumberByMass();
  Value emitLimits(Value numbers, Value kept);
  SmallVector<Value> emitList(Value ranks, Value limits);

  /// The sum of what `term` gives over the tiles of the row that come before
  /// each tile, kept tiles first where `kept` is given.
  Value sumOverPreceding(Value kept, Type termType, Value terms);

  ImplicitLocOpBuilder &b;
  TopkMaskOp op;
  SmallVector<OpFoldResult> extents;
  /// The scores with -inf for NaN.
  Value scores;
  Type type;
};

} // namespace

TopkEmitter::TopkEmitter(ImplicitLocOpBuilder &b, TopkMaskOp op)
    : b(b), op(op),
      extents(tensor::getMixedSizes(b, b.getLoc(), op.getScores())),
      type(getElementTypeOrSelf(op.getScores())) {
  scores = emitComparableScores();
}

Value TopkEmitter::emitComparableScores() {
  Value lowest = constantFloat(b, type, -INFINITY);
  return pointwise(b, extents, type, Operand(op.getScores(), 4, {0, 1, 2, 3}),
                   [&](ImplicitLocOpBuilder &b, ValueRange e) {
                     Value isNan = arith::CmpFOp::create(
                         b, arith::CmpFPredicate::UNO, e[0], e[0]);
                     return arith::SelectOp::create(b, isNan, lowest, e[0]);
                   });
}

/// Which tiles `[Qt, Kt]` are always selected; null without `keep`.
Value TopkEmitter::emitKept() {
  std::optional<PatternAttrInterface> keep = op.getKeep();
  if (!keep)
    return {};
  Value rows = getExtent(b, extents[2]), columns = getExtent(b, extents[3]);
  return pointwise(b, ArrayRef(extents).drop_front(2), b.getI1Type(), {},
                   [&](ImplicitLocOpBuilder &b, ValueRange) {
                     return keep->emitContains(b, b.getLoc(), loopIndex(b, 0),
                                               loopIndex(b, 1), rows, columns);
                   });
}

Value TopkEmitter::sumOverPreceding(Value kept, Type termType, Value terms) {
  Value zero =
      arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(termType)));
  // Loops batch, head, row, tile, other tile.
  SmallVector<Operand> inputs = {Operand(scores, 5, {0, 1, 2, 3}),
                                 Operand(scores, 5, {0, 1, 2, 4}),
                                 Operand(terms, 5, {0, 1, 2, 4})};
  if (kept) {
    inputs.emplace_back(kept, 5, ArrayRef<unsigned>{2, 3});
    inputs.emplace_back(kept, 5, ArrayRef<unsigned>{2, 4});
  }
  return sum(
      b, extents, termType, inputs, /*numReductions=*/1,
      [&](ImplicitLocOpBuilder &b, ValueRange e) {
        Value isHigher =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, e[1], e[0]);
        Value isEqual =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[1], e[0]);
        Value isEarlier = isLess(b, loopIndex(b, 4), loopIndex(b, 3));
        Value precedes = arith::OrIOp::create(
            b, isHigher, arith::AndIOp::create(b, isEqual, isEarlier));
        if (kept) {
          // Kept tiles are alike, and above the highest score.
          Value both = arith::AndIOp::create(b, e[3], e[4]);
          Value differ = arith::XOrIOp::create(b, e[3], e[4]);
          precedes = arith::SelectOp::create(b, both, isEarlier, precedes);
          precedes = arith::SelectOp::create(b, differ, e[4], precedes);
        }
        return arith::SelectOp::create(b, precedes, e[2], zero);
      });
}

//===----------------------------------------------------------------------===//
// How many
//===----------------------------------------------------------------------===//

Value TopkEmitter::emitNumberByCount() {
  Value counts = op.getCount();
  return pointwise(b, ArrayRef(extents).drop_back(), b.getIndexType(), {},
                   [&](ImplicitLocOpBuilder &b, ValueRange) {
                     Value head = broadcastIndex(b, counts, 0, loopIndex(b, 1));
                     return extractIndex(b, counts, head);
                   });
}

Value TopkEmitter::emitNumberByFraction() {
  Value tiles =
      arith::IndexCastOp::create(b, b.getI64Type(), getExtent(b, extents[3]));
  Value share = arith::MulFOp::create(
      b, arith::SIToFPOp::create(b, b.getF64Type(), tiles),
      constantFloat(b, b.getF64Type(), op.getFraction()->convertToDouble()));
  Value number = arith::FPToSIOp::create(b, b.getI64Type(),
                                         math::CeilOp::create(b, share));
  return filled(b, ArrayRef(extents).drop_back(), toIndex(b, number));
}

Value TopkEmitter::emitRowMaximum() {
  Value lowest = filled(b, ArrayRef(extents).drop_back(),
                        constantFloat(b, type, -INFINITY));
  return generic(b, Operand(scores, 4, {0, 1, 2, 3}),
                 Operand(lowest, 4, {0, 1, 2}), /*numReductions=*/1,
                 [&](ImplicitLocOpBuilder &b, ValueRange e) {
                   return arith::MaximumFOp::create(b, e[1], e[0]);
                 });
}

/// A tile is needed while those before it sum to less than the share; sums
/// grow with the rank, so counting the needed tiles gives the number.
Value TopkEmitter::emitNumberByMass() {
  Value maximum = emitRowMaximum();
  Value zero = constantFloat(b, type, 0.0), one = constantFloat(b, type, 1.0);
  Value lowest = constantFloat(b, type, -INFINITY);
  Value weights = pointwise(
      b, extents, type,
      {Operand(scores, 4, {0, 1, 2, 3}), Operand(maximum, 4, {0, 1, 2})},
      [&](ImplicitLocOpBuilder &b, ValueRange e) {
        // Infinite maxima: +inf is all of the mass, -inf is none.
        Value isMaximum =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[0], e[1]);
        Value isNone =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, e[1], lowest);
        Value weight =
            math::ExpOp::create(b, arith::SubFOp::create(b, e[0], e[1]));
        weight = arith::SelectOp::create(b, isMaximum, one, weight);
        return arith::SelectOp::create(b, isNone, zero, weight);
      });
  Value total = sum(b, ArrayRef(extents).drop_back(), type,
                    Operand(weights, 4, {0, 1, 2, 3}), /*numReductions=*/1,
                    [&](ImplicitLocOpBuilder &, ValueRange e) { return e[0]; });
  Value before = sumOverPreceding(/*kept=*/Value(), type, weights);
  Value share = constantFloat(b, type, op.getMass()->convertToDouble());
  Value oneTile = constantIndex(b, 1), noTile = constantIndex(b, 0);
  return sum(b, ArrayRef(extents).drop_back(), b.getIndexType(),
             {Operand(before, 4, {0, 1, 2, 3}), Operand(total, 4, {0, 1, 2})},
             /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
               Value wanted = arith::MulFOp::create(b, e[1], share);
               Value isNeeded = arith::CmpFOp::create(
                   b, arith::CmpFPredicate::OLT, e[0], wanted);
               return arith::SelectOp::create(b, isNeeded, oneTile, noTile);
             });
}

/// How many tiles each row gets: at least the kept ones, at most the capacity.
Value TopkEmitter::emitLimits(Value numbers, Value kept) {
  Value capacity = getExtent(b, op.getIdx(), 3);
  SmallVector<Operand> inputs = {Operand(numbers, 3, {0, 1, 2})};
  if (kept) {
    Value one = constantIndex(b, 1), zero = constantIndex(b, 0);
    Value numKept =
        sum(b, extents[2], b.getIndexType(), Operand(kept, 2, {0, 1}),
            /*numReductions=*/1, [&](ImplicitLocOpBuilder &b, ValueRange e) {
              return arith::SelectOp::create(b, e[0], one, zero);
            });
    inputs.emplace_back(numKept, 3, ArrayRef<unsigned>{2});
  }
  return pointwise(b, ArrayRef(extents).drop_back(), b.getIndexType(), inputs,
                   [&](ImplicitLocOpBuilder &b, ValueRange e) -> Value {
                     Value number = e[0];
                     if (kept)
                       number = arith::MaxSIOp::create(b, number, e[1]);
                     return arith::MinSIOp::create(b, number, capacity);
                   });
}

//===----------------------------------------------------------------------===//
// The list
//===----------------------------------------------------------------------===//

/// Lists the tiles of each row whose rank is below its limit.
SmallVector<Value> TopkEmitter::emitList(Value ranks, Value limits) {
  SmallVector<Value> rows;
  for (OpFoldResult extent : ArrayRef(extents).drop_back())
    rows.push_back(getExtent(b, extent));
  Value tiles = getExtent(b, extents[3]);
  return forLoops(
      b, rows, {op.getNum(), op.getIdx()},
      [&](ImplicitLocOpBuilder &b, ValueRange row, ValueRange list) {
        Value limit = tensor::ExtractOp::create(b, limits, row);
        Value one = constantIndex(b, 1), zero = constantIndex(b, 0);
        SmallVector<Value> done = forLoops(
            b, tiles, {zero, list[1]},
            [&](ImplicitLocOpBuilder &b, ValueRange tile, ValueRange carried) {
              SmallVector<Value> at(row);
              at.push_back(tile[0]);
              Value rank = tensor::ExtractOp::create(b, ranks, at);
              Value isSelected = isLess(b, rank, limit);
              at.back() = carried[0];
              Value idx =
                  insertIf(b, isSelected, toI32(b, tile[0]), carried[1], at);
              Value step = arith::SelectOp::create(b, isSelected, one, zero);
              Value next = arith::AddIOp::create(b, carried[0], step);
              return SmallVector<Value>{next, idx};
            });
        Value num =
            tensor::InsertOp::create(b, toI32(b, done[0]), list[0], row);
        return SmallVector<Value>{num, done[1]};
      });
}

SmallVector<Value> TopkEmitter::emit() {
  Value numbers = op.getCount()      ? emitNumberByCount()
                  : op.getFraction() ? emitNumberByFraction()
                                     : emitNumberByMass();
  Value kept = emitKept();
  Value ones = filled(b, extents, constantIndex(b, 1));
  Value ranks = sumOverPreceding(kept, b.getIndexType(), ones);
  return emitList(ranks, emitLimits(numbers, kept));
}

namespace {

struct DecomposeTopkMask : OpRewritePattern<TopkMaskOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TopkMaskOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, TopkEmitter(b, op).emit());
    return success();
  }
};

} // namespace

void decompose::populateTopkPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeTopkMask>(patterns.getContext());
}
