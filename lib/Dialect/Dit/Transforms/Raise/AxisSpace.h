//===- AxisSpace.h - Dimensions as lists of axes ----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Between two contractions, a model reshapes, transposes and broadcasts. All of
// that is only another way to index the same elements, so a tensor is looked at
// through a view: for each of its dimensions the axes that enumerate it, the
// last one fastest. An axis that a reshape takes apart is split everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_AXISSPACE_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_AXISSPACE_H

#include "Extent.h"

namespace mlir::dit::raise {

using Axis = unsigned;
/// The axes that enumerate one dimension, slowest first; none for index 0.
using AxisList = SmallVector<Axis, 2>;
/// One list for each dimension of a tensor.
using View = SmallVector<AxisList, 4>;

class AxisSpace {
public:
  /// A new axis, as a list; none for an extent of one.
  AxisList create(const Extent &extent);

  const Extent &getExtent(Axis axis) const { return axes[axis].extent; }
  Extent getExtent(ArrayRef<Axis> list) const;

  /// `list` with each split axis replaced by its parts.
  AxisList resolve(ArrayRef<Axis> list) const;
  View resolve(const View &view) const;

  /// Deals `list` out to dimensions of `extents`, splitting axes where a
  /// dimension ends inside one. Fails when the extents do not tell how.
  std::optional<View> distribute(ArrayRef<Axis> list, ArrayRef<Extent> extents);

  /// A list for a reduction over `extent` that uses none of the axes in
  /// `taken`. Equal requests get equal lists, so that two reductions of the
  /// same values are the same expression.
  AxisList getBoundAxes(const Extent &extent, ArrayRef<Axis> taken);

  /// Number of splits so far; what was built before the last one is stale.
  unsigned getNumSplits() const { return numSplits; }

private:
  struct Info {
    Extent extent;
    AxisList parts;
  };
  std::optional<AxisList> takeBack(AxisList &list, Extent need);
  std::optional<AxisList> takeFront(AxisList &list, Extent need);
  AxisList split(Axis axis, const Extent &outer, const Extent &inner);

  SmallVector<Info> axes;
  SmallVector<AxisList> bound;
  unsigned numSplits = 0;
};

/// The view of `source` under which its reshape `result`, of an op of the
/// tensor dialect, is looked at as `view`. Splits axes; fails when the extents
/// do not tell how.
std::optional<View> reshapeView(AxisSpace &space, Value source, Value result,
                                const View &view);

/// All axes of `view`, dimension by dimension.
AxisList flatten(const View &view);

} // namespace mlir::dit::raise

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_RAISE_AXISSPACE_H
