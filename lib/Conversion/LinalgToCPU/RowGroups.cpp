//===- RowGroups.cpp - Ops that work row by row ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowGroups.h"

#include "MatmulPlan.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// RowSpace
//===----------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>>
RowSpace::getTileSizes(ArrayRef<int64_t> extents) const {
  SmallVector<int64_t> sizes(extents.size(), 1);
  int64_t rest = tileRows;
  for (unsigned d = extents.size(); d-- > 0 && rest > 1;) {
    if (rest % extents[d] != 0 && extents[d] % rest != 0)
      return std::nullopt;
    sizes[d] = std::min(rest, extents[d]);
    rest /= sizes[d];
  }
  return rest == 1 ? std::optional(sizes) : std::nullopt;
}

std::optional<unsigned> RowSpace::getRowRank(ArrayRef<int64_t> shape) const {
  int64_t product = 1;
  for (auto [d, extent] : llvm::enumerate(shape)) {
    if (ShapedType::isDynamic(extent) || extent <= 0 || product * extent > rows)
      return std::nullopt;
    product *= extent;
    if (product == rows)
      return getTileSizes(shape.take_front(d + 1)) ? std::optional(d + 1)
                                                   : std::nullopt;
  }
  return std::nullopt;
}

AffineExpr RowSpace::getTileOffset(ArrayRef<int64_t> extents, unsigned dim,
                                   MLIRContext *context) const {
  SmallVector<int64_t> sizes = *getTileSizes(extents);
  int64_t inner = 1;
  for (unsigned d = dim + 1; d < extents.size(); ++d)
    inner *= extents[d] / sizes[d];
  // Written so that it shows that the tile ends within the dimension.
  AffineExpr place = getAffineDimExpr(0, context).floorDiv(inner);
  if (dim > 0)
    place = place % (extents[dim] / sizes[dim]);
  return place * sizes[dim];
}

//===----------------------------------------------------------------------===//
// RowOp
//===----------------------------------------------------------------------===//

std::optional<unsigned> RowOp::getPosition(AffineExpr expr) const {
  auto dim = dyn_cast<AffineDimExpr>(expr);
  if (!dim)
    return std::nullopt;
  const unsigned *found = llvm::find(dims, dim.getPosition());
  if (found == dims.end())
    return std::nullopt;
  return found - dims.begin();
}

bool RowOp::isIdentity(AffineMap map) const {
  if (map.getNumResults() < dims.size())
    return false;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    std::optional<unsigned> position = getPosition(expr);
    if (i < dims.size() ? position != unsigned(i) : position.has_value())
      return false;
  }
  return true;
}

static ArrayRef<int64_t> getStaticShape(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? type.getShape() : ArrayRef<int64_t>();
}

/// Whether the region of `op` computes the same wherever a tile of it lies: it
/// asks for no row number and reads no tensor but its operands.
static bool isPositionFree(linalg::LinalgOp op, const RowOp &rowOp) {
  bool isFree = true;
  op->walk([&](Operation *inner) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      isFree &= !llvm::is_contained(rowOp.dims, unsigned(index.getDim()));
    isFree &= !isa<tensor::ExtractOp>(inner);
  });
  return isFree;
}

/// Whether `op` multiplies by a matrix that its kernel would first copy into
/// panels, which is better done once than for each tile.
static bool needsPacking(linalg::LinalgOp op) {
  std::optional<ProductForm> form = ProductForm::match(op);
  return form && form->dims.n.size() == 1;
}

static std::optional<RowOp> matchLinalg(linalg::LinalgOp op,
                                        const RowSpace &space) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() == 0 ||
      needsPacking(op))
    return std::nullopt;
  ArrayRef<int64_t> shape = getStaticShape(op->getResult(0));
  std::optional<unsigned> rank = space.getRowRank(shape);
  if (!rank)
    return std::nullopt;
  RowOp result;
  result.extents.assign(shape.begin(), shape.begin() + *rank);
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (AffineExpr expr : map.getResults().take_front(*rank)) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || iterators[dim.getPosition()] != utils::IteratorType::parallel ||
        llvm::is_contained(result.dims, dim.getPosition()))
      return std::nullopt;
    result.dims.push_back(dim.getPosition());
  }
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (map.getNumResults() != 0 && getStaticShape(operand.get()).empty())
      return std::nullopt;
    if (op.isDpsInit(&operand) && !result.isIdentity(map))
      return std::nullopt;
    for (AffineExpr expr : map.getResults())
      for (unsigned dim : result.dims)
        if (expr.isFunctionOfDim(dim) && !isa<AffineDimExpr>(expr))
          return std::nullopt;
  }
  if (!isPositionFree(op, result))
    return std::nullopt;
  return result;
}

/// Whether the first `fine` dimensions become the first `coarse` ones.
static bool keepsRows(ArrayRef<ReassociationIndices> groups, unsigned coarse,
                      unsigned fine) {
  unsigned count = 0;
  for (const ReassociationIndices &group : groups.take_front(coarse))
    count += group.size();
  return count == fine;
}

/// Whether a slice keeps all of the first `rank` dimensions.
static bool isFullIn(unsigned rank, ArrayRef<int64_t> offsets,
                     ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides,
                     ArrayRef<int64_t> shape) {
  if (llvm::any_of(offsets, ShapedType::isDynamic) ||
      llvm::any_of(sizes, ShapedType::isDynamic) ||
      llvm::any_of(strides, ShapedType::isDynamic))
    return false;
  for (unsigned d = 0; d < rank; ++d)
    if (offsets[d] != 0 || strides[d] != 1 || sizes[d] != shape[d])
      return false;
  return true;
}

