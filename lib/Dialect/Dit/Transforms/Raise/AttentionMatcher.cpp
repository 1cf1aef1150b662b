//===- AttentionMatcher.cpp - Attention in linalg -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts at a contraction, takes one operand for the probabilities and walks
// outward: softmax, scores, the first contraction, q, k and v. The axes that
// each of them has decide the roles of the dimensions.
//
//===----------------------------------------------------------------------===//

#include "MatchState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

//===----------------------------------------------------------------------===//
// Where to look
//===----------------------------------------------------------------------===//

static bool hasExponential(Operation *op) {
  if (isa<linalg::SoftmaxOp, math::ExpOp, math::Exp2Op>(op))
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getBlock() &&
         llvm::any_of(*linalgOp.getBlock(), [](Operation &scalar) {
           return isa<math::ExpOp, math::Exp2Op>(scalar);
         });
}

/// Whether an exponential stands between `operand` and the contractions before
/// it. Cheap: most contractions are linear layers.
static bool mayBeProbabilities(Value operand) {
  llvm::SetVector<Operation *> worklist;
  if (Operation *op = operand.getDefiningOp())
    worklist.insert(op);
  constexpr unsigned maxOps = 128;
  for (unsigned i = 0; i < worklist.size() && i < maxOps; ++i) {
    Operation *op = worklist[i];
    if (hasExponential(op))
      return true;
    if (isContraction(op))
      continue;
    for (Value value : getReadTensors(op))
      if (Operation *producer = value.getDefiningOp())
        worklist.insert(producer);
  }
  return false;
}

/// Whether `op` only stores its operand in another way, possibly rounding it.
static bool isForwardView(Operation *op) {
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ReshapeOp,
          tensor::CastOp, linalg::TransposeOp>(op))
    return isa<RankedTensorType>(op->getResult(0).getType());
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumResults() != 1 || generic.getNumReductionLoops() != 0)
    return false;
  for (AffineMap map : generic.getIndexingMapsArray())
    if (!map.isPermutation())
      return false;
  Value yielded = generic.getBlock()->getTerminator()->getOperand(0);
  if (auto truncation = yielded.getDefiningOp<arith::TruncFOp>())
    yielded = truncation.getIn();
  return yielded == generic.getBlock()->getArgument(0);
}

/// The values that hold `product` in another way, last one first. With
/// `elementwise`, one elementwise operation of several operands may stand
/// between: the division of a late normalisation.
static SmallVector<Value> getOutputCandidates(Value product, bool elementwise) {
  SmallVector<Value> candidates = {product};
  // Zeroing of rows before or after the division makes two.
  unsigned elementwiseLeft = elementwise ? 2 : 0;
  for (Value current = product; current.hasOneUse();) {
    Operation *user = *current.user_begin();
    if (user->getBlock() != product.getParentBlock() ||
        user->getNumResults() != 1)
      break;
    if (!isForwardView(user)) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
      bool isElementwise = linalgOp && linalgOp.getNumReductionLoops() == 0 &&
                           linalgOp.hasPureTensorSemantics() &&
                           !isContraction(user);
      if (!isElementwise || elementwiseLeft-- == 0)
        break;
    } else if (user->getOperand(0) != current) {
      break;
    }
    current = user->getResult(0);
    candidates.push_back(current);
  }
  return llvm::to_vector(llvm::reverse(candidates));
}

//===----------------------------------------------------------------------===//
// The match
//===----------------------------------------------------------------------===//

namespace {

/// An operand without scaling and casts.
struct PeeledOperand {
  const Expr *expr = nullptr;
  double scale = 1.0;
};

/// One attempt to match: a contraction, its operand of probabilities, and the
/// value taken for the output.
class AttentionMatcher {
public:
  AttentionMatcher(Operation *valueProduct, unsigned probabilitySide,
                   Value output)
      : valueProduct(valueProduct), side(probabilitySide), output(output),
        state(std::make_shared<MatchState>()) {}

  FailureOr<AttentionMatch> run();

