//===- RowGroupsTest.cpp - Tests of rows and their tiles ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowGroups.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

using Sizes = SmallVector<int64_t>;

TEST(RowSpace, RankIsTheSmallestThatHoldsAllRows) {
  RowSpace space{4096, 64};
  EXPECT_EQ(space.getRowRank({2, 2048, 128}), 2u);
  EXPECT_EQ(space.getRowRank({4096, 384}), 1u);
  EXPECT_EQ(space.getRowRank({4096, 1, 384}), 1u);
  EXPECT_EQ(space.getRowRank({1, 4096}), 2u);
  EXPECT_EQ(space.getRowRank({2, 2047, 2}), std::nullopt);
  EXPECT_EQ(space.getRowRank({4097}), std::nullopt);
  EXPECT_EQ(space.getRowRank({2, ShapedType::kDynamic}), std::nullopt);
  EXPECT_EQ(space.getRowRank({}), std::nullopt);
}

TEST(RowSpace, TilesAreRectangles) {
  RowSpace space{4096, 64};
  EXPECT_EQ(space.getTileSizes({2, 2048}), Sizes({1, 64}));
  EXPECT_EQ(space.getTileSizes({512, 8}), Sizes({8, 8}));
  EXPECT_EQ(space.getTileSizes({2, 8, 16, 16}), Sizes({1, 1, 4, 16}));
  // 64 rows are one and a third of 48.
  RowSpace uneven{192, 64};
  EXPECT_EQ(uneven.getTileSizes({4, 48}), std::nullopt);
  EXPECT_EQ(uneven.getRowRank({4, 48, 2}), std::nullopt);
}

/// The rows, counted in row-major order, where the tiles of `extents` begin.
static SmallVector<int64_t> getFirstRows(const RowSpace &space,
                                         ArrayRef<int64_t> extents) {
  MLIRContext context;
  SmallVector<int64_t> rows;
  for (int64_t tile = 0; tile < space.getNumTiles(); ++tile) {
    int64_t row = 0;
    for (unsigned d = 0; d < extents.size(); ++d) {
      AffineExpr offset = space.getTileOffset(extents, d, &context);
      SmallVector<Attribute> values;
      Attribute number = IntegerAttr::get(IndexType::get(&context), tile);
      AffineMap map = AffineMap::get(1, 0, offset);
      EXPECT_TRUE(succeeded(map.constantFold({number}, values)));
      row = row * extents[d] + cast<IntegerAttr>(values.front()).getInt();
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(RowSpace, TilesFollowEachOtherInEveryShape) {
  RowSpace space{96, 8};
  SmallVector<int64_t> wanted;
  for (int64_t tile = 0; tile < 12; ++tile)
    wanted.push_back(8 * tile);
  for (Sizes extents : {Sizes{96}, Sizes{2, 48}, Sizes{24, 4}, Sizes{2, 12, 4},
                        Sizes{3, 2, 4, 4}, Sizes{1, 96}, Sizes{6, 16}})
    EXPECT_EQ(getFirstRows(space, extents), wanted);
}
