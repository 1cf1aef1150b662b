//===- KindInference.h - What kind an attention is --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kinds by evidence. What proves each of them:
//
//   cross     queries and keys are tokens of different inputs
//   joint     q, k and v each join the tokens of different inputs
//   full      the sequence is all three axes of a video
//   spatial   the sequence is the two axes of a frame, and frames are in the
//             batch
//   temporal  the sequence is the axis of frames, and the two axes of a frame
//             are in the batch
//
// The axes of a frame are the two that a convolution slides over together, or
// that are cut into patches together; else the two that one attention of the
// function joins in its sequence while another one takes the third. Where that
// names no pair, or two of them, nothing is known. Anything else is `self`.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_KINDINFERENCE_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_KINDINFERENCE_H

#include "TokenFlow.h"
#include "dit/Dialect/Dit/Transforms/Raise.h"

namespace mlir::dit::raise {

/// What is known of one attention. Dimensions are those of `input`.
struct KindEvidence {
  AttentionKind kind = AttentionKind::Self;
  /// The argument that the tokens of a self attention are made of, or null.
  Value input;
  SmallVector<unsigned, 3> sequenceDims, batchDims;
  /// Sets of dimensions that a window slides over or that are cut together.
  SmallVector<SmallVector<unsigned, 3>> windows;
  /// An axis of the input is in the batch, and nothing tells what it is.
  bool isAmbiguous = false;
};

/// Follows the tokens of `match`. The IR around it must be as it was matched.
KindEvidence gatherEvidence(const AttentionMatch &match);

/// Decides the kinds of attentions of one function from what is known of all of
/// them.
void resolveKinds(MutableArrayRef<KindEvidence> attentions);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_KINDINFERENCE_H
