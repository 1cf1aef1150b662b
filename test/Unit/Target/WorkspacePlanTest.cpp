//===- WorkspacePlanTest.cpp - Unit tests of workspace planning -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Target/WorkspacePlan.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir::dit;

namespace {

/// Whether no two buffers in use at the same step overlap, and all are inside.
bool isValid(llvm::ArrayRef<LiveBuffer> buffers, const WorkspacePlan &plan) {
  for (unsigned i = 0; i < buffers.size(); ++i) {
    int64_t begin = plan.getOffset(i), end = begin + buffers[i].size;
    if (begin % WorkspacePlan::kAlignment != 0 || end > plan.getSize())
      return false;
    for (unsigned j = 0; j < i; ++j) {
      int64_t otherBegin = plan.getOffset(j);
      int64_t otherEnd = otherBegin + buffers[j].size;
      bool together = buffers[i].firstUse <= buffers[j].lastUse &&
                      buffers[j].firstUse <= buffers[i].lastUse;
      if (together && begin < otherEnd && otherBegin < end)
        return false;
    }
  }
  return true;
}

TEST(WorkspacePlan, NoBuffers) {
  EXPECT_EQ(WorkspacePlan::compute({}).getSize(), 0);
}

TEST(WorkspacePlan, ChainNeedsTwoPlaces) {
  LiveBuffer chain[] = {{64, 0, 1}, {64, 1, 2}, {64, 2, 3}, {64, 3, 4}};
  WorkspacePlan plan = WorkspacePlan::compute(chain);
  EXPECT_TRUE(isValid(chain, plan));
  EXPECT_EQ(plan.getSize(), 128);
}

TEST(WorkspacePlan, SmallBuffersFillGaps) {
  LiveBuffer buffers[] = {{256, 0, 1}, {128, 0, 5}, {64, 3, 4}, {192, 2, 5}};
  WorkspacePlan plan = WorkspacePlan::compute(buffers);
  EXPECT_TRUE(isValid(buffers, plan));
  EXPECT_EQ(plan.getSize(), 384);
}

TEST(WorkspacePlan, RandomBuffersNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    llvm::SmallVector<LiveBuffer> buffers;
    int64_t total = 0;
    for (unsigned i = 0, e = random() % 40; i < e; ++i) {
      int64_t first = random() % 30;
      buffers.push_back(
          {int64_t(random() % 1000), first, first + int64_t(random() % 10)});
      total += buffers.back().size + WorkspacePlan::kAlignment;
    }
    WorkspacePlan plan = WorkspacePlan::compute(buffers);
    EXPECT_TRUE(isValid(buffers, plan));
    EXPECT_LE(plan.getSize(), total);
  }
}

/// Whether no two buffers in use at the same step share a place.
bool isValid(llvm::ArrayRef<LiveBuffer> buffers, const SharedPlaces &places) {
  for (unsigned i = 0; i < buffers.size(); ++i)
    for (unsigned j = 0; j < i; ++j)
      if (buffers[i].firstUse <= buffers[j].lastUse &&
          buffers[j].firstUse <= buffers[i].lastUse &&
          places.getPlace(i) == places.getPlace(j))
        return false;
  return true;
}

TEST(SharedPlaces, ChainNeedsTwoPlaces) {
  LiveBuffer chain[] = {{64, 0, 1}, {64, 1, 2}, {64, 2, 3}, {64, 3, 4}};
  SharedPlaces places = SharedPlaces::compute(chain);
  EXPECT_TRUE(isValid(chain, places));
  EXPECT_EQ(places.getNumPlaces(), 2u);
}

TEST(SharedPlaces, TakesTheSmallestFreePlace) {
  LiveBuffer buffers[] = {{1000, 0, 1}, {10, 0, 1}, {8, 2, 3}, {900, 2, 3}};
  SharedPlaces places = SharedPlaces::compute(buffers);
  EXPECT_EQ(places.getPlace(2), places.getPlace(1));
  EXPECT_EQ(places.getPlace(3), places.getPlace(0));
}

TEST(SharedPlaces, RandomBuffersNeverMeet) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    llvm::SmallVector<LiveBuffer> buffers;
    for (unsigned i = 0, e = random() % 40; i < e; ++i) {
      int64_t first = random() % 30;
      buffers.push_back(
          {int64_t(random() % 1000), first, first + int64_t(random() % 10)});
    }
    SharedPlaces places = SharedPlaces::compute(buffers);
    EXPECT_TRUE(isValid(buffers, places));
    EXPECT_LE(places.getNumPlaces(), buffers.size());
  }
}

} // namespace
