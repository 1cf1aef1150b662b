//===- KeyBand.cpp - Masks along diagonals --------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeyBand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

// Evaluating a mask of 2048 x 2048 numbers that exist as they are takes some
// milliseconds, and each layer of a model may have its own.
static constexpr int64_t maxEvaluationCost = int64_t{1} << 22;

KeyBand KeyBand::intersect(const KeyBand &other) const {
  KeyBand both = *this;
  if (other.lower)
    both.lower = lower ? std::max(*lower, *other.lower) : *other.lower;
  if (other.upper)
    both.upper = upper ? std::min(*upper, *other.upper) : *other.upper;
  return both;
}

//===----------------------------------------------------------------------===//
// Comparisons of positions
//===----------------------------------------------------------------------===//

namespace {

/// `query * i + key * j + offset` for query `i` and key `j`.
struct Position {
  int64_t query = 0, key = 0, offset = 0;

  Position scaled(int64_t factor) const {
    return {query * factor, key * factor, offset * factor};
  }
  Position operator+(const Position &other) const {
    return {query + other.query, key + other.key, offset + other.offset};
  }
  bool isConstant() const { return query == 0 && key == 0; }
};

} // namespace

/// `expr` as a function of the position, if it is linear. Positions are far
/// below the limits of any integer type that holds them.
static std::optional<Position>
getPosition(const Expr *expr, ArrayRef<Axis> queries, ArrayRef<Axis> keys) {
  auto recur = [&](unsigned i) {
    return getPosition(expr->operand(i), queries, keys);
  };
  if (expr->is(ExprKind::Index)) {
    if (expr->axes == queries)
      return Position{1, 0, 0};
    if (expr->axes == keys)
      return Position{0, 1, 0};
    return expr->axes.empty() ? std::make_optional<Position>() : std::nullopt;
  }
  if (expr->is(ExprKind::Constant)) {
    auto integer = dyn_cast<IntegerAttr>(expr->attribute);
    constexpr int64_t limit = int64_t{1} << 30;
    if (!integer || integer.getValue().getSignificantBits() > 64 ||
        std::abs(integer.getInt()) > limit)
      return std::nullopt;
    return Position{0, 0, integer.getInt()};
  }
  if (!expr->is(ExprKind::Other))
    return std::nullopt;
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp>(expr->op))
    return recur(0);
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(expr->op))
    return std::nullopt;
  std::optional<Position> lhs = recur(0), rhs = recur(1);
  if (!lhs || !rhs)
    return std::nullopt;
  if (isa<arith::AddIOp>(expr->op))
    return *lhs + *rhs;
  if (isa<arith::SubIOp>(expr->op))
    return *lhs + rhs->scaled(-1);
  if (lhs->isConstant())
    std::swap(lhs, rhs);
  return rhs->isConstant() ? std::make_optional(lhs->scaled(rhs->offset))
                           : std::nullopt;
}

/// `|key - query| <= n`, in any order.
std::optional<KeyBand> BandAnalysis::solveDistance(const Expr *comparison,
                                                   bool when) const {
  auto cmp = cast<arith::CmpIOp>(comparison->op);
  const Expr *distance = comparison->operand(0);
  std::optional<Position> limit =
      getPosition(comparison->operand(1), queries, keys);
  if (!limit || !limit->isConstant() || !distance->is(ExprKind::Other) ||
      !isa<math::AbsIOp>(distance->op))
    return std::nullopt;
  std::optional<Position> difference =
      getPosition(distance->operand(0), queries, keys);
  if (!difference || difference->offset != 0 ||
      difference->query != -difference->key || std::abs(difference->key) != 1)
    return std::nullopt;
  arith::CmpIPredicate predicate =
      when ? cmp.getPredicate() : arith::invertPredicate(cmp.getPredicate());
  int64_t bound = limit->offset;
  if (predicate == arith::CmpIPredicate::slt)
    --bound;
  else if (predicate != arith::CmpIPredicate::sle)
    return std::nullopt;
  return bound < 0 ? std::nullopt : std::make_optional(KeyBand{-bound, bound});
}

std::optional<KeyBand> BandAnalysis::solveComparison(const Expr *comparison,
                                                     bool when) const {
  auto cmp = cast<arith::CmpIOp>(comparison->op);
  if (std::optional<KeyBand> window = solveDistance(comparison, when))
    return window;
  std::optional<Position> lhs =
      getPosition(comparison->operand(0), queries, keys);
  std::optional<Position> rhs =
      getPosition(comparison->operand(1), queries, keys);
  if (!lhs || !rhs)
    return std::nullopt;
  arith::CmpIPredicate predicate =
      when ? cmp.getPredicate() : arith::invertPredicate(cmp.getPredicate());
  // `difference` compared with zero.
  Position difference = *lhs + rhs->scaled(-1);
  if (difference.key == -1) {
    difference = difference.scaled(-1);
    switch (predicate) {
    case arith::CmpIPredicate::slt:
      predicate = arith::CmpIPredicate::sgt;
      break;
    case arith::CmpIPredicate::sle:
      predicate = arith::CmpIPredicate::sge;
      break;
    case arith::CmpIPredicate::sgt:
      predicate = arith::CmpIPredicate::slt;
      break;
    case arith::CmpIPredicate::sge:
      predicate = arith::CmpIPredicate::sle;
      break;
    default:
      break;
    }
  }
  if (difference.key != 1 || difference.query != -1)
    return std::nullopt;
  // key - query + offset
  int64_t bound = -difference.offset;
  switch (predicate) {
  case arith::CmpIPredicate::slt:
    return KeyBand{std::nullopt, bound - 1};
  case arith::CmpIPredicate::sle:
    return KeyBand{std::nullopt, bound};
  case arith::CmpIPredicate::sgt:
    return KeyBand{bound + 1, std::nullopt};
  case arith::CmpIPredicate::sge:
    return KeyBand{bound, std::nullopt};
  case arith::CmpIPredicate::eq:
    return KeyBand{bound, bound};
  default:
    return std::nullopt;
  }
}

