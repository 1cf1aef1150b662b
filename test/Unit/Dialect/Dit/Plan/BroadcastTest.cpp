//===- BroadcastTest.cpp - Schedules of attention broadcast ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The schedules of published models, whose timesteps are computed here as
// their samplers do, and the way back from a schedule to its rule.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/Broadcast.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

namespace {

/// `value` in bfloat16, then without its fraction.
double truncateAsBFloat(double value) {
  llvm::APFloat number(value);
  bool lossy;
  number.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven,
                 &lossy);
  return std::trunc(number.convertToDouble());
}

/// Open-Sora 1.2 at 480 x 854, 51 frames: rectified flow, shifted for the size.
SmallVector<double> openSora() {
  double shift = std::sqrt(480.0 * 854.0 / (512.0 * 512.0)) *
                 std::sqrt(std::floor(51.0 / 17.0) * 5.0);
  SmallVector<double> timesteps;
  for (int step = 0; step < 30; ++step) {
    double u = 1.0 - step / 30.0;
    timesteps.push_back(
        truncateAsBFloat(1000.0 * shift * u / (1.0 + (shift - 1.0) * u)));
  }
  return timesteps;
}

/// DDIM with leading steps: 1000 training steps, `count` of them.
SmallVector<double> ddim(int count) {
  SmallVector<double> timesteps;
  for (int step = 0; step < count; ++step)
    timesteps.push_back((count - 1 - step) * (1000 / count) + 1);
  return timesteps;
}

BranchPlan makeBranch(ArrayRef<double> timesteps, int64_t heads = 1) {
  Site site{"a", BranchKind::Spatial, /*layer=*/0, heads, {}};
  return BranchPlan::getFull(site, timesteps.size());
}

/// "1" for each step that computes, "0" for each that shares.
std::string schedule(const BroadcastRule &rule, ArrayRef<double> timesteps) {
  BranchPlan branch = makeBranch(timesteps, /*heads=*/2);
  rule.apply(timesteps, branch);
  EXPECT_FALSE(branch.findFault());
  std::string text;
  for (size_t step = 0; step < timesteps.size(); ++step)
    text += branch.getTable().get(step, 1).computes() ? '1' : '0';
  return text;
}

int64_t countReused(const BroadcastRule &rule, ArrayRef<double> timesteps) {
  return llvm::count(schedule(rule, timesteps), '0');
}

TEST(BroadcastTest, OpenSoraTimesteps) {
  EXPECT_EQ(
      openSora(),
      SmallVector<double>({1000, 992, 984, 976, 968, 960, 952, 940, 932, 920,
                           908,  892, 880, 864, 848, 828, 808, 788, 764, 736,
                           708,  676, 636, 596, 548, 492, 426, 350, 258, 143}));
}

TEST(BroadcastTest, OpenSora) {
  SmallVector<double> timesteps = openSora();
  auto inside = [](double t) { return BroadcastRule{2, 450, 930}.isInside(t); };
  EXPECT_EQ(llvm::count_if(timesteps, inside), 17);
  EXPECT_EQ(countReused({2, 450, 930}, timesteps), 9);
  EXPECT_EQ(countReused({4, 450, 930}, timesteps), 13);
  EXPECT_EQ(countReused({6, 450, 930}, timesteps), 14);
  // Steps 9 to 25 are inside; the count is of all steps, so 12 is the first of
  // them that a period of 6 computes.
  EXPECT_EQ(schedule({6, 450, 930}, timesteps),
            "111111111000100000100000101111");
}

TEST(BroadcastTest, ComputedOutsideIsKeptToo) {
  // Step 9, the first one inside, takes the value of step 8, outside.
  SmallVector<double> timesteps = openSora();
  BranchPlan branch = makeBranch(timesteps);
  BroadcastRule{6, 450, 930}.apply(timesteps, branch);
  EXPECT_EQ(branch.getTable().get(9, 0), Mode::share(8));
  EXPECT_EQ(branch.getTable().get(23, 0), Mode::share(18));
}

TEST(BroadcastTest, Latte) {
  // Timesteps 981 to 1 in steps of 20; 781 (step 10) to 101 (step 44) are
  // inside. Multiples of 2, 3, 6 among 10..44: 18, 11, 6 of 35.
  SmallVector<double> timesteps = ddim(50);
  EXPECT_EQ(timesteps.front(), 981);
  EXPECT_EQ(countReused({2, 100, 800}, timesteps), 35 - 18);
  EXPECT_EQ(countReused({3, 100, 800}, timesteps), 35 - 11);
  EXPECT_EQ(countReused({6, 100, 800}, timesteps), 35 - 6);
}

