//===- KeyBand.h - Masks along diagonals ------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Causal and window masks arrive as constants, or computed from positions. A
// mask that hides exactly the keys outside of a band of diagonals becomes that
// band, so that nothing of the size of the scores is stored.
//
// There are two proofs. Comparisons of positions are solved for any extents;
// any other mask of constants and positions is evaluated for every query and
// key, while that is cheap.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_KEYBAND_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_KEYBAND_H

#include "SoftmaxForm.h"
#include "dit/Dialect/Dit/Transforms/Raise.h"

namespace mlir::dit::raise {

/// Where an addend of the scores is zero, and some finite number that hides the
/// other keys, if they are not all hidden by -inf.
struct ZeroBand {
  KeyBand band;
  std::optional<double> finiteFill;
};

/// Answers which keys a mask leaves visible to a query.
class BandAnalysis {
public:
  BandAnalysis(const AxisSpace &space, ArrayRef<Axis> queries,
               ArrayRef<Axis> keys)
      : space(space), queries(queries), keys(keys) {}

  /// Where `condition` has the value `when`, if that is a band.
  std::optional<KeyBand> findBand(const Expr *condition, bool when);

  /// Where `addend` times `factor` is zero, if that is a band outside of which
  /// it hides every key.
  std::optional<ZeroBand> findZeros(const Expr *addend, double factor);

  /// Whether every query is proven to see a key of `band`.
  bool isNowhereEmpty(const KeyBand &band) const;

private:
  /// A number for every query and key, row by row.
  using Table = std::vector<double>;

  bool dependsOnOtherAxes(const Expr *expr) const;
  std::optional<KeyBand> solve(const Expr *condition, bool when) const;
  std::optional<KeyBand> solveDistance(const Expr *comparison, bool when) const;
  std::optional<KeyBand> solveComparison(const Expr *comparison,
                                         bool when) const;
  std::optional<Table> tabulate(const Expr *expr) const;
  std::optional<KeyBand> fitBand(const Table &table,
                                 function_ref<bool(double)> isVisible) const;

  const AxisSpace &space;
  ArrayRef<Axis> queries, keys;
};

/// Moves masks and addends of `scores` that hide diagonals into a band, where
/// that is exactly what they mean: a mask that hides by a finite number leaves
/// rows without a visible key with weights, so it moves only if it is alone and
/// no row is without one.
KeyBand takeKeyBand(ScoreForm &scores, const AxisSpace &space,
                    ArrayRef<Axis> queries, ArrayRef<Axis> keys);

/// Evaluates `expr`, arithmetic over positions and constant tensors, for all
/// values of `axes`, the last one fastest. Fails if it is anything else, or if
/// that would take more than `maxCost` steps.
std::optional<std::vector<double>> evaluate(const Expr *expr,
                                            const AxisSpace &space,
                                            ArrayRef<Axis> axes,
                                            int64_t maxCost);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_KEYBAND_H