  bool looksLikeAttention = false;
  /// The weights are not normalised before the product.
  bool needsLateNormalization = false;
  Reason reason;

private:
  LogicalResult attempt();
  LogicalResult matchContractions(const OutputForm &form);
  LogicalResult assignRoles();
  LogicalResult assignDepths();
  LogicalResult buildMatch();
  SmallVector<Axis, 4> findHeads(ArrayRef<Axis> order,
                                 ArrayRef<Axis> shared) const;
  bool isHead(Axis axis, ArrayRef<Axis> known) const;
  AttentionTensor describe(const Expr *expr) const;
  LogicalResult fail(const Twine &message) {
    reason = message.str();
    return failure();
  }

  Operation *valueProduct;
  unsigned side;
  Value output;
  std::shared_ptr<MatchState> state;

  // Rebuilt by each attempt.
  View outputView;
  ContractionLoops values, products;
  SoftmaxForm softmax;
  bool keysOnLeft = false, hasGuard = false;
  PeeledOperand q, k, v;
  AttentionMatch match;
};

} // namespace

static bool isSubset(ArrayRef<Axis> a, ArrayRef<Axis> b) {
  return llvm::all_of(a,
                      [&](Axis axis) { return llvm::is_contained(b, axis); });
}

static bool sameSet(ArrayRef<Axis> a, ArrayRef<Axis> b) {
  return isSubset(a, b) && isSubset(b, a);
}

