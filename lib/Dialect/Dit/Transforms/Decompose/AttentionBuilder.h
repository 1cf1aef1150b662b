//===- AttentionBuilder.h - What attention decompositions share -*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands as tensors of the accumulator type in the order bhsd with one key
// head per query head, which positions are allowed, and their scores: what an
// attention and its gradient both start from.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_DECOMPOSE_ATTENTIONBUILDER_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_DECOMPOSE_ATTENTIONBUILDER_H

#include "DecomposeUtils.h"

namespace mlir::dit::decompose {

/// Loops of the score matrix, in this order wherever they appear.
enum Loop : unsigned { Batch, Head, Query, Key };

class AttentionBuilder {
public:
  AttentionBuilder(ImplicitLocOpBuilder &b, AttentionOpInterface op);

protected:
  const OrderedOperand &getOperand(StringRef name) const;
  /// The operand as a tensor `[batch, heads, length, size]` of the accumulator
  /// type. A head of k or v stands there once for each of its query heads.
  Value loadOperand(StringRef name);
  /// Which positions are allowed; null where all are.
  Value emitMask();
  /// s = scale * q k + bias where allowed, else -inf.
  Value emitScores(Value mask);
  /// Sums over the last dimension of both operands, `[batch, heads, query or
  /// key, size]`, for each position.
  Value emitProducts(Value rows, Value columns);
  /// Loops of a result in dimension order `order`, of those of `bhsd`.
  static SmallVector<unsigned> getLoops(DimOrderAttr order);
  Value zero() { return constantFloat(b, type, 0.0); }

  ImplicitLocOpBuilder &b;
  AttentionOpInterface op;
  Type type;
  SmallVector<OrderedOperand> operands;
  OpFoldResult batch, heads, keyHeads, queries, keys, headSize, valueSize;

private:
  Value repeatHeads(Value operand, DimOrderAttr order,
                    ArrayRef<OpFoldResult> extents);
  Value emitListedTiles();

  /// Extent of dimension `letter`, from the first operand that states it.
  OpFoldResult getExtentOf(char letter, ArrayRef<OperandRole> roles) const;
};

} // namespace mlir::dit::decompose

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_DECOMPOSE_ATTENTIONBUILDER_H
