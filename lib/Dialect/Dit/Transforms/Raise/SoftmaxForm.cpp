//===- SoftmaxForm.cpp - Softmax in expressions ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ways in which a softmax over the keys is written: with or without the
// row's maximum, divided by its sum before or after the product with the
// values, or as the exponential of a log-softmax.
//
//===----------------------------------------------------------------------===//

#include "SoftmaxForm.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseSet.h"

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

/// The name of an operation, and what about it was not looked through.
static std::string describeOpaque(Operation *op) {
  std::string name = "'" + op->getName().getStringRef().str() + "'";
  bool isGather =
      isa<linalg::LinalgOp>(op) && op->walk([](tensor::ExtractOp) {
                                       return WalkResult::interrupt();
                                     }).wasInterrupted();
  return isGather ? "a gather, or a broadcast along a dimension that is not "
                    "known to be of extent one (" +
                        name + ")"
                  : "the result of " + name + ", which is not looked through";
}

std::string mlir::dit::raise::describe(const Expr *expr) {
  switch (expr->kind) {
  case ExprKind::Constant:
    return "a constant";
  case ExprKind::Leaf:
    return expr->value.getDefiningOp()
               ? describeOpaque(expr->value.getDefiningOp())
               : "an argument";
  case ExprKind::Contraction:
    return "a product of two tensors";
  case ExprKind::Index:
    return "a position";
  case ExprKind::Reduce:
    return "a reduction";
  case ExprKind::Add:
  case ExprKind::Sub:
    return "a sum or a difference";
  case ExprKind::Mul:
  case ExprKind::Div:
    return "a product or a quotient";
  case ExprKind::Select:
    return "a selection";
  case ExprKind::Exp:
  case ExprKind::Exp2:
    return "an exponential";
  case ExprKind::Other:
    return "the result of '" + expr->op->getName().getStringRef().str() + "'";
  default:
    return "arithmetic of another kind";
  }
}

bool mlir::dit::raise::sameAxes(ArrayRef<Axis> a, ArrayRef<Axis> b) {
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

std::pair<const Expr *, const Expr *>
mlir::dit::raise::matchDivision(const Expr *expr) {
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
  // The sum over one key is that key's weight.
  if (keys.empty())
    return expr == weights;
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

namespace {

/// What is subtracted from (or with `added`, added to) all scores of a row.
struct RowShift {
  const Expr *expr;
  bool added;
  bool operator==(const RowShift &other) const {
    return expr == other.expr && added == other.added;
  }
};

/// An exponent: scores and the shifts of the row, which a softmax does not see.
struct ShiftedScores {
  const Expr *scores;
  SmallVector<RowShift, 2> shifts;
};

} // namespace

/// Whether `expr` may be taken off all scores of a row: a finite number, or
/// something computed from the scores, such as their maximum. Anything else
/// that differs between rows only may be -inf and stays a bias.
static bool isRowShift(const Expr *expr, ArrayRef<Axis> keys) {
  if (std::optional<double> number = stripCasts(expr)->getFloat())
    return std::isfinite(*number);
  return !expr->dependsOn(keys) && containsExpr(expr, [&](const Expr *part) {
    return part->is(ExprKind::Reduce) &&
           llvm::any_of(part->axes, [&](Axis axis) {
             return llvm::is_contained(keys, axis);
           });
  });
}

/// Appends the addends of `expr` to `shifts`.
static void collectShifts(const Expr *expr, bool added,
                          SmallVectorImpl<RowShift> &shifts) {
  expr = stripCasts(expr);
  if (expr->is(ExprKind::Add) || expr->is(ExprKind::Sub)) {
    collectShifts(expr->operand(0), added, shifts);
    collectShifts(expr->operand(1), added == expr->is(ExprKind::Add), shifts);
  } else if (expr->is(ExprKind::Neg)) {
    collectShifts(expr->operand(0), !added, shifts);
  } else {
    shifts.push_back({expr, added});
  }
}

static ShiftedScores takeShiftsOff(const Expr *exponent, ArrayRef<Axis> keys) {
  ShiftedScores result{stripCasts(exponent), {}};
  for (;;) {
    const Expr *expr = result.scores;
    bool isSum = expr->is(ExprKind::Add);
    if (!isSum && !expr->is(ExprKind::Sub))
      return result;
    const Expr *lhs = stripCasts(expr->operand(0));
    const Expr *rhs = stripCasts(expr->operand(1));
    // One key is the maximum of its row.
    bool isOwnMaximum = keys.empty() && !isSum && lhs == rhs;
    if (isOwnMaximum || isRowShift(rhs, keys)) {
      collectShifts(rhs, isSum, result.shifts);
      result.scores = lhs;
    } else if (isSum && isRowShift(lhs, keys)) {
      collectShifts(lhs, /*added=*/true, result.shifts);
      result.scores = rhs;
    } else {
      return result;
    }
  }
}

/// `exp(x - m - ln(sum exp(x - m)))` for any shift `m` of the row.
static bool isLogSoftmax(const Expr *weights, const ShiftedScores &exponent,
                         ArrayRef<Axis> keys) {
  if (!weights->is(ExprKind::Exp))
    return false;
  for (const RowShift &shift : exponent.shifts) {
    if (shift.added || !shift.expr->is(ExprKind::Log))
      continue;
    const Expr *sum = stripCasts(shift.expr->operand(0));
    if (!sum->is(ExprKind::Reduce) || sum->combiner != ExprKind::Add ||
        !sameAxes(sum->axes, keys))
      continue;
    const Expr *summed = stripCasts(sum->operand(0));
    if (!summed->is(ExprKind::Exp))
      continue;
    ShiftedScores inner = takeShiftsOff(summed->operand(0), keys);
    SmallVector<RowShift, 2> others(exponent.shifts);
    others.erase(llvm::find(others, shift));
    if (inner.scores == exponent.scores &&
        others.size() == inner.shifts.size() &&
        std::is_permutation(others.begin(), others.end(), inner.shifts.begin()))
      return true;
  }
  return false;
}

std::optional<SoftmaxForm>
mlir::dit::raise::matchSoftmax(const Expr *probabilities, ArrayRef<Axis> keys,
                               Reason &reason) {
  SoftmaxForm form;
  const Expr *expr = stripZeroing(probabilities, form.zeroed);
  auto [numerator, denominator] = matchDivision(expr);
  const Expr *weights = numerator ? stripZeroing(numerator, form.zeroed) : expr;
  if (!weights->is(ExprKind::Exp) && !weights->is(ExprKind::Exp2)) {
    reason =
        "the probabilities are not a quotient of an exponential: they are " +
        describe(weights);
    return std::nullopt;
  }
  form.weights = weights;
  form.factor = weights->is(ExprKind::Exp) ? 1.0 : llvm::numbers::ln2;
  if (denominator) {
    if (!isSumOver(denominator, weights, keys)) {
      reason =
          "the denominator is not the sum of the weights over the keys: it "
          "is " +
          describe(denominator);
      return std::nullopt;
    }
  }
  ShiftedScores exponent = takeShiftsOff(weights->operand(0), keys);
  form.isNormalized = denominator || isLogSoftmax(weights, exponent, keys);
  form.scores = exponent.scores;
  return form;
}
