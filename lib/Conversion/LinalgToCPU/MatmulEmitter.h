//===- MatmulEmitter.h - Packed matrix products -----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits a matrix product of memrefs as register-blocked vector code over
// packed panels of the right-hand side.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_MATMULEMITTER_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_MATMULEMITTER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace mlir::dit {

/// A contraction `C[b?, m, n] += A[b?, m, k] B[b?, k, n]` in any order of
/// dimensions, and the blocks it is computed in.
struct MatmulPlan {
  unsigned m, n, k;
  std::optional<unsigned> batch;
  /// The dimension that counts panels, if the right-hand side is stored in
  /// panels B[p, k, n] and the output is C[b?, m, p, n]; n is then a column of
  /// a panel.
  std::optional<unsigned> panel;
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

/// The width of the panels that the right-hand side of a product of `rows` and
/// `columns` should be stored in where a vector has `lanes`; 0 for none.
int64_t getPackedWidth(int64_t rows, int64_t columns, int64_t lanes);

/// Emits `op` at the builder's insertion point; `op` stays. With `overwrite`
/// the old contents of the output are ignored, as if they were zero.
void emitMatmul(OpBuilder &builder, linalg::LinalgOp op, const MatmulPlan &plan,
                bool overwrite);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_MATMULEMITTER_H
