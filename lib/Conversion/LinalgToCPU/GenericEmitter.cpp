//===- GenericEmitter.cpp - Loops of a linalg op --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel dimensions become loops, the first of them scf.parallel. Inside,
// a group of lanes (or one point) is computed: inputs are loaded as scalars
// where all lanes agree and as vectors elsewhere, and each op of the body is
// emitted on scalars or on vectors after its operands, so what does not depend
// on the lane is computed once.
//
//===----------------------------------------------------------------------===//

#include "GenericEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dit;

Value GenericEmitter::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value GenericEmitter::splat(Value value, int64_t lanes) {
  if (lanes == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(
      builder, loc, VectorType::get({lanes}, value.getType()), value);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

SmallVector<Value> GenericEmitter::indicesOf(OpOperand &operand, int64_t lane) {
  SmallVector<OpFoldResult> dims = getAsOpFoldResult(position);
  if (lane != 0)
    dims[plan.vectorDim] = builder.createOrFold<arith::AddIOp>(
        loc, position[plan.vectorDim], constant(lane));
  SmallVector<Value> indices;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (unsigned result = 0; result < map.getNumResults(); ++result)
    indices.push_back(getValueOrCreateConstantIndexOp(
        builder, loc,
        affine::makeComposedFoldedAffineApply(builder, loc,
                                              map.getSubMap({result}), dims)));
  return indices;
}

Value GenericEmitter::loadLanes(Value memref,
                                ArrayRef<SmallVector<Value>> indices) {
  SmallVector<Value> elements;
  for (const SmallVector<Value> &index : indices)
    elements.push_back(memref::LoadOp::create(builder, loc, memref, index));
  auto type = VectorType::get({static_cast<int64_t>(indices.size())},
                              elements.front().getType());
  return vector::FromElementsOp::create(builder, loc, type, elements);
}

/// The memory of `operand` as one row of elements, and the current point in it.
std::pair<Value, Value> GenericEmitter::flatten(OpOperand &operand) {
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, operand.get());
  Value index = constant(0);
  for (auto [position, stride] : llvm::zip_equal(
           indicesOf(operand), metadata.getConstifiedMixedStrides())) {
    Value step = getValueOrCreateConstantIndexOp(builder, loc, stride);
    index = builder.createOrFold<arith::AddIOp>(
        loc, index, builder.createOrFold<arith::MulIOp>(loc, position, step));
  }
  Type element = getElementTypeOrSelf(operand.get().getType());
  int64_t dynamic = ShapedType::kDynamic;
  auto type =
      MemRefType::get(dynamic, element,
                      StridedLayoutAttr::get(builder.getContext(), dynamic, 1));
  // Its extent is not used: all accesses are within that of the operand.
  OpFoldResult one = builder.getIndexAttr(1);
  OpFoldResult extent = index;
  Value row = memref::ReinterpretCastOp::create(
      builder, loc, type, metadata.getBaseBuffer(),
      metadata.getConstifiedMixedOffset(), extent, one);
  return {row, index};
}

/// Two vectors hold the elements, of which the second ends with the last one:
/// behind that there may be nothing.
Value GenericEmitter::loadEverySecond(OpOperand &operand, int64_t lanes) {
  auto [row, first] = flatten(operand);
  auto type =
      VectorType::get({lanes}, getElementTypeOrSelf(operand.get().getType()));
  Value second =
      builder.createOrFold<arith::AddIOp>(loc, first, constant(lanes - 1));
  Value low = vector::LoadOp::create(builder, loc, type, row, first);
  Value high = vector::LoadOp::create(builder, loc, type, row, second);
  SmallVector<int64_t> picked;
  for (int64_t lane = 0; lane < lanes; ++lane)
    picked.push_back(2 * lane + (2 * lane >= lanes));
  return vector::ShuffleOp::create(builder, loc, low, high, picked);
}

/// Stores pairs of equal elements, of each of which a mask leaves the first.
void GenericEmitter::storeEverySecond(Value value, OpOperand &operand,
                                      int64_t lanes) {
  auto [row, first] = flatten(operand);
  SmallVector<bool> isFirst;
  for (int64_t lane = 0; lane < lanes; ++lane)
    isFirst.push_back(lane % 2 == 0);
  auto maskType = VectorType::get({lanes}, builder.getI1Type());
  Value mask = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(maskType, isFirst));
  for (int64_t half : {0, 1}) {
    SmallVector<int64_t> pairs;
    for (int64_t lane = 0; lane < lanes; ++lane)
      pairs.push_back((half * lanes + lane) / 2);
    Value doubled =
        vector::ShuffleOp::create(builder, loc, value, value, pairs);
    Value index =
        builder.createOrFold<arith::AddIOp>(loc, first, constant(half * lanes));
    vector::MaskedStoreOp::create(builder, loc, row, index, mask, doubled);
  }
}

