//===- MultipleChoiceTest.cpp - One option of each group ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The knapsack against an enumeration of all choices; a Python test compares
// larger ones with SciPy's solver.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/MultipleChoice.h"
#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace mlir::dit;

namespace {

using Groups = std::vector<std::vector<Choice>>;

/// The least cost of all choices, by trying each.
std::optional<double> enumerate(const Groups &groups, double maxLoss,
                                size_t group = 0, double loss = 0.0) {
  if (loss > maxLoss)
    return std::nullopt;
  if (group == groups.size())
    return 0.0;
  std::optional<double> best;
  for (const Choice &choice : groups[group]) {
    std::optional<double> rest =
        enumerate(groups, maxLoss, group + 1, loss + choice.loss);
    if (rest && (!best || *rest + choice.cost < *best))
      best = *rest + choice.cost;
  }
  return best;
}

void expectSound(const Groups &groups, double maxLoss, const Choices &choices) {
  ASSERT_EQ(choices.chosen.size(), groups.size());
  double cost = 0.0, loss = 0.0;
  for (size_t group = 0; group < groups.size(); ++group) {
    cost += groups[group][choices.chosen[group]].cost;
    loss += groups[group][choices.chosen[group]].loss;
  }
  EXPECT_EQ(cost, choices.cost);
  EXPECT_EQ(loss, choices.loss);
  EXPECT_LE(loss, maxLoss);
}

TEST(MultipleChoiceTest, NoGroups) {
  std::optional<Choices> choices = chooseOptions({}, 0.0);
  ASSERT_TRUE(choices);
  EXPECT_TRUE(choices->chosen.empty());
  EXPECT_FALSE(chooseOptions({}, -1.0));
}

TEST(MultipleChoiceTest, NothingFits) {
  EXPECT_FALSE(chooseOptions(Groups{{{1.0, 2.0}}, {{0.0, 0.5}}}, 2.25));
}

TEST(MultipleChoiceTest, GreedyIsNotBest) {
  // By saving for loss, the first group's step comes first and leaves no room
  // for the second one, which saves more.
  Groups groups = {{{10, 0}, {7, 2}}, {{10, 0}, {3, 5}}};
  std::optional<Choices> choices = chooseOptions(groups, 5.0);
  ASSERT_TRUE(choices);
  EXPECT_EQ(choices->chosen, (SmallVector<int64_t>{0, 1}));
  EXPECT_EQ(choices->cost, 13.0);
  EXPECT_TRUE(choices->isOptimal);
}

TEST(MultipleChoiceTest, OffTheHull) {
  // The second option is above the line between the others and still the best.
  Groups groups = {{{10, 0}, {9, 4}, {0, 10}}};
  std::optional<Choices> choices = chooseOptions(groups, 5.0);
  ASSERT_TRUE(choices);
  EXPECT_EQ(choices->chosen[0], 1);
}

TEST(MultipleChoiceTest, AgreesWithEnumeration) {
  std::mt19937 random(7);
  auto draw = [&](int below) { return static_cast<int>(random() % below); };
  for (int run = 0; run < 2000; ++run) {
    Groups groups(1 + draw(6));
    for (std::vector<Choice> &group : groups) {
      group.resize(1 + draw(5));
      // Few values, so that ties are frequent, and negative costs.
      for (Choice &choice : group)
        choice = {draw(12) - 4.0, draw(8) / 4.0};
    }
    double maxLoss = draw(40) / 4.0;
    std::optional<Choices> choices = chooseOptions(groups, maxLoss);
    std::optional<double> best = enumerate(groups, maxLoss);
    ASSERT_EQ(choices.has_value(), best.has_value());
    if (!choices)
      continue;
    expectSound(groups, maxLoss, *choices);
    EXPECT_TRUE(choices->isOptimal);
    EXPECT_EQ(choices->cost, *best);
    EXPECT_EQ(chooseOptions(groups, maxLoss)->chosen, choices->chosen);
  }
}

TEST(MultipleChoiceTest, ManyGroups) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  Groups groups(200);
  for (std::vector<Choice> &group : groups) {
    group.push_back({1.0, 0.0});
    for (int option = 0; option < 20; ++option)
      group.push_back({uniform(random), uniform(random)});
  }
  std::optional<Choices> choices = chooseOptions(groups, 10.0);
  ASSERT_TRUE(choices);
  expectSound(groups, 10.0, *choices);
  EXPECT_TRUE(choices->isOptimal);
}

TEST(MultipleChoiceTest, FewPartialChoices) {
  // Each option saves what it loses, so that no bound tells them apart. Without
  // room for the proof there is still a choice, and it says so.
  Groups groups;
  for (int group = 0; group < 12; ++group)
    groups.push_back({{10, 0}, {7.0 - group * 0.7, 3.0 + group * 0.7}});
  std::optional<Choices> choices = chooseOptions(groups, 17.05, 1);
  ASSERT_TRUE(choices);
  expectSound(groups, 17.05, *choices);
  EXPECT_FALSE(choices->isOptimal);
}

} // namespace
