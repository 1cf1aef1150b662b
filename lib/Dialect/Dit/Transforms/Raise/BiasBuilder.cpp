//===- BiasBuilder.cpp - The bias of a match ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What was added to the scores becomes one tensor. A single addend that exists
// as a tensor is only reshaped; anything else is computed by one elementwise
// operation from the tensors that exist, over the dimensions it depends on.
//
//===----------------------------------------------------------------------===//

#include "MatchState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

namespace {

/// Emits scalars of expressions in the body of an operation whose loops are
/// axes.
class ScalarEmitter {
public:
  ScalarEmitter(const AxisSpace &space, ArrayRef<Axis> loops)
      : space(space), loops(loops) {}

  /// Finds the tensors that `expr` reads.
  void collect(const Expr *expr);
  ArrayRef<const Expr *> getInputs() const { return inputs; }

  /// Emits `expr`; `arguments` are the elements of the inputs.
  Value emit(OpBuilder &builder, Location loc, const Expr *expr,
             ValueRange arguments) const;

private:
  Value emitIndex(OpBuilder &builder, Location loc, const Expr *expr) const;
  Value emitOperation(OpBuilder &builder, Location loc, const Expr *expr,
                      ValueRange operands) const;

  const AxisSpace &space;
  ArrayRef<Axis> loops;
  SmallVector<const Expr *> inputs;
};

} // namespace

static bool isStored(const Expr *expr) {
  return expr->origin && isa<RankedTensorType>(expr->origin.getType()) &&
         !expr->is(ExprKind::Constant);
}

bool mlir::dit::raise::isEmittable(const Expr *expr) {
  if (isStored(expr))
    return true;
  if (expr->is(ExprKind::Reduce) || expr->is(ExprKind::Contraction))
    return false;
  return llvm::all_of(expr->operands, isEmittable);
}

void ScalarEmitter::collect(const Expr *expr) {
  if (isStored(expr)) {
    if (!llvm::is_contained(inputs, expr))
      inputs.push_back(expr);
    return;
  }
  for (const Expr *operand : expr->operands)
    collect(operand);
}

Value ScalarEmitter::emitIndex(OpBuilder &builder, Location loc,
                               const Expr *expr) const {
  Value index = arith::ConstantIndexOp::create(builder, loc, 0);
  for (Axis axis : expr->axes) {
    Value extent = getValueOrCreateConstantIndexOp(
        builder, loc, space.getExtent(axis).materialize(builder, loc));
    Value loop = linalg::IndexOp::create(
        builder, loc, llvm::find(loops, axis) - loops.begin());
    index = arith::MulIOp::create(builder, loc, index, extent);
    index = arith::AddIOp::create(builder, loc, index, loop);
  }
  return index;
}

