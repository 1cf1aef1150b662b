//===- GuardForm.cpp - Guards of empty rows -------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters zero the probabilities or the output of rows that see no key. Such
// a test is folded into the attention, which gives zeros there.
//
//===----------------------------------------------------------------------===//

#include "SoftmaxForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit::raise;

/// `expr` without finite constants added to it, which leave -inf as it is.
static const Expr *stripConstantShift(const Expr *expr) {
  auto isFinite = [](const Expr *operand) {
    std::optional<double> number = stripCasts(operand)->getFloat();
    return number && std::isfinite(*number);
  };
  for (;;) {
    expr = stripCasts(expr);
    bool isSum = expr->is(ExprKind::Add);
    if ((isSum || expr->is(ExprKind::Sub)) && isFinite(expr->operand(1)))
      expr = expr->operand(0);
    else if (isSum && isFinite(expr->operand(0)))
      expr = expr->operand(1);
    else
      return expr;
  }
}

/// Whether `expr` is true exactly where `scores` are -inf, or with `negated`
/// where they are not.
static bool isMinusInfinityTest(const Expr *expr, const Expr *scores,
                                bool negated) {
  if (expr->is(ExprKind::Not))
    return isMinusInfinityTest(expr->operand(0), scores, !negated);
  if (!expr->is(ExprKind::CmpF))
    return false;
  auto predicate = cast<arith::CmpFPredicateAttr>(expr->attribute).getValue();
  const Expr *lhs = stripConstantShift(expr->operand(0));
  const Expr *rhs = stripConstantShift(expr->operand(1));
  if (rhs == scores)
    std::swap(lhs, rhs);
  if (lhs != scores || !rhs->isNegativeInfinity())
    return false;
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
  case arith::CmpFPredicate::UEQ:
    return !negated;
  case arith::CmpFPredicate::ONE:
  case arith::CmpFPredicate::UNE:
    return negated;
  default:
    return false;
  }
}

/// Whether `expr` is true exactly in the rows whose scores are all -inf.
static bool isEmptyRowTest(const Expr *expr, const Expr *scores,
                           ArrayRef<Axis> keys) {
  if (keys.empty())
    return isMinusInfinityTest(expr, scores, /*negated=*/false);
  if (expr->is(ExprKind::Not)) {
    const Expr *any = expr->operand(0);
    return any->is(ExprKind::Reduce) && any->combiner == ExprKind::Or &&
           sameAxes(any->axes, keys) &&
           isMinusInfinityTest(any->operand(0), scores, /*negated=*/true);
  }
  if (expr->is(ExprKind::Reduce) && expr->combiner == ExprKind::And)
    return sameAxes(expr->axes, keys) &&
           isMinusInfinityTest(expr->operand(0), scores, /*negated=*/false);
  // The row's maximum is -inf.
  if (!expr->is(ExprKind::CmpF))
    return false;
  const Expr *max = stripCasts(expr->operand(0));
  return max->is(ExprKind::Reduce) && max->combiner == ExprKind::Max &&
         sameAxes(max->axes, keys) &&
         stripConstantShift(max->operand(0)) == scores &&
         isMinusInfinityTest(expr, max, /*negated=*/false);
}

/// Whether `expr` is a test of a row of the softmax for NaN.
static bool isNanTest(const Expr *expr, const SoftmaxForm &softmax) {
  if (!expr->is(ExprKind::CmpF) ||
      cast<arith::CmpFPredicateAttr>(expr->attribute).getValue() !=
          arith::CmpFPredicate::UNO)
    return false;
  const Expr *tested = stripCasts(expr->operand(0));
  return tested == stripCasts(expr->operand(1)) &&
         matchDivision(tested).first == softmax.weights;
}

bool mlir::dit::raise::matchGuards(ArrayRef<ZeroedWhere> zeroed,
                                   const SoftmaxForm &softmax,
                                   ScoreForm &scores, ArrayRef<Axis> keys,
                                   Reason &reason) {
  for (const ZeroedWhere &guard : zeroed) {
    const Expr *condition = guard.condition;
    if (guard.when && (isEmptyRowTest(condition, softmax.scores, keys) ||
                       isNanTest(condition, softmax)))
      continue;
    // `not any(score != -inf)` reaches here without its negation.
    if (!guard.when && condition->is(ExprKind::Reduce) &&
        condition->combiner == ExprKind::Or &&
        sameAxes(condition->axes, keys) &&
        isMinusInfinityTest(condition->operand(0), softmax.scores,
                            /*negated=*/true))
      continue;
    auto *mask = llvm::find_if(scores.masks, [&](const ScoreForm::Mask &m) {
      return m.condition == condition && m.when == guard.when;
    });
    if (mask == scores.masks.end()) {
      reason = "probabilities or outputs are zeroed under a condition that is "
               "neither a test for rows of -inf nor a mask of the scores: " +
               describe(condition);
      return false;
    }
    // Zero even in rows that are masked as a whole: what -inf means.
    mask->fill = -std::numeric_limits<double>::infinity();
  }
  return true;
}
