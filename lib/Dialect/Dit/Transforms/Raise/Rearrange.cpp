//===- Rearrange.cpp - Tensors in another arrangement ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits what a view says: reshapes where the axes allow it, else a transpose,
// a slice of what is repeated, or a broadcast.
//
//===----------------------------------------------------------------------===//

#include "MatchState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

SmallVector<OpFoldResult> mlir::dit::raise::getSizes(OpBuilder &builder,
                                                     Location loc,
                                                     const AxisSpace &space,
                                                     const View &view) {
  return llvm::map_to_vector(view, [&](const AxisList &dim) {
    return space.getExtent(dim).materialize(builder, loc);
  });
}

/// Emits `value` with the dimensions of extent one dropped and one axis for
/// each dimension.
static Value flattenDims(OpBuilder &builder, Location loc,
                         const AxisSpace &space, ViewedValue source) {
  Value value = source.value;
  // Drop unit dimensions into the group before them.
  SmallVector<ReassociationIndices> groups;
  View kept;
  ReassociationIndices leading;
  for (auto [dim, axes] : llvm::enumerate(source.view)) {
    if (axes.empty()) {
      (groups.empty() ? leading : groups.back()).push_back(dim);
      continue;
    }
    groups.push_back(leading);
    leading.clear();
    groups.back().push_back(dim);
    kept.push_back(axes);
  }
  if (kept.size() != source.view.size())
    value = tensor::CollapseShapeOp::create(builder, loc, value, groups);
  AxisList flat = flatten(kept);
  if (flat.size() == kept.size())
    return value;
  SmallVector<ReassociationIndices> expansion;
  View single;
  for (const AxisList &dim : kept) {
    expansion.emplace_back();
    for (Axis axis : dim) {
      expansion.back().push_back(single.size());
      single.push_back({axis});
    }
  }
  SmallVector<OpFoldResult> sizes = getSizes(builder, loc, space, single);
  auto type = RankedTensorType::get(decomposeMixedValues(sizes).first,
                                    getElementTypeOrSelf(value.getType()));
  return tensor::ExpandShapeOp::create(builder, loc, type, value, expansion,
                                       sizes);
}

/// Emits `value`, with one axis for each dimension in the order of `wanted`,
/// with the dimensions `wanted`.
static Value groupDims(OpBuilder &builder, Location loc, Value value,
                       const View &wanted) {
  SmallVector<ReassociationIndices> collapse;
  int64_t next = 0;
  for (const AxisList &dim : wanted) {
    if (dim.empty())
      continue;
    collapse.emplace_back();
    for (size_t i = 0; i < dim.size(); ++i)
      collapse.back().push_back(next++);
  }
  if (static_cast<int64_t>(collapse.size()) != next)
    value = tensor::CollapseShapeOp::create(builder, loc, value, collapse);
  if (collapse.size() == wanted.size())
    return value;
  // Unit dimensions join the dimension before them.
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<OpFoldResult> sizes;
  SmallVector<ReassociationIndices> expansion(collapse.size());
  SmallVector<OpFoldResult> present =
      tensor::getMixedSizes(builder, loc, value);
  size_t group = 0;
  for (auto [dim, axes] : llvm::enumerate(wanted)) {
    sizes.push_back(axes.empty() ? OpFoldResult(builder.getIndexAttr(1))
                                 : present[group]);
    size_t home = axes.empty() ? (group == 0 ? 0 : group - 1) : group;
    if (!expansion.empty())
      expansion[home].push_back(dim);
    group += !axes.empty();
  }
  auto resultType = RankedTensorType::get(decomposeMixedValues(sizes).first,
                                          type.getElementType());
  return tensor::ExpandShapeOp::create(builder, loc, resultType, value,
                                       expansion, sizes);
}

/// Drops from `value`, with one axis of `have` for each dimension, those that
/// are not in `want`: its elements are the same all along them.
static Value dropRepeatedDims(OpBuilder &builder, Location loc, Value value,
                              AxisList &have, ArrayRef<Axis> want) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, value);
  SmallVector<OpFoldResult> keptSizes;
  AxisList kept;
  for (auto [axis, size] : llvm::zip_equal(have, sizes)) {
    if (llvm::is_contained(want, axis)) {
      kept.push_back(axis);
      keptSizes.push_back(size);
    } else {
      size = builder.getIndexAttr(1);
    }
  }
  if (kept.size() == have.size())
    return value;
  auto type = RankedTensorType::get(decomposeMixedValues(keptSizes).first,
                                    getElementTypeOrSelf(value.getType()));
  SmallVector<OpFoldResult> zeros(have.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(have.size(), builder.getIndexAttr(1));
  have = kept;
  return tensor::ExtractSliceOp::create(builder, loc, type, value, zeros, sizes,
                                        ones);
}

/// The dimensions of `fine` that make up each dimension of `coarse`, if each is
/// made up of whole ones in order.
static std::optional<SmallVector<ReassociationIndices>>
groupInto(const View &coarse, const View &fine) {
  SmallVector<ReassociationIndices> groups;
  size_t next = 0;
  for (const AxisList &dim : coarse) {
    if (dim.empty())
      return std::nullopt;
    groups.emplace_back();
    AxisList joined;
    // Dimensions of extent one join the group before them.
    while (next < fine.size() && (joined != dim || fine[next].empty())) {
      groups.back().push_back(next);
      llvm::append_range(joined, fine[next++]);
    }
    if (joined != dim)
      return std::nullopt;
  }
  return next == fine.size() ? std::make_optional(groups) : std::nullopt;
}

