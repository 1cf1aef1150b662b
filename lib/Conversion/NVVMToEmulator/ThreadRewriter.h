//===- ThreadRewriter.h - Operations of threads to calls --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rewriting of one function, in two files: ThreadConverter.cpp has what
// concerns a thread and its warp, MatrixAndCopyOps.cpp matrices, asynchronous
// copies and mbarriers.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_NVVMTOEMULATOR_THREADREWRITER_H
#define DIT_LIB_CONVERSION_NVVMTOEMULATOR_THREADREWRITER_H

#include "ThreadConverter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mlir::dit::emulator {

/// Converts the operations of one function.
class ThreadRewriter {
public:
  ThreadRewriter(LLVM::LLVMFuncOp function, EmulatorCalls &calls,
                 const SharedLayout &shared)
      : function(function), calls(calls), shared(shared),
        builder(function.getLoc(), function.getContext()),
        i1(builder.getI1Type()), i32(builder.getI32Type()),
        i64(builder.getI64Type()),
        pointer(LLVM::LLVMPointerType::get(function.getContext())) {}

  LogicalResult convert();

private:
  LogicalResult convertOp(Operation *op);
  LogicalResult convertUpstream(Operation *op);
  LogicalResult convertMemory(Operation *op);
  LogicalResult convertSync(Operation *op);
  LogicalResult convertWarp(Operation *op);
  LogicalResult convertMatrix(Operation *op);
  LogicalResult convertCopy(Operation *op);
  LogicalResult convertMBarrier(Operation *op);
  bool convertRegister(Operation *op);

  Value arrive(Operation *op, Value barrier, Value bytes, Value count,
               bool drop);
  void testMBarrier(Operation *op, Value barrier, Value phase, bool blocks);
  void convertMma(NVVM::MmaOp op);
  LogicalResult checkMma(NVVM::MmaOp op);
  void noteAccess(Operation *op, Value address, Type type, bool write,
                  bool atomic);

  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, type,
                                    builder.getIntegerAttr(type, value));
  }
  /// `value`, or the constant if it is absent.
  Value orConstant(Value value, int64_t otherwise) {
    return value ? value : constant(i32, otherwise);
  }
  /// Puts `values`, of 32 bits each, into an array.
  Value store(ValueRange values, Type element);
  /// The array's elements, as a value of `type`: one of them or a struct.
  Value load(Value array, Type type, Type element);
  Value bitcast(Value value, Type type) {
    return value.getType() == type
               ? value
               : LLVM::BitcastOp::create(builder, type, value).getResult();
  }
  void replace(Operation *op, Value value) {
    if (value)
      op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }

  LLVM::LLVMFuncOp function;
  EmulatorCalls &calls;
  const SharedLayout &shared;
  ImplicitLocOpBuilder builder;
  Type i1, i32, i64, pointer;
};

} // namespace mlir::dit::emulator

#endif // DIT_LIB_CONVERSION_NVVMTOEMULATOR_THREADREWRITER_H