std::optional<KeyBand> BandAnalysis::solve(const Expr *condition,
                                           bool when) const {
  if (condition->is(ExprKind::Not))
    return solve(condition->operand(0), !when);
  if (condition->is(ExprKind::Constant)) {
    auto integer = dyn_cast<IntegerAttr>(condition->attribute);
    return integer && integer.getValue().isZero() != when
               ? std::make_optional<KeyBand>()
               : std::nullopt;
  }
  // Both must be true, or both false.
  if (condition->is(when ? ExprKind::And : ExprKind::Or)) {
    std::optional<KeyBand> lhs = solve(condition->operand(0), when);
    std::optional<KeyBand> rhs = solve(condition->operand(1), when);
    return lhs && rhs ? std::make_optional(lhs->intersect(*rhs)) : std::nullopt;
  }
  if (condition->is(ExprKind::Other) && isa<arith::CmpIOp>(condition->op))
    return solveComparison(condition, when);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

bool BandAnalysis::dependsOnOtherAxes(const Expr *expr) const {
  return llvm::any_of(expr->free, [&](Axis axis) {
    return !llvm::is_contained(queries, axis) &&
           !llvm::is_contained(keys, axis);
  });
}

std::optional<BandAnalysis::Table>
BandAnalysis::tabulate(const Expr *expr) const {
  if (dependsOnOtherAxes(expr))
    return std::nullopt;
  AxisList axes(queries);
  llvm::append_range(axes, keys);
  return evaluate(expr, space, axes, maxEvaluationCost);
}

/// Whether the band holds the diagonal or what is left of it: the key at the
/// position of the query, or those before it.
static bool isBelow(const KeyBand &band) {
  return !band.lower || *band.lower <= 0;
}

std::optional<KeyBand>
BandAnalysis::fitBand(const Table &table,
                      function_ref<bool(double)> isVisible) const {
  int64_t rows = *space.getExtent(queries).getConstant();
  int64_t columns = *space.getExtent(keys).getConstant();
  // The band spanned by what is visible, which must all be visible.
  int64_t lower = columns, upper = -rows;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      if (isVisible(table[i * columns + j])) {
        lower = std::min(lower, j - i);
        upper = std::max(upper, j - i);
      }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = std::max<int64_t>(0, i + lower);
         j <= std::min(columns - 1, i + upper); ++j)
      if (!isVisible(table[i * columns + j]))
        return std::nullopt;
  KeyBand band;
  // A bound at the corner of the scores bounds nothing.
  if (lower > -(rows - 1))
    band.lower = lower;
  if (upper < columns - 1)
    band.upper = upper;
  return isBelow(band) ? std::make_optional(band) : std::nullopt;
}

std::optional<KeyBand> BandAnalysis::findBand(const Expr *condition,
                                              bool when) {
  // A band above the diagonal is no pattern.
  std::optional<KeyBand> band = solve(condition, when);
  if (band)
    return isBelow(*band) ? band : std::nullopt;
  std::optional<Table> table = tabulate(condition);
  if (!table)
    return std::nullopt;
  return fitBand(*table, [&](double value) { return (value != 0) == when; });
}

std::optional<ZeroBand> BandAnalysis::findZeros(const Expr *addend,
                                                double factor) {
  std::optional<Table> table = tabulate(addend);
  if (!table)
    return std::nullopt;
  ZeroBand result;
  for (double &value : *table) {
    value *= factor;
    if (value == 0)
      continue;
    if (!(value <= highestFill))
      return std::nullopt;
    if (std::isfinite(value))
      result.finiteFill = value;
  }
  std::optional<KeyBand> band =
      fitBand(*table, [](double value) { return value == 0; });
  if (!band)
    return std::nullopt;
  result.band = *band;
  return result;
}

