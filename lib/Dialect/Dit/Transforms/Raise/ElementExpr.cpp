//===- ElementExpr.cpp - Elements of tensors as expressions ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Construction and identity of expressions; `Tracer.cpp` builds them from IR.
//
//===----------------------------------------------------------------------===//

#include "ElementExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit::raise;

std::optional<double> Expr::getFloat() const {
  auto number = dyn_cast_or_null<FloatAttr>(attribute);
  if (kind != ExprKind::Constant || !number)
    return std::nullopt;
  return number.getValueAsDouble();
}

bool Expr::isZero() const {
  std::optional<double> number = getFloat();
  return number && *number == 0.0;
}

bool Expr::isNegativeInfinity() const {
  std::optional<double> number = getFloat();
  return number && *number == -std::numeric_limits<double>::infinity();
}

void Expr::Profile(llvm::FoldingSetNodeID &id) const {
  id.AddInteger(static_cast<int>(kind));
  id.AddPointer(type.getAsOpaquePointer());
  for (const Expr *operand : operands)
    id.AddPointer(operand);
  id.AddPointer(attribute.getAsOpaquePointer());
  if (kind == ExprKind::Contraction) {
    id.AddPointer(op);
  } else if (op) {
    id.AddPointer(op->getName().getAsOpaquePointer());
    id.AddPointer(op->getAttrDictionary().getAsOpaquePointer());
  }
  id.AddInteger(static_cast<int>(combiner));
  id.AddPointer(value.getAsOpaquePointer());
  for (const AxisList &dim : view) {
    id.AddInteger(dim.size());
    for (Axis axis : dim)
      id.AddInteger(axis);
  }
  for (Axis axis : axes)
    id.AddInteger(axis);
  for (unsigned dim : broadcastDims)
    id.AddInteger(dim);
}

const Expr *mlir::dit::raise::stripCasts(const Expr *expr) {
  while (expr->is(ExprKind::Cast))
    expr = expr->operand(0);
  return expr;
}

