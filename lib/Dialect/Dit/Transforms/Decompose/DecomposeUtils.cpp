//===- DecomposeUtils.cpp - What the decompositions share -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The shorthands of the decompositions.
//
//===----------------------------------------------------------------------===//

#include "DecomposeUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value decompose::constantFloat(ImplicitLocOpBuilder &b, Type type,
                               double value) {
  return arith::ConstantOp::create(b, FloatAttr::get(type, value));
}

Value decompose::constantIndex(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value decompose::constantBool(ImplicitLocOpBuilder &b, bool value) {
  return arith::ConstantIntOp::create(b, value, /*width=*/1);
}

Value decompose::toIndex(ImplicitLocOpBuilder &b, Value value) {
  return arith::IndexCastOp::create(b, b.getIndexType(), value);
}

Value decompose::toI32(ImplicitLocOpBuilder &b, Value value) {
  return arith::IndexCastOp::create(b, b.getI32Type(), value);
}

Value decompose::castFloat(ImplicitLocOpBuilder &b, Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(b, type, value);
  if (from > to)
    return arith::TruncFOp::create(b, type, value);
  return value;
}

Value decompose::isLess(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

OpFoldResult decompose::ceilDiv(ImplicitLocOpBuilder &b, OpFoldResult length,
                                int64_t tile) {
  if (std::optional<int64_t> extent = getConstantIntValue(length))
    return b.getIndexAttr(llvm::divideCeil(static_cast<uint64_t>(*extent),
                                           static_cast<uint64_t>(tile)));
  Value padded = arith::AddIOp::create(b, getExtent(b, length),
                                       constantIndex(b, tile - 1));
  return arith::DivUIOp::create(b, padded, constantIndex(b, tile)).getResult();
}

Value decompose::getExtent(ImplicitLocOpBuilder &b, OpFoldResult extent) {
  return getValueOrCreateConstantIndexOp(b, b.getLoc(), extent);
}

Value decompose::getExtent(ImplicitLocOpBuilder &b, Value tensor, int64_t dim) {
  return getExtent(b, tensor::getMixedSize(b, b.getLoc(), tensor, dim));
}

Value decompose::filled(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> extents,
                        Value scalar) {
  Value empty = tensor::EmptyOp::create(b, extents, scalar.getType());
  return linalg::FillOp::create(b, scalar, empty).getResult(0);
}

Value decompose::broadcastIndex(ImplicitLocOpBuilder &b, Value tensor,
                                int64_t dim, Value iv) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getDimSize(dim) == 1)
    return constantIndex(b, 0);
  if (!type.isDynamicDim(dim))
    return iv;
  // An extent of 1 stands for all; others hold every index.
  Value last =
      arith::SubIOp::create(b, getExtent(b, tensor, dim), constantIndex(b, 1));
  return arith::MinSIOp::create(b, iv, last);
}

Operand::Operand(Value tensor, unsigned numLoops, ArrayRef<unsigned> loops)
    : tensor(tensor), map(AffineMap::getMultiDimMapWithTargets(
                          numLoops, loops, tensor.getContext())) {}

Value decompose::generic(ImplicitLocOpBuilder &b, ArrayRef<Operand> inputs,
                         Operand init, unsigned numReductions, BodyFn body) {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs) {
    values.push_back(input.tensor);
    maps.push_back(input.map);
  }
  maps.push_back(init.map);
  unsigned numLoops = init.map.getNumDims();
  SmallVector<utils::IteratorType> iterators(numLoops - numReductions,
                                             utils::IteratorType::parallel);
  iterators.append(numReductions, utils::IteratorType::reduction);
  auto op = linalg::GenericOp::create(
      b, init.tensor.getType(), values, init.tensor, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange elements) {
        ImplicitLocOpBuilder inner(loc, builder);
        linalg::YieldOp::create(inner, body(inner, elements));
      });
  return op.getResult(0);
}

/// The map of an init of `rank` dimensions under `numReductions` more loops.
static AffineMap getInitMap(ImplicitLocOpBuilder &b, unsigned rank,
                            unsigned numReductions) {
  AffineMap all =
      AffineMap::getMultiDimIdentityMap(rank + numReductions, b.getContext());
  // No results of a map are no map, but for this.
  return rank ? all.getMajorSubMap(rank)
              : AffineMap::get(numReductions, 0, b.getContext());
}

Value decompose::pointwise(ImplicitLocOpBuilder &b,
                           ArrayRef<OpFoldResult> extents, Type elementType,
                           ArrayRef<Operand> inputs, BodyFn body) {
  Value empty = tensor::EmptyOp::create(b, extents, elementType);
  return generic(b, inputs, {empty, getInitMap(b, extents.size(), 0)},
                 /*numReductions=*/0,
                 [&](ImplicitLocOpBuilder &b, ValueRange elements) {
                   return body(b, elements.drop_back());
                 });
}

Value decompose::sum(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> extents,
                     Type elementType, ArrayRef<Operand> inputs,
                     unsigned numReductions, BodyFn body) {
  Value zero =
      arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(elementType)));
  return generic(
      b, inputs,
      {filled(b, extents, zero), getInitMap(b, extents.size(), numReductions)},
      numReductions,
      [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
        Value term = body(b, elements.drop_back());
        if (isa<FloatType>(elementType))
          return arith::AddFOp::create(b, elements.back(), term);
        return arith::AddIOp::create(b, elements.back(), term);
      });
}

Value decompose::loopIndex(ImplicitLocOpBuilder &b, unsigned loop) {
  return linalg::IndexOp::create(b, loop);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<Value> decompose::forLoops(ImplicitLocOpBuilder &b,
                                       ArrayRef<Value> bounds,
                                       ValueRange carried, LoopFn body) {
  SmallVector<Value> begins(bounds.size(), constantIndex(b, 0));
  SmallVector<Value> steps(bounds.size(), constantIndex(b, 1));
  scf::LoopNest nest = scf::buildLoopNest(
      b, b.getLoc(), begins, bounds, steps, carried,
      [&](OpBuilder &builder, Location loc, ValueRange ivs, ValueRange values) {
        ImplicitLocOpBuilder inner(loc, builder);
        SmallVector<Value> next = body(inner, ivs, values);
        return scf::ValueVector(next.begin(), next.end());
      });
  return SmallVector<Value>(nest.results.begin(), nest.results.end());
}

Value decompose::insertIf(ImplicitLocOpBuilder &b, Value condition,
                          Value scalar, Value tensor, ValueRange indices) {
  auto ifOp = scf::IfOp::create(
      b, condition,
      [&](OpBuilder &builder, Location loc) {
        Value inserted =
            tensor::InsertOp::create(builder, loc, scalar, tensor, indices);
        scf::YieldOp::create(builder, loc, inserted);
      },
      [&](OpBuilder &builder, Location loc) {
        scf::YieldOp::create(builder, loc, tensor);
      });
  return ifOp.getResult(0);
}

SmallVector<Value> decompose::broadcastRow(ImplicitLocOpBuilder &b, Value list,
                                           ValueRange row) {
  return {broadcastIndex(b, list, 0, row[0]),
          broadcastIndex(b, list, 1, row[1]), row[2]};
}

Value decompose::extractIndex(ImplicitLocOpBuilder &b, Value tensor,
                              ValueRange indices) {
  return toIndex(b, tensor::ExtractOp::create(b, tensor, indices));
}