bool BandAnalysis::isNowhereEmpty(const KeyBand &band) const {
  if (band.upper &&
      (*band.upper < 0 || (band.lower && *band.lower > *band.upper)))
    return false;
  if (!band.lower)
    return true;
  // The last query sees the last keys, if any.
  std::optional<int64_t> rows = space.getExtent(queries).getConstant();
  std::optional<int64_t> columns = space.getExtent(keys).getConstant();
  return rows && columns && *rows - 1 + *band.lower < *columns;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Makes each addend of a sum a term of its own.
static void splitSums(ScoreForm &scores) {
  // Terms are appended while they are taken apart.
  for (size_t i = 0; i < scores.terms.size(); ++i)
    for (;;) {
      ScoreForm::Term term = scores.terms[i];
      term.expr = stripCasts(term.expr);
      bool isSum = term.expr->is(ExprKind::Add);
      if (!isSum && !term.expr->is(ExprKind::Sub))
        break;
      ScoreForm::Term second = term;
      second.expr = term.expr->operand(1);
      second.factor = isSum ? term.factor : -term.factor;
      scores.terms.push_back(second);
      scores.terms[i].expr = term.expr->operand(0);
    }
}

/// Writes what hides keys by -inf as masks whose conditions are no
/// conjunctions: `select(c, 0, -inf)` added to the scores is the mask `c`, and
/// hiding all but `a and b` is hiding all but `a` and all but `b`.
static void normalizeMasks(ScoreForm &scores) {
  for (ScoreForm::Term &term : scores.terms) {
    const Expr *expr = stripCasts(term.expr);
    while (expr->is(ExprKind::Select)) {
      const Expr *onTrue = stripCasts(expr->operand(1));
      const Expr *onFalse = stripCasts(expr->operand(2));
      bool hidesTrue = onTrue->isNegativeInfinity();
      if (!(term.factor > 0) || !term.factors.empty() ||
          hidesTrue == onFalse->isNegativeInfinity())
        break;
      // It hides whatever masks of the scores put there.
      scores.masks.insert(scores.masks.begin(),
                          {expr->operand(0), hidesTrue,
                           -std::numeric_limits<double>::infinity()});
      expr = hidesTrue ? onFalse : onTrue;
      term.expr = expr;
    }
  }
  llvm::erase_if(scores.terms, [](const ScoreForm::Term &term) {
    return term.expr->isZero();
  });
  // Masks are appended while they are taken apart.
  for (size_t i = 0; i < scores.masks.size(); ++i)
    for (;;) {
      ScoreForm::Mask mask = scores.masks[i];
      if (mask.condition->is(ExprKind::Not)) {
        scores.masks[i] = {mask.condition->operand(0), !mask.when, mask.fill};
      } else if (mask.condition->is(mask.when ? ExprKind::Or : ExprKind::And)) {
        scores.masks[i].condition = mask.condition->operand(0);
        scores.masks.push_back(
            {mask.condition->operand(1), mask.when, mask.fill});
      } else {
        break;
      }
    }
}

/// Takes masks along diagonals out of `scores`.
static KeyBand takeMasks(ScoreForm &scores, BandAnalysis &analysis) {
  KeyBand hidden, weak;
  SmallVector<ScoreForm::Mask, 2> kept, weakMasks;
  for (const ScoreForm::Mask &mask : scores.masks) {
    std::optional<KeyBand> band = analysis.findBand(mask.condition, !mask.when);
    if (!band) {
      kept.push_back(mask);
    } else if (std::isfinite(mask.fill)) {
      weak = weak.intersect(*band);
      weakMasks.push_back(mask);
    } else {
      hidden = hidden.intersect(*band);
    }
  }
  // Keys hidden by a finite number have weights where all others are hidden.
  bool isAlone =
      weakMasks.size() == scores.masks.size() && scores.terms.empty();
  if (isAlone && analysis.isNowhereEmpty(weak))
    hidden = hidden.intersect(weak);
  else
    llvm::append_range(kept, weakMasks);
  scores.masks.assign(kept.begin(), kept.end());
  return hidden;
}

/// Takes addends that hide diagonals out of `scores`.
static KeyBand takeAddends(ScoreForm &scores, BandAnalysis &analysis) {
  bool isAlone = scores.terms.size() == 1 && scores.masks.empty();
  KeyBand visible;
  llvm::erase_if(scores.terms, [&](const ScoreForm::Term &term) {
    if (!term.factors.empty())
      return false;
    std::optional<ZeroBand> zeros = analysis.findZeros(term.expr, term.factor);
    if (!zeros || (zeros->finiteFill &&
                   !(isAlone && analysis.isNowhereEmpty(zeros->band))))
      return false;
    if (zeros->finiteFill)
      scores.hidingFills.push_back(*zeros->finiteFill);
    visible = visible.intersect(zeros->band);
    return true;
  });
  return visible;
}

KeyBand mlir::dit::raise::takeKeyBand(ScoreForm &scores, const AxisSpace &space,
                                      ArrayRef<Axis> queries,
                                      ArrayRef<Axis> keys) {
  BandAnalysis analysis(space, queries, keys);
  ScoreForm rest = scores;
  splitSums(rest);
  normalizeMasks(rest);
  size_t numParts = rest.terms.size() + rest.masks.size();
  KeyBand visible = takeAddends(rest, analysis);
  visible = visible.intersect(takeMasks(rest, analysis));
  // A sum that exists as a tensor is better than its parts. What hides nothing
  // is taken, too.
  if (rest.terms.size() + rest.masks.size() != numParts)
    scores = rest;
  return visible;
}
