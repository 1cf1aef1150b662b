//===- BroadcastPlannerTest.cpp - Periods and windows from a profile ------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rules that are chosen, against an enumeration of rules.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/BroadcastPlanner.h"
#include "gtest/gtest.h"

#include <cmath>
#include <set>

using namespace mlir;
using namespace mlir::dit;

namespace {

constexpr int64_t kSteps = 12;

/// Two kinds, of which cross varies a tenth as much, with differences that are
/// large at both ends: the U of PAB.
Profile makeProfile() {
  SmallVector<double> timesteps;
  for (int64_t step = 0; step < kSteps; ++step)
    timesteps.push_back(1000.0 - 50.0 * step);
  Profile profile(timesteps);
  for (StringRef site : {"a", "x"}) {
    Measurement difference;
    difference.site = site.str();
    difference.metric = Metric::StepDifference;
    for (int64_t step = 0; step < kSteps; ++step) {
      double place = (step - 5.5) / 5.5;
      difference.values.push_back((0.01 + std::pow(place, 6)) *
                                  (site == "a" ? 1.0 : 0.1));
    }
    profile.add(difference);
  }
  return profile;
}

class BroadcastPlannerTest : public testing::Test {
protected:
  BroadcastPlannerTest() {
    context.loadDialect<DitDialect>();
    for (const Site &site : sites.getSites()) {
      BranchWork work;
      work.site = site;
      work.context = &context;
      work.queries = work.keys = 16;
      work.headSize = work.valueHeadSize = 4;
      works.push_back(work);
    }
  }

  MLIRContext context;
  SiteList sites{std::vector<Site>{{"a", BranchKind::Full, 0, 1, {}},
                                   {"x", BranchKind::Cross, 0, 1, {}}}};
  std::vector<BranchWork> works;
};

TEST_F(BroadcastPlannerTest, AgreesWithEnumeration) {
  Profile profile = makeProfile();
  ArrayRef<double> timesteps = profile.getTimesteps();
  LossTable losses(profile, Metric::StepDifference);
  TimeTable times(works, profile);
  BroadcastOptions options;
  options.maxPeriod = 4;
  // Each rule that a window between two timesteps gives.
  auto enumerate = [&](BranchKind kind) {
    std::vector<std::pair<double, double>> all;
    for (int64_t period = 1; period <= options.maxPeriod; ++period)
      for (double upper : timesteps)
        for (double lower : timesteps) {
          PlannedRule rule{kind, {period, lower - 25.0, upper + 25.0}};
          Plan plan =
              applyRules(sites, timesteps, rule, CachePoint::AfterProjection);
          all.push_back({times.predict(plan), *losses.predict(plan)});
        }
    return all;
  };
  auto full = enumerate(BranchKind::Full);
  auto cross = enumerate(BranchKind::Cross);
  double dense = times.getDense();
  for (double bound : {0.0, 0.02, 0.1, 0.5, 2.0, 100.0}) {
    auto rules = chooseRules(sites, losses, times, timesteps, bound, options);
    ASSERT_TRUE(rules);
    ASSERT_EQ(rules->size(), 2u);
    Plan plan =
        applyRules(sites, timesteps, *rules, CachePoint::AfterProjection);
    EXPECT_LE(*losses.predict(plan), bound + 1e-12);
    double best = dense;
    for (auto [fullCost, fullLoss] : full)
      for (auto [crossCost, crossLoss] : cross)
        if (fullLoss + crossLoss <= bound)
          best = std::min(best, fullCost + crossCost - dense);
    EXPECT_DOUBLE_EQ(times.predict(plan), best) << bound;
  }
}

TEST_F(BroadcastPlannerTest, WhatVariesLessIsReusedMore) {
  Profile profile = makeProfile();
  LossTable losses(profile, Metric::StepDifference);
  TimeTable times(works, profile);
  auto rules = chooseRules(sites, losses, times, profile.getTimesteps(), 0.2,
                           BroadcastOptions());
  ASSERT_TRUE(rules);
  EXPECT_EQ((*rules)[0].kind, BranchKind::Full);
  EXPECT_GT((*rules)[1].reused, (*rules)[0].reused);
  EXPECT_GT((*rules)[0].reused, 0);
  // Not at the ends.
  for (const PlannedRule &rule : *rules) {
    EXPECT_FALSE(rule.rule.isInside(1000.0));
    EXPECT_FALSE(rule.rule.isInside(450.0));
  }
}

TEST_F(BroadcastPlannerTest, Kinds) {
  Profile profile = makeProfile();
  LossTable losses(profile, Metric::StepDifference);
  TimeTable times(works, profile);
  BroadcastOptions options;
  options.kinds = {BranchKind::Cross};
  auto rules =
      chooseRules(sites, losses, times, profile.getTimesteps(), 1.0, options);
  ASSERT_TRUE(rules);
  ASSERT_EQ(rules->size(), 1u);
  EXPECT_EQ(rules->front().kind, BranchKind::Cross);
  EXPECT_FALSE(
      chooseRules(sites, losses, times, profile.getTimesteps(), -1.0, options));
}

} // namespace
