//===- AttentionMatcher.h - One attempt at a match --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is matched, read from the output inward. Every line is about elements:
// reshapes, transposes, broadcasts and casts between floats may stand anywhere.
//
//   output        := guarded(product / sum) | guarded(product)
//   product       := contraction over the keys of probabilities and v
//   probabilities := guarded(weights / sum) | weights, exactly one of the two
//                    divided, or exp(scores - shifts) of a log-softmax
//   sum           := sum over the keys of weights
//   weights       := exp(scores - shifts) | exp2(...) | c ^ (...)
//   shifts        := finite constants and what is computed from the scores of
//                    the whole row, such as their maximum
//   scores        := qk | c * scores | row * scores | scores + addend
//                  | select(mask, fill, scores)
//   qk            := contraction over the head size of q and k
//   guarded(x)    := select(condition, 0, x) with a condition that is a test
//                    for rows of -inf, or the condition of a mask | x
//
// `c` is a constant, `row` is the same for all keys, `addend` is anything that
// can be computed from tensors, and `fill` is low enough to hide a key.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_ATTENTIONMATCHER_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_ATTENTIONMATCHER_H

#include "MatchState.h"

namespace mlir::dit::raise {

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

  /// The progress of an attempt that found a normalised exponential.
  static constexpr unsigned softmaxMatched = 3;

  /// How far the grammar was followed: the number of steps that matched.
  unsigned getProgress() const { return progress; }
  /// The step that did not match.
  const Reason &getReason() const { return reason; }
  /// The weights are not normalised before the product.
  bool needsLateNormalization() const { return isUnnormalized; }

private:
  LogicalResult attempt();
  LogicalResult matchProbabilities(const OutputForm &form);
  LogicalResult matchProducts(const OutputForm &form);
  LogicalResult matchProduct(const Expr *product, ArrayRef<ZeroedWhere> zeroed);

  // Roles of the axes.
  LogicalResult assignRoles();
  LogicalResult assignSides();
  LogicalResult checkNoLayer();
  void sortAxes(ArrayRef<Axis> rows);
  SmallVector<Axis, 4> findHeads(ArrayRef<Axis> order,
                                 ArrayRef<Axis> shared) const;
  bool isHead(Axis axis, ArrayRef<Axis> known) const;
  LogicalResult assignDepths();
  LogicalResult checkBias(ArrayRef<Axis> all);

  LogicalResult buildMatch();
  LogicalResult chooseType();
  void describeFolded();
  AttentionTensor describeTensor(const Expr *expr) const;
  LogicalResult fail(const Twine &message) {
    reason = message.str();
    return failure();
  }
  /// The axes that only the operand of values has.
  const AxisList &getValueDepth() const {
    return side == 0 ? values.rhsOnly : values.lhsOnly;
  }
  /// The axes that only the probabilities have.
  const AxisList &getValueRows() const {
    return side == 0 ? values.lhsOnly : values.rhsOnly;
  }

  Operation *valueProduct;
  unsigned side;
  Value output;
  std::shared_ptr<MatchState> state;
  Reason reason;
  unsigned progress = 0;
  bool isUnnormalized = false;

  // Rebuilt by each attempt.
  View outputView;
  ContractionLoops values, products;
  SoftmaxForm softmax;
  bool keysOnLeft = false, hasGuard = false;
  PeeledOperand q, k, v;
  AttentionMatch match;
};

/// Whether `operand` of a contraction may be the probabilities of an attention:
/// an exponential stands between it and the contractions before it. Cheap: most
/// contractions are linear layers.
bool mayBeProbabilities(Value operand);

/// Whether a reader may expect an attention whose probabilities are operand
/// `side` of `valueProduct`: a normalised exponential of a product of two
/// activations meets a third.
bool looksLikeAttention(Operation *valueProduct, unsigned side);

/// Whether `op` sums something that was multiplied by a softmax over the summed
/// dimensions: a product with values that is no contraction.
bool isSumOfWeighted(Operation *op);

/// The values that hold `product` in another way, last one first. With
/// `elementwise`, elementwise operations of several operands may stand between:
/// the division of a late normalisation and the zeroing of rows.
SmallVector<Value> getOutputCandidates(Value product, bool elementwise);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_ATTENTIONMATCHER_H
