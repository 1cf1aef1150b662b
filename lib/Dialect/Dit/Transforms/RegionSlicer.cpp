//===- RegionSlicer.cpp - Part of what a block computes -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An op whose result is needed whole, or that is not known, needs its operands
// whole; then parts of its result are cut out of that.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/RegionSlicer.h"
#include "dit/Dialect/Dit/Analysis/OpInputs.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// TensorPart
//===----------------------------------------------------------------------===//

TensorPart TensorPart::getWhole(RankedTensorType type) {
  TensorPart part;
  part.offsets.assign(type.getRank(), 0);
  llvm::append_range(part.sizes, type.getShape());
  return part;
}

TensorPart TensorPart::get(RankedTensorType type, int64_t dim, int64_t offset,
                           int64_t size) {
  TensorPart part = getWhole(type);
  part.offsets[dim] = offset;
  part.sizes[dim] = size;
  return part;
}

bool TensorPart::isWhole(RankedTensorType type, int64_t dim) const {
  return sizes[dim] == type.getDimSize(dim);
}

bool TensorPart::isWhole(RankedTensorType type) const {
  return ArrayRef<int64_t>(sizes) == type.getShape();
}

RankedTensorType TensorPart::getType(RankedTensorType type) const {
  return type.clone(sizes);
}

Value mlir::dit::createPart(OpBuilder &builder, Location loc, Value value,
                            const TensorPart &part) {
  auto type = cast<RankedTensorType>(value.getType());
  if (part.isWhole(type))
    return value;
  SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      builder, loc, part.getType(type), value,
      getAsIndexOpFoldResult(builder.getContext(), part.offsets),
      getAsIndexOpFoldResult(builder.getContext(), part.sizes), strides);
}

//===----------------------------------------------------------------------===//
// Parts of operands
//===----------------------------------------------------------------------===//

static RankedTensorType getStaticType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? type : RankedTensorType();
}

/// The parts of the operands of an op that a part of its result needs, in the
/// order of operands; none for those that are not tensors.
using OperandParts = SmallVector<std::optional<TensorPart>>;

static std::optional<OperandParts> getLinalgParts(linalg::LinalgOp op,
                                                  const TensorPart &part) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() != 1)
    return std::nullopt;
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  if (llvm::any_of(extents, ShapedType::isDynamic))
    return std::nullopt;
  SmallVector<int64_t> offsets(extents.size(), 0);
  SmallVector<int64_t> sizes = extents;
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
  for (auto [dim, expr] : llvm::enumerate(output.getResults())) {
    if (part.isWhole(resultType, dim))
      continue;
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop)
      return std::nullopt;
    offsets[loop.getPosition()] = part.offsets[dim];
    sizes[loop.getPosition()] = part.sizes[dim];
  }
  auto isCut = [&](unsigned loop) { return sizes[loop] != extents[loop]; };
  // A body that asks where it is would see other positions.
  if (op.hasIndexSemantics())
    return std::nullopt;
  OperandParts parts;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type) {
      parts.emplace_back();
      continue;
    }
    TensorPart &needed = parts.emplace_back(TensorPart::getWhole(type)).value();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
        needed.offsets[dim] = offsets[loop.getPosition()];
        needed.sizes[dim] = sizes[loop.getPosition()];
        continue;
      }
      for (unsigned loop = 0; loop < extents.size(); ++loop)
        if (isCut(loop) && expr.isFunctionOfDim(loop))
          return std::nullopt;
    }
  }
  return parts;
}

/// For a reshape between `wide`, of more dimensions, and `narrow`: the part of
/// the one that the part of the other is. Ranges can only be told apart along
/// the outermost dimension of a group.
static std::optional<TensorPart>
convertReshapedPart(RankedTensorType wide, RankedTensorType narrow,
                    ArrayRef<ReassociationIndices> groups,
                    const TensorPart &part, bool toNarrow) {
  TensorPart result = TensorPart::getWhole(toNarrow ? narrow : wide);
  for (auto [dim, group] : llvm::enumerate(groups)) {
    // The outermost dimension that has more than one element.
    size_t outer = 0;
    while (outer + 1 < group.size() && wide.getDimSize(group[outer]) == 1)
      ++outer;
    int64_t inner = 1;
    for (int64_t at : ArrayRef(group).drop_front(outer + 1))
      inner *= wide.getDimSize(at);
    if (toNarrow) {
      for (auto [index, at] : llvm::enumerate(group))
        if (index != outer && !part.isWhole(wide, at))
          return std::nullopt;
      result.offsets[dim] = part.offsets[group[outer]] * inner;
      result.sizes[dim] = part.sizes[group[outer]] * inner;
      continue;
    }
    if (part.offsets[dim] % inner != 0 || part.sizes[dim] % inner != 0)
      return std::nullopt;
    result.offsets[group[outer]] = part.offsets[dim] / inner;
    result.sizes[group[outer]] = part.sizes[dim] / inner;
  }
  return result;
}

