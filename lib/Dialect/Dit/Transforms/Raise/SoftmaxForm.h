//===- SoftmaxForm.h - Softmax and scores in expressions --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The algebra of the match: what a softmax over the keys is, in any of the ways
// it is written, and how scores fall apart into a product, a scale and a bias.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_SOFTMAXFORM_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_SOFTMAXFORM_H

#include "ElementExpr.h"

namespace mlir::dit::raise {

/// Why a step failed, in words.
using Reason = std::string;

/// A value that is zero where `condition` has the value `when`.
struct ZeroedWhere {
  const Expr *condition;
  bool when;
};

/// `exp(factor * scores - anything of the row)`, normalised over the keys here
/// or after the product with the values.
struct SoftmaxForm {
  const Expr *weights = nullptr;
  const Expr *scores = nullptr;
  double factor = 1.0;
  bool isNormalized = false;
  SmallVector<ZeroedWhere, 1> zeroed;
};

/// `product`, normalised afterwards by `denominator` if there is one.
struct OutputForm {
  const Expr *product = nullptr;
  const Expr *denominator = nullptr;
  SmallVector<ZeroedWhere, 1> zeroed;
};

/// `scale * factors * product` plus a bias: terms with factors, and masks that
/// put `fill` where `condition` has the value `when`.
struct ScoreForm {
  /// A scale that is the same for all keys of a row.
  struct RowFactor {
    const Expr *expr;
    bool isDivisor;
  };
  struct Term {
    const Expr *expr;
    double factor;
    SmallVector<RowFactor, 1> factors = {};
  };
  struct Mask {
    const Expr *condition;
    bool when;
    double fill;
  };
  const Expr *product = nullptr;
  double scale = 1.0;
  SmallVector<RowFactor, 1> factors;
  SmallVector<Term, 2> terms;
  SmallVector<Mask, 2> masks;
  /// Finite numbers that masks put in place of scores and that were taken to
  /// hide a key as -inf does.
  SmallVector<double, 1> hidingFills;
};

/// The largest finite number that is taken to hide a key: its weight beside any
/// score that a model produces is zero.
inline constexpr double highestFill = -1000.0;

/// The product that the elements of the output are, `contraction` being its op.
std::optional<OutputForm> matchOutput(const Expr *output,
                                      Operation *contraction);

/// Fails with a reason. `keys` are the axes summed over with the values.
std::optional<SoftmaxForm> matchSoftmax(const Expr *probabilities,
                                        ArrayRef<Axis> keys, Reason &reason);

/// Whether `expr` is the sum of `weights` over `keys`.
bool isSumOver(const Expr *expr, const Expr *weights, ArrayRef<Axis> keys);

/// The contractions that may be the product of q and k: those that the scores
/// are linear in and that depend on the keys.
SmallVector<const Expr *> findProducts(const SoftmaxForm &softmax,
                                       ArrayRef<Axis> keys);

/// The scores as a function of `product`. Fails with a reason.
std::optional<ScoreForm> matchScores(const SoftmaxForm &softmax,
                                     const Expr *product, ArrayRef<Axis> keys,
                                     Reason &reason);

/// Whether what zeroes probabilities or outputs does so only in rows without a
/// finite score. May make masks exact that the guard repeats. Fails with a
/// reason.
bool matchGuards(ArrayRef<ZeroedWhere> zeroed, const SoftmaxForm &softmax,
                 ScoreForm &scores, ArrayRef<Axis> keys, Reason &reason);

/// What `expr` is, for a reason: the operation that was not looked through, or
/// the arithmetic.
std::string describe(const Expr *expr);

/// `a` and `b` hold the same axes.
bool sameAxes(ArrayRef<Axis> a, ArrayRef<Axis> b);

/// The numerator and denominator of `a / b` and `a * (1 / b)`, or null.
std::pair<const Expr *, const Expr *> matchDivision(const Expr *expr);

/// Whether some part of `expr` satisfies `predicate`.
bool containsExpr(const Expr *expr, function_ref<bool(const Expr *)> predicate);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_SOFTMAXFORM_H
