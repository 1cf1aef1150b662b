//===- SoftmaxForm.cpp - Softmax and scores in expressions ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SoftmaxForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit::raise;

bool mlir::dit::raise::containsExpr(
    const Expr *expr, function_ref<bool(const Expr *)> predicate) {
  DenseSet<const Expr *> seen;
  SmallVector<const Expr *> worklist = {expr};
  while (!worklist.empty()) {
    const Expr *current = worklist.pop_back_val();
    if (!seen.insert(current).second)
      continue;
    if (predicate(current))
      return true;
    llvm::append_range(worklist, current->operands);
  }
  return false;
}

static bool sameAxes(ArrayRef<Axis> a, ArrayRef<Axis> b) {
  SmallVector<Axis> left(a), right(b);
  llvm::sort(left);
  llvm::sort(right);
  return left == right;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Takes selects of zero off `expr`.
static const Expr *stripZeroing(const Expr *expr,
                                SmallVectorImpl<ZeroedWhere> &zeroed) {
  for (;;) {
    expr = stripCasts(expr);
    if (!expr->is(ExprKind::Select))
      return expr;
    const Expr *condition = expr->operand(0);
    bool when = true;
    while (condition->is(ExprKind::Not)) {
      condition = condition->operand(0);
      when = !when;
    }
    if (stripCasts(expr->operand(1))->isZero()) {
      zeroed.push_back({condition, when});
      expr = expr->operand(2);
    } else if (stripCasts(expr->operand(2))->isZero()) {
      zeroed.push_back({condition, !when});
      expr = expr->operand(1);
    } else {
      return expr;
    }
  }
}

/// The numerator and denominator of `a / b` and `a * (1 / b)`.
static std::pair<const Expr *, const Expr *> matchDivision(const Expr *expr) {
  if (expr->is(ExprKind::Div))
    return {stripCasts(expr->operand(0)), stripCasts(expr->operand(1))};
  if (expr->is(ExprKind::Mul))
    for (unsigned i : {0, 1}) {
      const Expr *inverse = stripCasts(expr->operand(i));
      if (inverse->is(ExprKind::Div) && inverse->operand(0)->getFloat() == 1.0)
        return {stripCasts(expr->operand(1 - i)),
                stripCasts(inverse->operand(1))};
    }
  return {nullptr, nullptr};
}

bool mlir::dit::raise::isSumOver(const Expr *expr, const Expr *weights,
                                 ArrayRef<Axis> keys) {
  expr = stripCasts(expr);
  return expr->is(ExprKind::Reduce) && expr->combiner == ExprKind::Add &&
         sameAxes(expr->axes, keys) && stripCasts(expr->operand(0)) == weights;
}

std::optional<OutputForm>
mlir::dit::raise::matchOutput(const Expr *output, Operation *contraction) {
  OutputForm form;
  const Expr *expr = stripZeroing(output, form.zeroed);
  auto [numerator, denominator] = matchDivision(expr);
  if (numerator) {
    form.denominator = denominator;
    expr = stripZeroing(numerator, form.zeroed);
  }
  if (!expr->is(ExprKind::Contraction) || expr->op != contraction)
    return std::nullopt;
  form.product = expr;
  return form;
}

/// `exponent` without what is the same for all keys of a row, which a softmax
/// does not see.
static const Expr *stripRowShift(const Expr *exponent, ArrayRef<Axis> keys) {
  for (;;) {
    exponent = stripCasts(exponent);
    if (exponent->is(ExprKind::Sub) && !exponent->operand(1)->dependsOn(keys))
      exponent = exponent->operand(0);
    else if (exponent->is(ExprKind::Add) &&
             !exponent->operand(1)->dependsOn(keys))
      exponent = exponent->operand(0);
    else if (exponent->is(ExprKind::Add) &&
             !exponent->operand(0)->dependsOn(keys))
      exponent = exponent->operand(1);
    else
      return exponent;
  }
}

/// `exp(x - ln(sum exp(x)))`, where both `x` may be shifted by the row's
/// maximum.
static bool isLogSoftmax(const Expr *weights, ArrayRef<Axis> keys) {
  const Expr *exponent = stripCasts(weights->operand(0));
  if (!weights->is(ExprKind::Exp) || !exponent->is(ExprKind::Sub))
    return false;
  const Expr *log = stripCasts(exponent->operand(1));
  if (!log->is(ExprKind::Log))
    return false;
  const Expr *sum = stripCasts(log->operand(0));
  if (!sum->is(ExprKind::Reduce) || sum->combiner != ExprKind::Add ||
      !sameAxes(sum->axes, keys))
    return false;
  const Expr *summed = stripCasts(sum->operand(0));
  return summed->is(ExprKind::Exp) &&
         stripCasts(summed->operand(0)) == stripCasts(exponent->operand(0));
}

std::optional<SoftmaxForm>
mlir::dit::raise::matchSoftmax(const Expr *probabilities, ArrayRef<Axis> keys,
                               Reason &reason) {
  SoftmaxForm form;
  const Expr *expr = stripZeroing(probabilities, form.zeroed);
  auto [numerator, denominator] = matchDivision(expr);
  const Expr *weights = numerator ? stripZeroing(numerator, form.zeroed) : expr;
  if (!weights->is(ExprKind::Exp) && !weights->is(ExprKind::Exp2)) {
    reason = "the probabilities are not a quotient of an exponential";
    return std::nullopt;
  }
  form.weights = weights;
  form.factor = weights->is(ExprKind::Exp) ? 1.0 : llvm::numbers::ln2;
  if (denominator) {
    if (!isSumOver(denominator, weights, keys)) {
      reason = "the denominator is not the sum of the weights over the keys";
      return std::nullopt;
    }
    form.isNormalized = true;
  } else {
    form.isNormalized = isLogSoftmax(weights, keys);
  }
  form.scores = stripRowShift(weights->operand(0), keys);
  return form;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

namespace {

/// Takes scores apart.
class ScoreParser {
public:
  ScoreParser(ScoreForm &form, ArrayRef<Axis> keys, Reason &reason)
      : form(form), keys(keys), reason(reason) {}

  /// Adds `factor * expr` to the form.
  LogicalResult parse(const Expr *expr, double factor);

private:
  /// Whether `expr` may be or hold the product of q and k.
  bool holdsProduct(const Expr *expr) const {
    return containsExpr(expr, [&](const Expr *part) {
      return part->is(ExprKind::Contraction) && part->dependsOn(keys);
    });
  }
  LogicalResult parseSum(const Expr *expr, double factor, double second);
  LogicalResult parseScaled(const Expr *expr, double factor);
  LogicalResult parseSelect(const Expr *expr, double factor);
  LogicalResult fail(const Twine &message) {
    reason = message.str();
    return failure();
  }

  ScoreForm &form;
  ArrayRef<Axis> keys;
  Reason &reason;
};

} // namespace

LogicalResult ScoreParser::parse(const Expr *expr, double factor) {
  expr = stripCasts(expr);
  if (form.product || !holdsProduct(expr)) {
    if (!expr->isZero())
      form.terms.push_back({expr, factor});
    return success();
  }
  switch (expr->kind) {
  case ExprKind::Contraction:
    form.product = expr;
    form.scale = factor;
    return success();
  case ExprKind::Add:
    return parseSum(expr, factor, factor);
  case ExprKind::Sub:
    return parseSum(expr, factor, -factor);
  case ExprKind::Neg:
    return parse(expr->operand(0), -factor);
  case ExprKind::Mul:
  case ExprKind::Div:
    return parseScaled(expr, factor);
  case ExprKind::Select:
    return parseSelect(expr, factor);
  default:
    return fail(expr->op ? Twine("the scores go through ") +
                               expr->op->getName().getStringRef()
                         : Twine("the scores are not linear in a product of q "
                                 "and k"));
  }
}

LogicalResult ScoreParser::parseSum(const Expr *expr, double factor,
                                    double second) {
  if (failed(parse(expr->operand(0), factor)))
    return failure();
  return parse(expr->operand(1), second);
}

LogicalResult ScoreParser::parseScaled(const Expr *expr, double factor) {
  const Expr *lhs = stripCasts(expr->operand(0));
  const Expr *rhs = stripCasts(expr->operand(1));
  if (expr->is(ExprKind::Mul) && lhs->getFloat())
    std::swap(lhs, rhs);
  if (std::optional<double> number = rhs->getFloat())
    return parse(lhs,
                 expr->is(ExprKind::Mul) ? factor * *number : factor / *number);
  if (expr->is(ExprKind::Mul) && !holdsProduct(lhs))
    std::swap(lhs, rhs);
  if (rhs->dependsOn(keys))
    return fail("the scores are scaled by a value that differs between keys");
  size_t numBiases = form.terms.size() + form.masks.size();
  if (failed(parse(lhs, factor)))
    return failure();
  if (form.terms.size() + form.masks.size() != numBiases)
    return fail(
        "scores with a bias are scaled by a value that is not constant");
  form.factors.push_back({rhs, expr->is(ExprKind::Div)});
  return success();
}

// Weights below this are zero next to any score a model produces, and the
// replacement swallows every score in a row that is masked as a whole, where
// the original gives all keys the same weight.
static constexpr double highestFill = -1000.0;
static constexpr double finiteFill = -1e38;

LogicalResult ScoreParser::parseSelect(const Expr *expr, double factor) {
  const Expr *condition = expr->operand(0);
  bool when = true;
  while (condition->is(ExprKind::Not)) {
    condition = condition->operand(0);
    when = !when;
  }
  for (unsigned i : {1, 2}) {
    std::optional<double> fill = stripCasts(expr->operand(i))->getFloat();
    if (!fill)
      continue;
    double effective = *fill * factor;
    if (!(effective <= highestFill))
      return fail("masked scores are filled with " +
                  llvm::formatv("{0}", effective).str() +
                  ", which does not hide them");
    form.masks.push_back({condition, i == 1 ? when : !when,
                          std::isinf(effective) ? effective : finiteFill});
    return parse(expr->operand(3 - i), factor);
  }
  return fail("the scores are selected from two tensors");
}

std::optional<ScoreForm>
mlir::dit::raise::matchScores(const SoftmaxForm &softmax, ArrayRef<Axis> keys,
                              Reason &reason) {
  ScoreForm form;
  ScoreParser parser(form, keys, reason);
  if (failed(parser.parse(softmax.scores, softmax.factor)))
    return std::nullopt;
  if (!form.product) {
    reason = "the scores hold no product over the keys";
    return std::nullopt;
  }
  return form;
}

//===----------------------------------------------------------------------===//
// Guards
//===----------------------------------------------------------------------===//

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
      reason = "the probabilities are zeroed under a condition that is not "
               "that of the scores";
      return false;
    }
    // Zero even in rows that are masked as a whole: what -inf means.
    mask->fill = -std::numeric_limits<double>::infinity();
  }
  return true;
}
