//===- AxisSpaceTest.cpp - Tests of axes and reshapes ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AxisSpace.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit::raise;

namespace {

/// The extents of the axes of each dimension.
std::vector<std::vector<int64_t>> extentsOf(const AxisSpace &space,
                                            const View &view) {
  std::vector<std::vector<int64_t>> extents;
  for (const AxisList &dim : view) {
    extents.emplace_back();
    for (Axis axis : dim)
      extents.back().push_back(
          space.getExtent(axis).getConstant().value_or(-1));
  }
  return extents;
}

using Extents = std::vector<std::vector<int64_t>>;

TEST(AxisSpaceTest, UnitExtentsHaveNoAxis) {
  AxisSpace space;
  EXPECT_TRUE(space.create(1).empty());
  EXPECT_EQ(space.create(4).size(), 1u);
}

TEST(AxisSpaceTest, DistributeSplitsWhereADimensionEnds) {
  AxisSpace space;
  AxisList list = space.create(24);
  std::optional<View> view = space.distribute(list, {2, 3, 4});
  ASSERT_TRUE(view);
  EXPECT_EQ(extentsOf(space, *view), (Extents{{2}, {3}, {4}}));
  // The axis is split everywhere it was used.
  EXPECT_EQ(space.resolve(list).size(), 3u);
}

TEST(AxisSpaceTest, DistributeKeepsWholeAxes) {
  AxisSpace space;
  AxisList list = space.create(2);
  llvm::append_range(list, space.create(3));
  unsigned before = space.getNumSplits();
  std::optional<View> view = space.distribute(list, {1, 6});
  ASSERT_TRUE(view);
  EXPECT_EQ(extentsOf(space, *view), (Extents{{}, {2, 3}}));
  EXPECT_EQ(space.getNumSplits(), before);
}

TEST(AxisSpaceTest, DistributeFailsWhereExtentsDoNotTell) {
  AxisSpace space;
  AxisList list = space.create(6);
  llvm::append_range(list, space.create(4));
  // A dimension of 10 ends inside an axis that it does not divide.
  EXPECT_FALSE(space.distribute(list, {2, 10, 10}));
}

TEST(AxisSpaceTest, BoundAxesAreSharedUnlessTaken) {
  AxisSpace space;
  AxisList first = space.getBoundAxes(8, {});
  EXPECT_EQ(space.getBoundAxes(8, {}), first);
  EXPECT_NE(space.getBoundAxes(8, first), first);
  EXPECT_NE(space.getBoundAxes(4, {}), first);
}

} // namespace
