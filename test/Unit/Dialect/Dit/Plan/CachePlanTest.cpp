//===- CachePlanTest.cpp - Tests of live ranges and step classes ----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which steps keep a value, for how long, in which slot, and which steps are
// equal.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/CachePlan.h"
#include "dit/Dialect/Dit/Plan/Broadcast.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A branch with a mode for each step, given by letters: `f` full, `s` share,
/// `w` window(4) residual, `W` window(8) residual, `n` window(4) without, `h`
/// half of the batch with a residual. A group of letters for each head.
BranchPlan makeBranch(ArrayRef<StringRef> heads,
                      CachePoint cache = CachePoint::BeforeProjection) {
  BranchPlan branch;
  branch.site = "a";
  branch.heads = heads.size();
  branch.cache = cache;
  for (size_t step = 0; step < heads.front().size(); ++step)
    for (StringRef modes : heads) {
      Mode mode;
      switch (modes[step]) {
      case 's':
        mode = Mode::share();
        break;
      case 'w':
      case 'W':
      case 'n':
        mode = Mode::window(modes[step] == 'W' ? 8 : 4);
        mode.residual = modes[step] != 'n';
        break;
      case 'h':
        mode.part = BatchPart::First;
        mode.residual = true;
        break;
      default:
        break;
      }
      branch.modes.push_back(mode);
    }
  resolveSources(branch.heads, branch.modes);
  return branch;
}

/// After which steps the slot is live, as a row of 0 and 1.
std::string getLive(const CachePlan &caches, int64_t slot) {
  std::string row;
  for (bool live : caches.getSlots()[slot].liveAfter)
    row += live ? '1' : '0';
  return row;
}

/// What becomes of the slot at each step: `.` stays, `R` replaced, `M` merged.
std::string getUpdates(const CachePlan &caches, int64_t slot) {
  std::string row;
  for (int64_t step = 0; step < caches.getNumSteps(); ++step)
    row += ".RM"[caches.getStep(step).updates[slot].kind];
  return row;
}

TEST(CachePlanTest, ResidualOfAHalfIsKeptOnceForAllHeads) {
  // The third step is not full in both heads, so that the first one is the
  // source of both halves.
  CachePlan caches(makeBranch({"fhfhs", "fhnhs"}, CachePoint::AfterProjection));
  ASSERT_EQ(caches.getSlots().size(), 2u);
  EXPECT_TRUE(caches.getSlots()[0].halves);
  EXPECT_FALSE(caches.getSlots()[0].residual);
  EXPECT_EQ(getLive(caches, 0), "11100");
  EXPECT_FALSE(caches.getSlots()[1].halves);
  EXPECT_EQ(getLive(caches, 1), "00010");
  EXPECT_EQ(caches.getStep(0).updates[0].kind, SlotUpdate::Replace);
  EXPECT_EQ(caches.getStep(2).updates[0].kind, SlotUpdate::Keep);
  for (const HeadStep &head : caches.getStep(3).heads)
    EXPECT_EQ(head.load, 0);
}

TEST(CachePlanTest, OnlyStepsThatAreReadSave) {
  CachePlan caches(makeBranch({"fffsfss"}, CachePoint::AfterGate));
  ASSERT_EQ(caches.getSlots().size(), 1u);
  EXPECT_EQ(getLive(caches, 0), "0010110");
  EXPECT_EQ(getUpdates(caches, 0), "..R.R..");
  // Full, full that saves, shared.
  EXPECT_EQ(caches.getClasses().size(), 3u);
  EXPECT_EQ(caches.getClass(0), caches.getClass(1));
  EXPECT_EQ(caches.getClass(2), caches.getClass(4));
  EXPECT_TRUE(caches.getStep(3).isShared());
  EXPECT_FALSE(caches.getStep(3).writes());
}

TEST(CachePlanTest, EagerStepsDifferLess) {
  CachePlan caches(makeBranch({"fffsfss"}, CachePoint::AfterGate),
                   /*eager=*/true);
  EXPECT_EQ(getLive(caches, 0), "0010110");
  EXPECT_EQ(getUpdates(caches, 0), "RRR.R..");
  EXPECT_EQ(caches.getClasses().size(), 2u);
  // What lives is not overwritten.
  BranchPlan branch = makeBranch({"fffs"});
  branch.modes[3].source = 0;
  EXPECT_EQ(getUpdates(CachePlan(branch, /*eager=*/true), 0), "R...");
}

TEST(CachePlanTest, FullBranchKeepsNothing) {
  CachePlan caches(makeBranch({"ffff", "ffff"}));
  EXPECT_TRUE(caches.getSlots().empty());
  EXPECT_EQ(caches.getClasses().size(), 1u);
}

TEST(CachePlanTest, EarlierValuesNeedASecondSlot) {
  BranchPlan branch = makeBranch({"ffss"});
  branch.modes[2].source = 0;
  branch.modes[3].source = 1;
  CachePlan caches(branch);
  ASSERT_EQ(caches.getSlots().size(), 2u);
  EXPECT_EQ(getLive(caches, 0), "1100");
  EXPECT_EQ(getLive(caches, 1), "0110");
  EXPECT_EQ(caches.getStep(2).heads[0].load, 0);
  EXPECT_EQ(caches.getStep(3).heads[0].load, 1);
}

