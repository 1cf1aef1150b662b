//===- PlanCostTest.cpp - Work that a plan leaves -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The published fractions of DiTFastAttn and of its version 2, and counts
// against an enumeration of all positions.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/PlanCost.h"
#include "dit/Dialect/Dit/Plan/Broadcast.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

namespace {

class PlanCostTest : public testing::Test {
protected:
  PlanCostTest() { context.loadDialect<DitDialect>(); }

  /// A self-attention of `heads` over `tokens`, with its four projections.
  BranchWork makeWork(int64_t tokens, int64_t heads, int64_t headSize,
                      GridAttr grid = {}) {
    int64_t width = heads * headSize;
    BranchWork work;
    work.site = {"a", BranchKind::Full, /*layer=*/0, heads, grid};
    work.context = &context;
    work.queries = work.keys = tokens;
    work.headSize = work.valueHeadSize = headSize;
    work.inputFlops = 3 * 2 * tokens * width * width;
    work.outputFlops = 2 * tokens * width * width;
    return work;
  }

  BranchPlan makePlan(const BranchWork &work, ArrayRef<Mode> steps) {
    BranchPlan branch = BranchPlan::getFull(work.site, steps.size());
    for (auto [step, mode] : llvm::enumerate(steps))
      branch.setStep(step, mode);
    resolveSources(branch.heads, branch.modes);
    EXPECT_FALSE(branch.findFault());
    return branch;
  }

