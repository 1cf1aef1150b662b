//===- GenericPlan.cpp - How a linalg op becomes loops --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GenericPlan.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::dit;

/// Simple element operations below which threads cost more than they bring.
static constexpr int64_t kParallelWork = 1 << 16;
/// Simple element operations that make a task.
static constexpr int64_t kTaskWork = 1 << 14;
/// What a transcendental function costs in simple operations.
static constexpr int64_t kMathCost = 8;
/// Iterations that parallel loops should have, so that threads can share them
/// evenly.
static constexpr int64_t kParallelIterations = 64;

LaneAccess mlir::dit::classifyAccess(AffineMap map, MemRefType type,
                                     unsigned dim) {
  if (!map.isFunctionOfDim(dim))
    return LaneAccess::Uniform;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(dim))
      return LaneAccess::Scattered;
  // Vectors of i1 are packed bits, while an i1 in memory is a byte.
  Type element = type.getElementType();
  bool bytes =
      element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 8 == 0;
  // A step along `dim` is a step in memory: the dimension itself, or with the
  // offset of a window.
  AffineExpr last = map.getResults().back();
  AffineExpr position = getAffineDimExpr(dim, map.getContext());
  AffineExpr step = simplifyAffineExpr(
      last.replace(position, position + 1) - last, map.getNumDims(), 0);
  auto distance = dyn_cast<AffineConstantExpr>(step);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!bytes || !distance ||
      failed(type.getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamic(strides.back()))
    return LaneAccess::Scattered;
  switch (distance.getValue() * strides.back()) {
  case 1:
    return LaneAccess::Contiguous;
  case 2:
    return LaneAccess::EverySecond;
  default:
    return LaneAccess::Scattered;
  }
}

Combiner mlir::dit::matchCombiner(linalg::LinalgOp op, unsigned index) {
  SmallVector<Operation *> ops;
  Value value = matchReduction(op.getRegionOutputArgs(), index, ops);
  if (!value || ops.size() != 1 || ops.front()->getNumOperands() != 2 ||
      !isa<arith::AddFOp, arith::AddIOp, arith::MulFOp, arith::MulIOp,
           arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
           arith::MinNumFOp, arith::MaxSIOp, arith::MinSIOp, arith::AndIOp,
           arith::OrIOp, arith::XOrIOp>(ops.front()))
    return {};
  return {ops.front(), value};
}

/// Whether the body can be evaluated on vectors.
static bool isVectorizable(linalg::LinalgOp op) {
  for (Operation &inner : op.getBlock()->without_terminator()) {
    for (Type type : inner.getResultTypes())
      if (!VectorType::isValidElementType(type))
        return false;
    if (isa<linalg::IndexOp, arith::ConstantOp, memref::LoadOp>(inner))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&inner))
      return false;
  }
  return llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return VectorType::isValidElementType(memref ? memref.getElementType()
                                                 : type);
  });
}

static LaneAccess accessOf(linalg::LinalgOp op, OpOperand &operand,
                           unsigned dim) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return LaneAccess::Uniform;
  return classifyAccess(op.getMatchingIndexingMap(&operand), type, dim);
}

/// Lanes for a dimension of `extent`: a full vector where that divides it or a
/// tail is worth it, else a power of two that divides it.
static int64_t chooseLanes(int64_t extent, int64_t preferred) {
  if (ShapedType::isDynamic(extent) || extent >= 2 * preferred)
    return preferred;
  int64_t lanes = preferred;
  while (lanes > 1 && extent % lanes != 0)
    lanes /= 2;
  return lanes >= 4 || lanes == extent ? lanes : 1;
}

/// The reduction dimension along which neighbours of the largest input lie in
/// memory, if all outputs are plain reductions.
static std::optional<unsigned> findReductionLanes(linalg::LinalgOp op) {
  for (unsigned index = 0; index < op.getNumDpsInits(); ++index)
    if (!matchCombiner(op, index).op)
      return std::nullopt;
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  std::optional<unsigned> found;
  int64_t rank = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (map.getNumResults() <= rank)
      continue;
    rank = map.getNumResults();
    found = std::nullopt;
    auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (last &&
        iterators[last.getPosition()] == utils::IteratorType::reduction &&
        accessOf(op, *input, last.getPosition()) == LaneAccess::Contiguous)
      found = last.getPosition();
  }
  return found;
}

/// The parallel dimension along which neighbours of every output lie in
/// memory.
static std::optional<unsigned> findParallelLanes(linalg::LinalgOp op) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!last)
    return std::nullopt;
  unsigned dim = last.getPosition();
  for (OpOperand &init : op.getDpsInitsMutable())
    if (accessOf(op, init, dim) == LaneAccess::Uniform)
      return std::nullopt;
  return dim;
}

static int64_t bodyCost(linalg::LinalgOp op) {
  int64_t cost = op->getNumOperands();
  for (Operation &inner : op.getBlock()->without_terminator())
    cost += isa<math::MathDialect>(inner.getDialect()) ? kMathCost : 1;
  return cost;
}

/// Picks the parallel loops and their grain.
static void planThreads(GenericPlan &plan, linalg::LinalgOp op,
                        ArrayRef<int64_t> extents) {
  int64_t work = bodyCost(op);
  bool dynamic = false;
  for (int64_t extent : extents)
    ShapedType::isDynamic(extent) ? void(dynamic = true) : void(work *= extent);
  if (!dynamic && work < kParallelWork)
    return;
  int64_t iterations = 1;
  bool known = true;
  for (unsigned dim : plan.parallelDims) {
    if (known && iterations >= kParallelIterations)
      break;
    ++plan.numParallelLoops;
    if (ShapedType::isDynamic(extents[dim]))
      known = false;
    else
      iterations *= extents[dim];
  }
  if (!dynamic)
    plan.grain = std::max<int64_t>(
        1, kTaskWork / std::max<int64_t>(1, work / iterations));
}

GenericPlan GenericPlan::get(linalg::LinalgOp op, int64_t floatLanes) {
  GenericPlan plan;
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  if (isVectorizable(op)) {
    std::optional<unsigned> dim = findReductionLanes(op);
    if (dim) {
      int64_t wide = 4 * floatLanes;
      bool useWide = ShapedType::isDynamic(extents[*dim]) ||
                     extents[*dim] % wide == 0 || extents[*dim] >= 4 * wide;
      plan.lanes = chooseLanes(extents[*dim], useWide ? wide : floatLanes);
      plan.strategy = VectorStrategy::Reduction;
    }
    if (!dim || plan.lanes == 1) {
      dim = findParallelLanes(op);
      plan.lanes = dim ? chooseLanes(extents[*dim], floatLanes) : 1;
      plan.strategy = VectorStrategy::Parallel;
    }
    plan.vectorDim = dim.value_or(0);
    if (plan.lanes == 1)
      plan.strategy = VectorStrategy::Scalar;
  }
  bool scalar = plan.strategy == VectorStrategy::Scalar;
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (!scalar && dim == plan.vectorDim)
      continue;
    (iterator == utils::IteratorType::parallel ? plan.parallelDims
                                               : plan.reductionDims)
        .push_back(dim);
  }
  if (!op->hasAttr(kSerialAttr))
    planThreads(plan, op, extents);
  return plan;
}
