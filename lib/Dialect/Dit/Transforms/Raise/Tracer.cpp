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

// Between two contractions stand some tens of operations; beyond these bounds
// a tensor is taken as it is, which costs time nowhere and soundness nowhere.
static constexpr unsigned maxDepth = 256;
static constexpr size_t maxExprs = 1 << 14;

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

const Expr *Tracer::traceReshape(Value source, Value result, const View &view) {
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
      return nullptr;
    for (auto [dim, axes] : llvm::zip(sourceDims, *dealt))
      sourceView[dim] = axes;
  }
  return trace(source, sourceView);
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

//===----------------------------------------------------------------------===//
// Linalg
//===----------------------------------------------------------------------===//

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
// Dynamic broadcasts
//===----------------------------------------------------------------------===//

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
