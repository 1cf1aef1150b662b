//===- RowTiling.cpp - A group of ops as one loop over tiles --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop's body holds a copy of each op of the group, with extents of one
// tile. Values that the group takes from outside are read as slices; values
// that leave it are computed in a slice of the result of the loop. All others
// exist only within a tile.
//
//===----------------------------------------------------------------------===//

#include "RowTiling.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;

static bool isReshape(Operation *op) {
  return isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
}

namespace {

class GroupTiler {
public:
  GroupTiler(ArrayRef<Operation *> group, const RowSpace &space)
      : group(group), members(group.begin(), group.end()), space(space),
        builder(group.back()->getContext()) {
    for (Operation *op : group)
      rowOps.try_emplace(op, *RowOp::match(op, space));
  }

  scf::ForallOp run();

private:
  /// Offsets and sizes of a slice.
  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes;
    SmallVector<int64_t> shape;
  };

  bool isMember(Operation *op) const { return op && members.contains(op); }
  bool isUsedOutside(Value value) const;
  void collectExports();
  void exportValue(Value value);
  void chooseDestinations();

  Slice getSlice(ArrayRef<int64_t> shape, const RowOp &op,
                 std::optional<AffineMap> map);
  Slice getOwnSlice(Value value, const RowOp &op) {
    return getSlice(cast<RankedTensorType>(value.getType()).getShape(), op,
                    std::nullopt);
  }
  RankedTensorType getTileType(Value value);
  Value extractSlice(Value value, const Slice &slice);
  Value getTile(OpOperand &operand, const RowOp &op);
  Value getInit(OpOperand &operand, const RowOp &op);
  Value findReusableInput(linalg::LinalgOp op, const RowOp &rowOp,
                          OpOperand &init);
  Operation *cloneSlice(Operation *op);
  void cloneOp(Operation *op);
  void emitBody();
  void replaceUses(scf::ForallOp loop);

  ArrayRef<Operation *> group;
  llvm::SmallPtrSet<Operation *, 32> members;
  const RowSpace &space;
  OpBuilder builder;
  llvm::DenseMap<Operation *, RowOp> rowOps;
  /// Values that the loop yields.
  SmallVector<Value> exports;
  /// Reshapes that are needed outside, too.
  llvm::SmallPtrSet<Operation *, 8> repeated;
  /// Operands that take a slice of a result of the loop where the op took an
  /// empty tensor.
  llvm::DenseMap<OpOperand *, unsigned> destinations;
  /// The slice of each result of the loop that a tile writes.
  SmallVector<Value> destinationTiles;
  Value tileNumber;
  IRMapping tiles;
};

} // namespace

//===----------------------------------------------------------------------===//
// What leaves the group
//===----------------------------------------------------------------------===//

bool GroupTiler::isUsedOutside(Value value) const {
  Block *block = group.front()->getBlock();
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return !isMember(block->findAncestorOpInBlock(*user));
  });
}

/// A reshape is repeated outside rather than yielded.
void GroupTiler::exportValue(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isMember(op))
    return;
  if (isReshape(op)) {
    repeated.insert(op);
    return exportValue(op->getOperand(0));
  }
  if (!llvm::is_contained(exports, value))
    exports.push_back(value);
}

void GroupTiler::collectExports() {
  for (Operation *op : group)
    for (Value result : op->getResults())
      if (isUsedOutside(result))
        exportValue(result);
}

/// Looks for the empty tensor that each exported value begins as.
void GroupTiler::chooseDestinations() {
  for (auto [index, value] : llvm::enumerate(exports)) {
    auto result = cast<OpResult>(value);
    while (true) {
      Operation *op = result.getOwner();
      OpOperand *init = nullptr;
      if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
        init = linalgOp.getDpsInitOperand(result.getResultNumber());
      else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
        init = &insert.getDestMutable();
      Operation *producer = init ? init->get().getDefiningOp() : nullptr;
      if (!producer)
        break;
      if (isFreeTensor(producer)) {
        destinations.try_emplace(init, index);
        break;
      }
      if (!isMember(producer) || !init->get().hasOneUse())
        break;
      result = cast<OpResult>(init->get());
    }
  }
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

/// The part of a tensor of `shape` that a tile of `op` needs, which indexes it
/// by `map`; without, its leading dimensions are the rows.
GroupTiler::Slice GroupTiler::getSlice(ArrayRef<int64_t> shape, const RowOp &op,
                                       std::optional<AffineMap> map) {
  Slice slice;
  SmallVector<int64_t> extents = op.extents;
  // A reshape counts its rows differently before and after.
  if (!map)
    extents.assign(shape.begin(), shape.begin() + *space.getRowRank(shape));
  SmallVector<int64_t> sizes = *space.getTileSizes(extents);
  Location loc = group.front()->getLoc();
  for (auto [d, extent] : llvm::enumerate(shape)) {
    std::optional<unsigned> position;
    if (map)
      position = op.getPosition(map->getResult(d));
    else if (d < extents.size())
      position = d;
    slice.shape.push_back(position ? sizes[*position] : extent);
    slice.sizes.push_back(builder.getIndexAttr(slice.shape.back()));
    if (!position) {
      slice.offsets.push_back(builder.getIndexAttr(0));
      continue;
    }
    AffineMap offset = AffineMap::get(
        1, 0, space.getTileOffset(extents, *position, builder.getContext()));
    slice.offsets.push_back(affine::makeComposedFoldedAffineApply(
        builder, loc, offset, OpFoldResult(tileNumber)));
  }
  return slice;
}

RankedTensorType GroupTiler::getTileType(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  unsigned rank = *space.getRowRank(shape);
  SmallVector<int64_t> sizes =
      *space.getTileSizes(type.getShape().take_front(rank));
  llvm::copy(sizes, shape.begin());
  return type.clone(shape);
}

Value GroupTiler::extractSlice(Value value, const Slice &slice) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == ArrayRef<int64_t>(slice.shape))
    return value;
  SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, group.front()->getLoc(), value,
                                        slice.offsets, slice.sizes, strides);
}

