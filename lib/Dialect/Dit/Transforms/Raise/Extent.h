//===- Extent.h - Symbolic extents of dimensions ----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reshapes of dynamic tensors say how dimensions relate only through size
// arithmetic. An extent is a product of a constant and unknown sizes, enough to
// see that `[b, 4, s, 16]` and `[4 b, s, 16]` are groupings of each other.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_EXTENT_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_EXTENT_H

#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"

#include <optional>

namespace mlir {
class OpBuilder;
} // namespace mlir

namespace mlir::dit::raise {

/// A product of a constant and unknown sizes.
class Extent {
public:
  /// Dimension `second` of the tensor `first`, or with -1 the scalar `first`.
  using Symbol = std::pair<Value, int64_t>;

  Extent(int64_t factor = 1) : factor(factor) {}
  static Extent symbol(Value value, int64_t dim);

  bool isOne() const { return factor == 1 && symbols.empty(); }
  std::optional<int64_t> getConstant() const;
  /// Whether it is built from dimensions, which are not negative.
  bool isNonNegative() const;

  Extent operator*(const Extent &other) const;
  /// The quotient, if `other` divides this.
  std::optional<Extent> divide(const Extent &other) const;
  bool operator==(const Extent &other) const {
    return factor == other.factor && symbols == other.symbols;
  }

  /// Emits the extent as an index value.
  OpFoldResult materialize(OpBuilder &builder, Location loc) const;

private:
  int64_t factor;
  /// Sorted; a size that occurs twice stands twice.
  SmallVector<Symbol, 2> symbols;
};

/// The extent of dimension `dim` of `tensor`, looking through its producers.
Extent getExtent(Value tensor, int64_t dim);

/// The value of an integer or index as an extent; sizes are not negative.
Extent getExtent(OpFoldResult size);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_EXTENT_H
