//===- NestingTest.cpp - How deep texts nest ------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/Nesting.h"

#include <gtest/gtest.h>

#include <string>

using namespace mlir::dit;

static std::string repeat(const std::string &text, int64_t count) {
  std::string result;
  for (int64_t i = 0; i < count; ++i)
    result += text;
  return result;
}

static bool isDeep(const std::string &text) {
  return findDeepNesting(text).has_value();
}

TEST(Nesting, CountsBracketsOfAllKinds) {
  for (std::string bracket : {"(", "[", "{", "<", "({", "[<"}) {
    int64_t count = kMaxNesting / bracket.size();
    EXPECT_FALSE(isDeep(repeat(bracket, count))) << bracket;
    EXPECT_TRUE(isDeep(repeat(bracket, count + 1))) << bracket;
  }
}

TEST(Nesting, SaysWhere) {
  auto fault = findDeepNesting("func\n" + repeat("{", kMaxNesting) + "\n  [");
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->line, 3u);
  EXPECT_EQ(fault->column, 3u);
  EXPECT_EQ(fault->text, "expected brackets that nest at most 256 deep");
}

TEST(Nesting, WhatClosesDoesNotCount) {
  EXPECT_FALSE(isDeep(repeat("f(){[<>]}\n", 10000)));
  // Arrows and comparisons are no brackets, and what is left open by a
  // less-than ends with what is around it.
  EXPECT_FALSE(isDeep(repeat("(d0) -> (d0 >= 0, d0 <= 1)\n", 10000)));
  EXPECT_FALSE(isDeep(repeat("(a < b)\n", 10000)));
  EXPECT_TRUE(
      isDeep(repeat("(", 100) + repeat("(a < b)", 10) + repeat("(", 157)));
}

TEST(Nesting, StringsAndCommentsDoNotCount) {
  EXPECT_FALSE(
      isDeep("\"" + repeat("(", 1000) + "\\\"" + repeat("[", 1000) + "\""));
  EXPECT_FALSE(isDeep("// " + repeat("(", 1000) + "\n"));
  // Parts of a file that is split do not add up.
  EXPECT_FALSE(isDeep(repeat("(((\n// -----\n", 1000)));
}

TEST(Nesting, CountsOperatorsInARow) {
  std::string map = "affine_map<(d0) -> (";
  EXPECT_FALSE(isDeep(map + repeat("d0 + ", kMaxOperators) + "d0)>"));
  for (std::string step : {"d0 + ", "d0 * ", "- ", "d0 mod ", "d0 floordiv "})
    EXPECT_TRUE(isDeep(map + repeat(step, kMaxOperators + 1) + "d0)>")) << step;
  EXPECT_FALSE(isDeep("dense<[" + repeat("-1, ", 100000) + "-1]>"));
}

TEST(Nesting, CountsWhatAliasesStandFor) {
  auto chain = [](int64_t count) {
    std::string text = "#a0 = [1]\n";
    for (int64_t i = 1; i < count; ++i)
      text +=
          "#a" + std::to_string(i) + " = [#a" + std::to_string(i - 1) + "]\n";
    return text;
  };
  EXPECT_FALSE(isDeep(chain(kMaxNesting)));
  EXPECT_TRUE(isDeep(chain(kMaxNesting + 1)));
  EXPECT_TRUE(isDeep(chain(200) + "f(" + repeat("[", 56) + "#a199"));
  // Aliases beside one another do not nest.
  EXPECT_FALSE(isDeep(repeat("#a = [1]\n", 1000)));
}

TEST(Nesting, NumbersOfResultsAreSmall) {
  EXPECT_FALSE(isDeep("return %x#0, %x_1.$y-z#1048576 : #dit.grid<2>"));
  auto fault = findDeepNesting("%y = f %x#1048577");
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->column, 10u);
  EXPECT_EQ(fault->text, "expected a result number of at most 1048576");
  EXPECT_TRUE(isDeep("f(%0#99999999999999999999)"));
  // An alias may look like a number.
  EXPECT_FALSE(isDeep("f(\"%x#2147483648\") {a = #2147483648}"));
  EXPECT_FALSE(findDeepJsonNesting("x#2147483648"));
}

TEST(Nesting, JsonHasOtherBrackets) {
  EXPECT_FALSE(findDeepJsonNesting(repeat("[", kMaxNesting)));
  EXPECT_TRUE(findDeepJsonNesting(repeat("{\"a\":[", 129)));
  EXPECT_FALSE(findDeepJsonNesting(repeat("<", 1000) + repeat("#a = ", 1000)));
  EXPECT_FALSE(findDeepJsonNesting("[" + repeat("-1,", 5000)));
  EXPECT_TRUE(findDeepJsonNesting("\"//\"" + repeat("[", 257)));
}
