//===- ProbeBuilder.cpp - Numbers about tensors ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums go over f64, whatever the tensors hold: differences of steps are small.
//
//===----------------------------------------------------------------------===//

#include "ProbeBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;

using utils::IteratorType;

static Value toF64(OpBuilder &b, Location loc, Value value) {
  Type f64 = b.getF64Type();
  if (isa<IntegerType>(value.getType()))
    return arith::SIToFPOp::create(b, loc, f64, value);
  if (value.getType().getIntOrFloatBitWidth() == 64)
    return value;
  return arith::ExtFOp::create(b, loc, f64, value);
}

static Value createZeros(ImplicitLocOpBuilder &b, int64_t count) {
  Value zero = arith::ConstantOp::create(b, b.getF64FloatAttr(0.0));
  Value empty =
      tensor::EmptyOp::create(b, ArrayRef<int64_t>{count}, b.getF64Type());
  return linalg::FillOp::create(b, zero, empty).getResult(0);
}

Value ProbeBuilder::sum(const Probe &like, ValueRange values, Body body) {
  unsigned rank = like.getType().getRank();
  MLIRContext *context = b.getContext();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, context);
  AffineExpr head = like.headDim ? getAffineDimExpr(*like.headDim, context)
                                 : getAffineConstantExpr(0, context);
  SmallVector<AffineMap> maps(values.size(), identity);
  maps.push_back(AffineMap::get(rank, 0, head));
  SmallVector<IteratorType> iterators(rank, IteratorType::reduction);
  if (like.headDim)
    iterators[*like.headDim] = IteratorType::parallel;
  Value init = createZeros(b, like.getNumHeads());
  auto op = linalg::GenericOp::create(
      b, init.getType(), values, init, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        SmallVector<Value> wide =
            llvm::map_to_vector(args.drop_back(), [&](Value arg) {
              return toF64(nested, loc, arg);
            });
        Value term = body(nested, loc, wide);
        Value total = arith::AddFOp::create(nested, loc, args.back(), term);
        linalg::YieldOp::create(nested, loc, total);
      });
  return op.getResult(0);
}

Value ProbeBuilder::sumSquaredError(const Probe &like, Value lhs, Value rhs) {
  return sum(like, {lhs, rhs},
             [](OpBuilder &nested, Location loc, ValueRange args) -> Value {
               Value d = arith::SubFOp::create(nested, loc, args[0], args[1]);
               return arith::MulFOp::create(nested, loc, d, d);
             });
}

