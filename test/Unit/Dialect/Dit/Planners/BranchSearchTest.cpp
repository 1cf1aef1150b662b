//===- BranchSearchTest.cpp - Sequences of modes of a branch --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The search against an enumeration of all sequences, and what it predicts
// against the tables.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/AutoPlanner.h"
#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace mlir::dit;

namespace {

Mode getResidual(int64_t width) {
  Mode mode = Mode::window(width);
  mode.residual = true;
  return mode;
}

/// Draws the numbers of a profile.
class Drawer {
public:
  explicit Drawer(unsigned seed) : random(seed) {}

  double draw(double most) {
    return std::uniform_real_distribution<double>(0.0, most)(random);
  }
  Measurement draw(StringRef site, Metric metric, std::optional<Mode> mode,
                   int64_t steps, int64_t heads, int64_t ages, double most) {
    Measurement entry;
    entry.site = site.str();
    entry.metric = metric;
    entry.mode = mode;
    entry.heads = heads;
    entry.ages = ages;
    for (int64_t i = 0; i < steps * heads * ages; ++i)
      entry.values.push_back(draw(most));
    return entry;
  }

private:
  std::mt19937 random;
};

/// Calls `visit` with each sequence of `modes` that a plan can have.
void forEachSequence(ArrayRef<Mode> modes, int64_t steps,
                     llvm::function_ref<void(ArrayRef<Mode>)> visit) {
  int64_t count = 1;
  for (int64_t step = 0; step < steps; ++step)
    count *= modes.size();
  for (int64_t code = 0; code < count; ++code) {
    SmallVector<Mode> sequence;
    for (int64_t rest = code, step = 0; step < steps; ++step) {
      sequence.push_back(modes[rest % modes.size()]);
      rest /= modes.size();
    }
    resolveSources(1, sequence);
    if (!findTableFault(ModeTable(1, sequence)))
      visit(sequence);
  }
}

class BranchSearchTest : public testing::Test {
protected:
  static constexpr int64_t kSteps = 5;

  Site site{"a", BranchKind::Full, /*layer=*/0, /*heads=*/1, {}};
  SmallVector<Mode> modes = {Mode::full(), Mode::share(), Mode::window(4),
                             getResidual(4)};

  /// A profile of one branch, with random losses and seconds.
  Profile drawProfile(unsigned seed) {
    Drawer drawer(seed);
    Profile profile(ArrayRef<double>{5, 4, 3, 2, 1});
    profile.add(
        drawer.draw("a", Metric::Seconds, std::nullopt, kSteps, 1, 1, 2.0));
    profile.add(drawer.draw("a", Metric::Seconds, modes[2], kSteps, 1, 1, 1.0));
    profile.add(drawer.draw("a", Metric::Seconds, modes[3], kSteps, 1, 1, 1.0));
    profile.add(
        drawer.draw("a", Metric::SampleError, modes[1], kSteps, 1, 3, 1.0));
    profile.add(
        drawer.draw("a", Metric::SampleError, modes[2], kSteps, 1, 1, 1.0));
    profile.add(
        drawer.draw("a", Metric::SampleError, modes[3], kSteps, 1, 2, 0.5));
    return profile;
  }

  BranchWork makeWork() {
    BranchWork work;
    work.site = site;
    work.context = &context;
    work.queries = work.keys = 32;
    work.headSize = work.valueHeadSize = 8;
    work.inputFlops = work.outputFlops = 1000;
    return work;
  }

