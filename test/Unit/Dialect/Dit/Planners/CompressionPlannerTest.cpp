//===- CompressionPlannerTest.cpp - The searches of DiTFastAttn -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The searches against evaluators whose numbers are known, and what they ask
// for and commit.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/CompressionPlanner.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// Gives numbers of a table of its own and keeps a log.
class FakeEvaluator : public InfluenceEvaluator {
public:
  std::optional<double> getOutputLoss(const Plan &plan, int64_t step) override {
    double loss = 0.0;
    for (const BranchPlan &branch : plan.getBranches()) {
      const Mode &mode = branch.getTable().get(step, 0);
      EXPECT_FALSE(branch.findFault());
      if (mode.kind == ModeKind::Share)
        loss += shareLoss;
      else if (mode.residual)
        loss += mode.part == BatchPart::All ? residualLoss : 2 * residualLoss;
      else if (mode.part != BatchPart::All)
        loss += halfLoss;
    }
    ++asked;
    return loss;
  }
  std::optional<double> getHeadError(const Plan &, int64_t, int64_t branch,
                                     int64_t head, const Mode &mode) override {
    return mode.kind == ModeKind::Share ? headErrors[head] : 0.01;
  }
  void commit(const Plan &plan, int64_t step) override {
    committed.push_back(step);
  }

  double shareLoss = 1.0, residualLoss = 1.0, halfLoss = 1.0;
  SmallVector<double> headErrors = {0.0, 0.0};
  int64_t asked = 0;
  SmallVector<int64_t> committed;
};

SiteList makeSites(int64_t heads = 1) {
  return SiteList({{"a", BranchKind::Full, 0, heads, {}},
                   {"x", BranchKind::Cross, 0, heads, {}},
                   {"b", BranchKind::Full, 1, heads, {}}});
}

/// The modes of a branch, as text.
std::string print(const Plan &plan, StringRef site) {
  std::string text;
  llvm::raw_string_ostream os(text);
  const BranchPlan &branch = *plan.lookup(site);
  for (size_t i = 0; i < branch.modes.size(); ++i) {
    if (i)
      os << (i % branch.heads ? " " : ", ");
    Mode mode = branch.modes[i];
    printMode(os, mode, mode.source);
  }
  return text;
}

int64_t countTokens(StringRef) { return 64; }

TEST(CompressionPlannerTest, TakesTheFirstStrategyBelowItsPart) {
  // The first layer may lose a half of the threshold, the second all of it.
  FakeEvaluator evaluator;
  evaluator.shareLoss = 0.3;
  evaluator.residualLoss = 0.1;
  evaluator.halfLoss = 0.05;
  CompressionOptions options;
  options.threshold = 0.5;
  options.conditional = BatchPart::First;
  Plan plan =
      planGreedily(makeSites(), {3, 2, 1}, evaluator, countTokens, options);
  // A share is 0.3, above 0.25; the halved residual window is 0.2. With it the
  // share of the second layer makes 0.5, not below the threshold.
  std::string taken = "full, window(8) residual half(first), "
                      "window(8) residual half(first)";
  EXPECT_EQ(print(plan, "a"), taken);
  EXPECT_EQ(print(plan, "b"), taken);
  EXPECT_EQ(print(plan, "x"), "full, full, full");
  EXPECT_EQ(evaluator.committed, (SmallVector<int64_t>{0, 1, 2}));
  EXPECT_EQ(evaluator.asked, 2 * (2 + 2));
}

TEST(CompressionPlannerTest, OrderOfStrategies) {
  FakeEvaluator evaluator;
  CompressionOptions options;
  options.threshold = 0.5;
  options.window = 3;
  options.conditional = BatchPart::Second;
  SiteList one({{"a", BranchKind::Self, 0, 1, {}}});
  auto plan = [&] {
    return print(planGreedily(one, {2, 1}, evaluator, countTokens, options),
                 "a");
  };
  EXPECT_EQ(plan(), "full, full");
  evaluator.halfLoss = 0.1;
  EXPECT_EQ(plan(), "full, full half(second)");
  evaluator.residualLoss = 0.4;
  EXPECT_EQ(plan(), "full, window(3) residual");
  evaluator.residualLoss = 0.2;
  EXPECT_EQ(plan(), "full, window(3) residual half(second)");
  evaluator.shareLoss = 0.4;
  EXPECT_EQ(plan(), "full, share");
  // Without a conditional half only whole batches.
  options.conditional = BatchPart::All;
  evaluator.shareLoss = 1.0;
  EXPECT_EQ(plan(), "full, window(3) residual");
  evaluator.residualLoss = 1.0;
  EXPECT_EQ(plan(), "full, full");
  // The bound is strict.
  evaluator.shareLoss = 0.5;
  EXPECT_EQ(plan(), "full, full");
}

