//===- AttentionBranchTest.cpp - Tests of branch finding ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What belongs to the branch of an attention and what does not.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/AttentionBranch.h"
#include "ParseModule.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

/// A loop over `%x` with `body`, which defines `%next`.
static std::string makeLoop(StringRef body) {
  return ("!t = tensor<1x1x8x4xf32>\n"
          "func.func @f(%x0: !t, %w: !t) -> !t {\n"
          "  %c0 = arith.constant 0 : index\n"
          "  %c1 = arith.constant 1 : index\n"
          "  %c4 = arith.constant 4 : index\n"
          "  %e = tensor.empty() : !t\n"
          "  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %x0) -> (!t) "
          "{\n" +
          body +
          "    scf.yield %next : !t\n"
          "  }\n"
          "  return %r : !t\n"
          "}\n")
      .str();
}

static std::string attention(StringRef result, StringRef q, StringRef site) {
  return ("    " + result + " = dit.attention ins(" + q + ", " + q + ", " + q +
          " : !t, !t, !t) outs(%e : !t) {scale = 0.5 : f64, site = \"" + site +
          "\"}\n")
      .str();
}

/// Names of the ops of a branch, without the dialect of the linalg ops.
static std::string describe(const AttentionBranch &branch) {
  std::string text;
  for (Operation *op : branch.ops)
    text += (text.empty() ? "" : " ") + op->getName().stripDialect().str();
  return text;
}

static std::optional<AttentionBranch> findBranch(ParsedModule &module,
                                                 StringRef site) {
  AttentionOp op = module.find(site);
  return AttentionBranchFinder(cast<scf::ForOp>(op->getParentOp())).find(op);
}

TEST(AttentionBranchTest, StopsAtResidual) {
  ParsedModule module(makeLoop(
      "    %n = linalg.abs ins(%x : !t) outs(%e : !t) -> !t\n" +
      attention("%a", "%n", "a") +
      "    %p = linalg.mul ins(%a, %w : !t, !t) outs(%e : !t) -> !t\n"
      "    %next = linalg.add ins(%x, %p : !t, !t) outs(%e : !t) -> !t\n"));
  ASSERT_TRUE(module);
  auto branch = findBranch(module, "a");
  ASSERT_TRUE(branch);
  EXPECT_EQ(describe(*branch), "abs attention mul");
  EXPECT_EQ(branch->result, branch->ops.back()->getResult(0));
}

TEST(AttentionBranchTest, LeavesSharedOps) {
  ParsedModule module(makeLoop(
      "    %n = linalg.abs ins(%x : !t) outs(%e : !t) -> !t\n"
      "    %q = linalg.exp ins(%n : !t) outs(%e : !t) -> !t\n" +
      attention("%a", "%q", "a") +
      "    %next = linalg.add ins(%n, %a : !t, !t) outs(%e : !t) -> !t\n"));
  ASSERT_TRUE(module);
  auto branch = findBranch(module, "a");
  ASSERT_TRUE(branch);
  EXPECT_EQ(describe(*branch), "exp attention");
}

TEST(AttentionBranchTest, FollowsInvariantsOfTheBody) {
  // %v is computed in the body but does not depend on the step.
  ParsedModule module(makeLoop(
      attention("%a", "%x", "a") +
      "    %v = linalg.exp ins(%w : !t) outs(%e : !t) -> !t\n"
      "    %p = linalg.mul ins(%a, %v : !t, !t) outs(%e : !t) -> !t\n"
      "    %g = linalg.exp ins(%x : !t) outs(%e : !t) -> !t\n"
      "    %next = linalg.mul ins(%p, %g : !t, !t) outs(%e : !t) -> !t\n"));
  ASSERT_TRUE(module);
  auto branch = findBranch(module, "a");
  ASSERT_TRUE(branch);
  EXPECT_EQ(describe(*branch), "attention exp mul");
}

TEST(AttentionBranchTest, HoldsEarlierAttention) {
  ParsedModule module(makeLoop(
      attention("%a", "%x", "a") +
      "    %q = linalg.exp ins(%a : !t) outs(%e : !t) -> !t\n" +
      attention("%b", "%q", "b") +
      "    %next = linalg.add ins(%x, %b : !t, !t) outs(%e : !t) -> !t\n"));
  ASSERT_TRUE(module);
  auto first = findBranch(module, "a"), second = findBranch(module, "b");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(describe(*first), "attention exp");
  EXPECT_EQ(describe(*second), "attention exp attention");
}
