//===- WorkCounter.cpp - Operations counted at run time -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The mask is the one of the decomposition, the meaning of the op.
//
//===----------------------------------------------------------------------===//

#include "WorkCounter.h"
#include "../Decompose/AttentionBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

static Value multiply(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return b.createOrFold<arith::MulIOp>(lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {

class PositionCounter : AttentionBuilder {
public:
  using AttentionBuilder::AttentionBuilder;

  Value emit();

private:
  Value emitListed();
  Value countMask(Value mask);
};

} // namespace

/// The positions in the tiles of a list, of which the last ones may be ragged.
Value PositionCounter::emitListed() {
  Value num = op.getTileNum(), idx = op.getTileIdx();
  SmallVector<Value> bounds;
  for (unsigned dim = 0; dim < 3; ++dim)
    bounds.push_back(getExtent(b, num, dim));
  auto getSize = [](ImplicitLocOpBuilder &b, Value tile, int64_t size,
                    Value length) -> Value {
    Value width = constantIndex(b, size);
    Value begin = arith::MulIOp::create(b, tile, width);
    return arith::MinUIOp::create(b, width,
                                  arith::SubIOp::create(b, length, begin));
  };
  Value numQueries = getExtent(b, queries), numKeys = getExtent(b, keys);
  Value listed = forLoops(
      b, bounds, constantIndex(b, 0),
      [&](ImplicitLocOpBuilder &b, ValueRange row, ValueRange total) {
        Value rows = getSize(b, row[2], op.getQTile(), numQueries);
        Value count = extractIndex(b, num, row);
        return forLoops(
            b, count, total,
            [&](ImplicitLocOpBuilder &b, ValueRange at, ValueRange total) {
              SmallVector<Value> place(row);
              place.push_back(at[0]);
              Value columns = getSize(b, extractIndex(b, idx, place),
                                      op.getKVTile(), numKeys);
              Value next = arith::AddIOp::create(
                  b, total[0], arith::MulIOp::create(b, rows, columns));
              return SmallVector<Value>{next};
            });
      })[0];
  // A list of one batch or head is that of all.
  for (auto [dim, extent] : {std::pair(0, batch), std::pair(1, heads)})
    if (cast<ShapedType>(num.getType()).getDimSize(dim) == 1)
      listed = multiply(b, listed, getExtent(b, extent));
  return listed;
}

Value PositionCounter::countMask(Value mask) {
  SmallVector<Operand> inputs = {Operand(mask, 4, {Batch, Head, Query, Key})};
  Value halfWidths = op.getHalfWidths();
  if (halfWidths)
    inputs.emplace_back(halfWidths, 4, ArrayRef<unsigned>{Head});
  Value total =
      sum(b, {}, b.getI64Type(), inputs, /*numReductions=*/4,
          [&](ImplicitLocOpBuilder &b, ValueRange e) -> Value {
            Value kept = e[0];
            if (halfWidths) {
              Value zero = arith::ConstantIntOp::create(b, 0, /*width=*/32);
              Value runs = arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                                 e[1], zero);
              kept = arith::AndIOp::create(b, kept, runs);
            }
            return arith::ExtUIOp::create(b, b.getI64Type(), kept);
          });
  Value count = tensor::ExtractOp::create(b, total, ValueRange());
  return arith::IndexCastOp::create(b, b.getIndexType(), count);
}

Value PositionCounter::emit() {
  bool masks = op.getPattern() || op.getKvValid() || op.getHalfWidths();
  if (op.hasTiles() && !masks)
    return emitListed();
  Value repeats = constantIndex(b, 1);
  auto once = [&](OpFoldResult &extent) {
    repeats = multiply(b, repeats, getExtent(b, extent));
    extent = b.getIndexAttr(1);
  };
  if (!op.getKvValid() && !op.hasTiles())
    once(batch);
  if (!op.getHalfWidths() && !op.hasTiles())
    once(heads);
  Value count;
  if (Value mask = emitMask())
    count = countMask(mask);
  else
    count = multiply(b, getExtent(b, queries), getExtent(b, keys));
  return multiply(b, count, repeats);
}

Value WorkCounter::emitPositions(ImplicitLocOpBuilder &b, AttentionOp op) {
  SmallVector<int64_t> extents = {op.getBatch(), op.getNumQueryHeads(),
                                  op.getQueryLength(), op.getKVLength()};
  bool varies = op.hasTiles() || op.getKvValid() || op.getHalfWidths() ||
                llvm::any_of(extents, ShapedType::isDynamic);
  if (varies)
    return PositionCounter(b, op).emit();
  Value &known = positions[{op.getPatternAttr(), extents}];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&entry);
    known = PositionCounter(b, op).emit();
  }
  return known;
}

//===----------------------------------------------------------------------===//
// WorkCounter
//===----------------------------------------------------------------------===//

/// The points of the iteration space of a contraction.
static Value emitPoints(ImplicitLocOpBuilder &b, linalg::LinalgOp op) {
  Value points = constantIndex(b, 1);
  for (unsigned loop = 0, e = op.getNumLoops(); loop < e; ++loop) {
    Value tensor;
    unsigned dim;
    LogicalResult found =
        op.mapIterationSpaceDimToOperandDim(loop, tensor, dim);
    assert(succeeded(found) && "a contraction has operands for all its loops");
    (void)found;
    points = multiply(b, points, getExtent(b, tensor, dim));
  }
  return points;
}

Value WorkCounter::emit(ImplicitLocOpBuilder &b, Operation *op) {
  Value count, size = constantIndex(b, 2);
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    count = emitPositions(b, attention);
    size = multiply(b, size,
                    constantIndex(b, attention.getHeadSize() +
                                         attention.getValueHeadSize()));
  } else if (auto scores = dyn_cast<LowRankScoreOp>(op)) {
    count = getExtent(b, scores.getQ(), 3);
    for (unsigned dim = 0; dim < 4; ++dim)
      count = multiply(b, count, getExtent(b, scores.getScores(), dim));
  } else {
    count = emitPoints(b, cast<linalg::LinalgOp>(op));
  }
  return arith::IndexCastOp::create(b, b.getI64Type(),
                                    multiply(b, count, size));
}