/// Takes widening casts and constant factors off `expr`, as far as a tensor
/// holds what is left.
static PeeledOperand peelOperand(const Expr *expr) {
  PeeledOperand best{expr, 1.0};
  double scale = 1.0;
  for (;;) {
    if (expr->origin)
      best = {expr, scale};
    bool widens = expr->is(ExprKind::Cast) &&
                  expr->type.getIntOrFloatBitWidth() >
                      expr->operand(0)->type.getIntOrFloatBitWidth();
    if (widens) {
      expr = expr->operand(0);
      continue;
    }
    if (expr->is(ExprKind::Mul) || expr->is(ExprKind::Div)) {
      std::optional<double> lhs = stripCasts(expr->operand(0))->getFloat();
      std::optional<double> rhs = stripCasts(expr->operand(1))->getFloat();
      if (rhs) {
        scale = expr->is(ExprKind::Mul) ? scale * *rhs : scale / *rhs;
        expr = expr->operand(0);
        continue;
      }
      if (lhs && expr->is(ExprKind::Mul)) {
        scale *= *lhs;
        expr = expr->operand(1);
        continue;
      }
    }
    return best;
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

FailureOr<AttentionMatch> AttentionMatcher::run() {
  outputView.clear();
  // A reshape found late may split an axis that was used before, so repeat
  // until nothing splits. Extents have few factors, so this ends soon.
  constexpr unsigned maxAttempts = 32;
  for (unsigned i = 0; i < maxAttempts; ++i) {
    unsigned splits = state->space.getNumSplits();
    state->tracer = std::make_unique<Tracer>(state->space);
    match = AttentionMatch();
    LogicalResult result = attempt();
    if (state->space.getNumSplits() != splits)
      continue;
    if (failed(result))
      return failure();
    match.state = state;
    match.kind = inferKind(match);
    return match;
  }
  reason = "the reshapes around it split dimensions without end";
  return failure();
}

LogicalResult AttentionMatcher::attempt() {
  Tracer &tracer = *state->tracer;
  if (outputView.empty())
    outputView = tracer.createView(output);
  outputView = state->space.resolve(outputView);
  std::optional<OutputForm> form =
      matchOutput(tracer.trace(output, outputView), valueProduct);
  if (!form)
    return fail("the output is not the product in another layout");
  if (failed(matchContractions(*form)) || failed(assignRoles()) ||
      failed(assignDepths()))
    return failure();
  return buildMatch();
}

LogicalResult AttentionMatcher::matchContractions(const OutputForm &form) {
  Tracer &tracer = *state->tracer;
  values = tracer.traceContraction(form.product);
  const Expr *probabilities = side == 0 ? values.lhs : values.rhs;
  if (!probabilities || !values.lhs || !values.rhs)
    return fail("the operands of the product with the values are not "
                "projected permutations of its loops");
  looksLikeAttention =
      containsExpr(
          probabilities,
          [](const Expr *part) {
            return (part->is(ExprKind::Exp) || part->is(ExprKind::Exp2)) &&
                   containsExpr(part->operand(0), [](const Expr *inner) {
                     return inner->is(ExprKind::Contraction);
                   });
          }) &&
      (form.denominator || containsExpr(probabilities, [](const Expr *part) {
         return part->is(ExprKind::Reduce) && part->combiner == ExprKind::Add &&
                containsExpr(part->operand(0), [](const Expr *inner) {
                  return inner->is(ExprKind::Exp) || inner->is(ExprKind::Exp2);
                });
       }));
  ArrayRef<Axis> keys = values.reduction;
  std::optional<SoftmaxForm> found = matchSoftmax(probabilities, keys, reason);
  if (!found)
    return failure();
  softmax = *found;
  needsLateNormalization = !softmax.isNormalized && !form.denominator;
  if (needsLateNormalization)
    return fail("the exponential is not divided by its sum over the keys");
  if (form.denominator && (softmax.isNormalized ||
                           !isSumOver(form.denominator, softmax.weights, keys)))
    return fail("the product with the values is divided by something else "
                "than the sum of the weights over the keys");
  std::optional<ScoreForm> scores = matchScores(softmax, keys, reason);
  if (!scores)
    return failure();
  SmallVector<ZeroedWhere> zeroed(softmax.zeroed.begin(), softmax.zeroed.end());
  llvm::append_range(zeroed, form.zeroed);
  hasGuard = !zeroed.empty();
  if (!matchGuards(zeroed, softmax, *scores, keys, reason))
    return failure();
  state->scores = *scores;
  products = tracer.traceContraction(scores->product);
  if (!products.lhs || !products.rhs)
    return fail("the operands of the product of q and k are not projected "
                "permutations of its loops");
  return success();
}

LogicalResult AttentionMatcher::assignRoles() {
  ArrayRef<Axis> keys = values.reduction;
  if (keys.empty())
    return fail("there is one key only");
  keysOnLeft = isSubset(keys, products.lhsOnly);
  const AxisList &keySide = keysOnLeft ? products.lhsOnly : products.rhsOnly;
  const AxisList &rows = keysOnLeft ? products.rhsOnly : products.lhsOnly;
  if (!sameSet(keySide, keys))
    return fail("the operand of the scores with the keys has other dimensions "
                "that the queries do not share, as a linear layer has");
  const AxisList &valueRows = side == 0 ? values.lhsOnly : values.rhsOnly;
  if (!sameSet(products.batch, values.batch) || !sameSet(rows, valueRows))
    return fail("the two products are not batched over the same dimensions");
  q = peelOperand(keysOnLeft ? products.rhs : products.lhs);
  k = peelOperand(keysOnLeft ? products.lhs : products.rhs);
  v = peelOperand(side == 0 ? values.rhs : values.lhs);
  if (isWeight(q.expr) || isWeight(k.expr))
    return fail("the scores are a product with a weight, a linear layer");

  // In the order of the scores: axes of q, k and v, axes that only q has, and
  // rows.
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
  return success();
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
  const AxisList &valueDepth = side == 0 ? values.rhsOnly : values.lhsOnly;
  return marks(q.expr->originView, products.reduction) ||
         marks(k.expr->originView, products.reduction) ||
         marks(v.expr->originView, valueDepth) || marks(outputView, valueDepth);
}

LogicalResult AttentionMatcher::assignDepths() {
  match.depth = products.reduction;
  match.valueDepth = side == 0 ? values.rhsOnly : values.lhsOnly;
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
  for (const ScoreForm::Term &term : state->scores.terms)
    if (!isSubset(term.expr->free, all))
      return fail("the bias depends on a dimension that the scores lack");
  for (const ScoreForm::Mask &mask : state->scores.masks)
    if (!isSubset(mask.condition->free, all))
      return fail("the mask depends on a dimension that the scores lack");
  for (const ScoreForm::RowFactor &factor : state->scores.factors)
    if (!isSubset(factor.expr->free, all))
      return fail("the scale depends on a dimension that the scores lack");
  if (!llvm::all_of(state->scores.terms,
                    [](auto &term) { return isEmittable(term.expr); }) ||
      !llvm::all_of(state->scores.masks,
                    [](auto &mask) { return isEmittable(mask.condition); }) ||
      !llvm::all_of(state->scores.factors,
                    [](auto &factor) { return isEmittable(factor.expr); }))
    return fail("the bias or the scale is not computed from tensors");
  return success();
}

AttentionTensor AttentionMatcher::describe(const Expr *expr) const {
  AttentionTensor tensor;
  tensor.value = expr->origin;
  for (const AxisList &dim : expr->originView)
    tensor.dims.push_back(dim);
  tensor.broadcastDims.assign(expr->broadcastDims.begin(),
                              expr->broadcastDims.end());
  return tensor;
}

static Type widest(Type a, Type b) {
  if (a == b)
    return a;
  unsigned widthA = a.getIntOrFloatBitWidth(),
           widthB = b.getIntOrFloatBitWidth();
  // bf16 and f16 hold each other only in f32.
  if (widthA == widthB)
    return Float32Type::get(a.getContext());
  return widthA > widthB ? a : b;
}

LogicalResult AttentionMatcher::buildMatch() {
  for (const PeeledOperand *operand : {&q, &k, &v})
    if (!operand->expr->origin)
      return fail("no tensor holds q, k or v");
  if (v.scale != 1.0)
    return fail("the values are scaled");
  match.q = describe(q.expr);
  match.k = describe(k.expr);
  match.v = describe(v.expr);
  match.output.value = output;
  for (const AxisList &dim : outputView)
    match.output.dims.push_back(dim);
  Type type = getElementTypeOrSelf(output.getType());
  for (const PeeledOperand *operand : {&q, &k, &v})
    type = widest(type, operand->expr->type);
  if (!isa<Float64Type, Float32Type, Float16Type, BFloat16Type>(type))
    return fail("the element type is not f64, f32, f16 or bf16");
  match.hasRowFactor = !state->scores.factors.empty();
  // A factor that were rounded to a low precision would change the scores.
  if (match.hasRowFactor)
    type = widest(type, Float32Type::get(type.getContext()));
  match.elementType = type;
  match.scale = state->scores.scale * q.scale * k.scale;
  if (!std::isfinite(match.scale))
    return fail("the scale is not finite");
  match.hasBias = !state->scores.terms.empty() || !state->scores.masks.empty();
  match.hasGuard = hasGuard;
  match.scoreProduct = state->scores.product->op;
  match.valueProduct = valueProduct;
  if (q.scale != 1.0 || k.scale != 1.0)
    match.folded.push_back("scale of q and k");
  if (state->scores.scale != 1.0)
    match.folded.push_back("scale of the scores");
  if (match.hasRowFactor)
    match.folded.push_back("scale of each row");
  if (!state->scores.terms.empty())
    match.folded.push_back("additive bias");
  if (!state->scores.masks.empty())
    match.folded.push_back("mask");
  if (hasGuard)
    match.folded.push_back("guard of empty rows");
  if (!match.groups.empty())
    match.folded.push_back("expanded heads");
  return success();
}

FailureOr<AttentionMatch>
mlir::dit::matchAttention(Operation *valueProduct,
                          AttentionMatchDiagnosis *why) {
  if (!isContraction(valueProduct)) {
    if (why)
      why->reason = "not a contraction of two tensors";
    return failure();
  }
  AttentionMatchDiagnosis diagnosis;
  diagnosis.reason = "no operand is an exponential";
  Value product = valueProduct->getResult(0);
  for (unsigned side : {0, 1}) {
    if (!mayBeProbabilities(valueProduct->getOperand(side)))
      continue;
    bool late = false;
    for (bool elementwise : {false, true}) {
      if (elementwise && !late)
        break;
      for (Value output : getOutputCandidates(product, elementwise)) {
        AttentionMatcher matcher(valueProduct, side, output);
        FailureOr<AttentionMatch> match = matcher.run();
        if (succeeded(match))
          return match;
        late |= matcher.needsLateNormalization;
        if (matcher.looksLikeAttention || !diagnosis.looksLikeAttention) {
          diagnosis.looksLikeAttention |= matcher.looksLikeAttention;
          diagnosis.reason = matcher.reason;
        }
      }
    }
  }
  if (why)
    *why = diagnosis;
  return failure();
}
