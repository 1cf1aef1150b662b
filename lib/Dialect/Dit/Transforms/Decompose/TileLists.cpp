//===- TileLists.cpp - The meaning of the ops on tile lists ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Union merges two ascending rows, slice copies rows, transpose appends each
// query tile, in order, to the rows of the key tiles it looks at.
//
//===----------------------------------------------------------------------===//

#include "DecomposeUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

/// The extents of the rows of a list, as loop bounds.
static SmallVector<Value> getRowBounds(ImplicitLocOpBuilder &b, Value num) {
  SmallVector<Value> bounds;
  for (unsigned dim = 0; dim < 3; ++dim)
    bounds.push_back(getExtent(b, num, dim));
  return bounds;
}

namespace {

/// A row of a list that is read from its start.
struct RowReader {
  RowReader(ImplicitLocOpBuilder &b, Value num, Value idx, ValueRange row)
      : idx(idx), row(broadcastRow(b, num, row)) {
    count = extractIndex(b, num, this->row);
  }

  /// Entry `position`, or `past` behind the last one.
  Value read(ImplicitLocOpBuilder &b, Value position, Value past) const {
    auto ifOp = scf::IfOp::create(
        b, isLess(b, position, count),
        [&](OpBuilder &builder, Location loc) {
          ImplicitLocOpBuilder inner(loc, builder);
          SmallVector<Value> at(row);
          at.push_back(position);
          scf::YieldOp::create(inner, extractIndex(inner, idx, at));
        },
        [&](OpBuilder &builder, Location loc) {
          scf::YieldOp::create(builder, loc, past);
        });
    return ifOp.getResult(0);
  }

  Value idx;
  SmallVector<Value> row;
  Value count;
};

struct DecomposeUnion : OpRewritePattern<TilesUnionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TilesUnionOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value capacity = getExtent(b, op.getIdx(), 3);
    SmallVector<Value> lists = forLoops(
        b, getRowBounds(b, op.getNum()), {op.getNum(), op.getIdx()},
        [&](ImplicitLocOpBuilder &b, ValueRange row, ValueRange list) {
          RowReader first(b, op.getNum1(), op.getIdx1(), row);
          RowReader second(b, op.getNum2(), op.getIdx2(), row);
          Value zero = constantIndex(b, 0);
          SmallVector<Value> merged = forLoops(
              b, capacity, {list[1], zero, zero, zero},
              [&](ImplicitLocOpBuilder &b, ValueRange entry, ValueRange state) {
                return emitMergeStep(b, first, second, row, state);
              });
          Value num =
              tensor::InsertOp::create(b, toI32(b, merged[3]), list[0], row);
          return SmallVector<Value>{num, merged[0]};
        });
    rewriter.replaceOp(op, lists);
    return success();
  }

private:
  /// Takes the lower of the two next entries, from both sides if they agree.
  /// `state` is the list, the position in each side, and the number taken.
  static SmallVector<Value> emitMergeStep(ImplicitLocOpBuilder &b,
                                          const RowReader &first,
                                          const RowReader &second,
                                          ValueRange row, ValueRange state) {
    Value past = constantIndex(b, std::numeric_limits<int64_t>::max());
    Value one = constantIndex(b, 1), zero = constantIndex(b, 0);
    Value lhs = first.read(b, state[1], past);
    Value rhs = second.read(b, state[2], past);
    Value lower = arith::MinSIOp::create(b, lhs, rhs);
    Value any = isLess(b, lower, past);
    SmallVector<Value> at(row);
    at.push_back(state[3]);
    SmallVector<Value> next = {insertIf(b, any, toI32(b, lower), state[0], at)};
    auto advance = [&](Value position, Value condition) {
      Value step = arith::SelectOp::create(b, condition, one, zero);
      next.push_back(arith::AddIOp::create(b, position, step));
    };
    auto isTaken = [&](Value entry) -> Value {
      Value same =
          arith::CmpIOp::create(b, arith::CmpIPredicate::eq, entry, lower);
      return arith::AndIOp::create(b, any, same);
    };
    advance(state[1], isTaken(lhs));
    advance(state[2], isTaken(rhs));
    advance(state[3], any);
    return next;
  }
};

struct DecomposeSlice : OpRewritePattern<TilesSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TilesSliceOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value source = op.getSrcNum();
    // A batch or head dimension of extent 1 stands for all.
    Value offsets[] = {broadcastIndex(b, source, 0, op.getBatchOffset()),
                       broadcastIndex(b, source, 1, op.getHeadOffset()),
                       op.getQueryOffset()};
    SmallVector<Value> lists = forLoops(
        b, getRowBounds(b, op.getNum()), {op.getNum(), op.getIdx()},
        [&](ImplicitLocOpBuilder &b, ValueRange row, ValueRange list) {
          SmallVector<Value> from;
          for (auto [iv, offset] : llvm::zip_equal(row, offsets))
            from.push_back(arith::AddIOp::create(b, iv, offset));
          Value count = tensor::ExtractOp::create(b, source, from);
          Value num = tensor::InsertOp::create(b, count, list[0], row);
          SmallVector<Value> idx = forLoops(
              b, toIndex(b, count), list[1],
              [&](ImplicitLocOpBuilder &b, ValueRange entry, ValueRange idx) {
                from.push_back(entry[0]);
                SmallVector<Value> at(row);
                at.push_back(entry[0]);
                Value tile = tensor::ExtractOp::create(b, op.getSrcIdx(), from);
                Value next = tensor::InsertOp::create(b, tile, idx[0], at);
                return SmallVector<Value>{next};
              });
          return SmallVector<Value>{num, idx[0]};
        });
    rewriter.replaceOp(op, lists);
    return success();
  }
};

struct DecomposeTranspose : OpRewritePattern<TilesTransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TilesTransposeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value capacity = getExtent(b, op.getIdx(), 3);
    Value none = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
    Value empty = linalg::FillOp::create(b, none, op.getNum()).getResult(0);
    SmallVector<Value> lists = forLoops(
        b, getRowBounds(b, op.getSrcNum()), {empty, op.getIdx()},
        [&](ImplicitLocOpBuilder &b, ValueRange row, ValueRange list) {
          Value count = extractIndex(b, op.getSrcNum(), row);
          return forLoops(
              b, count, list,
              [&](ImplicitLocOpBuilder &b, ValueRange entry, ValueRange list) {
                SmallVector<Value> at(row);
                at.push_back(entry[0]);
                Value tile = extractIndex(b, op.getSrcIdx(), at);
                return emitAppend(b, {row[0], row[1], tile}, row[2], capacity,
                                  list);
              });
        });
    rewriter.replaceOp(op, lists);
    return success();
  }

private:
  /// Appends `tile` to row `row` of `list` if there is place for it.
  static SmallVector<Value> emitAppend(ImplicitLocOpBuilder &b,
                                       ArrayRef<Value> row, Value tile,
                                       Value capacity, ValueRange list) {
    Value count = extractIndex(b, list[0], row);
    Value fits = isLess(b, count, capacity);
    SmallVector<Value> at(row);
    at.push_back(count);
    Value next = arith::AddIOp::create(b, count, constantIndex(b, 1));
    return {insertIf(b, fits, toI32(b, next), list[0], row),
            insertIf(b, fits, toI32(b, tile), list[1], at)};
  }
};

} // namespace

void decompose::populateTileListPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeUnion, DecomposeSlice, DecomposeTranspose>(
      patterns.getContext());
}
