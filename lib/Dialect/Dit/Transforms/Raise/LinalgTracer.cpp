//===- LinalgTracer.cpp - Expressions from linalg operations --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements of the results of structured operations: elementwise bodies,
// reductions, and contractions, which are told apart from other sums and left
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

/// `value` without changes of float type, in the body of an operation.
static Value stripScalarCasts(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

SmallVector<Value> mlir::dit::raise::getReadTensors(Operation *op) {
  SmallVector<Value> tensors;
  op->walk([&](Operation *nested) {
    for (Value operand : nested->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (isa<RankedTensorType>(operand.getType()) &&
          !(producer && op->isAncestor(producer)))
        tensors.push_back(operand);
    }
  });
  return tensors;
}

bool mlir::dit::raise::isContraction(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInputs() != 2 ||
      linalgOp.getNumDpsInits() != 1 || linalgOp.getNumReductionLoops() == 0 ||
      !linalgOp.hasPureTensorSemantics())
    return false;
  for (AffineMap map : linalgOp.getIndexingMapsArray())
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return false;
  Block *body = linalgOp.getBlock();
  auto sum = stripScalarCasts(body->getTerminator()->getOperand(0))
                 .getDefiningOp<arith::AddFOp>();
  if (!sum || body->getNumArguments() != 3)
    return false;
  for (unsigned i : {0, 1}) {
    if (stripScalarCasts(sum->getOperand(i)) != body->getArgument(2))
      continue;
    auto product =
        stripScalarCasts(sum->getOperand(1 - i)).getDefiningOp<arith::MulFOp>();
    if (!product)
      continue;
    Value lhs = stripScalarCasts(product.getLhs());
    Value rhs = stripScalarCasts(product.getRhs());
    Value a = body->getArgument(0), b = body->getArgument(1);
    if ((lhs == a && rhs == b) || (lhs == b && rhs == a))
      return true;
  }
  return false;
}

bool Tracer::inferLoops(linalg::LinalgOp op, OpResult result, const View &view,
                        SmallVectorImpl<AxisList> &loops) {
  AffineMap map = op.getIndexingMapMatchingResult(result);
  loops.assign(op.getNumLoops(), {});
  SmallVector<bool> known(op.getNumLoops(), false);
  AxisList taken;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
      if (known[loop.getPosition()])
        return false;
      known[loop.getPosition()] = true;
      loops[loop.getPosition()] = view[dim];
      llvm::append_range(taken, view[dim]);
    } else if (!view[dim].empty()) {
      return false;
    }
  }
  // What is left are reductions.
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    if (known[loop])
      continue;
    Value operand;
    unsigned operandDim;
    if (op.getIteratorTypesArray()[loop] != utils::IteratorType::reduction ||
        failed(op.mapIterationSpaceDimToOperandDim(loop, operand, operandDim)))
      return false;
    loops[loop] = space.getBoundAxes(getExtent(operand, operandDim), taken);
    llvm::append_range(taken, loops[loop]);
  }
  return true;
}

const Expr *Tracer::traceLinalg(linalg::LinalgOp op, OpResult result,
                                const View &view) {
  if (!op.hasPureTensorSemantics() || !op.getBlock())
    return nullptr;
  const Expr *expr = nullptr;
  if (isContraction(op)) {
    auto node = std::make_unique<Expr>();
    node->kind = ExprKind::Contraction;
    node->type = getElementTypeOrSelf(result.getType());
    node->op = op;
    node->view = view;
    node->origin = result;
    node->originView = view;
    const Expr *product = unique(std::move(node));
    const Expr *init = trace(op.getDpsInits()[0], view);
    return init->isZero() ? product
                          : make(ExprKind::Add, product->type, {init, product});
  }
  SmallVector<AxisList> loops;
  if (!inferLoops(op, result, view, loops))
    return nullptr;
  if (op.getNumReductionLoops() > 0)
    expr = traceReduction(op, result, loops);
  else
    expr = traceScalar(
        op,
        op.getBlock()->getTerminator()->getOperand(result.getResultNumber()),
        loops);
  if (!expr)
    return nullptr;
  if (!expr->origin && !expr->is(ExprKind::Constant)) {
    auto *node = const_cast<Expr *>(expr);
    node->origin = result;
    node->originView = view;
  }
  return expr;
}

/// The operation that folds `element` into `accumulator`, or Other.
static ExprKind matchCombiner(Value yielded, Value accumulator,
                              Value &element) {
  Operation *op = yielded.getDefiningOp();
  if (!op)
    return ExprKind::Other;
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    auto cmp = select.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!cmp || cmp.getLhs() != select.getTrueValue() ||
        cmp.getRhs() != select.getFalseValue())
      return ExprKind::Other;
    bool greater = cmp.getPredicate() == arith::CmpFPredicate::OGT ||
                   cmp.getPredicate() == arith::CmpFPredicate::UGT ||
                   cmp.getPredicate() == arith::CmpFPredicate::OGE ||
                   cmp.getPredicate() == arith::CmpFPredicate::UGE;
    if (!greater)
      return ExprKind::Other;
    element = cmp.getLhs() == accumulator ? cmp.getRhs() : cmp.getLhs();
    return cmp.getLhs() == accumulator || cmp.getRhs() == accumulator
               ? ExprKind::Max
               : ExprKind::Other;
  }
  if (op->getNumOperands() != 2)
    return ExprKind::Other;
  if (op->getOperand(0) == accumulator)
    element = op->getOperand(1);
  else if (op->getOperand(1) == accumulator)
    element = op->getOperand(0);
  else
    return ExprKind::Other;
  if (isa<arith::AddFOp>(op))
    return ExprKind::Add;
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return ExprKind::Max;
  bool isBoolean = yielded.getType().isInteger(1);
  if (isa<arith::AndIOp>(op) && isBoolean)
    return ExprKind::And;
  if (isa<arith::OrIOp>(op) && isBoolean)
    return ExprKind::Or;
  return ExprKind::Other;
}