/// What stands for `operand` in a tile of `op`.
Value GroupTiler::getTile(OpOperand &operand, const RowOp &op) {
  Value value = operand.get();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return value;
  if (isMember(value.getDefiningOp()))
    return tiles.lookup(value);
  auto linalgOp = dyn_cast<linalg::LinalgOp>(operand.getOwner());
  std::optional<AffineMap> map;
  if (linalgOp)
    map = linalgOp.getMatchingIndexingMap(&operand);
  return extractSlice(value, getSlice(type.getShape(), op, map));
}

/// An input that an elementwise op reads for the last time, and can overwrite.
Value GroupTiler::findReusableInput(linalg::LinalgOp op, const RowOp &rowOp,
                                    OpOperand &init) {
  if (!linalg::isElementwise(op) || op.payloadUsesValueFromOperand(&init) ||
      op->getNumResults() != 1)
    return {};
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value value = input->get();
    if (value.getType() == init.get().getType() &&
        isMember(value.getDefiningOp()) && value.hasOneUse() &&
        !isReshape(value.getDefiningOp()) &&
        op.getMatchingIndexingMap(input) == op.getMatchingIndexingMap(&init))
      return tiles.lookup(value);
  }
  return {};
}

/// The tensor that a tile of the result begins as.
Value GroupTiler::getInit(OpOperand &operand, const RowOp &op) {
  Operation *producer = operand.get().getDefiningOp();
  if (!producer || !isFreeTensor(producer))
    return getTile(operand, op);
  auto linalgOp = dyn_cast<linalg::LinalgOp>(operand.getOwner());
  Value empty;
  if (auto found = destinations.find(&operand); found != destinations.end())
    empty = destinationTiles[found->second];
  else if (linalgOp)
    empty = findReusableInput(linalgOp, op, operand);
  Location loc = producer->getLoc();
  if (!empty) {
    RankedTensorType type = getTileType(operand.get());
    empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                    type.getElementType());
  }
  auto fill = dyn_cast<linalg::FillOp>(producer);
  if (!fill)
    return empty;
  IRMapping mapping;
  Operation *scalar = fill.getInputs().front().getDefiningOp();
  Value constant = builder.clone(*scalar, mapping)->getResult(0);
  return linalg::FillOp::create(builder, loc, constant, empty).getResult(0);
}

/// Extractions and insertions keep all rows, so only sizes change.
Operation *GroupTiler::cloneSlice(Operation *op) {
  const RowOp &rowOp = rowOps.at(op);
  auto slice = cast<OffsetSizeAndStrideOpInterface>(op);
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  for (auto [d, size] : llvm::enumerate(*space.getTileSizes(rowOp.extents)))
    sizes[d] = builder.getIndexAttr(size);
  Value source = getTile(op->getOpOperand(0), rowOp);
  if (isa<tensor::ExtractSliceOp>(op))
    return tensor::ExtractSliceOp::create(
        builder, op->getLoc(), getTileType(op->getResult(0)), source,
        slice.getMixedOffsets(), sizes, slice.getMixedStrides());
  return tensor::InsertSliceOp::create(
      builder, op->getLoc(), source, getInit(op->getOpOperand(1), rowOp),
      slice.getMixedOffsets(), sizes, slice.getMixedStrides());
}

