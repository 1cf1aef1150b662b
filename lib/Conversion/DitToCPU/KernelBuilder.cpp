//===- KernelBuilder.cpp - Shorthands to write kernels as IR --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "llvm/ADT/APFloat.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit::cpu;

static TypedAttr splatAttr(Type type, Attribute element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return DenseElementsAttr::get(vector, element);
  return cast<TypedAttr>(element);
}

Value KernelBuilder::constant(Type type, double value) {
  return arith::ConstantOp::create(
      *this, splatAttr(type, getFloatAttr(getElementTypeOrSelf(type), value)));
}

Value KernelBuilder::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(
      *this,
      splatAttr(type, getIntegerAttr(getElementTypeOrSelf(type), value)));
}

Value KernelBuilder::minusInfinity(Type type) {
  return constant(type, -std::numeric_limits<double>::infinity());
}

Value KernelBuilder::fma(Value lhs, Value rhs, Value acc) {
  if (isa<VectorType>(lhs.getType()))
    return vector::FMAOp::create(*this, lhs, rhs, acc);
  return addf(mulf(lhs, rhs), acc);
}

Value KernelBuilder::maxf(Value lhs, Value rhs) {
  Value greater = cmpf(arith::CmpFPredicate::OGT, lhs, rhs);
  return arith::SelectOp::create(*this, greater, lhs, rhs);
}

Value KernelBuilder::convert(Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType());
  if (from == element)
    return value;
  Type to = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    to = vector.clone(element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(*this, to, value);
  return arith::TruncFOp::create(*this, to, value);
}

Value KernelBuilder::lanesBelow(int64_t lanes, Value count) {
  auto type = VectorType::get(lanes, getI1Type());
  return vector::CreateMaskOp::create(*this, type, ValueRange{count});
}

Value KernelBuilder::vloadPart(VectorType type, Value memref,
                               ValueRange indices, int64_t count) {
  if (count == type.getNumElements())
    return vload(type, memref, indices);
  Value zeros = constant(type, 0.0);
  return vector::MaskedLoadOp::create(
      *this, type, memref, indices,
      lanesBelow(type.getNumElements(), index(count)), zeros);
}

void KernelBuilder::vstorePart(Value value, Value memref, ValueRange indices,
                               int64_t count) {
  int64_t lanes = cast<VectorType>(value.getType()).getNumElements();
  if (count == lanes)
    return vstore(value, memref, indices);
  vector::MaskedStoreOp::create(*this, memref, indices,
                                lanesBelow(lanes, index(count)), value);
}

Value KernelBuilder::scratch(ArrayRef<int64_t> shape, Type element) {
  auto op = memref::AllocaOp::create(*this, MemRefType::get(shape, element));
  op.setAlignment(64);
  return op;
}

void KernelBuilder::loop(Value begin, Value end, int64_t step, LoopBody body) {
  auto op = scf::ForOp::create(*this, begin, end, index(step));
  InsertionGuard guard(*this);
  setInsertionPoint(op.getBody()->getTerminator());
  body(op.getInductionVar());
}

SmallVector<Value> KernelBuilder::loop(Value begin, Value end, int64_t step,
                                       ValueRange inits, CarriedBody body) {
  auto op = scf::ForOp::create(*this, begin, end, index(step), inits);
  {
    InsertionGuard guard(*this);
    setInsertionPointToStart(op.getBody());
    SmallVector<Value> next =
        body(op.getInductionVar(), op.getRegionIterArgs());
    scf::YieldOp::create(*this, next);
  }
  return SmallVector<Value>(op.getResults());
}

void KernelBuilder::parallel(ArrayRef<Value> ends,
                             llvm::function_ref<void(ValueRange)> body) {
  SmallVector<Value> begins(ends.size(), index(0)),
      steps(ends.size(), index(1));
  auto op = scf::ParallelOp::create(*this, begins, ends, steps, ValueRange());
  InsertionGuard guard(*this);
  setInsertionPoint(op.getBody()->getTerminator());
  body(op.getInductionVars());
}

void KernelBuilder::ifThen(Value condition, llvm::function_ref<void()> body) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  InsertionGuard guard(*this);
  setInsertionPoint(op.thenBlock()->getTerminator());
  body();
}

void KernelBuilder::ifThenElse(Value condition, llvm::function_ref<void()> then,
                               llvm::function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/true);
  InsertionGuard guard(*this);
  setInsertionPoint(op.thenBlock()->getTerminator());
  then();
  setInsertionPoint(op.elseBlock()->getTerminator());
  otherwise();
}