Value GenericEmitter::load(OpOperand &operand, int64_t lanes) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return operand.get();
  AffineMap map = op.getMatchingIndexingMap(&operand);
  LaneAccess access = lanes == 1 ? LaneAccess::Uniform
                                 : classifyAccess(map, type, plan.vectorDim);
  switch (access) {
  case LaneAccess::Uniform:
    return memref::LoadOp::create(builder, loc, operand.get(),
                                  indicesOf(operand));
  case LaneAccess::Contiguous:
    return vector::LoadOp::create(
        builder, loc, VectorType::get({lanes}, type.getElementType()),
        operand.get(), indicesOf(operand));
  case LaneAccess::EverySecond:
    return loadEverySecond(operand, lanes);
  case LaneAccess::Scattered:
    break;
  }
  SmallVector<SmallVector<Value>> indices;
  for (int64_t lane = 0; lane < lanes; ++lane)
    indices.push_back(indicesOf(operand, lane));
  return loadLanes(operand.get(), indices);
}

void GenericEmitter::store(Value value, OpOperand &operand, int64_t lanes) {
  if (lanes == 1) {
    memref::StoreOp::create(builder, loc, value, operand.get(),
                            indicesOf(operand));
    return;
  }
  value = splat(value, lanes);
  auto type = cast<MemRefType>(operand.get().getType());
  switch (classifyAccess(op.getMatchingIndexingMap(&operand), type,
                         plan.vectorDim)) {
  case LaneAccess::Contiguous:
    vector::StoreOp::create(builder, loc, value, operand.get(),
                            indicesOf(operand));
    return;
  case LaneAccess::EverySecond:
    return storeEverySecond(value, operand, lanes);
  default:
    break;
  }
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value element = vector::ExtractOp::create(builder, loc, value, lane);
    memref::StoreOp::create(builder, loc, element, operand.get(),
                            indicesOf(operand, lane));
  }
}

IRMapping GenericEmitter::loadInputs(int64_t lanes) {
  IRMapping mapping;
  for (OpOperand *input : op.getDpsInputOperands())
    if (op.payloadUsesValueFromOperand(input))
      mapping.map(op.getMatchingBlockArgument(input), load(*input, lanes));
  return mapping;
}

SmallVector<Value> GenericEmitter::loadOutputs(int64_t lanes) {
  SmallVector<Value> values;
  for (OpOperand &init : op.getDpsInitsMutable())
    values.push_back(splat(load(init, lanes), lanes));
  return values;
}

void GenericEmitter::mapOutputs(IRMapping &mapping, ValueRange outs) {
  for (auto [argument, value] : llvm::zip_equal(op.getRegionOutputArgs(), outs))
    mapping.map(argument, value);
}

void GenericEmitter::storeOutputs(ValueRange values, int64_t lanes) {
  for (auto [init, value] : llvm::zip_equal(op.getDpsInitsMutable(), values))
    store(value, init, lanes);
}

//===----------------------------------------------------------------------===//
// Body
//===----------------------------------------------------------------------===//

/// Emits `inner` on vectors of `lanes`.
static void emitOnVectors(OpBuilder &builder, Operation &inner,
                          ArrayRef<Value> operands, IRMapping &mapping,
                          int64_t lanes) {
  SmallVector<Type> types;
  for (Type type : inner.getResultTypes())
    types.push_back(VectorType::get({lanes}, type));
  OperationState state(inner.getLoc(), inner.getName(), operands, types,
                       inner.getAttrs());
  mapping.map(inner.getResults(), builder.create(state)->getResults());
}

void GenericEmitter::emitBodyOp(Operation &inner, IRMapping &mapping,
                                int64_t lanes) {
  if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
    Value value = position[index.getDim()];
    if (lanes > 1 && isLane(index.getDim())) {
      auto type = VectorType::get({lanes}, builder.getIndexType());
      Value step = vector::StepOp::create(builder, loc, type);
      value = arith::AddIOp::create(builder, loc, splat(value, lanes), step);
    }
    mapping.map(index.getResult(), value);
    return;
  }
  SmallVector<Value> operands;
  for (Value operand : inner.getOperands())
    operands.push_back(mapping.lookupOrDefault(operand));
  bool uniform = llvm::none_of(
      operands, [](Value value) { return isa<VectorType>(value.getType()); });
  if (uniform) {
    builder.clone(inner, mapping);
    return;
  }
  if (auto load = dyn_cast<memref::LoadOp>(inner)) {
    SmallVector<SmallVector<Value>> indices(lanes);
    for (Value index : ArrayRef(operands).drop_front())
      for (int64_t lane = 0; lane < lanes; ++lane)
        indices[lane].push_back(
            isa<VectorType>(index.getType())
                ? vector::ExtractOp::create(builder, loc, index, lane)
                      .getResult()
                : index);
    mapping.map(load.getResult(), loadLanes(operands.front(), indices));
    return;
  }
  for (Value &operand : operands)
    operand = splat(operand, lanes);
  emitOnVectors(builder, inner, operands, mapping, lanes);
}

