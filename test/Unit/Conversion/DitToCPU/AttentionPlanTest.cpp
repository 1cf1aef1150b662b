//===- AttentionPlanTest.cpp - Tests of the attention kernel's sizes ------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Conversion/DitToCPU/AttentionPlan.h"

#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

namespace {

CPUTarget makeTarget(int64_t bits, int64_t registers) {
  CPUTarget target;
  target.vectorBits = bits;
  target.vectorRegisters = registers;
  target.l1Bytes = 32 * 1024;
  target.l2Bytes = 1024 * 1024;
  return target;
}

const CPUTarget kTargets[] = {makeTarget(512, 32), makeTarget(256, 16),
                              makeTarget(128, 32), makeTarget(128, 16),
                              makeTarget(64, 4)};
const int64_t kTiles[] = {1, 8, 13, 16, 32, 64, 100, 128, 256};

int64_t columnsOf(const AttentionPlan &plan) {
  int64_t vectors = 0;
  for (int64_t chunk : plan.valueChunks)
    vectors += chunk;
  return vectors * plan.lanes;
}

void expectSound(const AttentionPlan &plan, const AttentionProblem &problem,
                 const CPUTarget &target) {
  EXPECT_EQ(plan.lanes, target.vectorBits / problem.bits);
  EXPECT_EQ(plan.panelKeys % plan.lanes, 0);
  EXPECT_GE(plan.panelsPerStep, 1);
  EXPECT_EQ(plan.paddedRows % plan.tileRows, plan.tailRows);
  EXPECT_GE(plan.paddedRows, plan.blockRows);
  EXPECT_LT(plan.paddedRows - plan.blockRows, plan.tileRows);
  EXPECT_GE(columnsOf(plan), problem.valueHeadSize);
  EXPECT_LT(columnsOf(plan) - problem.valueHeadSize, plan.lanes);
  // What the inner loops keep: accumulators, one row of the other operand, one
  // broadcast element.
  auto registers = [&](int64_t vectors) {
    return plan.tileRows * vectors + vectors + 1;
  };
  EXPECT_LE(registers(plan.getPanelVectors()), target.vectorRegisters);
  for (int64_t chunk : plan.valueChunks)
    EXPECT_LE(registers(chunk), target.vectorRegisters);
  // The products by columns: whole tiles cover a panel.
  for (int64_t chunk : plan.splitColumns(problem.headSize)) {
    int64_t columns = plan.getTileColumns(chunk);
    EXPECT_EQ(plan.panelKeys % columns, 0);
    if (columns > 1) {
      EXPECT_LE(columns * chunk + chunk + 1, target.vectorRegisters);
    }
  }
}

TEST(AttentionPlan, FillsTheRegisters) {
  AttentionProblem problem{4096, 4096, 64, 64, 32, false, std::nullopt};
  AttentionPlan wide = AttentionPlan::get(problem, makeTarget(512, 32));
  EXPECT_EQ(wide.tileRows, 6);
  EXPECT_EQ(wide.panelKeys, 64);
  EXPECT_EQ(wide.getStepKeys(), 128);
  AttentionPlan narrow = AttentionPlan::get(problem, makeTarget(256, 16));
  EXPECT_EQ(narrow.tileRows, 6);
  EXPECT_EQ(narrow.panelKeys, 16);
  EXPECT_EQ(narrow.getStepKeys(), 128);
}

TEST(AttentionPlan, IsSoundForEveryShape) {
  for (const CPUTarget &target : kTargets)
    for (unsigned bits : {32u, 64u})
      for (int64_t length : {ShapedType::kDynamic, int64_t(0), int64_t(1),
                             int64_t(65), int64_t(4096)})
        for (int64_t size : {1, 17, 64, 80, 512}) {
          AttentionProblem problem{length, length, size,        size + 3,
                                   bits,   false,  std::nullopt};
          expectSound(AttentionPlan::get(problem, target), problem, target);
          for (int64_t q : kTiles)
            for (int64_t kv : kTiles) {
              problem.tile = {q, kv};
              expectSound(AttentionPlan::get(problem, target), problem, target);
            }
        }
}

TEST(AttentionPlan, BlocksCoverATileRow) {
  for (int64_t q : kTiles) {
    AttentionProblem problem{4096, 4096, 64, 64, 32, false, {{q, 64}}};
    AttentionPlan plan = AttentionPlan::get(problem, kTargets[0]);
    EXPECT_GE(plan.blocksPerTile * plan.blockRows, q);
    EXPECT_LT((plan.blocksPerTile - 1) * plan.blockRows, q);
  }
}

TEST(AttentionPlan, GathersNarrowTiles) {
  AttentionProblem problem{4096, 4096, 64, 64, 32, false, {{32, 1}}};
  EXPECT_TRUE(AttentionPlan::get(problem, kTargets[0]).gather);
  problem.tile = {64, 64};
  EXPECT_FALSE(AttentionPlan::get(problem, kTargets[0]).gather);
  problem.tile = {64, 100};
  EXPECT_FALSE(AttentionPlan::get(problem, kTargets[0]).gather);
}

TEST(AttentionPlan, PairsWhereTheTargetHasThem) {
  AttentionProblem problem{4096, 4096, 64, 64, 32, /*isBF16=*/true, {}};
  CPUTarget target = makeTarget(512, 32);
  EXPECT_FALSE(AttentionPlan::get(problem, target).dot);
  target.bf16Dot = true;
  EXPECT_TRUE(AttentionPlan::get(problem, target).dot);
  EXPECT_EQ(AttentionPlan::get(problem, target).getUnit(), 2);
  problem.isBF16 = false;
  EXPECT_FALSE(AttentionPlan::get(problem, target).dot);
}

TEST(CPUTarget, TakesDefaultsForWhatItDoesNotKnow) {
  CPUTarget given;
  given.vectorBits = 256;
  given.bf16Dot = false;
  EXPECT_EQ(given.withDefaults(CPUTarget::getHost()).bf16Dot, false);
  CPUTarget target = given.withDefaults(makeTarget(512, 32));
  EXPECT_EQ(target.vectorBits, 256);
  EXPECT_EQ(target.vectorRegisters, 32);
  CPUTarget host = CPUTarget::getHost();
  EXPECT_GE(host.vectorBits, 128);
  EXPECT_GE(host.vectorRegisters, 16);
}

} // namespace