TEST(CompressionPlannerTest, Decisions) {
  FakeEvaluator evaluator;
  evaluator.residualLoss = 0.4;
  CompressionOptions options;
  options.threshold = 0.5;
  std::vector<CompressionDecision> decisions;
  SiteList one({{"a", BranchKind::Self, 0, 1, {}}});
  planGreedily(one, {2, 1}, evaluator, countTokens, options, &decisions);
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].step, 1);
  EXPECT_TRUE(decisions[0].taken);
  ASSERT_EQ(decisions[0].tried.size(), 2u);
  EXPECT_EQ(*decisions[0].tried[0].second, 1.0);
  EXPECT_EQ(*decisions[0].tried[1].second, 0.4);
}

SmallVector<Mode> getCandidates(const BranchPlan &) {
  return {Mode::share(), Mode::window(4)};
}

double save(const BranchPlan &, int64_t, const Mode &mode) {
  return mode.kind == ModeKind::Share ? 1.0 : 0.5;
}

TEST(CompressionPlannerTest, HeadsBelowTheThreshold) {
  FakeEvaluator evaluator;
  CompressionOptions options;
  options.threshold = 0.2;
  // The gate is 1.5 / 2 of the threshold: 0.15.
  SiteList one({{"a", BranchKind::Self, 0, 2, {}}});
  auto plan = [&] {
    Plan plan =
        planByHead(one, {2, 1}, evaluator, getCandidates, save, options);
    EXPECT_EQ(plan.lookup("a")->cache, CachePoint::BeforeProjection);
    EXPECT_FALSE(plan.lookup("a")->findFault());
    return print(plan, "a");
  };
  EXPECT_EQ(plan(), "full full, share share");
  // Too much for the gate of one head.
  evaluator.headErrors = {0.16, 0.0};
  EXPECT_EQ(plan(), "full full, window(4) share");
  // Both pass the gate and not the sum; one of them has to do with a window.
  evaluator.headErrors = {0.14, 0.12};
  EXPECT_EQ(plan(), "full full, window(4) share");
  evaluator.headErrors = {0.12, 0.14};
  EXPECT_EQ(plan(), "full full, share window(4)");
  options.threshold = 0.0;
  EXPECT_EQ(plan(), "full full, full full");
}

TEST(CompressionPlannerTest, TableOfMeasurements) {
  Profile profile(ArrayRef<double>{3, 2, 1});
  Measurement loss;
  loss.site = "a";
  loss.metric = Metric::OutputLoss;
  loss.mode = Mode::share();
  loss.ages = 2;
  loss.values = {0, 0, 0.1, 0, 0.2, 0.4};
  profile.add(loss);
  loss.metric = Metric::Rse;
  loss.heads = 2;
  loss.ages = 1;
  loss.values = {0, 0, 0.1, 0.2, 0.3, 0.4};
  profile.add(loss);
  TableEvaluator evaluator(profile);
  Plan plan = Plan::getFull(makeSites(2), {3, 2, 1});
  EXPECT_EQ(evaluator.getOutputLoss(plan, 2), 0.0);
  plan.getBranches()[0].setStep(1, Mode::share(0));
  plan.getBranches()[0].setStep(2, Mode::share(0));
  EXPECT_EQ(evaluator.getOutputLoss(plan, 1), 0.1);
  EXPECT_EQ(evaluator.getOutputLoss(plan, 2), 0.4);
  EXPECT_EQ(evaluator.getHeadError(plan, 2, 0, 1, Mode::share(1)), 0.4);
  // An age, a mode and a site that were not measured.
  EXPECT_FALSE(evaluator.getHeadError(plan, 2, 0, 1, Mode::share(0)));
  EXPECT_FALSE(evaluator.getHeadError(plan, 2, 0, 1, Mode::window(1)));
  EXPECT_FALSE(evaluator.getHeadError(plan, 2, 2, 1, Mode::share(1)));
  plan.getBranches()[2].setStep(2, Mode::share(1));
  EXPECT_FALSE(evaluator.getOutputLoss(plan, 2));
}

} // namespace
