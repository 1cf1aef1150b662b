//===- MatchRoles.cpp - Roles of the axes of a match ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The axes that each operand of the two contractions has decide what they are:
// batch, heads, groups of heads, queries, keys, and the two head sizes.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

static bool isSubset(ArrayRef<Axis> a, ArrayRef<Axis> b) {
  return llvm::all_of(a,
                      [&](Axis axis) { return llvm::is_contained(b, axis); });
}

static bool sameSet(ArrayRef<Axis> a, ArrayRef<Axis> b) {
  return isSubset(a, b) && isSubset(b, a);
}

/// Takes widening casts, and with `takeFactors` constant factors, off `expr`,
/// as far as a tensor holds what is left.
static PeeledOperand peelOperand(const Expr *expr, bool takeFactors) {
  PeeledOperand best{expr, 1.0};
  double scale = 1.0;
  for (;;) {
    if (expr->origin)
      best = {expr, scale};
    bool widens = expr->is(ExprKind::Cast) &&
                  expr->type.getIntOrFloatBitWidth() >
                      expr->operand(0)->type.getIntOrFloatBitWidth();
    bool isScaled = expr->is(ExprKind::Mul) || expr->is(ExprKind::Div);
    if (!widens && !(isScaled && takeFactors))
      return best;
    if (isScaled) {
      std::optional<double> lhs = stripCasts(expr->operand(0))->getFloat();
      std::optional<double> rhs = stripCasts(expr->operand(1))->getFloat();
      bool isProduct = expr->is(ExprKind::Mul);
      if (!rhs && !(lhs && isProduct))
        return best;
      scale = isProduct ? scale * (rhs ? *rhs : *lhs) : scale / *rhs;
      expr = expr->operand(rhs ? 0 : 1);
      continue;
    }
    expr = expr->operand(0);
  }
}

/// Whether `expr` is an element of a weight: scores against it are a layer.
static bool isWeight(const Expr *expr) {
  if (!expr->is(ExprKind::Leaf))
    return expr->is(ExprKind::Constant);
  Operation *op = expr->value.getDefiningOp();
  return op &&
         (op->hasTrait<OpTrait::ConstantLike>() ||
          isa<ml_program::GlobalLoadConstOp, ml_program::GlobalLoadOp>(op));
}

/// Tells the operand of the scores with the keys from the one with the rows.
LogicalResult AttentionMatcher::assignSides() {
  ArrayRef<Axis> keys = values.reduction;
  keysOnLeft = isSubset(keys, products.lhsOnly);
  // One key has no axis, so the rows tell.
  if (keys.empty())
    keysOnLeft = products.lhsOnly.empty() && !products.rhsOnly.empty();
  const AxisList &keySide = keysOnLeft ? products.lhsOnly : products.rhsOnly;
  if (!sameSet(keySide, keys))
    return fail("the operand of the scores with the keys has other dimensions "
                "that the queries do not share, as a linear layer has");
  const AxisList &rows = keysOnLeft ? products.rhsOnly : products.lhsOnly;
  if (!sameSet(products.batch, values.batch) || !sameSet(rows, getValueRows()))
    return fail("the two products are not batched over the same dimensions");
  q = peelOperand(keysOnLeft ? products.rhs : products.lhs,
                  /*takeFactors=*/true);
  k = peelOperand(keysOnLeft ? products.lhs : products.rhs,
                  /*takeFactors=*/true);
  v = peelOperand(side == 0 ? values.rhs : values.lhs, /*takeFactors=*/false);
  return success();
}

/// A product with a weight is a linear layer, and its softmax one over features
/// or experts. Queries that are weights of each head are learned: a layer
/// shares no dimension with its input but the one it sums over.
LogicalResult AttentionMatcher::checkNoLayer() {
  bool hasLearnedQueries = llvm::any_of(products.batch, [&](Axis axis) {
    return llvm::is_contained(q.expr->free, axis);
  });
  if (isWeight(k.expr) || (isWeight(q.expr) && !hasLearnedQueries))
    return fail("the scores are a product with a weight, a linear layer");
  return success();
}

LogicalResult AttentionMatcher::assignRoles() {
  if (failed(assignSides()) || failed(checkNoLayer()))
    return failure();
  sortAxes(keysOnLeft ? products.rhsOnly : products.lhsOnly);
  return success();
}

