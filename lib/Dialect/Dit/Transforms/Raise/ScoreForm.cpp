//===- ScoreForm.cpp - Scores in expressions ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes scores apart into a product, a scale, addends and masks.
//
//===----------------------------------------------------------------------===//

#include "SoftmaxForm.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit::raise;

namespace {

/// Takes scores apart.
class ScoreParser {
public:
  ScoreParser(ScoreForm &form, const Expr *product, ArrayRef<Axis> keys,
              Reason &reason)
      : form(form), product(product), keys(keys), reason(reason) {}

  /// Adds `factor * expr` to the form.
  LogicalResult parse(const Expr *expr, double factor);

private:
  bool holdsProduct(const Expr *expr) const {
    return containsExpr(expr,
                        [&](const Expr *part) { return part == product; });
  }
  LogicalResult parseSum(const Expr *expr, double factor, double second);
  LogicalResult parseScaled(const Expr *expr, double factor);
  LogicalResult parseSelect(const Expr *expr, double factor);
  LogicalResult fail(const Twine &message) {
    reason = message.str();
    return failure();
  }

  ScoreForm &form;
  const Expr *product;
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
  if (expr == product) {
    form.product = expr;
    form.scale = factor;
    return success();
  }
  switch (expr->kind) {
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
    return fail("the scores are not linear in a product of q and k: they are " +
                describe(expr));
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
    return fail("the scores are scaled by a value that differs between keys: " +
                describe(rhs));
  size_t numTerms = form.terms.size(), numMasks = form.masks.size();
  if (failed(parse(lhs, factor)))
    return failure();
  if (form.masks.size() != numMasks)
    return fail("masked scores are scaled by a value that is not constant");
  ScoreForm::RowFactor rowFactor{rhs, expr->is(ExprKind::Div)};
  for (ScoreForm::Term &term : llvm::drop_begin(form.terms, numTerms))
    term.factors.push_back(rowFactor);
  form.factors.push_back(rowFactor);
  return success();
}

// The replacement swallows every score in a row that is masked as a whole,
// where the original gives all keys the same weight.
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
    bool isFinite = std::isfinite(effective);
    form.masks.push_back(
        {condition, i == 1 ? when : !when, isFinite ? finiteFill : effective});
    if (isFinite && !llvm::is_contained(form.hidingFills, effective))
      form.hidingFills.push_back(effective);
    return parse(expr->operand(3 - i), factor);
  }
  return fail("the scores are selected from two tensors");
}

std::optional<ScoreForm>
mlir::dit::raise::matchScores(const SoftmaxForm &softmax, const Expr *product,
                              ArrayRef<Axis> keys, Reason &reason) {
  ScoreForm form;
  ScoreParser parser(form, product, keys, reason);
  if (failed(parser.parse(softmax.scores, softmax.factor)))
    return std::nullopt;
  return form;
}

SmallVector<const Expr *>
mlir::dit::raise::findProducts(const SoftmaxForm &softmax,
                               ArrayRef<Axis> keys) {
  SmallVector<const Expr *> products;
  containsExpr(softmax.scores, [&](const Expr *part) {
    if (part->is(ExprKind::Contraction) &&
        llvm::all_of(keys, [&](Axis key) { return part->dependsOn(key); }))
      products.push_back(part);
    return false;
  });
  return products;
}
