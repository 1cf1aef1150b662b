//===- ElementExpr.h - Elements of tensors as expressions -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one element of a tensor is, as an expression over elements of the
// tensors it was computed from. Views leave no trace in it and equal
// expressions are one object, so softmax is a shape of an expression, however
// the model spread it over operations, and whether the same values were
// reshaped on the way or not.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_ELEMENTEXPR_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_ELEMENTEXPR_H

#include "AxisSpace.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/FoldingSet.h"

#include <memory>

namespace mlir {
namespace linalg {
class LinalgOp;
class SoftmaxOp;
} // namespace linalg
} // namespace mlir

namespace mlir::dit::raise {

enum class ExprKind {
  /// A number.
  Constant,
  /// An element of a tensor that is not looked into, or a scalar value.
  Leaf,
  /// An element of a product of two tensors summed over axes.
  Contraction,
  /// The position along a dimension.
  Index,
  /// A fold over the axes of its only operand, from the neutral element.
  Reduce,
  // Scalar arithmetic on floats and booleans.
  Add,
  Sub,
  Mul,
  Div,
  Neg,
  Exp,
  Exp2,
  Log,
  Max,
  Select,
  /// A change of float type.
  Cast,
  CmpF,
  And,
  Or,
  /// Negation of a boolean.
  Not,
  /// Any other scalar operation without side effects, see `op`.
  Other,
};

/// A node of an expression.
struct Expr : llvm::FoldingSetNode {
  ExprKind kind;
  /// Type of the element.
  Type type;
  SmallVector<const Expr *, 3> operands;
  /// Constant: the number. CmpF: the predicate.
  Attribute attribute;
  /// Other: the operation to repeat. Contraction: the operation.
  Operation *op = nullptr;
  /// Reduce: the operation that combines two elements.
  ExprKind combiner = ExprKind::Other;
  /// Leaf: what it is an element of.
  Value value;
  /// Leaf, Contraction: how the element is found in the tensor.
  View view;
  /// Reduce: what is folded over. Index: the dimension.
  AxisList axes;
  /// Leaf: the dimensions of `value` that may turn out to be of extent one at
  /// run time, and then are broadcast along their axes.
  SmallVector<unsigned, 1> broadcastDims;

  /// The tensor that holds the elements, and how; not part of the identity.
  Value origin;
  View originView;

  /// The axes that the element depends on, sorted.
  AxisList free;

  bool is(ExprKind wanted) const { return kind == wanted; }
  const Expr *operand(unsigned i) const { return operands[i]; }
  bool dependsOn(ArrayRef<Axis> list) const {
    return llvm::any_of(
        list, [&](Axis axis) { return llvm::is_contained(free, axis); });
  }
  /// The value of a constant of float type.
  std::optional<double> getFloat() const;
  bool isZero() const;
  bool isNegativeInfinity() const;

  void Profile(llvm::FoldingSetNodeID &id) const;
};

/// `expr` without changes of float type around it.
const Expr *stripCasts(const Expr *expr);

/// How the loops of a contraction are used.
struct ContractionLoops {
  AxisList batch, lhsOnly, rhsOnly, reduction;
  const Expr *lhs = nullptr, *rhs = nullptr;
};

/// Builds expressions by looking through the producers of tensors.
class Tracer {
public:
  explicit Tracer(AxisSpace &space) : space(space) {}

  /// An element of `tensor` under `view`.
  const Expr *trace(Value tensor, const View &view);
  /// Looks into the operands of a contraction.
  ContractionLoops traceContraction(const Expr *contraction);
  /// A view of `tensor` with a new axis for each dimension.
  View createView(Value tensor);

  AxisSpace &getSpace() { return space; }

private:
  // Between two contractions stand some tens of operations; beyond these bounds
  // a tensor is taken as it is, which costs time nowhere and soundness nowhere.
  static constexpr unsigned maxDepth = 256;
  static constexpr size_t maxExprs = 1 << 14;

  const Expr *traceProducer(Value tensor, const View &view);
  const Expr *traceReshape(Value source, Value result, const View &view);
  const Expr *traceLinalg(linalg::LinalgOp op, OpResult result,
                          const View &view);
  const Expr *traceReduction(linalg::LinalgOp op, OpResult result,
                             ArrayRef<AxisList> loops);
  const Expr *traceSoftmax(linalg::SoftmaxOp op, const View &view);
  const Expr *traceElementwiseOp(Operation *op, const View &view);
  const Expr *traceOperand(linalg::LinalgOp op, OpOperand &operand,
                           ArrayRef<AxisList> loops);
  const Expr *traceScalar(linalg::LinalgOp op, Value scalar,
                          ArrayRef<AxisList> loops);
  const Expr *traceGather(linalg::LinalgOp op, Value scalar,
                          ArrayRef<AxisList> loops);
  bool inferLoops(linalg::LinalgOp op, OpResult result, const View &view,
                  SmallVectorImpl<AxisList> &loops);

  const Expr *leaf(Value value, const View &view,
                   ArrayRef<unsigned> broadcastDims = {});
  const Expr *broadcastLeaf(const Expr *expr, ArrayRef<AxisList> broadcast);
  const Expr *constant(TypedAttr value);
  const Expr *exponentialOf(const Expr *base, const Expr *exponent);
  const Expr *scalarOp(Operation *op, ArrayRef<const Expr *> operands);
  const Expr *make(ExprKind kind, Type type, ArrayRef<const Expr *> operands,
                   ExprKind combiner = ExprKind::Other, AxisList axes = {});
  const Expr *unique(std::unique_ptr<Expr> candidate);

  AxisSpace &space;
  llvm::FoldingSet<Expr> exprs;
  std::vector<std::unique_ptr<Expr>> storage;
  DenseMap<Value, SmallVector<std::pair<View, const Expr *>, 1>> traced;
  unsigned depth = 0;
};

/// Whether `value` is zero, minus infinity, true or false: what `combiner`
/// starts from without changing its result.
bool isNeutral(ExprKind combiner, const Expr *expr);

/// The tensors that `op` or its body reads.
SmallVector<Value> getReadTensors(Operation *op);

/// Whether `op` multiplies two operands and sums, into whatever it starts from.
bool isContraction(Operation *op);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_ELEMENTEXPR_H