/// Emits `source` with dimensions `wanted` if one reshape does it.
static Value reshapeAtOnce(OpBuilder &builder, Location loc,
                           const AxisSpace &space, ViewedValue source,
                           const View &wanted) {
  if (auto groups = groupInto(wanted, source.view))
    return tensor::CollapseShapeOp::create(builder, loc, source.value, *groups);
  if (auto groups = groupInto(source.view, wanted)) {
    SmallVector<OpFoldResult> sizes = getSizes(builder, loc, space, wanted);
    auto type =
        RankedTensorType::get(decomposeMixedValues(sizes).first,
                              getElementTypeOrSelf(source.value.getType()));
    return tensor::ExpandShapeOp::create(builder, loc, type, source.value,
                                         *groups, sizes);
  }
  return {};
}

Value mlir::dit::raise::rearrange(OpBuilder &builder, Location loc,
                                  const AxisSpace &space, ViewedValue source,
                                  const View &wanted) {
  if (source.view == wanted)
    return source.value;
  if (Value reshaped = reshapeAtOnce(builder, loc, space, source, wanted))
    return reshaped;
  AxisList have = flatten(source.view), want = flatten(wanted);
  Value value = flattenDims(builder, loc, space, source);
  value = dropRepeatedDims(builder, loc, value, have, want);
  Type element = getElementTypeOrSelf(value.getType());
  // The axes of the source in the wanted order, then the missing ones.
  SmallVector<int64_t> permutation, missing;
  View ordered, all;
  for (auto [position, axis] : llvm::enumerate(want)) {
    all.push_back({axis});
    const Axis *found = llvm::find(have, axis);
    if (found == have.end()) {
      missing.push_back(position);
      continue;
    }
    permutation.push_back(found - have.begin());
    ordered.push_back({axis});
  }
  if (!llvm::is_sorted(permutation)) {
    Value init = tensor::EmptyOp::create(
        builder, loc, getSizes(builder, loc, space, ordered), element);
    value = linalg::TransposeOp::create(builder, loc, value, init, permutation)
                ->getResult(0);
  }
  if (!missing.empty()) {
    Value init = tensor::EmptyOp::create(
        builder, loc, getSizes(builder, loc, space, all), element);
    value = linalg::BroadcastOp::create(builder, loc, value, init, missing)
                ->getResult(0);
  }
  return groupDims(builder, loc, value, wanted);
}

Value mlir::dit::raise::emitDynamicBroadcast(OpBuilder &builder, Location loc,
                                             const AxisSpace &space,
                                             ViewedValue source,
                                             ArrayRef<unsigned> dims) {
  auto type = cast<RankedTensorType>(source.value.getType());
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, source.value);
  for (unsigned dim : dims)
    sizes[dim] = space.getExtent(source.view[dim]).materialize(builder, loc);
  Value init =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  AffineMap map = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, init.getType(), ValueRange(), init, map, iterators,
      [&](OpBuilder &b, Location bodyLoc, ValueRange) {
        SmallVector<Value> indices;
        for (int64_t dim = 0; dim < type.getRank(); ++dim) {
          Value index = linalg::IndexOp::create(b, bodyLoc, dim);
          if (llvm::is_contained(dims, static_cast<unsigned>(dim))) {
            Value extent = tensor::DimOp::create(b, bodyLoc, source.value, dim);
            Value one = arith::ConstantIndexOp::create(b, bodyLoc, 1);
            Value zero = arith::ConstantIndexOp::create(b, bodyLoc, 0);
            Value isOne = arith::CmpIOp::create(
                b, bodyLoc, arith::CmpIPredicate::eq, extent, one);
            index = arith::SelectOp::create(b, bodyLoc, isOne, zero, index);
          }
          indices.push_back(index);
        }
        Value element =
            tensor::ExtractOp::create(b, bodyLoc, source.value, indices);
        linalg::YieldOp::create(b, bodyLoc, element);
      });
  return generic.getResult(0);
}

Value mlir::dit::raise::castScalar(OpBuilder &builder, Location loc,
                                   Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  return arith::TruncFOp::create(builder, loc, type, value);
}

Value mlir::dit::raise::castElements(OpBuilder &builder, Location loc,
                                     Value value, Type type) {
  auto tensorType = cast<RankedTensorType>(value.getType());
  if (tensorType.getElementType() == type)
    return value;
  Value init = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, value), type);
  AffineMap map = builder.getMultiDimIdentityMap(tensorType.getRank());
  SmallVector<utils::IteratorType> iterators(tensorType.getRank(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, init.getType(), value, init, ArrayRef<AffineMap>{map, map},
      iterators, [&](OpBuilder &b, Location bodyLoc, ValueRange args) {
        linalg::YieldOp::create(b, bodyLoc,
                                castScalar(b, bodyLoc, args[0], type));
      });
  return generic.getResult(0);
}