/// The part of `outer` that `part` of the tensor `inner` needs, where `inner`
/// lies in `outer` as the slice says and is not cut where that is smaller.
template <typename OpTy>
static std::optional<TensorPart>
getSlicedPart(OpTy slice, RankedTensorType outer, RankedTensorType inner,
              const TensorPart &part, bool toOuter) {
  if (outer.getRank() != inner.getRank())
    return std::nullopt;
  TensorPart result = TensorPart::getWhole(toOuter ? outer : inner);
  for (int64_t dim = 0; dim < outer.getRank(); ++dim) {
    if (part.isWhole(toOuter ? inner : outer, dim))
      continue;
    if (outer.getDimSize(dim) != inner.getDimSize(dim) ||
        slice.getStaticStrides()[dim] != 1)
      return std::nullopt;
    result.offsets[dim] = part.offsets[dim];
    result.sizes[dim] = part.sizes[dim];
  }
  return result;
}

static std::optional<OperandParts>
getTensorParts(Operation *op, RankedTensorType type, const TensorPart &part) {
  auto single =
      [](std::optional<TensorPart> found) -> std::optional<OperandParts> {
    if (!found)
      return std::nullopt;
    return OperandParts{std::move(found)};
  };
  if (isa<tensor::EmptyOp>(op))
    return OperandParts();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return single(convertReshapedPart(type, expand.getSrcType(),
                                      expand.getReassociationIndices(), part,
                                      /*toNarrow=*/true));
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return single(convertReshapedPart(collapse.getSrcType(), type,
                                      collapse.getReassociationIndices(), part,
                                      /*toNarrow=*/false));
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    if (slice->getNumOperands() != 1)
      return std::nullopt;
    return single(getSlicedPart(slice, slice.getSourceType(), type, part,
                                /*toOuter=*/true));
  }
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
    if (slice->getNumOperands() != 2)
      return std::nullopt;
    std::optional<TensorPart> source = getSlicedPart(
        slice, type, slice.getSourceType(), part, /*toOuter=*/false);
    if (!source)
      return std::nullopt;
    return OperandParts{source, part};
  }
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    if (!part.isWhole(type, concat.getDim()))
      return std::nullopt;
    OperandParts parts;
    for (Value input : concat.getInputs()) {
      TensorPart &needed = parts.emplace_back(part).value();
      needed.sizes[concat.getDim()] =
          cast<RankedTensorType>(input.getType()).getDimSize(concat.getDim());
    }
    return parts;
  }
  return std::nullopt;
}

/// The parts of the operands of `op` that `part` of its result needs; none if
/// all of the result has to be computed.
static std::optional<OperandParts> getOperandParts(Operation *op,
                                                   const TensorPart &part) {
  if (op->getNumResults() != 1)
    return std::nullopt;
  RankedTensorType type = getStaticType(op->getResult(0));
  auto isKnown = [](Value operand) {
    return !isa<ShapedType>(operand.getType()) || getStaticType(operand);
  };
  if (!type || !llvm::all_of(op->getOperands(), isKnown))
    return std::nullopt;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return getLinalgParts(linalgOp, part);
  if (op->hasTrait<OpTrait::Elementwise>() &&
      llvm::all_of(op->getOperandTypes(), [&](Type operand) {
        auto shaped = dyn_cast<RankedTensorType>(operand);
        return shaped && shaped.getShape() == type.getShape();
      }))
    return OperandParts(op->getNumOperands(), part);
  return getTensorParts(op, type, part);
}

//===----------------------------------------------------------------------===//
// RegionSlicer
//===----------------------------------------------------------------------===//

void RegionSlicer::demandWhole(Value value) { demands[value].whole = true; }

void RegionSlicer::demand(Value value, const TensorPart &part) {
  auto type = cast<RankedTensorType>(value.getType());
  if (part.isWhole(type))
    return demandWhole(value);
  Demand &demand = demands[value];
  if (!llvm::is_contained(demand.parts, part))
    demand.parts.push_back(part);
}

void RegionSlicer::planOp(Operation *op) {
  bool needed = false, whole = op->getNumResults() != 1;
  SmallVector<TensorPart, 2> parts;
  for (Value result : op->getResults()) {
    auto found = demands.find(result);
    if (found == demands.end())
      continue;
    needed = true;
    whole |= found->second.whole;
    parts = found->second.parts;
  }
  if (!needed)
    return;
  SmallVector<OperandParts> needs;
  for (const TensorPart &part : parts) {
    if (whole)
      break;
    std::optional<OperandParts> found = getOperandParts(op, part);
    if (found)
      needs.push_back(std::move(*found));
    else
      whole = true;
  }
  if (whole) {
    for (Value result : op->getResults())
      demandWhole(result);
    for (Value input : getInputs(op))
      demandWhole(input);
    return;
  }
  for (const OperandParts &need : needs)
    for (auto [operand, part] : llvm::zip(op->getOperands(), need)) {
      if (part)
        demand(operand, *part);
      else
        demandWhole(operand);
    }
  // What the body of an op captures is no tensor that could be cut.
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value value : captured)
    demandWhole(value);
}