std::optional<RowOp> RowOp::match(Operation *op, const RowSpace &space) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return matchLinalg(linalgOp, space);
  if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
           tensor::ExtractSliceOp, tensor::InsertSliceOp>(op))
    return std::nullopt;
  ArrayRef<int64_t> from = getStaticShape(op->getOperand(0));
  ArrayRef<int64_t> to = getStaticShape(op->getResult(0));
  std::optional<unsigned> fromRank = space.getRowRank(from);
  std::optional<unsigned> toRank = space.getRowRank(to);
  if (!fromRank || !toRank)
    return std::nullopt;
  bool matches = from.take_front(*fromRank) == to.take_front(*toRank);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    matches = keepsRows(collapse.getReassociationIndices(), *toRank, *fromRank);
  else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    matches = keepsRows(expand.getReassociationIndices(), *fromRank, *toRank);
  else if (auto extract = dyn_cast<tensor::ExtractSliceOp>(op))
    matches &=
        isFullIn(*fromRank, extract.getStaticOffsets(),
                 extract.getStaticSizes(), extract.getStaticStrides(), from);
  else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    matches &= isFullIn(*toRank, insert.getStaticOffsets(),
                        insert.getStaticSizes(), insert.getStaticStrides(), to);
  if (!matches)
    return std::nullopt;
  RowOp result;
  result.extents.assign(to.begin(), to.begin() + *toRank);
  return result;
}

bool mlir::dit::takesSameRows(OpOperand &operand, const RowOp &user) {
  auto op = dyn_cast<linalg::LinalgOp>(operand.getOwner());
  return !op || user.isIdentity(op.getMatchingIndexingMap(&operand));
}

bool mlir::dit::isFreeTensor(Operation *op) {
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return empty.getType().hasStaticShape();
  auto fill = dyn_cast<linalg::FillOp>(op);
  if (!fill || !fill.hasPureTensorSemantics() ||
      !matchPattern(fill.getInputs().front(), m_Constant()))
    return false;
  Operation *init = fill.getOutputs().front().getDefiningOp();
  return isa_and_nonnull<tensor::EmptyOp>(init) && isFreeTensor(init);
}

int64_t mlir::dit::getSharedBytes(Operation *op, const RowSpace &space) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  std::optional<RowOp> rowOp = RowOp::match(op, space);
  if (!linalgOp || !rowOp)
    return 0;
  int64_t bytes = 0;
  for (OpOperand *input : linalgOp.getDpsInputOperands()) {
    AffineMap map = linalgOp.getMatchingIndexingMap(input);
    auto type = dyn_cast<RankedTensorType>(input->get().getType());
    if (!type || !type.getElementType().isIntOrFloat() ||
        llvm::any_of(rowOp->dims,
                     [&](unsigned dim) { return map.isFunctionOfDim(dim); }))
      continue;
    bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// RowGroups
//===----------------------------------------------------------------------===//

/// The number of the group of `op`: one more than that of a group that it takes
/// other rows of, the same as that of one that it takes the same rows of.
int64_t RowGroups::getStage(Operation *op) const {
  int64_t stage = 0;
  auto rowOp = rowOps.find(op);
  auto visit = [&](Value value, bool sameRows) {
    Operation *producer = value.getDefiningOp();
    producer =
        producer ? op->getBlock()->findAncestorOpInBlock(*producer) : nullptr;
    auto known = stages.find(producer);
    if (known == stages.end())
      return;
    bool leaves = rowOps.contains(producer) && !sameRows;
    stage = std::max(stage, known->second + leaves);
  };
  for (OpOperand &operand : op->getOpOperands())
    visit(operand.get(),
          rowOp != rowOps.end() && takesSameRows(operand, rowOp->second));
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value value : captured)
    visit(value, /*sameRows=*/false);
  return stage;
}

RowGroups::RowGroups(Block &block, const RowSpace &space,
                     int64_t maxSharedBytes) {
  // Of the last op with an effect: such ops keep their order.
  int64_t effectStage = 0;
  for (Operation &op : block) {
    if (isFreeTensor(&op))
      continue;
    int64_t bytes = getSharedBytes(&op, space);
    if (std::optional<RowOp> rowOp = RowOp::match(&op, space))
      if (bytes <= maxSharedBytes)
        rowOps.try_emplace(&op, *rowOp);
    int64_t stage = getStage(&op);
    if (!isMemoryEffectFree(&op))
      effectStage = stage = std::max(stage, effectStage);
    if (rowOps.contains(&op)) {
      sharedBytes.resize(std::max<size_t>(sharedBytes.size(), stage + 2), 0);
      groups.resize(sharedBytes.size());
      if (bytes > 0 && sharedBytes[stage] + bytes > maxSharedBytes)
        ++stage;
      sharedBytes[stage] += bytes;
      groups[stage].push_back(&op);
    }
    stages[&op] = stage;
  }
  llvm::erase_if(groups, [](ArrayRef<Operation *> group) {
    return llvm::count_if(group, llvm::IsaPred<linalg::LinalgOp>) < 2;
  });
}