Value ProbeBuilder::sumSquaredDeviation(const Probe &probe) {
  Value total =
      sum(probe, probe.value,
          [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  Value squares =
      sum(probe, probe.value,
          [](OpBuilder &nested, Location loc, ValueRange args) -> Value {
            return arith::MulFOp::create(nested, loc, args[0], args[0]);
          });
  double count = static_cast<double>(probe.getType().getNumElements() /
                                     probe.getNumHeads());
  return map({squares, total},
             [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
               Value n = arith::ConstantOp::create(
                   nested, loc, nested.getF64FloatAttr(1.0 / count));
               Value square =
                   arith::MulFOp::create(nested, loc, args[1], args[1]);
               Value mean = arith::MulFOp::create(nested, loc, square, n);
               Value zero = arith::ConstantOp::create(
                   nested, loc, nested.getF64FloatAttr(0.0));
               Value rest = arith::SubFOp::create(nested, loc, args[0], mean);
               return arith::MaximumFOp::create(nested, loc, rest, zero);
             });
}

std::pair<Value, Value> ProbeBuilder::split(const Probe &probe) {
  SmallVector<int64_t> sizes(probe.getType().getShape());
  sizes[probe.batchDim] /= 2;
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> extents =
      llvm::map_to_vector(sizes, [&](int64_t size) -> OpFoldResult {
        return b.getIndexAttr(size);
      });
  Value first =
      tensor::ExtractSliceOp::create(b, probe.value, offsets, extents, strides);
  offsets[probe.batchDim] = b.getIndexAttr(sizes[probe.batchDim]);
  Value second =
      tensor::ExtractSliceOp::create(b, probe.value, offsets, extents, strides);
  return {first, second};
}

Value ProbeBuilder::map(ValueRange values, Body body) {
  auto type = cast<RankedTensorType>(values.front().getType());
  SmallVector<AffineMap> maps;
  for (Value value : values) {
    bool isOne = cast<RankedTensorType>(value.getType()).getDimSize(0) == 1;
    AffineExpr place =
        isOne ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(0);
    maps.push_back(AffineMap::get(1, 0, place));
  }
  maps.push_back(b.getMultiDimIdentityMap(1));
  Value empty = tensor::EmptyOp::create(b, type.getShape(), b.getF64Type());
  auto op = linalg::GenericOp::create(
      b, empty.getType(), values, empty, maps, IteratorType::parallel,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        linalg::YieldOp::create(nested, loc,
                                body(nested, loc, args.drop_back()));
      });
  return op.getResult(0);
}

Value ProbeBuilder::add(Value lhs, Value rhs) {
  return map({lhs, rhs},
             [](OpBuilder &nested, Location loc, ValueRange args) -> Value {
               return arith::AddFOp::create(nested, loc, args[0], args[1]);
             });
}

Value ProbeBuilder::divide(Value lhs, Value rhs, Value valid) {
  SmallVector<Value> values = {lhs, rhs};
  if (valid)
    values.push_back(valid);
  return map(
      values, [](OpBuilder &nested, Location loc, ValueRange args) -> Value {
        Value zero =
            arith::ConstantOp::create(nested, loc, nested.getF64FloatAttr(0.0));
        Value one =
            arith::ConstantOp::create(nested, loc, nested.getF64FloatAttr(1.0));
        Value has = arith::CmpFOp::create(
            nested, loc, arith::CmpFPredicate::OGT, args[1], zero);
        // A branch that always gives the same has no error to speak of.
        Value by = arith::SelectOp::create(nested, loc, has, args[1], one);
        Value top = arith::SelectOp::create(nested, loc, has, args[0], zero);
        Value ratio = arith::DivFOp::create(nested, loc, top, by);
        if (args.size() == 3)
          ratio = arith::MulFOp::create(nested, loc, ratio, args[2]);
        return ratio;
      });
}

Value ProbeBuilder::scale(Value x, double scale, double offset, Value valid) {
  SmallVector<Value> values = {x};
  if (valid)
    values.push_back(valid);
  return map(
      values, [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
        Value by = arith::ConstantOp::create(nested, loc,
                                             nested.getF64FloatAttr(scale));
        Value to = arith::ConstantOp::create(nested, loc,
                                             nested.getF64FloatAttr(offset));
        Value scaled = arith::MulFOp::create(nested, loc, args[0], by);
        if (args.size() == 2)
          scaled = arith::MulFOp::create(nested, loc, scaled, args[1]);
        return arith::AddFOp::create(nested, loc, scaled, to);
      });
}

Value ProbeBuilder::sumHeads(Value x) {
  if (cast<RankedTensorType>(x.getType()).getDimSize(0) == 1)
    return x;
  return sum(Probe{x, std::nullopt}, x,
             [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

/// `value` with its dimensions in the order `bhsd`.
static Value toDefaultOrder(ImplicitLocOpBuilder &b, Value value,
                            DimOrderAttr order) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<AffineExpr> places;
  SmallVector<int64_t> shape =
      llvm::map_to_vector(StringRef("bhsd"), [&](char letter) {
        return order.extent(letter, type.getShape());
      });
  for (char letter : order.getLetters())
    places.push_back(b.getAffineDimExpr(StringRef("bhsd").find(letter)));
  AffineMap from = AffineMap::get(4, 0, places, b.getContext());
  if (from.isIdentity())
    return value;
  Value empty = tensor::EmptyOp::create(b, shape, type.getElementType());
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      b, empty.getType(), value, empty,
      ArrayRef<AffineMap>{from, b.getMultiDimIdentityMap(4)}, iterators,
      [](OpBuilder &nested, Location loc, ValueRange args) {
        linalg::YieldOp::create(nested, loc, args[0]);
      });
  return op.getResult(0);
}

Value ProbeBuilder::buildScores(AttentionOp attention, int64_t stride) {
  Value q = toDefaultOrder(b, attention.getQ(), attention.getQDimOrder());
  Value k = toDefaultOrder(b, attention.getK(), attention.getKDimOrder());
  ArrayRef<int64_t> shape = cast<RankedTensorType>(q.getType()).getShape();
  int64_t keys = cast<RankedTensorType>(k.getType()).getDimSize(2);
  Type element = cast<RankedTensorType>(q.getType()).getElementType();
  if (!element.isF64())
    element = b.getF32Type();
  Value empty = tensor::EmptyOp::create(
      b,
      ArrayRef<int64_t>{shape[0], shape[1], (shape[2] + stride - 1) / stride,
                        keys},
      element);
  return LowRankScoreOp::create(b, empty.getType(), q, k, empty,
                                ArrayRef<int64_t>{stride, 1}, Proxy::First,
                                attention.getScale())
      ->getResult(0);
}

Value ProbeBuilder::measureSparsity(Value scores, double mass) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(scores.getType()).getShape();
  Value num = tensor::EmptyOp::create(b, shape.drop_back(), b.getI32Type());
  Value idx = tensor::EmptyOp::create(b, shape, b.getI32Type());
  auto mask =
      TopkMaskOp::create(b, TypeRange{num.getType(), idx.getType()}, scores,
                         /*count=*/Value(), num, idx,
                         /*fraction=*/FloatAttr(), b.getF64FloatAttr(mass),
                         /*keep=*/PatternAttrInterface());
  Value kept = mask->getResult(0);
  Value total =
      sum(Probe{kept, 1}, kept,
          [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  double all = static_cast<double>(shape[0] * shape[2] * shape[3]);
  return scale(total, -1.0 / all, /*offset=*/1.0);
}