void RegionSlicer::plan() {
  for (Operation &op : llvm::reverse(body))
    planOp(&op);
}

bool RegionSlicer::needsOnly(Value value, const TensorPart &part) const {
  auto found = demands.find(value);
  return found == demands.end() ||
         (!found->second.whole && llvm::all_equal(found->second.parts) &&
          found->second.parts.front() == part);
}

void RegionSlicer::setKnownPart(Value value, const TensorPart &part) {
  knownParts[value] = part;
}

Value RegionSlicer::getWhole(OpBuilder &builder, Value value) {
  assert(!knownParts.contains(value) && "only a part is known");
  return copies.lookupOrDefault(value);
}

/// A part of a tensor that has one number everywhere, or nothing, as a tensor
/// of its own: a destination that is cut out of one that others use, too, would
/// have to be copied. Null for other values.
Value RegionSlicer::createFilled(OpBuilder &builder, Value value,
                                 const TensorPart &part) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  if (!fill && !value.getDefiningOp<tensor::EmptyOp>())
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  Value made = tensor::EmptyOp::create(builder, value.getLoc(), part.sizes,
                                       type.getElementType());
  if (!fill)
    return made;
  Value number = copies.lookupOrDefault(fill.getInputs().front());
  return linalg::FillOp::create(builder, value.getLoc(), number, made)
      .getResult(0);
}

Value RegionSlicer::get(OpBuilder &builder, Value value,
                        const TensorPart &part) {
  auto type = cast<RankedTensorType>(value.getType());
  if (auto known = knownParts.find(value); known != knownParts.end()) {
    assert(known->second == part && "another part is known");
    return copies.lookup(value);
  }
  if (part.isWhole(type))
    return getWhole(builder, value);
  auto &list = made[value];
  for (auto &[at, found] : list)
    if (at == part)
      return found;
  Value cut = createFilled(builder, value, part);
  if (!cut)
    cut = createPart(builder, value.getLoc(), copies.lookupOrDefault(value),
                     part);
  list.emplace_back(part, cut);
  return cut;
}

Operation *RegionSlicer::clonePart(OpBuilder &builder, Operation *op,
                                   const TensorPart &part) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  RankedTensorType newType = part.getType(type);
  std::optional<OperandParts> needs = getOperandParts(op, part);
  SmallVector<Value> operands;
  for (auto [operand, need] : llvm::zip(op->getOperands(), *needs))
    operands.push_back(need ? get(builder, operand, *need)
                            : getWhole(builder, operand));
  Location loc = op->getLoc();
  if (isa<tensor::EmptyOp>(op))
    return tensor::EmptyOp::create(builder, loc, newType.getShape(),
                                   newType.getElementType());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return tensor::ExpandShapeOp::create(builder, loc, newType, operands[0],
                                         expand.getReassociationIndices());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return tensor::CollapseShapeOp::create(builder, loc, newType, operands[0],
                                           collapse.getReassociationIndices());
  auto getSizes = [&](ArrayRef<int64_t> shape) {
    return getAsIndexOpFoldResult(builder.getContext(), shape);
  };
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return tensor::ExtractSliceOp::create(
        builder, loc, newType, operands[0], slice.getMixedOffsets(),
        getSizes(newType.getShape()), slice.getMixedStrides());
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
    return tensor::InsertSliceOp::create(
        builder, loc, operands[0], operands[1], slice.getMixedOffsets(),
        getSizes(cast<RankedTensorType>(operands[0].getType()).getShape()),
        slice.getMixedStrides());
  // A map that knows the arguments of a body would take them from the copy.
  IRMapping inner = copies;
  Operation *copy = builder.clone(*op, inner);
  copy->setOperands(operands);
  copy->getResult(0).setType(newType);
  return copy;
}

void RegionSlicer::emitPart(OpBuilder &builder, Operation *op,
                            const TensorPart &part) {
  Operation *copy = clonePart(builder, op, part);
  made[op->getResult(0)].emplace_back(part, copy->getResult(0));
}

void RegionSlicer::emit(OpBuilder &builder) {
  for (Operation &op : body) {
    if (op.hasTrait<OpTrait::IsTerminator>() || op.getNumResults() == 0)
      continue;
    auto found = demands.find(op.getResult(0));
    if (found == demands.end())
      continue;
    // Copied, as looking up parts may add to the maps.
    Demand demand = found->second;
    if (demand.whole)
      builder.clone(op, copies);
    else
      for (const TensorPart &part : demand.parts)
        emitPart(builder, &op, part);
  }
}
