//===- AttentionMatcher.cpp - Attention in linalg -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts at a contraction, takes one operand for the probabilities and walks
// outward: softmax, scores, the first contraction, q, k and v.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"

#include "KeyBand.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

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
    state->evidence = gatherEvidence(match);
    KindEvidence alone = state->evidence;
    resolveKinds(alone);
    match.kind = alone.kind;
    return match;
  }
  reason = "the reshapes around it split dimensions without end";
  return failure();
}

LogicalResult AttentionMatcher::attempt() {
  Tracer &tracer = *state->tracer;
  progress = 0;
  isUnnormalized = false;
  if (outputView.empty())
    outputView = tracer.createView(output);
  outputView = state->space.resolve(outputView);
  std::optional<OutputForm> form =
      matchOutput(tracer.trace(output, outputView), valueProduct);
  if (!form)
    return fail("the output is not the product in another layout");
  ++progress;
  if (failed(matchProbabilities(*form)) || failed(matchProducts(*form)))
    return failure();
  return buildMatch();
}

LogicalResult AttentionMatcher::matchProbabilities(const OutputForm &form) {
  values = state->tracer->traceContraction(form.product);
  const Expr *probabilities = side == 0 ? values.lhs : values.rhs;
  if (!probabilities || !values.lhs || !values.rhs)
    return fail("the operands of the product with the values are not "
                "projected permutations of its loops");
  ArrayRef<Axis> keys = values.reduction;
  std::optional<SoftmaxForm> found = matchSoftmax(probabilities, keys, reason);
  if (!found)
    return failure();
  softmax = *found;
  ++progress;
  isUnnormalized = !softmax.isNormalized && !form.denominator;
  if (isUnnormalized)
    return fail("the exponential is not divided by its sum over the keys");
  if (form.denominator && (softmax.isNormalized ||
                           !isSumOver(form.denominator, softmax.weights, keys)))
    return fail("the product with the values is divided by something else "
                "than the sum of the weights over the keys: " +
                describe(form.denominator));
  ++progress;
  return success();
}

/// Scores may be linear in several products, as with a bias that depends on the
/// queries: the first whose dimensions have the roles of q and k is taken.
LogicalResult AttentionMatcher::matchProducts(const OutputForm &form) {
  SmallVector<const Expr *> candidates =
      findProducts(softmax, values.reduction);
  if (candidates.empty())
    return fail("the scores hold no product over the keys: they are " +
                describe(softmax.scores));
  SmallVector<ZeroedWhere> zeroed(softmax.zeroed.begin(), softmax.zeroed.end());
  llvm::append_range(zeroed, form.zeroed);
  hasGuard = !zeroed.empty();
  Reason first;
  for (const Expr *product : candidates) {
    match = AttentionMatch();
    if (succeeded(matchProduct(product, zeroed)))
      return success();
    if (first.empty())
      first = reason;
  }
  reason = first;
  return failure();
}

LogicalResult AttentionMatcher::matchProduct(const Expr *product,
                                             ArrayRef<ZeroedWhere> zeroed) {
  ArrayRef<Axis> keys = values.reduction;
  std::optional<ScoreForm> scores = matchScores(softmax, product, keys, reason);
  if (!scores || !matchGuards(zeroed, softmax, *scores, keys, reason))
    return failure();
  state->scores = *scores;
  products = state->tracer->traceContraction(product);
  if (!products.lhs || !products.rhs)
    return fail("the operands of the product of q and k are not projected "
                "permutations of its loops");
  if (failed(assignRoles()) || failed(assignDepths()))
    return failure();
  ++progress;
  return success();
}

AttentionTensor AttentionMatcher::describeTensor(const Expr *expr) const {
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

/// The widest type among the operands and the output.
LogicalResult AttentionMatcher::chooseType() {
  Type type = getElementTypeOrSelf(output.getType());
  for (const PeeledOperand *operand : {&q, &k, &v})
    type = widest(type, operand->expr->type);
  if (!isa<Float64Type, Float32Type, Float16Type, BFloat16Type>(type))
    return fail("the element type is not f64, f32, f16 or bf16");
  // A factor that were rounded to a low precision would change the scores.
  if (match.hasRowFactor)
    type = widest(type, Float32Type::get(type.getContext()));
  match.elementType = type;
  return success();
}

LogicalResult AttentionMatcher::buildMatch() {
  for (const PeeledOperand *operand : {&q, &k, &v})
    if (!operand->expr->origin)
      return fail("no tensor holds q, k or v: it is " +
                  describe(operand->expr));
  match.q = describeTensor(q.expr);
  match.k = describeTensor(k.expr);
  match.v = describeTensor(v.expr);
  match.output.value = output;
  for (const AxisList &dim : outputView)
    match.output.dims.push_back(dim);
  match.hasRowFactor = !state->scores.factors.empty();
  if (failed(chooseType()))
    return failure();
  match.scale = state->scores.scale * q.scale * k.scale;
  if (!std::isfinite(match.scale))
    return fail("the scale is not finite");
  match.hasGuard = hasGuard;
  match.scoreProduct = state->scores.product->op;
  match.valueProduct = valueProduct;
  describeFolded();
  match.visible =
      takeKeyBand(state->scores, state->space, match.queries, match.keys);
  match.hidingFills = state->scores.hidingFills;
  match.hasBias = !state->scores.terms.empty() || !state->scores.masks.empty();
  return success();
}

void AttentionMatcher::describeFolded() {
  const ScoreForm &scores = state->scores;
  auto note = [&](bool isFolded, StringRef what) {
    if (isFolded)
      match.folded.push_back(what.str());
  };
  note(q.scale != 1.0 || k.scale != 1.0, "scale of q and k");
  note(scores.scale != 1.0, "scale of the scores");
  note(match.hasRowFactor, "scale of each row");
  note(!scores.terms.empty(), "additive bias");
  note(!scores.masks.empty(), "mask");
  note(hasGuard, "guard of empty rows");
  note(!match.groups.empty(), "expanded heads");
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
  diagnosis.reason = "a contraction stands between the exponential and the "
                     "product with the values";
  unsigned furthest = 0;
  Value product = valueProduct->getResult(0);
  for (unsigned side : {0, 1}) {
    diagnosis.looksLikeAttention |= looksLikeAttention(valueProduct, side);
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
        late |= matcher.needsLateNormalization();
        diagnosis.looksLikeAttention |=
            matcher.getProgress() >= AttentionMatcher::softmaxMatched;
        if (matcher.getProgress() >= furthest) {
          furthest = matcher.getProgress();
          diagnosis.reason = matcher.getReason();
        }
      }
    }
  }
  if (why)
    *why = diagnosis;
  return failure();
}
