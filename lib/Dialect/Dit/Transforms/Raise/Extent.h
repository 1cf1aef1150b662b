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

/// A polynomial over unknown sizes with integer coefficients, such as 4 * s or
/// 2 * s + 2; never empty.
class Extent {
public:
  /// Dimension `second` of the tensor `first`, or with -1 the scalar `first`.
  using Symbol = std::pair<Value, int64_t>;

  Extent(int64_t constant = 1) : terms({Term{constant, {}}}) {}
  static Extent symbol(Value value, int64_t dim);

  bool isOne() const { return getConstant() == 1; }
  std::optional<int64_t> getConstant() const;
  /// Whether it is built from dimensions, which are not negative.
  bool isNonNegative() const;

  Extent operator+(const Extent &other) const;
  Extent operator*(const Extent &other) const;
  /// The quotient, if `other` divides this.
  std::optional<Extent> divide(const Extent &other) const;
  bool operator==(const Extent &other) const { return terms == other.terms; }

  /// Emits the extent as an index value.
  OpFoldResult materialize(OpBuilder &builder, Location loc) const;

private:
  /// A product of a constant and sizes.
  struct Term {
    int64_t factor;
    /// Sorted; a size that occurs twice stands twice.
    SmallVector<Symbol, 2> symbols;

    Term operator*(const Term &other) const;
    std::optional<Term> divide(const Term &other) const;
    Value materialize(OpBuilder &builder, Location loc) const;
    bool operator==(const Term &other) const {
      return factor == other.factor && symbols == other.symbols;
    }
  };

  void add(const Term &term);

  /// Sorted by their symbols, which differ, those with more symbols first. No
  /// factor is zero unless the term is the only one.
  SmallVector<Term, 1> terms;
};

/// The extent of dimension `dim` of `tensor`, looking through its producers.
Extent getExtent(Value tensor, int64_t dim);

/// The value of an integer or index as an extent; sizes are not negative.
Extent getExtent(OpFoldResult size);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_EXTENT_H