Value ScalarEmitter::emitOperation(OpBuilder &b, Location loc, const Expr *expr,
                                   ValueRange in) const {
  switch (expr->kind) {
  case ExprKind::Add:
    return arith::AddFOp::create(b, loc, in[0], in[1]);
  case ExprKind::Sub:
    return arith::SubFOp::create(b, loc, in[0], in[1]);
  case ExprKind::Mul:
    return arith::MulFOp::create(b, loc, in[0], in[1]);
  case ExprKind::Div:
    return arith::DivFOp::create(b, loc, in[0], in[1]);
  case ExprKind::Neg:
    return arith::NegFOp::create(b, loc, in[0]);
  case ExprKind::Exp:
    return math::ExpOp::create(b, loc, in[0]);
  case ExprKind::Exp2:
    return math::Exp2Op::create(b, loc, in[0]);
  case ExprKind::Log:
    return math::LogOp::create(b, loc, in[0]);
  case ExprKind::Max:
    return arith::MaximumFOp::create(b, loc, in[0], in[1]);
  case ExprKind::Select:
    return arith::SelectOp::create(b, loc, in[0], in[1], in[2]);
  case ExprKind::And:
    return arith::AndIOp::create(b, loc, in[0], in[1]);
  case ExprKind::Or:
    return arith::OrIOp::create(b, loc, in[0], in[1]);
  case ExprKind::Not: {
    Value one = arith::ConstantIntOp::create(b, loc, b.getI1Type(), 1);
    return arith::XOrIOp::create(b, loc, in[0], one);
  }
  case ExprKind::CmpF:
    return arith::CmpFOp::create(
        b, loc, cast<arith::CmpFPredicateAttr>(expr->attribute).getValue(),
        in[0], in[1]);
  case ExprKind::Cast:
    if (in[0].getType().getIntOrFloatBitWidth() <
        expr->type.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(b, loc, expr->type, in[0]);
    return arith::TruncFOp::create(b, loc, expr->type, in[0]);
  default: {
    Operation *copy = b.clone(*expr->op);
    copy->setOperands(in);
    return copy->getResult(0);
  }
  }
}

Value ScalarEmitter::emit(OpBuilder &builder, Location loc, const Expr *expr,
                          ValueRange arguments) const {
  if (const auto *input = llvm::find(inputs, expr); input != inputs.end())
    return arguments[input - inputs.begin()];
  if (expr->is(ExprKind::Constant))
    return arith::ConstantOp::create(builder, loc,
                                     cast<TypedAttr>(expr->attribute));
  if (expr->is(ExprKind::Leaf))
    return expr->value;
  if (expr->is(ExprKind::Index))
    return emitIndex(builder, loc, expr);
  SmallVector<Value> operands;
  for (const Expr *operand : expr->operands)
    operands.push_back(emit(builder, loc, operand, arguments));
  return emitOperation(builder, loc, expr, operands);
}

/// Emits `value` times `factors`, or divided by them.
static Value emitFactors(OpBuilder &builder, Location loc,
                         const ScalarEmitter &emitter,
                         ArrayRef<ScoreForm::RowFactor> factors, Value value,
                         ValueRange arguments) {
  for (const ScoreForm::RowFactor &factor : factors) {
    Value other = castScalar(builder, loc,
                             emitter.emit(builder, loc, factor.expr, arguments),
                             value.getType());
    if (factor.isDivisor)
      value = arith::DivFOp::create(builder, loc, value, other);
    else
      value = arith::MulFOp::create(builder, loc, value, other);
  }
  return value;
}

static Value emitBody(OpBuilder &builder, Location loc,
                      const ScalarEmitter &emitter, const ScoreForm &scores,
                      FloatType type, ValueRange arguments) {
  auto number = [&](double value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(type, value));
  };
  Value sum;
  for (const ScoreForm::Term &term : scores.terms) {
    Value value = castScalar(
        builder, loc, emitter.emit(builder, loc, term.expr, arguments), type);
    if (term.factor != 1.0)
      value = arith::MulFOp::create(builder, loc, value, number(term.factor));
    value = emitFactors(builder, loc, emitter, term.factors, value, arguments);
    sum = sum ? arith::AddFOp::create(builder, loc, sum, value) : value;
  }
  if (!sum)
    sum = number(0.0);
  // Those that were put on last come first.
  for (const ScoreForm::Mask &mask : llvm::reverse(scores.masks)) {
    Value condition = emitter.emit(builder, loc, mask.condition, arguments);
    Value fill = number(mask.fill);
    sum = mask.when
              ? arith::SelectOp::create(builder, loc, condition, fill, sum)
              : arith::SelectOp::create(builder, loc, condition, sum, fill);
  }
  return sum;
}

/// All that the bias of `scores` is computed from.
static SmallVector<const Expr *> getBiasParts(const ScoreForm &scores) {
  SmallVector<const Expr *> parts;
  for (const ScoreForm::Term &term : scores.terms) {
    parts.push_back(term.expr);
    for (const ScoreForm::RowFactor &factor : term.factors)
      parts.push_back(factor.expr);
  }
  for (const ScoreForm::Mask &mask : scores.masks)
    parts.push_back(mask.condition);
  return parts;
}

/// Emits one operation over `loops` that computes `body` from `leading`, if it
/// has a value, and the inputs of `emitter`. The result has a dimension for
/// each loop.
static ViewedValue
emitElementwise(OpBuilder &builder, Location loc, const AxisSpace &space,
                ArrayRef<Axis> loops, const ScalarEmitter &emitter,
                ViewedValue leading, FloatType type,
                function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  auto addInput = [&](ViewedValue source, ArrayRef<Axis> free) {
    View wanted;
    SmallVector<AffineExpr> results;
    for (auto [loop, axis] : llvm::enumerate(loops))
      if (llvm::is_contained(free, axis)) {
        wanted.push_back({axis});
        results.push_back(builder.getAffineDimExpr(loop));
      }
    inputs.push_back(rearrange(builder, loc, space, source, wanted));
    maps.push_back(
        AffineMap::get(loops.size(), 0, results, builder.getContext()));
  };
  if (leading.value)
    addInput(leading, flatten(leading.view));
  for (const Expr *input : emitter.getInputs()) {
    ViewedValue source{input->origin, input->originView};
    if (!input->broadcastDims.empty())
      source.value = emitDynamicBroadcast(builder, loc, space, source,
                                          input->broadcastDims);
    addInput(source, input->free);
  }
  maps.push_back(builder.getMultiDimIdentityMap(loops.size()));
  View single;
  SmallVector<OpFoldResult> sizes;
  for (Axis axis : loops) {
    single.push_back({axis});
    sizes.push_back(space.getExtent(axis).materialize(builder, loc));
  }
  Value init = tensor::EmptyOp::create(builder, loc, sizes, type);
  SmallVector<utils::IteratorType> iterators(loops.size(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &b, Location bodyLoc, ValueRange arguments) {
        linalg::YieldOp::create(b, bodyLoc, body(b, bodyLoc, arguments));
      });
  return {generic.getResult(0), single};
}

