//===- MatmulPlan.h - Forms of products and their tiles --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Recognizes matrix products, with a bias or without, and decides in what
// blocks they are computed.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_MATMULPLAN_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_MATMULPLAN_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace mlir::dit {

/// A contraction of two inputs. With a bias, a third input that only the
/// dimensions n index, the sum begins as the bias instead of as the output:
///
///   ^bb0(%a, %b, %bias, %out):
///     %k = linalg.index …; %first = arith.cmpi eq, %k, 0
///     %start = arith.select %first, %bias, %out
///     %product = arith.mulf %a, %b
///     linalg.yield (arith.addf %start, %product)
struct ProductForm {
  linalg::ContractionDimensions dims;
  bool hasBias = false;

  /// The form of `op`; none if it is no product.
  static std::optional<ProductForm> match(linalg::LinalgOp op);
};

/// A contraction `C[b?, m, n] += A[b?, m, k] B[b?, k, n]` in any order of
/// dimensions, and the blocks it is computed in.
struct MatmulPlan {
  unsigned m, n, k;
  std::optional<unsigned> batch;
  /// The dimension that counts panels, if the right-hand side is stored in
  /// panels B[p, k, n] and the output is C[b?, m, p, n]; n is then a column of
  /// a panel.
  std::optional<unsigned> panel;
  /// Whether the third input is what the sums begin as.
  bool hasBias;
  /// Lanes of one vector of the accumulator's type.
  int64_t lanes;
  /// Rows and vectors per row that the accumulators of one tile hold.
  int64_t rows, vectors;
  /// Rows that one task computes.
  int64_t rowBlock;
  /// Panels of `panelWidth()` columns that one task computes, 0 for all.
  int64_t panelBlock;
  /// Whether the right-hand side is copied into panels first.
  bool pack;
  /// Whether threads share the work.
  bool parallel;
  /// f64 for f64, else f32.
  Type accumulator;

  int64_t panelWidth() const { return lanes * vectors; }

  /// The plan for `op` on a machine with vectors of `vectorBits`; none if `op`
  /// is no such product.
  static std::optional<MatmulPlan> get(linalg::LinalgOp op, int64_t vectorBits);
};

/// Whether neighbours along `dim` of `op`, the last dimension of `operand`, are
/// neighbours in memory.
bool isUnitStrideAlong(linalg::LinalgOp op, OpOperand *operand, unsigned dim);

/// The width of the panels that the right-hand side of a product of `rows` and
/// `columns` should be stored in where a vector has `lanes`; 0 for none.
int64_t getPackedWidth(int64_t rows, int64_t columns, int64_t lanes);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_MATMULPLAN_H
