//===- KernelBuilder.h - Shorthands to write kernels as IR ------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A builder with the vocabulary of the kernels: folding index arithmetic, loops
// and branches by lambda, vector loads and stores with partial ends. The
// kernels read like the loops that they emit.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_KERNELBUILDER_H
#define DIT_LIB_CONVERSION_DITTOCPU_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::dit::cpu {

class KernelBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  //===--------------------------------------------------------------------===//
  // Index arithmetic
  //===--------------------------------------------------------------------===//

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value add(Value lhs, Value rhs) {
    return createOrFold<arith::AddIOp>(lhs, rhs);
  }
  Value add(Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : add(lhs, index(rhs));
  }
  Value sub(Value lhs, Value rhs) {
    return createOrFold<arith::SubIOp>(lhs, rhs);
  }
  Value mul(Value lhs, Value rhs) {
    return createOrFold<arith::MulIOp>(lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs : mul(lhs, index(rhs));
  }
  Value div(Value lhs, Value rhs) {
    return createOrFold<arith::DivUIOp>(lhs, rhs);
  }
  Value div(Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs : div(lhs, index(rhs));
  }
  Value rem(Value lhs, Value rhs) {
    return createOrFold<arith::RemUIOp>(lhs, rhs);
  }
  Value rem(Value lhs, int64_t rhs) { return rem(lhs, index(rhs)); }
  /// Number of pieces of `rhs` that cover `lhs`.
  Value ceilDiv(Value lhs, int64_t rhs) { return div(add(lhs, rhs - 1), rhs); }
  Value min(Value lhs, Value rhs) {
    return createOrFold<arith::MinSIOp>(lhs, rhs);
  }
  Value max(Value lhs, Value rhs) {
    return createOrFold<arith::MaxSIOp>(lhs, rhs);
  }
  Value cmp(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return createOrFold<arith::CmpIOp>(predicate, lhs, rhs);
  }
  Value lt(Value lhs, Value rhs) {
    return cmp(arith::CmpIPredicate::slt, lhs, rhs);
  }
  Value le(Value lhs, Value rhs) {
    return cmp(arith::CmpIPredicate::sle, lhs, rhs);
  }
  Value eq(Value lhs, Value rhs) {
    return cmp(arith::CmpIPredicate::eq, lhs, rhs);
  }
  Value bit(bool value) {
    return arith::ConstantIntOp::create(*this, value, /*width=*/1);
  }
  Value land(Value lhs, Value rhs) {
    return createOrFold<arith::AndIOp>(lhs, rhs);
  }
  Value lor(Value lhs, Value rhs) {
    return createOrFold<arith::OrIOp>(lhs, rhs);
  }
  Value select(Value condition, Value lhs, Value rhs) {
    return createOrFold<arith::SelectOp>(condition, lhs, rhs);
  }
  Value toIndex(Value integer) {
    return createOrFold<arith::IndexCastOp>(getIndexType(), integer);
  }
  Value toI32(Value value) {
    return createOrFold<arith::IndexCastOp>(getI32Type(), value);
  }

  //===--------------------------------------------------------------------===//
  // Floats, scalar or vector
  //===--------------------------------------------------------------------===//

  /// `value` as a constant of a float type or a vector of one.
  Value constant(Type type, double value);
  /// An integer constant of a type or a vector of one.
  Value integer(Type type, int64_t value);
  Value minusInfinity(Type type);
  Value addf(Value lhs, Value rhs) {
    return arith::AddFOp::create(*this, lhs, rhs);
  }
  Value subf(Value lhs, Value rhs) {
    return arith::SubFOp::create(*this, lhs, rhs);
  }
  Value mulf(Value lhs, Value rhs) {
    return arith::MulFOp::create(*this, lhs, rhs);
  }
  Value fma(Value lhs, Value rhs, Value acc);
  /// `lhs > rhs ? lhs : rhs`, one instruction where `maximumf` is several; a
  /// NaN in `lhs` loses.
  Value maxf(Value lhs, Value rhs);
  Value cmpf(arith::CmpFPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpFOp::create(*this, predicate, lhs, rhs);
  }
  /// Extends or truncates a float, or a vector of them, to `element`.
  Value convert(Value value, Type element);
  Value splat(VectorType type, Value scalar) {
    return vector::BroadcastOp::create(*this, type, scalar);
  }
  Value reduceAdd(Value vector) {
    return vector::ReductionOp::create(*this, vector::CombiningKind::ADD,
                                       vector);
  }
  /// Maximum of the lanes; lanes that are NaN lose or win, as the order falls.
  Value reduceMax(Value vector) {
    return vector::ReductionOp::create(*this, vector::CombiningKind::MAXNUMF,
                                       vector);
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  Value load(Value memref, ValueRange indices) {
    return memref::LoadOp::create(*this, memref, indices);
  }
  void store(Value value, Value memref, ValueRange indices) {
    memref::StoreOp::create(*this, value, memref, indices);
  }
  Value vload(VectorType type, Value memref, ValueRange indices) {
    return vector::LoadOp::create(*this, type, memref, indices);
  }
  void vstore(Value value, Value memref, ValueRange indices) {
    vector::StoreOp::create(*this, value, memref, indices);
  }
  /// Loads the first `count` elements of a vector of `type` and zeros after
  /// them; all of them if `count` is the vector's size.
  Value vloadPart(VectorType type, Value memref, ValueRange indices,
                  int64_t count);
  void vstorePart(Value value, Value memref, ValueRange indices, int64_t count);
  /// The mask of the first `count` lanes.
  Value lanesBelow(int64_t lanes, Value count);
  Value dim(Value memref, int64_t index) {
    return createOrFold<memref::DimOp>(memref, index);
  }
  /// Uninitialised memory of static shape on the stack, aligned for vectors.
  Value scratch(ArrayRef<int64_t> shape, Type element);

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  using LoopBody = llvm::function_ref<void(Value)>;
  using CarriedBody = llvm::function_ref<SmallVector<Value>(Value, ValueRange)>;

  void loop(Value begin, Value end, int64_t step, LoopBody body);
  void loop(int64_t begin, int64_t end, int64_t step, LoopBody body) {
    loop(index(begin), index(end), step, body);
  }
  /// A loop that carries values; `body` returns the next ones.
  SmallVector<Value> loop(Value begin, Value end, int64_t step,
                          ValueRange inits, CarriedBody body);
  /// Nested parallel loops from 0 to `ends`.
  void parallel(ArrayRef<Value> ends,
                llvm::function_ref<void(ValueRange)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);
  void ifThenElse(Value condition, llvm::function_ref<void()> then,
                  llvm::function_ref<void()> otherwise);
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_KERNELBUILDER_H