  MLIRContext context;
};

TEST_F(BranchSearchTest, AgreesWithEnumeration) {
  context.loadDialect<DitDialect>();
  for (unsigned seed = 0; seed < 40; ++seed) {
    Profile profile = drawProfile(seed);
    LossTable losses(profile, Metric::SampleError);
    TimeTable times({makeWork()}, profile);
    SiteList sites({site});
    AutoPlanner planner(sites, losses, times, profile.getTimesteps());
    // All plans, by what the tables say of them.
    std::vector<std::pair<double, double>> all;
    forEachSequence(modes, kSteps, [&](ArrayRef<Mode> sequence) {
      BranchPlan branch = BranchPlan::getFull(site, kSteps);
      branch.modes.assign(sequence.begin(), sequence.end());
      Plan plan(profile.getTimesteps());
      plan.add(branch);
      if (std::optional<double> loss = losses.predict(plan))
        all.push_back({*loss, times.predict(plan)});
    });
    std::vector<BranchOption> options = findBranchOptions(
        site, kSteps, losses, times,
        {CachePoint::AfterProjection, /*byHead=*/true, /*maxLoss=*/100.0});
    ASSERT_GT(options.size(), 2u);
    EXPECT_EQ(options.front().loss, 0.0);
    for (auto [index, option] : llvm::enumerate(options)) {
      // The search and the tables agree on the numbers.
      Plan plan(profile.getTimesteps());
      plan.add(option.plan);
      EXPECT_NEAR(*losses.predict(plan), option.loss, 1e-12);
      EXPECT_NEAR(times.predict(plan), option.cost, 1e-12);
      // No plan lies below the line to the next option.
      if (index + 1 == options.size())
        break;
      const BranchOption &next = options[index + 1];
      double costWeight = next.loss - option.loss;
      double lossWeight = option.cost - next.cost;
      double line = costWeight * option.cost + lossWeight * option.loss;
      EXPECT_GT(costWeight, 0.0);
      EXPECT_GT(lossWeight, 0.0);
      for (auto [loss, cost] : all)
        EXPECT_GT(costWeight * cost + lossWeight * loss, line - 1e-9);
    }
    // Of a single branch the plan is one of the options.
    std::optional<PlannedResult> result = planner.minimizeCost(1.0);
    ASSERT_TRUE(result);
    EXPECT_LE(result->loss, 1.0);
    EXPECT_TRUE(result->isOptimal);
  }
}

TEST_F(BranchSearchTest, SharesKeepTheLossOfTheirSource) {
  context.loadDialect<DitDialect>();
  Profile profile = drawProfile(3);
  LossTable losses(profile, Metric::SampleError);
  BranchPlan branch = BranchPlan::getFull(site, kSteps);
  branch.modes[2] = Mode::window(4);
  branch.modes[3] = Mode::share(2);
  branch.modes[4] = Mode::share(2);
  std::optional<std::vector<double>> found = losses.getLosses(branch);
  ASSERT_TRUE(found);
  double window = losses.lookup("a", modes[2])->get(2);
  const Measurement *share = losses.lookup("a", modes[1]);
  EXPECT_EQ((*found)[3], share->get(3, 0, 1) + window);
  EXPECT_EQ((*found)[4], share->get(4, 0, 2) + window);
  // Nothing was measured of a share of four steps.
  branch = BranchPlan::getFull(site, kSteps);
  for (int64_t step = 1; step < kSteps; ++step)
    branch.modes[step] = Mode::share(0);
  ModeFault unknown;
  EXPECT_FALSE(losses.getLosses(branch, &unknown));
  EXPECT_EQ(unknown.step, 4);
}

TEST_F(BranchSearchTest, HeadsOfTheirOwn) {
  context.loadDialect<DitDialect>();
  // One head can share without loss and the other one cannot.
  site.heads = 2;
  BranchWork work = makeWork();
  Profile profile(ArrayRef<double>{5, 4, 3, 2, 1});
  Drawer drawer(1);
  Measurement share =
      drawer.draw("a", Metric::Rse, Mode::share(), kSteps, 2, 4, 0.0);
  for (int64_t i = 0; i < kSteps; ++i)
    for (int64_t age = 0; age < 4; ++age)
      share.values[(i * 2 + 1) * 4 + age] = 10.0;
  profile.add(share);
  LossTable losses(profile, Metric::Rse);
  TimeTable times({work}, profile);
  EXPECT_FALSE(times.isMeasured());
  SiteList sites({site});
  AutoPlanner planner(sites, losses, times, profile.getTimesteps());
  std::optional<PlannedResult> result = planner.minimizeCost(1.0);
  ASSERT_TRUE(result);
  const BranchPlan &branch = result->plan.getBranches().front();
  EXPECT_EQ(branch.cache, CachePoint::BeforeProjection);
  EXPECT_FALSE(branch.findFault());
  for (int64_t step = 1; step < kSteps; ++step) {
    EXPECT_EQ(branch.getTable().get(step, 0), Mode::share(0));
    EXPECT_EQ(branch.getTable().get(step, 1), Mode::full());
  }
  EXPECT_EQ(result->cost, times.predict(result->plan));
  BranchSearchOptions options;
  options.byHead = false;
  EXPECT_EQ(planner.minimizeCost(1.0, options)->loss, 0.0);
}

TEST_F(BranchSearchTest, BoundOnTime) {
  context.loadDialect<DitDialect>();
  Profile profile = drawProfile(5);
  LossTable losses(profile, Metric::SampleError);
  TimeTable times({makeWork()}, profile);
  SiteList sites({site});
  AutoPlanner planner(sites, losses, times, profile.getTimesteps());
  double dense = times.getDense();
  EXPECT_EQ(planner.minimizeLoss(dense)->loss, 0.0);
  std::optional<PlannedResult> result = planner.minimizeLoss(0.6 * dense);
  ASSERT_TRUE(result);
  EXPECT_LE(result->cost, 0.6 * dense);
  EXPECT_GT(result->loss, 0.0);
  EXPECT_FALSE(planner.minimizeLoss(0.0));
}

TEST_F(BranchSearchTest, StepDifferences) {
  // Norms of differences add up: 1 + 2 steps of 0.01 and 0.04.
  Profile profile(ArrayRef<double>{3, 2, 1});
  Measurement difference;
  difference.site = "a";
  difference.metric = Metric::StepDifference;
  difference.values = {0.0, 0.01, 0.04};
  profile.add(difference);
  LossTable losses(profile, Metric::StepDifference);
  const Measurement *share = losses.lookup("a", Mode::share());
  ASSERT_TRUE(share);
  EXPECT_EQ(share->ages, 2);
  EXPECT_DOUBLE_EQ(share->get(1, 0, 1), 0.01);
  EXPECT_DOUBLE_EQ(share->get(2, 0, 1), 0.04);
  EXPECT_DOUBLE_EQ(share->get(2, 0, 2), 0.09);
}

TEST_F(BranchSearchTest, Calibration) {
  // Two kinds of branch whose losses by the metric are alike, and of which one
  // makes ten times the error.
  Profile profile(ArrayRef<double>{3, 2, 1});
  SiteList sites({{"a", BranchKind::Full, 0, 1, {}},
                  {"b", BranchKind::Full, 1, 1, {}},
                  {"x", BranchKind::Cross, 0, 1, {}}});
  for (const Site &one : sites.getSites()) {
    Measurement error;
    error.site = one.name;
    error.metric = Metric::Rse;
    error.mode = Mode::share();
    error.values = {0.0, 0.5, 0.25};
    profile.add(error);
  }
  // The base is the worst sample of the dense run.
  profile.add(Trial{"", {0.0, 0.1}, std::nullopt});
  profile.add(Trial{"a1", {0.3, 0.6}, std::nullopt});
  profile.add(Trial{"x1", {0.15, 0.1}, std::nullopt});
  profile.add(Trial{"a1 x2", {0.625}, std::nullopt});
  profile.add(Trial{"unknown", {9.0}, std::nullopt});
  auto findPlan = [&](StringRef name) -> std::optional<Plan> {
    if (name.empty() || name == "unknown")
      return std::nullopt;
    Plan plan(profile.getTimesteps());
    SmallVector<StringRef> parts;
    name.split(parts, ' ');
    for (StringRef part : parts) {
      int64_t step = part.back() - '0';
      BranchPlan branch =
          BranchPlan::getFull(*sites.lookup(part.drop_back()), 3);
      branch.modes[step] = Mode::share(step - 1);
      plan.add(branch);
    }
    return plan;
  };
  LossTable losses(profile, Metric::Rse);
  ErrorModel model = ErrorModel::calibrate(profile, losses, sites, findPlan);
  EXPECT_EQ(model.base, 0.1);
  EXPECT_EQ(model.numTrials, 3);
  double a = model.weights.lookup("a"), b = model.weights.lookup("b");
  EXPECT_NEAR(a, 1.0, 0.2);
  EXPECT_NEAR(model.weights.lookup("x"), 0.1, 0.03);
  // Nothing was tried of b alone, which goes with its kind.
  EXPECT_NEAR(b / a, 1.0, 0.1);
  // No trial is predicted too good.
  for (const Trial &trial : profile.getTrials())
    if (std::optional<Plan> plan = findPlan(trial.plan); plan)
      EXPECT_GE(model.getError(*losses.predict(*plan)) + 1e-12,
                trial.getLargestError());
  EXPECT_DOUBLE_EQ(model.getLoss(model.getError(0.7)), 0.7);
  EXPECT_DOUBLE_EQ(getErrorOfPSNR(30.0, 2.0), 0.004);
  EXPECT_DOUBLE_EQ(getPSNROfError(0.004, 2.0), 30.0);
}

} // namespace
