//===- BroadcastTracer.cpp - Dynamic broadcasts ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters write the broadcast of a dimension whose extent they do not know as
// a gather whose index stays at zero if the extent turns out to be one.
//
//===----------------------------------------------------------------------===//

#include "ElementExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dit::raise;

/// The loop that `index` follows. `conditional` is set when it stays at 0 if
/// the dimension `dim` of `tensor` has extent one.
static std::optional<unsigned>
matchGatherIndex(Value index, Value tensor, int64_t dim, bool &conditional) {
  conditional = false;
  if (auto select = index.getDefiningOp<arith::SelectOp>()) {
    auto cmp = select.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!cmp || cmp.getPredicate() != arith::CmpIPredicate::eq ||
        !matchPattern(select.getTrueValue(), m_Zero()) ||
        !matchPattern(cmp.getRhs(), m_One()) ||
        !(getExtent(OpFoldResult(cmp.getLhs())) == getExtent(tensor, dim)))
      return std::nullopt;
    conditional = true;
    index = select.getFalseValue();
  }
  if (auto loop = index.getDefiningOp<linalg::IndexOp>())
    return loop.getDim();
  return std::nullopt;
}

// Exporters write the broadcast of a dimension whose extent they do not know
// as a gather whose index stays at zero if the extent turns out to be one.
const Expr *Tracer::traceGather(linalg::LinalgOp op, Value scalar,
                                ArrayRef<AxisList> loops) {
  auto extract = scalar.getDefiningOp<tensor::ExtractOp>();
  Value source = extract.getTensor();
  auto type = dyn_cast<RankedTensorType>(source.getType());
  if (!type)
    return nullptr;
  View view;
  SmallVector<AxisList> broadcast;
  for (auto [dim, index] : llvm::enumerate(extract.getIndices())) {
    if (type.getDimSize(dim) == 1) {
      view.push_back({});
      continue;
    }
    bool conditional = false;
    std::optional<unsigned> loop =
        matchGatherIndex(index, source, dim, conditional);
    if (!loop)
      return nullptr;
    const AxisList &axes = loops[*loop];
    view.push_back(axes);
    Extent extent = getExtent(source, dim);
    Value operand;
    unsigned operandDim;
    if (failed(op.mapIterationSpaceDimToOperandDim(*loop, operand, operandDim)))
      return nullptr;
    if (extent == getExtent(operand, operandDim))
      continue;
    if (!conditional || axes.size() != 1)
      return nullptr;
    broadcast.push_back(axes);
  }
  const Expr *expr = trace(source, view);
  return broadcast.empty() ? expr : broadcastLeaf(expr, broadcast);
}

/// `expr` with the dimensions along `broadcast` of the tensor at its bottom
/// marked as such. Only scaling and casts commute with that here.
const Expr *Tracer::broadcastLeaf(const Expr *expr,
                                  ArrayRef<AxisList> broadcast) {
  if (expr->is(ExprKind::Cast)) {
    const Expr *inner = broadcastLeaf(expr->operand(0), broadcast);
    return inner ? make(ExprKind::Cast, expr->type, inner) : nullptr;
  }
  if (expr->is(ExprKind::Mul))
    for (unsigned i : {0, 1})
      if (expr->operand(1 - i)->is(ExprKind::Constant)) {
        const Expr *inner = broadcastLeaf(expr->operand(i), broadcast);
        return inner ? make(ExprKind::Mul, expr->type,
                            {inner, expr->operand(1 - i)})
                     : nullptr;
      }
  if (expr->is(ExprKind::Constant))
    return expr;
  if (!expr->origin || !expr->broadcastDims.empty())
    return nullptr;
  SmallVector<unsigned> dims;
  for (const AxisList &axes : broadcast) {
    const auto *dim = llvm::find(expr->originView, axes);
    if (dim == expr->originView.end())
      return nullptr;
    dims.push_back(dim - expr->originView.begin());
  }
  return leaf(expr->origin, expr->originView, dims);
}