bool mlir::dit::raise::isNeutral(ExprKind combiner, const Expr *expr) {
  if (!expr->is(ExprKind::Constant))
    return false;
  auto integer = dyn_cast<IntegerAttr>(expr->attribute);
  switch (combiner) {
  case ExprKind::Add:
    return expr->isZero();
  case ExprKind::Max:
    return expr->isNegativeInfinity();
  case ExprKind::And:
    return integer && integer.getValue().isAllOnes();
  case ExprKind::Or:
    return integer && integer.getValue().isZero();
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

static void computeFreeAxes(Expr &expr) {
  AxisList free = flatten(expr.view);
  if (expr.is(ExprKind::Index))
    free = expr.axes;
  for (const Expr *operand : expr.operands)
    llvm::append_range(free, operand->free);
  if (expr.is(ExprKind::Reduce))
    llvm::erase_if(
        free, [&](Axis axis) { return llvm::is_contained(expr.axes, axis); });
  llvm::sort(free);
  free.erase(llvm::unique(free), free.end());
  expr.free = std::move(free);
}

const Expr *Tracer::unique(std::unique_ptr<Expr> candidate) {
  llvm::FoldingSetNodeID id;
  candidate->Profile(id);
  void *position = nullptr;
  if (Expr *existing = exprs.FindNodeOrInsertPos(id, position))
    return existing;
  computeFreeAxes(*candidate);
  Expr *expr = candidate.get();
  storage.push_back(std::move(candidate));
  exprs.InsertNode(expr, position);
  return expr;
}

const Expr *Tracer::make(ExprKind kind, Type type,
                         ArrayRef<const Expr *> operands, ExprKind combiner,
                         AxisList axes) {
  // A negation is kept once, and a reduction over nothing is its operand.
  if (kind == ExprKind::Not && operands[0]->is(ExprKind::Not))
    return operands[0]->operand(0);
  if (kind == ExprKind::Reduce && axes.empty())
    return operands[0];
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->type = type;
  expr->operands.assign(operands.begin(), operands.end());
  expr->combiner = combiner;
  expr->axes = std::move(axes);
  return unique(std::move(expr));
}

const Expr *Tracer::constant(TypedAttr value) {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::Constant;
  expr->type = value.getType();
  expr->attribute = value;
  return unique(std::move(expr));
}

const Expr *Tracer::leaf(Value value, const View &view,
                         ArrayRef<unsigned> broadcastDims) {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::Leaf;
  expr->type = getElementTypeOrSelf(value.getType());
  expr->value = value;
  expr->view = view;
  expr->broadcastDims.assign(broadcastDims.begin(), broadcastDims.end());
  expr->origin = value;
  expr->originView = view;
  return unique(std::move(expr));
}

/// The kind of `op`, if it is one that matching looks at.
static ExprKind classify(Operation *op) {
  return llvm::TypeSwitch<Operation *, ExprKind>(op)
      .Case<arith::AddFOp>([](auto) { return ExprKind::Add; })
      .Case<arith::SubFOp>([](auto) { return ExprKind::Sub; })
      .Case<arith::MulFOp>([](auto) { return ExprKind::Mul; })
      .Case<arith::DivFOp>([](auto) { return ExprKind::Div; })
      .Case<arith::NegFOp>([](auto) { return ExprKind::Neg; })
      .Case<math::ExpOp>([](auto) { return ExprKind::Exp; })
      .Case<math::Exp2Op>([](auto) { return ExprKind::Exp2; })
      .Case<math::LogOp>([](auto) { return ExprKind::Log; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>(
          [](auto) { return ExprKind::Max; })
      .Case<arith::SelectOp>([](auto) { return ExprKind::Select; })
      .Case<arith::ExtFOp, arith::TruncFOp>([](auto) { return ExprKind::Cast; })
      .Case<arith::CmpFOp>([](auto) { return ExprKind::CmpF; })
      .Case<arith::AndIOp>([](auto) { return ExprKind::And; })
      .Case<arith::OrIOp>([](auto) { return ExprKind::Or; })
      .Default([](Operation *) { return ExprKind::Other; });
}

static bool isIntegerConstant(const Expr *expr,
                              function_ref<bool(const APInt &)> predicate) {
  auto integer = dyn_cast_or_null<IntegerAttr>(expr->attribute);
  return expr->is(ExprKind::Constant) && integer &&
         predicate(integer.getValue());
}

/// The boolean that was widened to give `expr`, or `expr` if it is one.
static const Expr *getBoolean(const Expr *expr) {
  while (expr->is(ExprKind::Other) &&
         isa<arith::ExtUIOp, arith::ExtSIOp, arith::TruncIOp>(expr->op))
    expr = expr->operand(0);
  return expr->type.isInteger(1) ? expr : nullptr;
}

/// A power of a constant, which is how exporters write `exp2`, or null.
const Expr *Tracer::exponentialOf(const Expr *base, const Expr *exponent) {
  std::optional<double> number = base->getFloat();
  if (!number || !(*number > 0) || !std::isfinite(*number))
    return nullptr;
  Type type = exponent->type;
  if (*number == 2.0)
    return make(ExprKind::Exp2, type, exponent);
  const Expr *factor = constant(FloatAttr::get(type, std::log(*number)));
  return make(ExprKind::Exp, type,
              make(ExprKind::Mul, type, {exponent, factor}));
}

const Expr *Tracer::scalarOp(Operation *op, ArrayRef<const Expr *> operands) {
  Type type = op->getResult(0).getType();
  ExprKind kind = classify(op);
  bool isBoolean = type.isInteger(1);
  if (isa<arith::XOrIOp>(op) && isBoolean)
    for (unsigned i : {0, 1})
      if (isIntegerConstant(operands[i],
                            [](const APInt &bits) { return bits.isAllOnes(); }))
        return make(ExprKind::Not, type, operands[1 - i]);
  if (auto cmp = dyn_cast<arith::CmpIOp>(op)) {
    // `b == 0` and `b != 0` of a widened boolean.
    const Expr *boolean = getBoolean(operands[0]);
    bool isZero = isIntegerConstant(
        operands[1], [](const APInt &bits) { return bits.isZero(); });
    if (boolean && isZero && cmp.getPredicate() == arith::CmpIPredicate::eq)
      return make(ExprKind::Not, type, boolean);
    if (boolean && isZero && cmp.getPredicate() == arith::CmpIPredicate::ne)
      return boolean;
  }
  if (isa<math::PowFOp>(op))
    if (const Expr *power = exponentialOf(operands[0], operands[1]))
      return power;
  auto expr = std::make_unique<Expr>();
  if ((kind == ExprKind::And || kind == ExprKind::Or) && !isBoolean)
    kind = ExprKind::Other;
  expr->kind = kind;
  expr->type = type;
  expr->operands.assign(operands.begin(), operands.end());
  if (auto cmp = dyn_cast<arith::CmpFOp>(op))
    expr->attribute = cmp.getPredicateAttr();
  if (kind == ExprKind::Other)
    expr->op = op;
  return unique(std::move(expr));
}
