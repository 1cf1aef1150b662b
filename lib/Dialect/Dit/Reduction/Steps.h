//===- Steps.h - Single simplifications -------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step is found by looking at an op and carried out on it or on a copy of it
// in another module, so it holds positions and numbers but no IR. Steps make a
// program strictly simpler: fewer ops, operands or attributes, or smaller
// extents; so taking steps ends. They may change what a program computes.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_REDUCTION_STEPS_H
#define DIT_LIB_DIALECT_DIT_REDUCTION_STEPS_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <functional>

namespace mlir::dit::detail {

using Step = std::function<void(Operation *, RewriterBase &)>;
using Steps = SmallVector<Step>;

/// Attentions without optional operands and with simpler patterns, reuse
/// replaced by one of its regions, schedules by constants, selections by
/// simpler ones, operands by others of the op.
void collectDitSteps(Operation *op, Steps &steps);

/// With smaller extents: the operands are sliced, and the result is put into
/// the rest of the destination.
void collectShrinkSteps(AttentionOp op, Steps &steps);

/// Results replaced by operands or constants, ops without results erased.
void collectGenericSteps(Operation *op, Steps &steps);

/// Arguments and results dropped or narrowed to the part in use, for functions
/// that nobody calls.
void collectFunctionSteps(FunctionOpInterface op, Steps &steps);

/// The part of `value` at offset 0 with the static extents of `type`, by a
/// slice op if it cannot be had more simply.
Value takeFront(RewriterBase &rewriter, Location loc, Value value,
                RankedTensorType type);

/// A value of `type` that needs nothing, or null: zero, or an empty tensor.
Value makePlaceholder(RewriterBase &rewriter, Location loc, Type type);

} // namespace mlir::dit::detail

#endif // DIT_LIB_DIALECT_DIT_REDUCTION_STEPS_H