TEST(CachePlanTest, HeadsShareASlot) {
  // At step 2 head 0 keeps a new value beside that of head 1, which is in the
  // value of all heads because head 1 shares it.
  CachePlan caches(makeBranch({"fffs", "fsss"}));
  ASSERT_EQ(caches.getSlots().size(), 1u);
  EXPECT_EQ(getLive(caches, 0), "1110");
  EXPECT_EQ(getUpdates(caches, 0), "RRR.");
}

TEST(CachePlanTest, ValuesThatLastAreMergedInto) {
  // Head 1 computes at step 1 and takes the value of step 0 at step 2.
  BranchPlan branch = makeBranch({"ffs", "fff"});
  branch.modes[5] = Mode::share(0);
  CachePlan caches(branch);
  ASSERT_EQ(caches.getSlots().size(), 1u);
  EXPECT_EQ(getUpdates(caches, 0), "RM.");
  EXPECT_EQ(caches.getStep(1).updates[0].heads.size(), 1u);
}

TEST(CachePlanTest, ResidualsHaveMasksOfTheirOwn) {
  CachePlan caches(makeBranch({"fwWfwn"}, CachePoint::AfterProjection));
  ASSERT_EQ(caches.getSlots().size(), 2u);
  EXPECT_TRUE(caches.getSlots()[0].residual);
  EXPECT_EQ(getLive(caches, 0), "100100");
  EXPECT_EQ(getLive(caches, 1), "110000");
  EXPECT_EQ(caches.getStep(0).updates[1].heads[0].second, Mode::window(8));
  EXPECT_EQ(caches.getStep(1).heads[0].load, 0);
  EXPECT_EQ(caches.getStep(2).heads[0].load, 1);
  EXPECT_EQ(caches.getStep(5).heads[0].load, -1);
}

TEST(CachePlanTest, WindowsOfAResidualCanBeShared) {
  CachePlan caches(makeBranch({"fws"}));
  ASSERT_EQ(caches.getSlots().size(), 2u);
  EXPECT_TRUE(caches.getSlots()[0].residual);
  EXPECT_FALSE(caches.getSlots()[1].residual);
  EXPECT_EQ(getUpdates(caches, 1), ".R.");
}

TEST(CachePlanTest, PartIsThatOfAllHeads) {
  BranchPlan branch = makeBranch({"ff", "ff"});
  for (int64_t i : {1, 2, 3})
    branch.modes[i].part = BatchPart::Second;
  CachePlan caches(branch);
  EXPECT_EQ(caches.getStep(0).getPart(), BatchPart::All);
  EXPECT_EQ(caches.getStep(1).getPart(), BatchPart::Second);
}

/// The timesteps of Open-Sora 1.2 for 30 steps at 480 x 854 and 51 frames: as
/// the model sees them, rounded to bfloat16 and cut to integers.
SmallVector<double> getOpenSoraTimesteps() {
  SmallVector<double> timesteps;
  double rho =
      std::sqrt(480.0 * 854.0 / (512.0 * 512.0)) * std::sqrt(51 / 17 * 5.0);
  for (int64_t step = 0; step < 30; ++step) {
    double u = 1.0 - step / 30.0;
    llvm::APFloat value(1000.0 * rho * u / (1.0 + (rho - 1.0) * u));
    bool lossy;
    value.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven,
                  &lossy);
    timesteps.push_back(std::trunc(value.convertToDouble()));
  }
  return timesteps;
}

TEST(CachePlanTest, OpenSora) {
  SmallVector<double> timesteps = getOpenSoraTimesteps();
  ASSERT_EQ(timesteps[9], 920.0);
  ASSERT_EQ(timesteps[25], 492.0);
  int64_t periods[] = {2, 4, 6}, reused[] = {9, 13, 14}, saved[] = {9, 5, 4};
  for (auto [index, period] : llvm::enumerate(periods)) {
    BranchPlan branch;
    branch.modes.assign(30, Mode::full());
    BroadcastRule{period, 450.0, 930.0}.apply(timesteps, branch);
    EXPECT_EQ(branch.countSharedSteps(), reused[index]);
    CachePlan caches(branch);
    ASSERT_EQ(caches.getSlots().size(), 1u);
    std::string updates = getUpdates(caches, 0);
    // The first step inside reuses what the last one before it computed.
    EXPECT_EQ(updates[8], 'R') << updates;
    EXPECT_EQ(llvm::count(updates, 'R'), saved[index]) << updates;
  }
}

TEST(StepRunsTest, Runs) {
  using Runs = SmallVector<StepRun>;
  EXPECT_EQ(findStepRuns({}), Runs());
  EXPECT_EQ(findStepRuns({0}), (Runs{{0, 1, 1}}));
  EXPECT_EQ(findStepRuns({0, 0, 0}), (Runs{{0, 1, 3}}));
  EXPECT_EQ(findStepRuns({0, 1, 0, 1, 0, 1, 2}), (Runs{{0, 2, 3}, {6, 1, 1}}));
  EXPECT_EQ(findStepRuns({3, 0, 1, 1, 0, 1, 1, 3, 3}),
            (Runs{{0, 1, 1}, {1, 3, 2}, {7, 1, 2}}));
}

} // namespace
