//===- ExtentResolver.h - Extents as functions of arguments -----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Computes extents anew from the arguments of the function that they occur in,
// in that function or, given other values for the arguments, elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_TARGET_EXTENTRESOLVER_H
#define DIT_LIB_TARGET_EXTENTRESOLVER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::dit {

/// Only what depends on nothing but the extents and the index arguments of the
/// function can be resolved. Memory is not read but for shapes whose elements
/// are stored once, whose values are known without.
class ExtentResolver {
public:
  /// Emits at the insertion point of `builder`; `arguments` stand for those of
  /// `function`. Arguments that are missing at the end cannot be resolved.
  ExtentResolver(OpBuilder &builder, func::FuncOp function,
                 ValueRange arguments);

  /// The value of `value`, an index or an integer; null if it depends on more.
  Value resolve(Value value);
  /// Extent `dim` of `memref`.
  Value resolveDim(Value memref, int64_t dim);
  /// Bytes of a memref without layout whose dynamic extents are
  /// `dynamicSizes`.
  Value resolveNumBytes(MemRefType type, ValueRange dynamicSizes);

private:
  Value resolveUncached(Value value);
  Value resolveExtent(OpFoldResult extent);
  Value resolveCollapsed(memref::CollapseShapeOp op, int64_t dim);
  Value makeSafeDivisor(Value lhs, Value rhs);
  Value constant(int64_t value);

  OpBuilder &builder;
  Location loc;
  IRMapping arguments;
  llvm::DenseMap<Value, Value> known;
};

/// The arguments of `function` that the sizes of its buffers may depend on: the
/// inputs of an entry, all arguments of other functions.
ValueRange getSizeArguments(func::FuncOp function);

/// Bytes of one element in memory; nothing for types that have no fixed size.
std::optional<int64_t> getElementBytes(Type type);

/// The value of `value`, made of constants, arithmetic and extents of block
/// arguments, if each of those extents were `extent`.
std::optional<int64_t> evaluateAt(Value value, int64_t extent);

} // namespace mlir::dit

#endif // DIT_LIB_TARGET_EXTENTRESOLVER_H