const Expr *Tracer::traceReduction(linalg::LinalgOp op, OpResult result,
                                   ArrayRef<AxisList> loops) {
  OpOperand *init = op.getDpsInitOperand(result.getResultNumber());
  Value element;
  ExprKind combiner = matchCombiner(
      op.getBlock()->getTerminator()->getOperand(result.getResultNumber()),
      op.getMatchingBlockArgument(init), element);
  if (combiner == ExprKind::Other)
    return nullptr;
  const Expr *body = traceScalar(op, element, loops);
  const Expr *start = body ? traceOperand(op, *init, loops) : nullptr;
  if (!start)
    return nullptr;
  AxisList axes;
  for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::reduction)
      llvm::append_range(axes, loops[loop]);
  const Expr *fold =
      make(ExprKind::Reduce, body->type, body, combiner, std::move(axes));
  return isNeutral(combiner, start) ? fold
                                    : make(combiner, body->type, {start, fold});
}

const Expr *Tracer::traceSoftmax(linalg::SoftmaxOp op, const View &view) {
  const Expr *input = trace(op.getInput(), view);
  View reducedView = view;
  AxisList taken;
  unsigned dimension = op.getDimension();
  for (auto [dim, list] : llvm::enumerate(view))
    if (dim != dimension)
      llvm::append_range(taken, list);
  AxisList axes =
      space.getBoundAxes(getExtent(op.getInput(), dimension), taken);
  reducedView[dimension] = axes;
  const Expr *bound = trace(op.getInput(), reducedView);
  Type type = input->type;
  const Expr *max = make(ExprKind::Reduce, type, bound, ExprKind::Max, axes);
  auto weight = [&](const Expr *score) {
    return make(ExprKind::Exp, type, make(ExprKind::Sub, type, {score, max}));
  };
  const Expr *sum =
      make(ExprKind::Reduce, type, weight(bound), ExprKind::Add, axes);
  const Expr *expr = make(ExprKind::Div, type, {weight(input), sum});
  if (!expr->origin) {
    const_cast<Expr *>(expr)->origin = op.getResult().front();
    const_cast<Expr *>(expr)->originView = view;
  }
  return expr;
}

const Expr *Tracer::traceOperand(linalg::LinalgOp op, OpOperand &operand,
                                 ArrayRef<AxisList> loops) {
  Value value = operand.get();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type) {
    TypedAttr number;
    if (matchPattern(value, m_Constant(&number)))
      return constant(number);
    return leaf(value, {});
  }
  View view;
  for (auto [dim, expr] :
       llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      view.push_back(loops[loop.getPosition()]);
    else if (isa<AffineConstantExpr>(expr) && type.getDimSize(dim) == 1)
      view.push_back({});
    else
      return nullptr;
  }
  return trace(value, view);
}

const Expr *Tracer::traceScalar(linalg::LinalgOp op, Value scalar,
                                ArrayRef<AxisList> loops) {
  if (auto argument = dyn_cast<BlockArgument>(scalar);
      argument && argument.getOwner() == op.getBlock())
    return traceOperand(
        op, *op.getOpOperandsMatchingBBargs()[argument.getArgNumber()], loops);
  TypedAttr number;
  if (matchPattern(scalar, m_Constant(&number)))
    return constant(number);
  Operation *producer = scalar.getDefiningOp();
  if (!producer || producer->getBlock() != op.getBlock())
    return leaf(scalar, {});
  if (auto index = dyn_cast<linalg::IndexOp>(producer)) {
    auto expr = std::make_unique<Expr>();
    expr->kind = ExprKind::Index;
    expr->type = index.getType();
    expr->axes = loops[index.getDim()];
    return unique(std::move(expr));
  }
  if (isa<tensor::ExtractOp>(producer))
    return traceGather(op, scalar, loops);
  if (!isPure(producer) || producer->getNumRegions() != 0 ||
      producer->getNumResults() != 1 || depth >= maxDepth)
    return nullptr;
  ++depth;
  llvm::scope_exit leave([&] { --depth; });
  SmallVector<const Expr *> operands;
  for (Value operand : producer->getOperands()) {
    if (isa<ShapedType>(operand.getType()))
      return nullptr;
    operands.push_back(traceScalar(op, operand, loops));
    if (!operands.back())
      return nullptr;
  }
  return scalarOp(producer, operands);
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

ContractionLoops Tracer::traceContraction(const Expr *contraction) {
  auto op = cast<linalg::LinalgOp>(contraction->op);
  ContractionLoops result;
  SmallVector<AxisList> loops;
  if (!inferLoops(op, cast<OpResult>(op->getResult(0)),
                  space.resolve(contraction->view), loops))
    return result;
  AffineMap lhsMap = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap rhsMap = op.getMatchingIndexingMap(op.getDpsInputOperand(1));
  for (auto [loop, axes] : llvm::enumerate(loops)) {
    bool inLhs = lhsMap.isFunctionOfDim(loop);
    bool inRhs = rhsMap.isFunctionOfDim(loop);
    if (op.getIteratorTypesArray()[loop] == utils::IteratorType::reduction)
      llvm::append_range(result.reduction, axes);
    else if (inLhs && inRhs)
      llvm::append_range(result.batch, axes);
    else
      llvm::append_range(inLhs ? result.lhsOnly : result.rhsOnly, axes);
  }
  result.lhs = traceOperand(op, *op.getDpsInputOperand(0), loops);
  result.rhs = traceOperand(op, *op.getDpsInputOperand(1), loops);
  return result;
}
