//===- ResidualBranchesTest.cpp - Tests of branch finding -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which additions join a branch to a stream, and what runs for it alone.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/ResidualBranches.h"
#include "ParseModule.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// Writes the body of a function over `%x`, `%c` (two streams), `%g` (what the
/// model is conditioned on) and `%w` (weights), all of one type.
class Program {
public:
  Program &elementwise(StringRef result, StringRef op, StringRef lhs,
                       StringRef rhs) {
    body += llvm::formatv(
        "  {0} = linalg.generic {{indexing_maps = [#id, #id, #id], "
        "iterator_types = [\"parallel\", \"parallel\"]} ins({1}, {2} : !t, !t) "
        "outs(%e : !t) {{\n  ^bb0(%in_a: f32, %in_b: f32, %in_c: f32):\n"
        "    %in_d = arith.{3} %in_a, %in_b : f32\n    linalg.yield %in_d : "
        "f32\n  } -> "
        "!t\n",
        result, lhs, rhs, op);
    return *this;
  }
  Program &add(StringRef result, StringRef lhs, StringRef rhs) {
    return elementwise(result, "addf", lhs, rhs);
  }
  Program &mul(StringRef result, StringRef lhs, StringRef rhs) {
    return elementwise(result, "mulf", lhs, rhs);
  }
  Program &matmul(StringRef result, StringRef lhs, StringRef rhs = "%w") {
    body += llvm::formatv("  {0} = linalg.matmul ins({1}, {2} : !t, !t) "
                          "outs(%e : !t) -> !t\n",
                          result, lhs, rhs);
    return *this;
  }
  Program &attention(StringRef result, StringRef q, StringRef k,
                     StringRef kind) {
    body += llvm::formatv(
        "  {0} = dit.attention ins({1}, {2}, {2} : !t, !t, !t) outs(%e : !t) "
        "{{scale = 0.5 : f64, site = \"{3}\", kind = #dit.kind<{4}>, "
        "q_order = #dit.order<sd>, k_order = #dit.order<sd>, "
        "v_order = #dit.order<sd>, o_order = #dit.order<sd>}\n",
        result, q, k, result.drop_front(), kind);
    return *this;
  }
  /// The analysis as lines such as "0 full a1 joins=1 gates=1 ops=3".
  std::string analyze(StringRef result) {
    ParsedModule module("!t = tensor<8x8xf32>\n"
                        "#id = affine_map<(i, j) -> (i, j)>\n"
                        "func.func @f(%x: !t, %c: !t, %g: !t, %w: !t) -> !t {\n"
                        "  %e = tensor.empty() : !t\n" +
                        body + "  return " + result.str() + " : !t\n}\n");
    EXPECT_TRUE(module);
    std::string text;
    llvm::raw_string_ostream os(text);
    ResidualBranchAnalysis analysis(module.getRoot());
    for (const ResidualBranch &branch : analysis.getBranches()) {
      AttentionOp attention = branch.attention;
      os << branch.layer << " " << stringifyBranchKind(branch.kind) << " "
         << (attention ? attention.getSite().value_or("") : "-")
         << " joins=" << branch.joins.size() << " gates="
         << llvm::count_if(branch.joins,
                           [](const BranchJoin &join) { return join.gate; })
         << " ops=" << branch.ops.size() << "\n";
    }
    for (const UnknownJoin &join : analysis.getUnknown())
      os << join.reason << "\n";
    for (AttentionOp attention : analysis.getLoose())
      os << "loose " << attention.getSite() << "\n";
    return text;
  }

private:
  std::string body;
};

TEST(ResidualBranchesTest, BlocksOfAttentionAndMLP) {
  Program program;
  program.matmul("%q1", "%x")
      .attention("%a1", "%q1", "%q1", "full")
      .matmul("%o1", "%a1")
      .mul("%g1", "%o1", "%g")
      .add("%x1", "%x", "%g1")
      .matmul("%q2", "%x1")
      .attention("%a2", "%q2", "%w", "cross")
      .add("%x2", "%a2", "%x1")
      .matmul("%m1", "%x2")
      .matmul("%m2", "%m1")
      .add("%x3", "%x2", "%m2")
      .attention("%a3", "%x3", "%x3", "full")
      .add("%x4", "%x3", "%a3");
  EXPECT_EQ(program.analyze("%x4"), "0 full a1 joins=1 gates=1 ops=4\n"
                                    "0 cross a2 joins=1 gates=0 ops=2\n"
                                    "0 mlp - joins=1 gates=0 ops=2\n"
                                    "1 full a3 joins=1 gates=0 ops=1\n");
}

