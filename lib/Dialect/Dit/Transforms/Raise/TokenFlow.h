//===- TokenFlow.h - Where tokens come from ---------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Follows axes of a tensor back through everything that keeps tokens apart:
// reshapes, elementwise operations, norms, linear layers, convolutions and
// attentions, up to the arguments that the tokens were made of. What mixes
// tokens along an axis ends the way of that axis.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_TOKENFLOW_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_TOKENFLOW_H

#include "AxisSpace.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace mlir {
namespace linalg {
class LinalgOp;
} // namespace linalg
namespace tensor {
class ConcatOp;
class ExtractSliceOp;
} // namespace tensor
} // namespace mlir

namespace mlir::dit {
class AttentionOp;
} // namespace mlir::dit

namespace mlir::dit::raise {

/// A tensor that axes were followed to, and what each of its dimensions holds.
struct TokenRoot {
  Value value;
  /// The followed axes in each dimension.
  SmallVector<AxisList, 4> axes;
  /// Whether a dimension also holds something else, as one that is cut into
  /// patches does.
  SmallVector<bool, 4> isShared;

  bool isArgument() const { return isa<BlockArgument>(value); }
  /// The dimensions that hold one of `list`.
  SmallVector<unsigned, 2> getDims(ArrayRef<Axis> list) const;
};

/// Sequences that were joined along a followed axis, with the dimension in
/// which each of them has its tokens.
using JoinedParts = SmallVector<std::pair<Value, unsigned>, 2>;

class TokenFlow {
public:
  /// Follows `axes` of `value`, which is looked at as `view`.
  TokenFlow(AxisSpace space, Value value, const View &view,
            ArrayRef<Axis> axes);

  /// `list` as it was split on the way.
  AxisList resolve(ArrayRef<Axis> list) const { return space.resolve(list); }
  ArrayRef<TokenRoot> getRoots() const { return roots; }
  ArrayRef<JoinedParts> getJoins() const { return joins; }
  /// For each convolution on the way, the followed axes that a window of more
  /// than one element slides along, one list for each dimension.
  ArrayRef<SmallVector<AxisList, 3>> getWindows() const { return windows; }

private:
  struct Item {
    Value value;
    View view;
  };
  /// An axis that covers a whole dimension of which only a part is the
  /// followed tokens: those at `[begin, end)` if known, in some order.
  struct Alias {
    AxisList axes, tokens;
    std::optional<std::pair<Extent, Extent>> range;
  };

  void run();
  void visit(Value value, const View &view);
  bool visitReshape(Operation *op, const View &view);
  void visitLinalg(linalg::LinalgOp op, OpResult result, const View &view);
  void visitGathers(linalg::LinalgOp op, ArrayRef<AxisList> loops);
  void visitSlice(tensor::ExtractSliceOp op, const View &view);
  void visitConcat(tensor::ConcatOp op, const View &view);
  void visitAttention(AttentionOp op, const View &view);
  void visitOther(Operation *op, const View &view);
  AxisList followWindow(linalg::LinalgOp op, AffineExpr expr, Value operand,
                        unsigned dim, ArrayRef<AxisList> loops,
                        SmallVectorImpl<AxisList> &slides);

  void push(Value value, const View &view);
  void addRoot(Value value, const View &view);
  /// A fresh axis for dimension `dim` of `value`, of which `tokens` are a part.
  AxisList alias(Value value, unsigned dim, ArrayRef<Axis> tokens,
                 std::optional<std::pair<Extent, Extent>> range = std::nullopt);
  /// The followed axes behind those in `list`.
  AxisList getTokens(ArrayRef<Axis> list) const;

  AxisSpace space;
  AxisList followed;
  SmallVector<Item> worklist;
  llvm::DenseSet<Value> seen;
  SmallVector<Alias> aliases;
  SmallVector<Item> rootItems;
  SmallVector<TokenRoot> roots;
  SmallVector<JoinedParts> joins;
  SmallVector<SmallVector<AxisList, 3>> windows;
};

/// The tensors that the tokens in dimension `dim` of `value` come from, through
/// joins as well.
llvm::SetVector<Value> getTokenSources(Value value, unsigned dim);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_TOKENFLOW_H