void GroupTiler::cloneOp(Operation *op) {
  const RowOp &rowOp = rowOps.at(op);
  Operation *copy = nullptr;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    SmallVector<Value> operands;
    SmallVector<Type> types;
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back(linalgOp.isDpsInit(&operand)
                             ? getInit(operand, rowOp)
                             : getTile(operand, rowOp));
    for (Value result : op->getResults())
      types.push_back(getTileType(result));
    copy = mlir::clone(builder, op, types, operands);
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    copy = tensor::CollapseShapeOp::create(builder, op->getLoc(),
                                           getTileType(op->getResult(0)),
                                           getTile(op->getOpOperand(0), rowOp),
                                           collapse.getReassociationIndices());
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    copy = tensor::ExpandShapeOp::create(
        builder, op->getLoc(), getTileType(op->getResult(0)),
        getTile(op->getOpOperand(0), rowOp), expand.getReassociationIndices());
  } else {
    copy = cloneSlice(op);
  }
  tiles.map(op->getResults(), copy->getResults());
}

void GroupTiler::emitBody() {
  for (Operation *op : group)
    cloneOp(op);
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// Uses outside of the group read the loop's results, through copies of the
/// reshapes that came between.
void GroupTiler::replaceUses(scf::ForallOp loop) {
  builder.setInsertionPointAfter(loop);
  IRMapping outside;
  outside.map(exports, loop.getResults());
  Block *block = loop->getBlock();
  for (Operation *op : group) {
    if (repeated.contains(op))
      (void)builder.clone(*op, outside);
    for (Value result : op->getResults())
      if (Value replacement = outside.lookupOrNull(result))
        result.replaceUsesWithIf(replacement, [&](OpOperand &use) {
          Operation *user = block->findAncestorOpInBlock(*use.getOwner());
          return !isMember(user) && user != replacement.getDefiningOp();
        });
  }
  for (Operation *op : llvm::reverse(group))
    op->erase();
}

scf::ForallOp GroupTiler::run() {
  collectExports();
  if (exports.empty())
    return {};
  chooseDestinations();
  Location loc = group.back()->getLoc();
  builder.setInsertionPointAfter(group.back());
  SmallVector<Value> results;
  for (Value value : exports) {
    auto type = cast<RankedTensorType>(value.getType());
    results.push_back(tensor::EmptyOp::create(builder, loc, type.getShape(),
                                              type.getElementType()));
  }
  auto loop = scf::ForallOp::create(
      builder, loc,
      ArrayRef<OpFoldResult>{builder.getIndexAttr(space.getNumTiles())},
      results, std::nullopt);
  builder.setInsertionPointToStart(loop.getBody());
  tileNumber = loop.getInductionVar(0);
  SmallVector<Slice> slices;
  for (auto [value, argument] :
       llvm::zip_equal(exports, loop.getRegionIterArgs())) {
    slices.push_back(getOwnSlice(value, rowOps.at(value.getDefiningOp())));
    destinationTiles.push_back(extractSlice(argument, slices.back()));
  }
  emitBody();
  builder.setInsertionPointToStart(loop.getTerminator().getBody());
  for (auto [value, argument, slice] :
       llvm::zip_equal(exports, loop.getRegionIterArgs(), slices)) {
    SmallVector<OpFoldResult> strides(slice.sizes.size(),
                                      builder.getIndexAttr(1));
    tensor::ParallelInsertSliceOp::create(builder, loc, tiles.lookup(value),
                                          argument, slice.offsets, slice.sizes,
                                          strides);
  }
  replaceUses(loop);
  return loop;
}

scf::ForallOp mlir::dit::tileRowGroup(ArrayRef<Operation *> group,
                                      const RowSpace &space) {
  return GroupTiler(group, space).run();
}

int64_t mlir::dit::getTileBytes(ArrayRef<Operation *> group,
                                const RowSpace &space) {
  llvm::DenseMap<Operation *, int64_t> places;
  for (auto [place, op] : llvm::enumerate(group))
    places[op] = place;
  // Bytes that come into use, and go out of it, at each op.
  SmallVector<int64_t> change(group.size() + 1, 0);
  for (auto [place, op] : llvm::enumerate(group)) {
    if (isReshape(op) || isa<tensor::ExtractSliceOp>(op))
      continue;
    int64_t last = place, bytes = 0;
    for (Value result : op->getResults()) {
      auto type = cast<RankedTensorType>(result.getType());
      if (type.getElementType().isIntOrFloat())
        bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8 /
                 space.rows * space.tileRows;
      SmallVector<Operation *> users(result.getUsers());
      while (!users.empty()) {
        Operation *user = users.pop_back_val();
        auto known = places.find(user);
        if (known == places.end())
          continue;
        last = std::max(last, known->second);
        if (isReshape(user) || isa<tensor::ExtractSliceOp>(user))
          llvm::append_range(users, user->getUsers());
      }
    }
    change[place] += bytes;
    change[last + 1] -= bytes;
  }
  int64_t live = 0, most = 0;
  for (int64_t bytes : change)
    most = std::max(most, live += bytes);
  return most;
}