/// The dimensions of `[b, h, s, t]` that something of `free` axes needs.
static View getBiasDims(const AttentionMatch &match, ArrayRef<Axis> free) {
  AxisList heads(match.heads);
  llvm::append_range(heads, match.groups);
  View dims = {AxisList(match.batch), heads, AxisList(match.queries),
               AxisList(match.keys)};
  for (AxisList &dim : dims)
    if (llvm::none_of(
            dim, [&](Axis axis) { return llvm::is_contained(free, axis); }))
      dim.clear();
  return dims;
}

Value AttentionMatch::materializeBias(OpBuilder &builder, Location loc) const {
  if (!hasBias)
    return {};
  const ScoreForm &scores = state->scores;
  const AxisSpace &space = state->space;
  auto accumulator = elementType.isF64()
                         ? cast<FloatType>(builder.getF64Type())
                         : cast<FloatType>(builder.getF32Type());
  SmallVector<Axis> free;
  for (const Expr *part : getBiasParts(scores))
    llvm::append_range(free, part->free);
  View dims = getBiasDims(*this, free);

  if (scores.terms.size() == 1 && scores.masks.empty()) {
    const ScoreForm::Term &term = scores.terms.front();
    if (term.factor == 1.0 && term.factors.empty() && term.expr->origin &&
        term.expr->broadcastDims.empty() &&
        isa<RankedTensorType>(term.expr->origin.getType()) &&
        (term.expr->type == elementType || term.expr->type == accumulator))
      return rearrange(builder, loc, space,
                       {term.expr->origin, term.expr->originView}, dims);
  }

  AxisList loops = flatten(dims);
  ScalarEmitter emitter(space, loops);
  for (const Expr *part : getBiasParts(scores))
    emitter.collect(part);
  ViewedValue sum = emitElementwise(
      builder, loc, space, loops, emitter, /*leading=*/{}, accumulator,
      [&](OpBuilder &b, Location bodyLoc, ValueRange arguments) {
        return emitBody(b, bodyLoc, emitter, scores, accumulator, arguments);
      });
  return rearrange(builder, loc, space, sum, dims);
}

AttentionTensor AttentionMatch::materializeQuery(OpBuilder &builder,
                                                 Location loc) const {
  if (!hasRowFactor)
    return q;
  const AxisSpace &space = state->space;
  View view(q.dims.begin(), q.dims.end());
  ViewedValue source{q.value, view};
  if (!q.broadcastDims.empty())
    source.value =
        emitDynamicBroadcast(builder, loc, space, source, q.broadcastDims);
  SmallVector<Axis> free;
  for (const ScoreForm::RowFactor &factor : state->scores.factors)
    llvm::append_range(free, factor.expr->free);
  // Axes of the factors that q lacks come first.
  AxisList loops;
  for (Axis axis : free)
    if (!llvm::is_contained(flatten(view), axis) &&
        !llvm::is_contained(loops, axis))
      loops.push_back(axis);
  llvm::append_range(loops, flatten(view));
  ScalarEmitter emitter(space, loops);
  for (const ScoreForm::RowFactor &factor : state->scores.factors)
    emitter.collect(factor.expr);
  ViewedValue scaled = emitElementwise(
      builder, loc, space, loops, emitter, source, cast<FloatType>(elementType),
      [&](OpBuilder &b, Location bodyLoc, ValueRange arguments) {
        Value product = castScalar(b, bodyLoc, arguments.front(), elementType);
        return emitFactors(b, bodyLoc, emitter, state->scores.factors, product,
                           arguments.drop_front());
      });
  AttentionTensor tensor;
  tensor.value = scaled.value;
  for (const AxisList &dim : scaled.view)
    tensor.dims.push_back(dim);
  return tensor;
}
