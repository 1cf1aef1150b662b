//===- ProbeBuilder.h - Numbers about tensors -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builds the ops that measure: sums over a tensor, head by head in f64, errors
// between tensors, shares of softmax mass.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_PROFILE_PROBEBUILDER_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_PROFILE_PROBEBUILDER_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::dit {

/// A tensor, and which of its dimensions are heads and entries of the batch.
struct Probe {
  Value value;
  /// None: everything is one head.
  std::optional<unsigned> headDim;
  unsigned batchDim = 0;

  RankedTensorType getType() const {
    return cast<RankedTensorType>(value.getType());
  }
  int64_t getNumHeads() const {
    return headDim ? getType().getDimSize(*headDim) : 1;
  }
  /// Whether the batch consists of two halves.
  bool hasHalves() const { return getType().getDimSize(batchDim) % 2 == 0; }
  RankedTensorType getHalfType() const {
    SmallVector<int64_t> shape(getType().getShape());
    shape[batchDim] /= 2;
    return getType().clone(shape);
  }
};

/// Every result is a `tensor<heads x f64>`.
class ProbeBuilder {
public:
  using Body = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

  explicit ProbeBuilder(ImplicitLocOpBuilder &builder) : b(builder) {}

  /// The sum of `body` over the elements of `values`, which have the shape of
  /// `like` and are given to `body` as f64.
  Value sum(const Probe &like, ValueRange values, Body body);
  /// The sum of squared differences of two tensors of the shape of `like`.
  Value sumSquaredError(const Probe &like, Value lhs, Value rhs);
  /// The variance times the number of elements.
  Value sumSquaredDeviation(const Probe &probe);
  /// The two halves of the batch.
  std::pair<Value, Value> split(const Probe &probe);

  Value add(Value lhs, Value rhs);
  /// `lhs / rhs`, 0 where `rhs` is 0, times `valid` of `tensor<1xf64>`
  /// unless that is null.
  Value divide(Value lhs, Value rhs, Value valid = {});
  /// `offset + scale * x * valid`.
  Value scale(Value x, double scale, double offset = 0.0, Value valid = {});
  /// The sum of all heads.
  Value sumHeads(Value x);

  /// One minus the share of keys that hold `mass` of the softmax of each row of
  /// `scores`.
  Value measureSparsity(Value scores, double mass);
  /// The scores of each `stride`-th query.
  Value buildScores(AttentionOp attention, int64_t stride);

private:
  /// An elementwise op on tensors of one number for each head, or one for all.
  Value map(ValueRange values, Body body);

  ImplicitLocOpBuilder &b;
};

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_PROFILE_PROBEBUILDER_H