TEST(ResidualBranchesTest, ActivationIsNoJoin) {
  // x + x^3, a bias, and a rotation: nothing joins a stream.
  Program program;
  program.mul("%s", "%x", "%x")
      .add("%y", "%x", "%s")
      .matmul("%m", "%y")
      .add("%z", "%m", "%g")
      .matmul("%l", "%z")
      .matmul("%r", "%z")
      .add("%o", "%l", "%r");
  EXPECT_EQ(program.analyze("%o"), "");
}

TEST(ResidualBranchesTest, StreamsWithOneAttention) {
  // Text and video are joined, attend to each other, and go on alone.
  Program program;
  program.add("%j", "%x", "%c")
      .attention("%a", "%j", "%j", "joint")
      .matmul("%ox", "%a")
      .matmul("%oc", "%a")
      .mul("%gx", "%ox", "%g")
      .mul("%gc", "%oc", "%g")
      .add("%x1", "%x", "%gx")
      .add("%c1", "%c", "%gc")
      .matmul("%mx", "%x1")
      .matmul("%nx", "%mx")
      .add("%x2", "%x1", "%nx")
      .matmul("%mc", "%c1")
      .matmul("%nc", "%mc")
      .add("%c2", "%c1", "%nc")
      .add("%j2", "%x2", "%c2")
      .attention("%b", "%j2", "%j2", "joint")
      .add("%x3", "%x2", "%b");
  EXPECT_EQ(program.analyze("%x3"), "0 joint a joins=2 gates=2 ops=6\n"
                                    "0 mlp - joins=1 gates=0 ops=2\n"
                                    "0 mlp - joins=1 gates=0 ops=2\n"
                                    "1 joint b joins=1 gates=0 ops=2\n");
}

TEST(ResidualBranchesTest, BranchesSideBySide) {
  // Both take x; they are added one after the other.
  Program program;
  program.attention("%a", "%x", "%x", "self")
      .matmul("%m", "%x")
      .matmul("%n", "%m")
      .add("%x1", "%x", "%a")
      .add("%x2", "%x1", "%n");
  EXPECT_EQ(program.analyze("%x2"), "0 self a joins=1 gates=0 ops=1\n"
                                    "0 mlp - joins=1 gates=0 ops=2\n");
}

TEST(ResidualBranchesTest, SharedOpsStayOutside) {
  // Both branches use the norm of x.
  Program program;
  program.mul("%n", "%x", "%x")
      .attention("%a", "%n", "%n", "self")
      .matmul("%m", "%n")
      .matmul("%o", "%m")
      .add("%x1", "%x", "%a")
      .add("%x2", "%x1", "%o");
  EXPECT_EQ(program.analyze("%x2"), "0 self a joins=1 gates=0 ops=1\n"
                                    "0 mlp - joins=1 gates=0 ops=2\n");
}

TEST(ResidualBranchesTest, WhatIsNoBranch) {
  Program single;
  single.matmul("%m", "%x").add("%y", "%x", "%m");
  EXPECT_EQ(single.analyze("%y"), "it holds a single contraction\n");

  Program linear;
  linear.matmul("%k", "%x")
      .matmul("%v", "%x")
      .matmul("%s", "%k", "%v")
      .add("%y", "%x", "%s");
  EXPECT_EQ(linear.analyze("%y"),
            "it multiplies tokens with each other, and no attention was raised "
            "there\n");

  Program twice;
  twice.attention("%a", "%x", "%x", "self")
      .attention("%b", "%a", "%a", "self")
      .add("%y", "%x", "%b");
  EXPECT_EQ(twice.analyze("%y"), "it holds several attentions\n"
                                 "loose a\nloose b\n");

  Program around;
  around.attention("%a", "%x", "%x", "self")
      .add("%x1", "%x", "%a")
      .matmul("%m", "%x1")
      .matmul("%n", "%m")
      .add("%y", "%x", "%n");
  EXPECT_EQ(around.analyze("%y"), "0 self a joins=1 gates=0 ops=1\n"
                                  "it goes around other branches\n");
}

} // namespace
