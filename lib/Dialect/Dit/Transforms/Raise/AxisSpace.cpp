//===- AxisSpace.cpp - Dimensions as lists of axes ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AxisSpace.h"

using namespace mlir;
using namespace mlir::dit::raise;

AxisList AxisSpace::create(const Extent &extent) {
  if (extent.isOne())
    return {};
  axes.push_back({extent, {}});
  return {static_cast<Axis>(axes.size() - 1)};
}

Extent AxisSpace::getExtent(ArrayRef<Axis> list) const {
  Extent product;
  for (Axis axis : list)
    product = product * axes[axis].extent;
  return product;
}

AxisList AxisSpace::resolve(ArrayRef<Axis> list) const {
  AxisList resolved;
  for (Axis axis : list) {
    if (axes[axis].parts.empty())
      resolved.push_back(axis);
    else
      llvm::append_range(resolved, resolve(axes[axis].parts));
  }
  return resolved;
}

View AxisSpace::resolve(const View &view) const {
  return llvm::map_to_vector<4>(
      view, [&](const AxisList &list) { return resolve(list); });
}

AxisList AxisSpace::split(Axis axis, const Extent &outer, const Extent &inner) {
  AxisList parts = create(outer);
  llvm::append_range(parts, create(inner));
  axes[axis].parts = parts;
  ++numSplits;
  return parts;
}

std::optional<AxisList> AxisSpace::takeBack(AxisList &list, Extent need) {
  AxisList taken;
  while (!need.isOne()) {
    if (list.empty())
      return std::nullopt;
    Axis axis = list.back();
    Extent extent = axes[axis].extent;
    if (std::optional<Extent> rest = need.divide(extent)) {
      taken.insert(taken.begin(), axis);
      list.pop_back();
      need = *rest;
      continue;
    }
    std::optional<Extent> outer = extent.divide(need);
    if (!outer)
      return std::nullopt;
    AxisList parts = split(axis, *outer, need);
    taken.insert(taken.begin(), parts.back());
    list.back() = parts.front();
    return taken;
  }
  return taken;
}

std::optional<AxisList> AxisSpace::takeFront(AxisList &list, Extent need) {
  AxisList taken;
  while (!need.isOne()) {
    if (list.empty())
      return std::nullopt;
    Axis axis = list.front();
    Extent extent = axes[axis].extent;
    if (std::optional<Extent> rest = need.divide(extent)) {
      taken.push_back(axis);
      list.erase(list.begin());
      need = *rest;
      continue;
    }
    std::optional<Extent> inner = extent.divide(need);
    if (!inner)
      return std::nullopt;
    AxisList parts = split(axis, need, *inner);
    taken.push_back(parts.front());
    list.front() = parts.back();
    return taken;
  }
  return taken;
}

std::optional<View> AxisSpace::distribute(ArrayRef<Axis> list,
                                          ArrayRef<Extent> extents) {
  AxisList rest(list);
  View view(extents.size());
  // From the back while the extents are understood, then from the front. The
  // one dimension that is left, if any, has what is left of the list: both
  // sides have the same number of elements.
  size_t end = extents.size(), begin = 0;
  for (; end > 0; --end) {
    AxisList saved = rest;
    std::optional<AxisList> taken = takeBack(rest, extents[end - 1]);
    if (!taken) {
      rest = saved;
      break;
    }
    view[end - 1] = *taken;
  }
  for (; begin + 1 < end; ++begin) {
    std::optional<AxisList> taken = takeFront(rest, extents[begin]);
    if (!taken)
      return std::nullopt;
    view[begin] = *taken;
  }
  if (begin < end)
    view[begin] = rest;
  else if (!rest.empty())
    return std::nullopt;
  return resolve(view);
}

AxisList AxisSpace::getBoundAxes(const Extent &extent, ArrayRef<Axis> taken) {
  if (extent.isOne())
    return {};
  for (const AxisList &candidate : bound) {
    AxisList list = resolve(candidate);
    if (llvm::any_of(
            list, [&](Axis axis) { return llvm::is_contained(taken, axis); }))
      continue;
    // Unknown extents may differ in spelling only; that the values read are
    // the same shows in the expressions.
    Extent known = getExtent(list);
    if (known == extent || (!known.getConstant() && !extent.getConstant()))
      return list;
  }
  bound.push_back(create(extent));
  return bound.back();
}

AxisList mlir::dit::raise::flatten(const View &view) {
  AxisList list;
  for (const AxisList &dim : view)
    llvm::append_range(list, dim);
  return list;
}