/// In the order of the scores: axes of q, k and v, axes that only q has, and
/// rows.
void AttentionMatcher::sortAxes(ArrayRef<Axis> rows) {
  ArrayRef<Axis> keys = values.reduction;
  SmallVector<Axis, 4> order;
  for (Axis axis : flatten(state->scores.product->view))
    if (!llvm::is_contained(keys, axis))
      order.push_back(axis);
  SmallVector<Axis, 4> shared;
  for (Axis axis : order) {
    if (llvm::is_contained(rows, axis)) {
      match.queries.push_back(axis);
    } else if (llvm::is_contained(k.expr->free, axis) ||
               llvm::is_contained(v.expr->free, axis)) {
      shared.push_back(axis);
    } else {
      match.groups.push_back(axis);
    }
  }
  match.keys.assign(keys.begin(), keys.end());
  SmallVector<Axis, 4> heads = findHeads(order, shared);
  for (Axis axis : shared)
    (llvm::is_contained(heads, axis) ? match.heads : match.batch)
        .push_back(axis);
  // Rows that are heads share the keys of the other heads.
  if (match.queries.size() > 1)
    llvm::erase_if(match.queries, [&](Axis axis) {
      bool isHeadRow = llvm::is_contained(heads, axis);
      if (isHeadRow)
        match.groups.push_back(axis);
      return isHeadRow;
    });
}

/// Heads are what stands beside the head size in some tensor, and what stands
/// beside them. Without such evidence the last of two dimensions is the heads;
/// a single one is the batch.
SmallVector<Axis, 4> AttentionMatcher::findHeads(ArrayRef<Axis> order,
                                                 ArrayRef<Axis> shared) const {
  SmallVector<Axis, 4> heads;
  auto grow = [&] {
    for (bool changed = true; changed;) {
      changed = false;
      for (Axis axis : order)
        if (!llvm::is_contained(heads, axis) && isHead(axis, heads)) {
          heads.push_back(axis);
          changed = true;
        }
    }
  };
  grow();
  if (heads.empty() && !shared.empty()) {
    // Beside the heads of q that share it.
    bool besideGroup = llvm::any_of(
        match.groups, [&](Axis group) { return isHead(group, shared.back()); });
    if (shared.size() > 1 || besideGroup)
      heads.push_back(shared.back());
    grow();
  }
  return heads;
}

bool AttentionMatcher::isHead(Axis axis, ArrayRef<Axis> known) const {
  auto marks = [&](const View &view, ArrayRef<Axis> depth) {
    for (const AxisList &dim : view)
      if (llvm::is_contained(dim, axis))
        return llvm::any_of(dim, [&](Axis other) {
          return other != axis && (llvm::is_contained(depth, other) ||
                                   llvm::is_contained(known, other));
        });
    return false;
  };
  const AxisList &valueDepth = getValueDepth();
  return marks(q.expr->originView, products.reduction) ||
         marks(k.expr->originView, products.reduction) ||
         marks(v.expr->originView, valueDepth) || marks(outputView, valueDepth);
}

LogicalResult AttentionMatcher::assignDepths() {
  match.depth = products.reduction;
  match.valueDepth = getValueDepth();
  for (ArrayRef<Axis> depth :
       {ArrayRef<Axis>(match.depth), ArrayRef<Axis>(match.valueDepth)})
    if (!state->space.getExtent(depth).getConstant())
      return fail("the head size is not static");
  SmallVector<Axis> all;
  for (ArrayRef<Axis> role :
       {ArrayRef<Axis>(match.batch), ArrayRef<Axis>(match.heads),
        ArrayRef<Axis>(match.groups), ArrayRef<Axis>(match.queries)})
    all.append(role.begin(), role.end());
  SmallVector<Axis> allQ(all), allK(match.batch.begin(), match.batch.end()),
      allV;
  llvm::append_range(allQ, match.depth);
  llvm::append_range(allK, match.heads);
  llvm::append_range(allK, match.keys);
  allV = allK;
  llvm::append_range(allK, match.depth);
  llvm::append_range(allV, match.valueDepth);
  if (!isSubset(q.expr->free, allQ) || !isSubset(k.expr->free, allK) ||
      !isSubset(v.expr->free, allV))
    return fail("q, k or v depends on a dimension of another role");
  llvm::append_range(all, match.keys);
  return checkBias(all);
}

/// Whether what is added to or multiplies the scores can be computed and
/// depends on no other axes than `all`.
LogicalResult AttentionMatcher::checkBias(ArrayRef<Axis> all) {
  auto check = [&](const Expr *expr, StringRef what) -> LogicalResult {
    if (!isSubset(expr->free, all))
      return fail(what + " depends on a dimension that the scores lack");
    if (!isEmittable(expr))
      return fail(what + " is not computed from tensors that exist: it is " +
                  describe(expr));
    return success();
  };
  for (const ScoreForm::Term &term : state->scores.terms) {
    if (failed(check(term.expr, "a bias or shift of the scores that is not the "
                                "same for all keys of a row")))
      return failure();
    for (const ScoreForm::RowFactor &factor : term.factors)
      if (failed(check(factor.expr, "the scale of a bias")))
        return failure();
  }
  for (const ScoreForm::Mask &mask : state->scores.masks)
    if (failed(check(mask.condition, "the mask")))
      return failure();
  for (const ScoreForm::RowFactor &factor : state->scores.factors)
    if (failed(check(factor.expr, "the scale of the scores")))
      return failure();
  return success();
}
