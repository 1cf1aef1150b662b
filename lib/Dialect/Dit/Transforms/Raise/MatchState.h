//===- MatchState.h - What a match keeps ------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_MATCHSTATE_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_MATCHSTATE_H

#include "KindInference.h"
#include "SoftmaxForm.h"
#include "dit/Dialect/Dit/Transforms/Raise.h"

#include "mlir/IR/Builders.h"

namespace mlir::dit::raise {

/// The axes and expressions behind a match.
struct MatchState {
  AxisSpace space;
  std::unique_ptr<Tracer> tracer;
  ScoreForm scores;
  KindEvidence evidence;
};

/// A tensor and the axes of its dimensions.
struct ViewedValue {
  Value value;
  View view;
};

/// The extents of the dimensions of `view`.
SmallVector<OpFoldResult> getSizes(OpBuilder &builder, Location loc,
                                   const AxisSpace &space, const View &view);

/// Emits `source` with dimensions `wanted`: reshapes, and a transpose or a
/// broadcast where the order or an axis differs. Along axes of the source that
/// are not in `wanted` its elements are the same, and one of them is taken.
Value rearrange(OpBuilder &builder, Location loc, const AxisSpace &space,
                ViewedValue source, const View &wanted);

/// Emits the broadcast of `dims` of `source` in case they are of extent one.
Value emitDynamicBroadcast(OpBuilder &builder, Location loc,
                           const AxisSpace &space, ViewedValue source,
                           ArrayRef<unsigned> dims);

/// `value`, a float, in the float type `type`.
Value castScalar(OpBuilder &builder, Location loc, Value value, Type type);

/// `value` with elements of `type`.
Value castElements(OpBuilder &builder, Location loc, Value value, Type type);

/// Whether `expr` can be computed from tensors that exist.
bool isEmittable(const Expr *expr);

/// Whether `value` is a weight: a constant in any layout.
bool isWeightTensor(Value value);

/// The activation that a linear layer `op` projects, or null.
Value getProjected(Operation *op);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_MATCHSTATE_H