void GenericEmitter::emitBody(IRMapping &mapping, int64_t lanes,
                              ArrayRef<Operation *> skip) {
  for (Operation &inner : op.getBlock()->without_terminator())
    if (!llvm::is_contained(skip, &inner))
      emitBodyOp(inner, mapping, lanes);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

bool GenericEmitter::hasTail() {
  int64_t extent = op.getStaticLoopRanges()[plan.vectorDim];
  return ShapedType::isDynamic(extent) || extent % plan.lanes != 0;
}

Value GenericEmitter::mainEnd() {
  Value extent = extents[plan.vectorDim];
  if (!hasTail())
    return extent;
  Value rest =
      builder.createOrFold<arith::RemUIOp>(loc, extent, constant(plan.lanes));
  return builder.createOrFold<arith::SubIOp>(loc, extent, rest);
}

SmallVector<Value> GenericEmitter::emitReductionNest(
    unsigned depth, ValueRange carried,
    function_ref<SmallVector<Value>(ValueRange)> body) {
  if (depth == plan.reductionDims.size())
    return body(carried);
  unsigned dim = plan.reductionDims[depth];
  auto loop = scf::ForOp::create(builder, loc, constant(0), extents[dim],
                                 constant(1), carried);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  position[dim] = loop.getInductionVar();
  SmallVector<Value> values =
      emitReductionNest(depth + 1, loop.getRegionIterArgs(), body);
  // A loop without carried values has its terminator already.
  if (!carried.empty())
    scf::YieldOp::create(builder, loc, values);
  return loop.getResults();
}

/// Computes `lanes` neighbours of the output, reducing over all reduction
/// dimensions in registers.
void GenericEmitter::emitGroup(int64_t lanes) {
  auto body = [&](ValueRange outs) {
    IRMapping mapping = loadInputs(lanes);
    if (outs.empty()) {
      for (OpOperand &init : op.getDpsInitsMutable())
        if (op.payloadUsesValueFromOperand(&init))
          mapping.map(op.getMatchingBlockArgument(&init), load(init, lanes));
    } else {
      mapOutputs(mapping, outs);
    }
    emitBody(mapping, lanes);
    SmallVector<Value> values;
    for (Value value : op.getBlock()->getTerminator()->getOperands())
      values.push_back(splat(mapping.lookupOrDefault(value), lanes));
    return values;
  };
  if (plan.reductionDims.empty()) {
    storeOutputs(body({}), lanes);
    return;
  }
  SmallVector<Value> values = emitReductionNest(0, loadOutputs(lanes), body);
  storeOutputs(values, lanes);
}

void GenericEmitter::emitLanesAlongParallel() {
  auto emitRange = [&](Value begin, Value end, int64_t lanes) {
    auto loop = scf::ForOp::create(builder, loc, begin, end, constant(lanes));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    position[plan.vectorDim] = loop.getInductionVar();
    emitGroup(lanes);
  };
  Value end = mainEnd();
  emitRange(constant(0), end, plan.lanes);
  if (hasTail())
    emitRange(end, extents[plan.vectorDim], 1);
}

static vector::CombiningKind combiningKind(Operation *op) {
  using vector::CombiningKind;
  return TypeSwitch<Operation *, CombiningKind>(op)
      .Case<arith::AddFOp, arith::AddIOp>(
          [](auto) { return CombiningKind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>(
          [](auto) { return CombiningKind::MUL; })
      .Case([](arith::MaximumFOp) { return CombiningKind::MAXIMUMF; })
      .Case([](arith::MinimumFOp) { return CombiningKind::MINIMUMF; })
      .Case([](arith::MaxNumFOp) { return CombiningKind::MAXNUMF; })
      .Case([](arith::MinNumFOp) { return CombiningKind::MINNUMF; })
      .Case([](arith::MaxSIOp) { return CombiningKind::MAXSI; })
      .Case([](arith::MinSIOp) { return CombiningKind::MINSI; })
      .Case([](arith::AndIOp) { return CombiningKind::AND; })
      .Case([](arith::OrIOp) { return CombiningKind::OR; })
      .Case([](arith::XOrIOp) { return CombiningKind::XOR; });
}

/// Combines the contributions of the current point, or group of lanes, into
/// `accumulators`.
SmallVector<Value> GenericEmitter::accumulate(int64_t lanes,
                                              ValueRange accumulators) {
  SmallVector<Combiner> combiners;
  SmallVector<Operation *> skip;
  for (unsigned index = 0; index < op.getNumDpsInits(); ++index) {
    combiners.push_back(matchCombiner(op, index));
    skip.push_back(combiners.back().op);
  }
  IRMapping mapping = loadInputs(lanes);
  emitBody(mapping, lanes, skip);
  SmallVector<Value> results;
  for (auto [combiner, accumulator] :
       llvm::zip_equal(combiners, accumulators)) {
    Value value = splat(mapping.lookupOrDefault(combiner.contribution), lanes);
    OperationState state(loc, combiner.op->getName(), {accumulator, value},
                         accumulator.getType(), combiner.op->getAttrs());
    results.push_back(builder.create(state)->getResult(0));
  }
  return results;
}

/// Runs along the vector dimension: the first half of `carried` are vector
/// accumulators, the second half scalar ones for the tail.
SmallVector<Value> GenericEmitter::emitAccumulation(ValueRange carried) {
  unsigned count = carried.size() / 2;
  auto emitRange = [&](Value begin, Value end, int64_t lanes,
                       ValueRange accumulators) -> SmallVector<Value> {
    auto loop = scf::ForOp::create(builder, loc, begin, end, constant(lanes),
                                   accumulators);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    position[plan.vectorDim] = loop.getInductionVar();
    scf::YieldOp::create(builder, loc,
                         accumulate(lanes, loop.getRegionIterArgs()));
    return loop.getResults();
  };
  Value end = mainEnd();
  SmallVector<Value> results =
      emitRange(constant(0), end, plan.lanes, carried.take_front(count));
  if (hasTail())
    llvm::append_range(results, emitRange(end, extents[plan.vectorDim], 1,
                                          carried.drop_front(count)));
  else
    llvm::append_range(results, carried.drop_front(count));
  return results;
}

void GenericEmitter::emitReduction() {
  SmallVector<Value> carried;
  for (unsigned index = 0; index < op.getNumDpsInits(); ++index) {
    Operation *combiner = matchCombiner(op, index).op;
    Value neutral = arith::ConstantOp::create(
        builder, loc, *arith::getNeutralElement(combiner));
    carried.push_back(splat(neutral, plan.lanes));
  }
  llvm::append_range(carried, loadOutputs(1));
  SmallVector<Value> sums = emitReductionNest(
      0, carried, [&](ValueRange values) { return emitAccumulation(values); });
  unsigned count = op.getNumDpsInits();
  SmallVector<Value> results;
  for (unsigned index = 0; index < count; ++index) {
    Operation *combiner = matchCombiner(op, index).op;
    Value sum =
        vector::ReductionOp::create(builder, loc, combiningKind(combiner),
                                    sums[index], arith::FastMathFlags::reassoc);
    OperationState state(loc, combiner->getName(), {sums[count + index], sum},
                         sum.getType(), combiner->getAttrs());
    results.push_back(builder.create(state)->getResult(0));
  }
  storeOutputs(results, 1);
}

void GenericEmitter::emitPoint() {
  switch (plan.strategy) {
  case VectorStrategy::Scalar:
    return emitGroup(1);
  case VectorStrategy::Parallel:
    return emitLanesAlongParallel();
  case VectorStrategy::Reduction:
    return emitReduction();
  }
}

void GenericEmitter::emitParallelNest(unsigned depth) {
  OpBuilder::InsertionGuard guard(builder);
  if (depth == 0 && plan.numParallelLoops > 0) {
    SmallVector<Value> lower(plan.numParallelLoops, constant(0)), upper,
        step(plan.numParallelLoops, constant(1));
    for (unsigned dim : ArrayRef(plan.parallelDims).take_front(lower.size()))
      upper.push_back(extents[dim]);
    auto loop = scf::ParallelOp::create(builder, loc, lower, upper, step);
    if (plan.grain > 0)
      loop->setAttr("dit.grain", builder.getI64IntegerAttr(plan.grain));
    builder.setInsertionPointToStart(loop.getBody());
    for (auto [dim, iv] : llvm::zip(plan.parallelDims, loop.getInductionVars()))
      position[dim] = iv;
    return emitParallelNest(plan.numParallelLoops);
  }
  if (depth == plan.parallelDims.size())
    return emitPoint();
  unsigned dim = plan.parallelDims[depth];
  auto loop =
      scf::ForOp::create(builder, loc, constant(0), extents[dim], constant(1));
  builder.setInsertionPointToStart(loop.getBody());
  position[dim] = loop.getInductionVar();
  emitParallelNest(depth + 1);
}

void GenericEmitter::emit() {
  for (Range range : op.createLoopRanges(builder, loc))
    extents.push_back(
        getValueOrCreateConstantIndexOp(builder, loc, range.size));
  position.assign(extents.size(), constant(0));
  emitParallelNest(0);
}
