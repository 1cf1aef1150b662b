//===- Raise.h - Attention from linalg --------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Recognises scaled-dot-product attention in linalg on tensors. The matcher
// changes nothing and knows nothing of `dit.attention`, so another compiler can
// use it to build an attention op of its own; `rewriteAttention` and
// `raiseAttentions` are what `--dit-raise-attention` does with it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_RAISE_H
#define DIT_DIALECT_DIT_TRANSFORMS_RAISE_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include <memory>
#include <optional>

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

namespace raise {
struct MatchState;
} // namespace raise

/// The keys that a query sees of a sequence that is masked along diagonals:
/// those at `lower <= key - query <= upper`, without a bound where it is none.
struct KeyBand {
  std::optional<int64_t> lower, upper;

  bool isEverything() const { return !lower && !upper; }
  bool operator==(const KeyBand &other) const {
    return lower == other.lower && upper == other.upper;
  }
  /// The keys in both bands.
  KeyBand intersect(const KeyBand &other) const;
};

/// A tensor of an attention and how its dimensions are made up.
struct AttentionTensor {
  Value value;
  /// For each dimension of `value` the axes that enumerate it, slowest first;
  /// none for an extent of one. Axes are numbers that all tensors of a match
  /// share; their roles stand in `AttentionMatch`.
  SmallVector<SmallVector<unsigned, 2>, 4> dims;
  /// Dimensions that, if they turn out to be of extent one, are broadcast.
  SmallVector<unsigned> broadcastDims;
};

/// An attention found in the IR:
/// `output = softmax(scale * q k^T + bias) v`, without the casts around it.
struct AttentionMatch {
  AttentionTensor q, k, v, output;

  // The roles of the axes. Several axes in one role form one dimension.
  // `groups` are heads of q that share a head of k and v, the fastest part of
  // the head dimension.
  SmallVector<unsigned, 2> batch, heads, groups, queries, keys, depth,
      valueDepth;

  double scale = 1.0;
  /// Widest element type of the operands and the output: what to compute on.
  Type elementType;
  /// What masks that were proven to hide diagonals leave visible. They are no
  /// part of the bias. A hidden key has no weight in any row.
  KeyBand visible;
  /// Finite numbers, at most -1000, that masks give to scores and that were
  /// taken to hide a key as -inf does.
  SmallVector<double, 1> hidingFills;
  bool hasBias = false;
  /// The scores are scaled by values of each row, see `materializeQuery`.
  bool hasRowFactor = false;
  /// A row of -inf gives zeros in the original, too; otherwise it gives NaN.
  bool hasGuard = false;
  /// What this attention proves alone; `raiseAttentions` knows all of a
  /// function.
  AttentionKind kind = AttentionKind::Self;

  /// The contractions of the scores and of the output.
  Operation *scoreProduct = nullptr, *valueProduct = nullptr;
  /// What was folded into the attention, in words.
  SmallVector<std::string> folded;

  /// Expressions of the bias, see `materializeBias`.
  std::shared_ptr<raise::MatchState> state;

  /// `q`, or if the scores are scaled by values that are not constant, a tensor
  /// that is emitted and holds q times these.
  AttentionTensor materializeQuery(OpBuilder &builder, Location loc) const;

  /// Emits the bias as a tensor of four dimensions that broadcasts to
  /// `[batch, heads, queries, keys]`, or null if there is none.
  Value materializeBias(OpBuilder &builder, Location loc) const;
};

/// Why a contraction is not the second one of an attention.
struct AttentionMatchDiagnosis {
  /// Whether an exponential of a contraction is normalised by its sum, or
  /// nearly, so that a reader may have expected an attention.
  bool looksLikeAttention = false;
  /// The step that did not match, in words.
  std::string reason;
};

/// Matches the attention whose probabilities meet the values in
/// `valueProduct`, any contraction of two tensors.
FailureOr<AttentionMatch>
matchAttention(Operation *valueProduct, AttentionMatchDiagnosis *why = nullptr);

/// Replaces a match by a `dit.attention` and erases what becomes dead.
AttentionOp rewriteAttention(RewriterBase &rewriter,
                             const AttentionMatch &match, StringAttr site);

struct RaiseStatistics {
  int64_t numRaised = 0;
  int64_t numMissed = 0;
};

/// Raises every attention under `root`, in program order, with the sites
/// `attn0`, `attn1`, and so on and the kinds that all of them together prove,
/// and emits a remark for each one that was raised and each one that was not
/// but looks like an attention.
RaiseStatistics raiseAttentions(Operation *root);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_RAISE_H