  MLIRContext context;
};

Mode getHalf(Mode mode) {
  mode.part = BatchPart::First;
  return mode;
}

Mode getResidual(Mode mode) {
  mode.residual = true;
  return mode;
}

// DiTFastAttn, table 2: what windows of an eighth of the tokens on each side
// leave of attention and its projections, in percent, at a width of 1152.
TEST_F(PlanCostTest, DiTFastAttn) {
  for (auto [tokens, percent] :
       {std::pair(1024, 76.5), std::pair(4096, 51.0), std::pair(16384, 32.9)}) {
    BranchWork work = makeWork(tokens, 16, 72);
    BranchCost cost(work, makePlan(work, {Mode::full()}));
    double window = cost.getUniform(Mode::window(tokens / 8)).getTotal();
    double dense = cost.getDense().getTotal();
    EXPECT_NEAR(100.0 * window / dense, percent, 0.05) << tokens;
    // Halves of the batch halve all of it, on top of the window too.
    double half = cost.getUniform(getHalf(Mode::full())).getTotal();
    EXPECT_EQ(half, dense / 2.0);
    double both = cost.getUniform(getHalf(Mode::window(tokens / 8))).getTotal();
    EXPECT_EQ(both, window / 2.0);
    EXPECT_EQ(cost.getUniform(Mode::share()).getTotal(), 0.0);
    EXPECT_TRUE(cost.isExact());
  }
}

// Version 2 on FLUX at 2K: what an arrow saves of the attention, by its
// half-width of a part of the video tokens.
TEST_F(PlanCostTest, Arrows) {
  int64_t video = 16384, text = 512;
  auto grid = GridAttr::get(&context, 1, 128, 128, text, /*textFirst=*/true);
  BranchWork work = makeWork(video + text, 2, 128, grid);
  work.site.kind = BranchKind::Joint;
  BranchCost cost(work, makePlan(work, {Mode::full()}));
  for (auto [parts, saved] :
       {std::pair(8, 0.826), std::pair(16, 0.883), std::pair(32, 0.911)}) {
    double left = cost.getUniform(Mode::arrow(video / parts / 2)).attention /
                  cost.getDense().attention;
    EXPECT_NEAR(1.0 - left, saved, 0.001) << parts;
  }
}

TEST_F(PlanCostTest, CountsPositions) {
  auto grid = GridAttr::get(&context, 2, 3, 4, /*text=*/0, false);
  BranchWork work = makeWork(24, 1, 8, grid);
  BranchPlan branch = makePlan(work, {Mode::full()});
  Mode inGrid = Mode::window(1);
  inGrid.inGrid = true;
  inGrid.width = {1, 0, 2};
  auto isKept = [&](int64_t q, int64_t k, const Mode &mode) {
    if (!mode.inGrid)
      return std::abs(q - k) <= mode.width[0];
    return std::abs(q / 12 - k / 12) <= mode.width[0] &&
           std::abs(q / 4 % 3 - k / 4 % 3) <= mode.width[1] &&
           std::abs(q % 4 - k % 4) <= mode.width[2];
  };
  for (const Mode &mode : {Mode::window(0), Mode::window(5), inGrid}) {
    int64_t count = 0;
    for (int64_t q = 0; q < 24; ++q)
      for (int64_t k = 0; k < 24; ++k)
        count += isKept(q, k, mode);
    KeptPositions kept = countPositions(work, branch, mode);
    EXPECT_EQ(kept.count, count);
    EXPECT_TRUE(kept.isExact);
  }
  // Rounded out to tiles of 8 x 8 around the diagonal: 3 tiles, and 4 more for
  // a half-width that reaches into the next one.
  branch.rounded = true;
  branch.tile = {8, 8};
  EXPECT_EQ(countPositions(work, branch, Mode::window(0)).count, 3 * 64);
  EXPECT_EQ(countPositions(work, branch, Mode::window(1)).count, 7 * 64);
}

TEST_F(PlanCostTest, Residuals) {
  // Step 0 is full and pays for the window that step 2 takes; step 1 does not
  // take any, and step 3 shares.
  BranchWork work = makeWork(64, 2, 8);
  Mode window = Mode::window(4);
  BranchCost cost(work, makePlan(work, {Mode::full(), window,
                                        getResidual(window), Mode::share()}));
  double once = cost.getUniform(window).attention;
  EXPECT_EQ(cost.getStep(0).residual, once);
  EXPECT_EQ(cost.getStep(1).residual, 0.0);
  EXPECT_EQ(cost.getStep(2).attention, once);
  EXPECT_EQ(cost.getStep(3).getTotal(), 0.0);
  EXPECT_EQ(cost.countComputedSteps(), 3);
  // 64 rows of 9 positions, less 2 * (4 + 3 + 2 + 1) at the edges.
  EXPECT_EQ(once, 2 * (64 * 9 - 20) * 2 * (8 + 8));
}

TEST_F(PlanCostTest, ByHead) {
  // One head of two shares: half of the attention and of the projections before
  // it, all of the one after it.
  BranchWork work = makeWork(64, 2, 8);
  BranchPlan branch = makePlan(work, {Mode::full(), Mode::full()});
  branch.cache = CachePoint::BeforeProjection;
  branch.modes[2] = Mode::share(0);
  BranchCost cost(work, branch);
  EXPECT_EQ(cost.getStep(1).attention, cost.getDense().attention / 2.0);
  EXPECT_EQ(cost.getStep(1).projection, work.inputFlops / 2 + work.outputFlops);
  branch.modes[3] = Mode::share(0);
  EXPECT_EQ(BranchCost(work, branch).getStep(1).getTotal(), work.outputFlops);
}

// PAB with the periods 2, 4, 6 between the timesteps 450 and 930 of Open-Sora's
// 30 steps: how often each kind computes.
TEST_F(PlanCostTest, Broadcast) {
  SmallVector<double> timesteps = {1000, 992, 984, 976, 968, 960, 952, 940,
                                   932,  920, 908, 892, 880, 864, 848, 828,
                                   808,  788, 764, 736, 708, 676, 636, 596,
                                   548,  492, 426, 350, 258, 143};
  for (auto [period, computed] :
       {std::pair(2, 21), std::pair(4, 17), std::pair(6, 16)}) {
    BranchWork work = makeWork(16, 1, 4);
    BranchPlan branch = BranchPlan::getFull(work.site, 30);
    BroadcastRule{static_cast<int64_t>(period), 450, 930}.apply(timesteps,
                                                                branch);
    BranchCost cost(work, branch);
    EXPECT_EQ(cost.countComputedSteps(), computed);
    EXPECT_EQ(cost.getTotal().getTotal(),
              computed * cost.getDense().getTotal());
  }
}

} // namespace
