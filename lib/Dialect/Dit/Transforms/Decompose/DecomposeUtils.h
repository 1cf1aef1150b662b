//===- DecomposeUtils.h - What the decompositions share ---------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shorthands that let a decomposition read like the formula of its op, and the
// pattern sets of the single groups of ops.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_DECOMPOSE_DECOMPOSEUTILS_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_DECOMPOSE_DECOMPOSEUTILS_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::dit::decompose {

void populateAttentionPatterns(RewritePatternSet &patterns);
void populateAttentionBackwardPatterns(RewritePatternSet &patterns);
void populateMergePatterns(RewritePatternSet &patterns);
void populateScorePatterns(RewritePatternSet &patterns);
void populateTileListPatterns(RewritePatternSet &patterns);
void populateTokenPatterns(RewritePatternSet &patterns);
void populateTopkPatterns(RewritePatternSet &patterns);

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// A constant of float type `type`.
Value constantFloat(ImplicitLocOpBuilder &b, Type type, double value);
Value constantIndex(ImplicitLocOpBuilder &b, int64_t value);
Value constantBool(ImplicitLocOpBuilder &b, bool value);
/// An i32 `value` as an index; list entries and counts are signed.
Value toIndex(ImplicitLocOpBuilder &b, Value value);
/// An index as an i32.
Value toI32(ImplicitLocOpBuilder &b, Value value);
/// `value` of a float type rounded or extended to `type`.
Value castFloat(ImplicitLocOpBuilder &b, Value value, Type type);
/// Signed or index comparison.
Value isLess(ImplicitLocOpBuilder &b, Value lhs, Value rhs);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Number of tiles of `tile` tokens that cover `length`.
OpFoldResult ceilDiv(ImplicitLocOpBuilder &b, OpFoldResult length,
                     int64_t tile);
/// `extent` as an index value.
Value getExtent(ImplicitLocOpBuilder &b, OpFoldResult extent);
/// Extent `dim` of `tensor` as an index value.
Value getExtent(ImplicitLocOpBuilder &b, Value tensor, int64_t dim);

/// A tensor of `extents` filled with `scalar`.
Value filled(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> extents,
             Value scalar);

/// Position along dimension `dim` of `tensor` for a broadcast index `iv`: 0
/// where the extent is 1.
Value broadcastIndex(ImplicitLocOpBuilder &b, Value tensor, int64_t dim,
                     Value iv);

/// A tensor and the loops that index it.
struct Operand {
  Operand(Value tensor, AffineMap map) : tensor(tensor), map(map) {}
  /// `tensor` indexed by `loops`, of `numLoops` in all.
  Operand(Value tensor, unsigned numLoops, ArrayRef<unsigned> loops);

  Value tensor;
  AffineMap map;
};

/// Computes one element from the elements of the inputs (and of the init,
/// where there is one to accumulate on).
using BodyFn = function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

/// A `linalg.generic` whose last `numReductions` loops reduce; the body sees
/// the inputs' elements and then the init's.
Value generic(ImplicitLocOpBuilder &b, ArrayRef<Operand> inputs, Operand init,
              unsigned numReductions, BodyFn body);

/// The tensor of `extents` with the elements that `body` gives for the
/// inputs' elements.
Value pointwise(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> extents,
                Type elementType, ArrayRef<Operand> inputs, BodyFn body);

/// The tensor of `extents` with the sum over `numReductions` further loops of
/// what `body` gives for the inputs' elements; index or float.
Value sum(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> extents,
          Type elementType, ArrayRef<Operand> inputs, unsigned numReductions,
          BodyFn body);

/// Inside the body of a `linalg.generic`, the current iteration of `loop`.
Value loopIndex(ImplicitLocOpBuilder &b, unsigned loop);

//===----------------------------------------------------------------------===//
// Loops, for lists whose length is known at run time only
//===----------------------------------------------------------------------===//

/// Computes the values carried to the next iteration.
using LoopFn = function_ref<SmallVector<Value>(
    ImplicitLocOpBuilder &, ValueRange ivs, ValueRange carried)>;

/// A nest of `scf.for` from 0 to each of `bounds`; returns what it carried.
SmallVector<Value> forLoops(ImplicitLocOpBuilder &b, ArrayRef<Value> bounds,
                            ValueRange carried, LoopFn body);

/// `tensor` with `scalar` at `indices`, if `condition` holds.
Value insertIf(ImplicitLocOpBuilder &b, Value condition, Value scalar,
               Value tensor, ValueRange indices);

/// `row` of a list's outs read as a row of `list`, whose batch and head
/// dimension may be of extent 1 and then stand for all.
SmallVector<Value> broadcastRow(ImplicitLocOpBuilder &b, Value list,
                                ValueRange row);

/// The entry of an i32 or index element of `tensor` as an index.
Value extractIndex(ImplicitLocOpBuilder &b, Value tensor, ValueRange indices);

} // namespace mlir::dit::decompose

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_DECOMPOSE_DECOMPOSEUTILS_H
