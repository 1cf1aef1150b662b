//===- AttentionCostTest.cpp - Tests of the work of attentions ------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts that can be checked by hand.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "ParseModule.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

/// An attention of 2 batches, 4 query heads on 2 key heads, 6 x 10 positions,
/// head sizes 8 and 16, with `mask`.
static std::string makeAttention(StringRef mask, StringRef arguments = "") {
  return ("func.func @f(%q: tensor<2x4x6x8xf32>, %k: tensor<2x2x10x8xf32>, "
          "%v: tensor<2x2x10x16xf32>, %o: tensor<2x4x6x16xf32>" +
          arguments +
          ") -> tensor<2x4x6x16xf32> {\n"
          "  %r = dit.attention ins(%q, %k, %v : tensor<2x4x6x8xf32>, "
          "tensor<2x2x10x8xf32>, tensor<2x2x10x16xf32>) " +
          mask +
          " outs(%o : tensor<2x4x6x16xf32>) {scale = 0.5 : f64, site = "
          "\"a\"}\n"
          "  return %r : tensor<2x4x6x16xf32>\n"
          "}\n")
      .str();
}

TEST(AttentionCostTest, Dense) {
  ParsedModule module(makeAttention(""));
  ASSERT_TRUE(module);
  auto cost = AttentionCost::get(module.find("a"));
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->getDenseFlops(), 2 * 2 * 4 * 6 * 10 * (8 + 16));
  EXPECT_EQ(cost->getKeptFlops(), cost->getDenseFlops());
  EXPECT_EQ(cost->getExecutedFlops(), cost->getDenseFlops());
  EXPECT_EQ(cost->getKeptShare().size(), 4u);
  EXPECT_TRUE(cost->isExact());
}

TEST(AttentionCostTest, Pattern) {
  // Causal: 1 + 2 + ... + 6 of 60 positions.
  ParsedModule module(makeAttention("pattern(#dit.causal)"));
  ASSERT_TRUE(module);
  auto cost = AttentionCost::get(module.find("a"));
  ASSERT_TRUE(cost);
  EXPECT_DOUBLE_EQ(cost->getKeptShare()[0], 21.0 / 60);
  EXPECT_EQ(cost->getKeptFlops(), 2 * 2 * 4 * 21 * (8 + 16));
}

TEST(AttentionCostTest, UnknownTilesAreAnUpperBound) {
  ParsedModule module(makeAttention(
      "tiles(%num, %idx : tensor<1x1x3xi32>, tensor<1x1x3x5xi32>) by [2, 2]",
      ", %num: tensor<1x1x3xi32>, %idx: tensor<1x1x3x5xi32>"));
  ASSERT_TRUE(module);
  auto cost = AttentionCost::get(module.find("a"));
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->getKeptFlops(), cost->getDenseFlops());
  EXPECT_FALSE(cost->isExact());
}

/// An attention in a reuse under `schedule` in a loop with a step of 2, counted
/// by its iterations if `byIteration`, else by its induction variable.
static ExecutionCount countInLoop(StringRef schedule, bool byIteration) {
  std::string step = byIteration ? "    %s = arith.divui %i, %c2 : index\n"
                                 : "    %s = arith.addi %i, %c0 : index\n";
  ParsedModule module(
      "!t = tensor<1x1x4x4xf32>\n"
      "func.func @f(%x: !t) -> !t {\n"
      "  %c0 = arith.constant 0 : index\n"
      "  %c2 = arith.constant 2 : index\n"
      "  %c10 = arith.constant 10 : index\n"
      "  %r = scf.for %i = %c0 to %c10 step %c2 iter_args(%c = %x) -> (!t) "
      "{\n" +
      step + "    %on = dit.scheduled %s, #dit.schedule<\"" + schedule.str() +
      "\">\n"
      "    %y:2 = dit.reuse compute(%on) state(%c : !t) {\n"
      "    ^bb0(%dst: !t):\n"
      "      %o = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%dst : !t) "
      "{scale = 0.5 : f64, site = \"a\"}\n"
      "      dit.yield %o, %o : !t, !t\n"
      "    } -> !t, !t\n"
      "    scf.yield %y#1 : !t\n"
      "  }\n"
      "  return %r : !t\n"
      "}\n");
  EXPECT_TRUE(module);
  return countExecutions(module.find("a"));
}

TEST(AttentionCostTest, ScheduleOverIterations) {
  // Steps past the end of the schedule compute.
  ExecutionCount count = countInLoop("1001", /*byIteration=*/true);
  EXPECT_EQ(count.steps, 5);
  EXPECT_EQ(count.executed, 3);
  EXPECT_TRUE(count.exact);
}

TEST(AttentionCostTest, ScheduleOverInductionVariable) {
  // Steps 0, 2, 4, 6, 8.
  ExecutionCount count = countInLoop("1000100000", /*byIteration=*/false);
  EXPECT_EQ(count.steps, 5);
  EXPECT_EQ(count.executed, 2);
  EXPECT_TRUE(count.exact);
}
