//===- ResultPlacement.h - Results into memory of the caller ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Buffers that functions return become arguments.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_TARGET_RESULTPLACEMENT_H
#define DIT_LIB_TARGET_RESULTPLACEMENT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::dit {

/// Lets the callers of `function` bring the memory of what it returns, where
/// its extents follow from the arguments; `calls` are all of its calls, and
/// each gets an allocation and may be replaced. An entry takes all of its
/// dynamic results at their places among its arguments, or none. Returns the
/// extents of those, computed in the entry.
SmallVector<Value> placeResults(func::FuncOp function,
                                SmallVectorImpl<func::CallOp> &calls);

} // namespace mlir::dit

#endif // DIT_LIB_TARGET_RESULTPLACEMENT_H