TEST(BroadcastTest, OpenSoraPlan) {
  // 150 steps of 6: 847 (step 24) to 103 (step 148), 125 steps. Multiples of
  // 2, 4, 6 among 24..148: 63, 32, 21.
  SmallVector<double> timesteps;
  for (int step = 0; step < 150; ++step)
    timesteps.push_back(991 - 6 * step);
  EXPECT_EQ(timesteps[24], 847);
  EXPECT_EQ(timesteps[148], 103);
  EXPECT_EQ(countReused({2, 100, 850}, timesteps), 125 - 63);
  EXPECT_EQ(countReused({4, 100, 850}, timesteps), 125 - 32);
  EXPECT_EQ(countReused({6, 100, 850}, timesteps), 125 - 21);
}

TEST(BroadcastTest, WindowIsOpen) {
  SmallVector<double> timesteps = {900, 850, 500, 100, 50};
  EXPECT_EQ(schedule({5, 100, 850}, timesteps), "11011");
  EXPECT_EQ(schedule({5, 99, 851}, timesteps), "10001");
  // A period of one never reuses, and the first step always computes.
  EXPECT_EQ(schedule({1, 0, 1000}, timesteps), "11111");
  EXPECT_EQ(schedule({9, 0, 1000}, timesteps), "10000");
}

TEST(BroadcastTest, KeysOfMlp) {
  SmallVector<double> timesteps = openSora();
  BranchPlan branch = makeBranch(timesteps);
  SmallVector<int64_t> steps;
  for (double key : {864, 788, 676})
    steps.push_back(*BroadcastKey{key, 2}.findStep(timesteps));
  EXPECT_EQ(steps, SmallVector<int64_t>({13, 17, 21}));
  for (double key : {864, 788, 676})
    BroadcastKey{key, 2}.apply(timesteps, steps, branch);
  EXPECT_EQ(branch.countSharedSteps(), 6);
  EXPECT_EQ(branch.getTable().get(15, 0), Mode::share(13));
  EXPECT_EQ(branch.getTable().get(16, 0), Mode::full());
  EXPECT_FALSE(branch.findFault());
}

TEST(BroadcastTest, KeyComputesInsideOfAnother) {
  SmallVector<double> timesteps = {4, 3, 2, 1};
  BranchPlan branch = makeBranch(timesteps);
  for (double key : {4, 3})
    BroadcastKey{key, 9}.apply(timesteps, {0, 1}, branch);
  EXPECT_EQ(branch.getTable().get(1, 0), Mode::full());
  EXPECT_EQ(branch.getTable().get(2, 0), Mode::share(1));
  EXPECT_EQ(branch.getTable().get(3, 0), Mode::share(1));
}

TEST(BroadcastTest, KeyThatNothingMatches) {
  SmallVector<double> timesteps = openSora();
  EXPECT_FALSE((BroadcastKey{700, 2}.findStep(timesteps)));
  EXPECT_EQ((BroadcastKey{700, 2}.describeNearest(timesteps)), "708 and 676");
  EXPECT_EQ((BroadcastKey{1001, 2}.describeNearest(timesteps)), "1000");
  EXPECT_EQ((BroadcastKey{10, 2}.describeNearest(timesteps)), "143");
  // The integer part of a timestep is what PAB looks up.
  EXPECT_EQ((BroadcastKey{866, 2}.findStep({1000, 866.67})), 1);
}

/// Whether the rule that is found for the schedule of `rule` gives it back.
void expectFound(const BroadcastRule &rule, ArrayRef<double> timesteps) {
  SmallVector<bool> reused;
  for (auto [step, timestep] : llvm::enumerate(timesteps))
    reused.push_back(rule.reuses(step, timestep));
  std::optional<BroadcastRule> found = BroadcastRule::find(timesteps, reused);
  ASSERT_TRUE(found);
  EXPECT_EQ(schedule(*found, timesteps), schedule(rule, timesteps));
  EXPECT_LE(found->period, rule.period);
}

TEST(BroadcastTest, RuleOfASchedule) {
  for (SmallVector<double> timesteps : {openSora(), ddim(50), ddim(7)})
    for (int64_t period : {1, 2, 3, 4, 6, 9, 100})
      for (auto [lower, upper] :
           {std::pair(450.0, 930.0), std::pair(-1.0, 2000.0),
            std::pair(100.0, 101.0), std::pair(100.0, 850.0)})
        expectFound({period, lower, upper}, timesteps);
}

TEST(BroadcastTest, NoRule) {
  // A period of 2 would compute at step 4, and a longer one reuse at step 2.
  EXPECT_FALSE(BroadcastRule::find({6, 5, 4, 3, 2, 1},
                                   {false, true, false, true, true, false}));
  // Before anything was computed.
  EXPECT_FALSE(BroadcastRule::find({2, 1}, {true, false}));
}

} // namespace
