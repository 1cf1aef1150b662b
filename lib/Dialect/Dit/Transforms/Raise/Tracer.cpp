//===- Tracer.cpp - Expressions from IR -----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Looks through views, elementwise operations and reductions up to what cannot
// be looked into: arguments, slices, gathers, and contractions, which are left
// to the caller to enter.
//
//===----------------------------------------------------------------------===//

#include "ElementExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::dit::raise;

View Tracer::createView(Value tensor) {
  View view;
  auto type = cast<RankedTensorType>(tensor.getType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    view.push_back(space.create(getExtent(tensor, dim)));
  return view;
}

const Expr *Tracer::trace(Value tensor, const View &staleView) {
  View view = space.resolve(staleView);
  auto &known = traced[tensor];
  for (auto &[seen, expr] : known)
    if (seen == view)
      return expr;
  const Expr *expr = nullptr;
  if (depth < maxDepth && storage.size() < maxExprs) {
    ++depth;
    expr = traceProducer(tensor, view);
    --depth;
  }
  if (!expr)
    expr = leaf(tensor, view);
  traced[tensor].push_back({view, expr});
  return expr;
}

/// The single number that all elements of `tensor` are.
static TypedAttr getSplat(Value tensor) {
  DenseElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)) || !elements.isSplat())
    return {};
  return dyn_cast<TypedAttr>(elements.getSplatValue<Attribute>());
}

const Expr *Tracer::traceProducer(Value tensor, const View &view) {
  if (TypedAttr splat = getSplat(tensor))
    return constant(splat);
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return nullptr;
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ReshapeOp>(
          op))
    return traceReshape(op->getOperand(0), tensor, view);
  if (auto castOp = dyn_cast<tensor::CastOp>(op))
    return isa<RankedTensorType>(castOp.getSource().getType())
               ? trace(castOp.getSource(), view)
               : nullptr;
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    // A slice of everything is a cast that may drop dimensions of extent one.
    if (slice.getSourceType().getNumElements() ==
            slice.getType().getNumElements() &&
        slice.getSourceType().hasStaticShape() &&
        slice.getType().hasStaticShape() && slice.hasUnitStride())
      return traceReshape(slice.getSource(), tensor, view);
    return nullptr;
  }
  if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
    TypedAttr number;
    if (matchPattern(splat.getInput(), m_Constant(&number)))
      return constant(number);
    return leaf(splat.getInput(), {});
  }
  if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
    return traceSoftmax(softmax, view);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return traceLinalg(linalgOp, cast<OpResult>(tensor), view);
  if (OpTrait::hasElementwiseMappableTraits(op) && isPure(op) &&
      op->getNumResults() == 1)
    return traceElementwiseOp(op, view);
  return nullptr;
}

std::optional<View> mlir::dit::raise::reshapeView(AxisSpace &space,
                                                  Value source, Value result,
                                                  const View &view) {
  // Each group of dimensions that a reshape keeps together is dealt out by
  // itself; a `tensor.reshape` is one group of all.
  SmallVector<std::pair<ReassociationIndices, ReassociationIndices>> groups;
  auto sourceRank = cast<RankedTensorType>(source.getType()).getRank();
  auto resultRank = cast<RankedTensorType>(result.getType()).getRank();
  Operation *op = result.getDefiningOp();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (auto [dim, group] : llvm::enumerate(expand.getReassociationIndices()))
      groups.push_back({{static_cast<int64_t>(dim)}, group});
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices()))
      groups.push_back({group, {static_cast<int64_t>(dim)}});
  }
  if (groups.empty())
    groups.push_back({llvm::to_vector<2>(llvm::seq<int64_t>(0, sourceRank)),
                      llvm::to_vector<2>(llvm::seq<int64_t>(0, resultRank))});

  View sourceView(sourceRank);
  for (auto &[sourceDims, resultDims] : groups) {
    AxisList list;
    for (int64_t dim : resultDims)
      llvm::append_range(list, view[dim]);
    SmallVector<Extent> extents;
    for (int64_t dim : sourceDims)
      extents.push_back(getExtent(source, dim));
    std::optional<View> dealt = space.distribute(list, extents);
    if (!dealt)
      return std::nullopt;
    for (auto [dim, axes] : llvm::zip(sourceDims, *dealt))
      sourceView[dim] = axes;
  }
  return sourceView;
}

const Expr *Tracer::traceReshape(Value source, Value result, const View &view) {
  std::optional<View> sourceView = reshapeView(space, source, result, view);
  return sourceView ? trace(source, *sourceView) : nullptr;
}

const Expr *Tracer::traceElementwiseOp(Operation *op, const View &view) {
  SmallVector<const Expr *> operands;
  for (Value operand : op->getOperands()) {
    TypedAttr number;
    if (isa<RankedTensorType>(operand.getType()))
      operands.push_back(trace(operand, view));
    else if (matchPattern(operand, m_Constant(&number)))
      operands.push_back(constant(number));
    else
      operands.push_back(leaf(operand, {}));
  }
  // The scalar form of the operation is not in the IR, so only those that are
  // rebuilt by kind are looked into.
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  const Expr *expr = scalarOp(op, operands);
  if (expr->is(ExprKind::Other))
    return nullptr;
  auto *node = const_cast<Expr *>(
      expr->type == type ? expr
                         : make(expr->kind, type, operands, ExprKind::Other));
  if (!node->origin) {
    node->origin = op->getResult(0);
    node->originView = view;
  }
  return node;
}
