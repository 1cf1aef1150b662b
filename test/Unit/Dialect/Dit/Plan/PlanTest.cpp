//===- PlanTest.cpp - Plans as values -------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Modes, tables of them, and the way from a plan to an op and back.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/Plan.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

std::string toText(const Mode &mode, int64_t latest = Mode::kLatest) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printMode(os, mode, latest);
  return text;
}

SiteList makeSites() {
  return SiteList({{"blocks.0.attn1", BranchKind::Full, 0, 2, {}},
                   {"blocks.0.attn2", BranchKind::Cross, 0, 2, {}}});
}

TEST(PlanTest, ModesAsText) {
  EXPECT_EQ(toText(Mode::full()), "full");
  EXPECT_EQ(toText(Mode::share(3)), "share(3)");
  EXPECT_EQ(toText(Mode::share(3), /*latest=*/3), "share");
  Mode mode = Mode::window(16);
  mode.residual = true;
  mode.source = 2;
  mode.part = BatchPart::Second;
  EXPECT_EQ(toText(mode, /*latest=*/2), "window(16) residual half(second)");
  EXPECT_EQ(toText(mode, /*latest=*/4), "window(16) residual(2) half(second)");
}

TEST(PlanTest, NumbersAreShortAndExact) {
  EXPECT_EQ(formatNumber(1000.0), "1000");
  EXPECT_EQ(formatNumber(0.1), "0.1");
  EXPECT_EQ(formatNumber(1000.0 / 3), "333.3333333333333");
  EXPECT_EQ(formatNumber(1e-9), "1.0e-09");
  EXPECT_EQ(formatNumber(1.5e300), "1.5e+300");
}

TEST(PlanTest, SourcesAreTheLatest) {
  Mode residual = Mode::window(4);
  residual.residual = true;
  SmallVector<Mode> modes = {Mode::full(), Mode::share(), residual,
                             Mode::share(), residual};
  resolveSources(/*heads=*/1, modes);
  EXPECT_EQ(modes[1].source, 0);
  EXPECT_EQ(modes[2].source, 0);
  // A share takes what a window computed, a residual needs a full step.
  EXPECT_EQ(modes[3].source, 2);
  EXPECT_EQ(modes[4].source, 0);
  EXPECT_FALSE(findTableFault({1, modes}));
}

/// A plan of one site for 6 steps.
Plan makePlan(ArrayRef<Mode> modes) {
  Plan plan({1000.0, 800.0, 600.0, 400.0, 200.0, 100.0});
  BranchPlan branch =
      BranchPlan::getFull({"a", BranchKind::Full, 0, 1, {}}, modes.size());
  branch.modes.assign(modes.begin(), modes.end());
  resolveSources(1, branch.modes);
  plan.add(std::move(branch));
  return plan;
}

std::string toText(const Plan &plan) {
  std::string text;
  for (const Mode &mode : plan.getBranches().front().modes)
    text += toText(mode) + " ";
  return text;
}

TEST(PlanTest, RemappedByPlace) {
  Plan plan = makePlan({Mode::full(), Mode::share(), Mode::full(),
                        Mode::share(), Mode::window(3), Mode::share()});
  // Steps 0, 2 and 4, and their timesteps.
  Plan fewer = plan.getRemapped(3, {});
  EXPECT_EQ(toText(fewer), "full full window(3) ");
  EXPECT_EQ(fewer.getTimesteps(), (ArrayRef<double>{1000.0, 600.0, 200.0}));
  // Each one twice; what is shared is the latest value.
  EXPECT_EQ(toText(plan.getRemapped(12, {})),
            "full full share(1) share(1) full full share(5) share(5) window(3) "
            "window(3) share(9) share(9) ");
}

TEST(PlanTest, RemappedByTimestep) {
  Plan plan = makePlan({Mode::full(), Mode::share(), Mode::full(),
                        Mode::share(), Mode::window(3), Mode::share()});
  // 700 is as far from 800 as from 600, and takes the first.
  Plan other = plan.getRemapped(4, {990.0, 700.0, 550.0, 0.0});
  EXPECT_EQ(toText(other), "full share(0) full share(2) ");
  EXPECT_EQ(other.getTimesteps(), (ArrayRef<double>{990.0, 700.0, 550.0, 0.0}));
}

TEST(PlanTest, RemappedStepsWithoutASourceAreFull) {
  Mode residual = Mode::window(3);
  residual.residual = true;
  Plan plan = makePlan({Mode::full(), Mode::share(), residual, Mode::share(),
                        Mode::full(), residual});
  EXPECT_EQ(toText(plan.getRemapped(2, {800.0, 600.0})), "full full ");
}

TEST(PlanTest, SourcesOfEachHead) {
  SmallVector<Mode> modes = {Mode::full(), Mode::full(),  Mode::share(),
                             Mode::full(), Mode::share(), Mode::share()};
  resolveSources(/*heads=*/2, modes);
  EXPECT_EQ(modes[4].source, 0);
  EXPECT_EQ(modes[5].source, 1);
}

TEST(PlanTest, FaultNamesStepAndHead) {
  SmallVector<Mode> modes = {Mode::full(), Mode::full(), Mode::full(),
                             Mode::share(1)};
  std::optional<ModeFault> fault = findTableFault({2, modes});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->describe(), "step 1, head 1: expected an earlier step to "
                               "reuse, got step 1");
}

TEST(PlanTest, FingerprintFollowsTheAttentions) {
  std::string print = makeSites().getFingerprint();
  EXPECT_EQ(print.size(), 16u);
  EXPECT_EQ(print, makeSites().getFingerprint());
  auto changed = [&](auto change) {
    std::vector<Site> sites(makeSites().getSites());
    change(sites);
    return SiteList(sites).getFingerprint() != print;
  };
  EXPECT_TRUE(changed([](auto &sites) { sites[0].name = "blocks.0.attn"; }));
  EXPECT_TRUE(changed([](auto &sites) { sites[1].heads = 3; }));
  EXPECT_TRUE(changed([](auto &sites) { std::swap(sites[0], sites[1]); }));
  EXPECT_TRUE(changed([](auto &sites) { sites.pop_back(); }));
  // What later passes find out or add is not what tells programs apart.
  EXPECT_FALSE(changed([](auto &sites) { sites[0].kind = BranchKind::Self; }));
  EXPECT_FALSE(changed([](auto &sites) {
    sites.push_back({"blocks.0.mlp", BranchKind::MLP, 0, 1, {}});
  }));
}

TEST(PlanTest, Mismatch) {
  SiteList sites = makeSites();
  Plan plan = Plan::getFull(sites, {2, 1});
  EXPECT_EQ(plan.findMismatch(sites), "");
  plan.getBranches()[1].heads = 3;
  EXPECT_EQ(plan.findMismatch(sites),
            "site 'blocks.0.attn2' has 2 heads in the program, got 3");
  plan.getBranches()[0].kind = BranchKind::Spatial;
  EXPECT_EQ(plan.findMismatch(sites),
            "site 'blocks.0.attn1' is of kind full in the program, got "
            "spatial");
  plan.getBranches()[0].site = "x";
  EXPECT_EQ(plan.findMismatch(sites),
            "the program has no site 'x'; its sites are: blocks.0.attn1, "
            "blocks.0.attn2");
  Plan other({2, 1});
  other.setFingerprint("0123456789abcdef");
  EXPECT_NE(other.findMismatch(sites).find("fingerprint 0123456789abcdef"),
            std::string::npos);
  other.setFingerprint("");
  EXPECT_EQ(other.findMismatch(sites), "");
}

TEST(PlanTest, OpAndBack) {
  MLIRContext context;
  context.loadDialect<DitDialect>();
  Plan plan = Plan::getFull(makeSites(), {2, 1});
  BranchPlan &branch = plan.getBranches()[0];
  branch.cache = CachePoint::AfterGate;
  branch.grid = GridAttr::get(&context, 2, 3, 4, 5, true);
  branch.tile = {8, 16};
  branch.rounded = true;
  branch.setStep(1, Mode::share(0));

  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(&context)));
  OpBuilder builder(module->getBodyRegion());
  PlanOp op = plan.create(builder, module->getLoc(), "p");
  ASSERT_TRUE(succeeded(verify(*module)));
  Plan read = Plan::get(op);
  EXPECT_EQ(read.getTimesteps(), plan.getTimesteps());
  EXPECT_EQ(read.getFingerprint(), plan.getFingerprint());
  ASSERT_EQ(read.getBranches().size(), 2u);
  const BranchPlan &back = read.getBranches()[0];
  EXPECT_EQ(back.site, branch.site);
  EXPECT_EQ(back.kind, BranchKind::Full);
  EXPECT_EQ(back.layer, 0);
  EXPECT_EQ(back.cache, CachePoint::AfterGate);
  EXPECT_EQ(back.grid, branch.grid);
  EXPECT_EQ(back.tile, branch.tile);
  EXPECT_TRUE(back.rounded);
  EXPECT_EQ(back.modes, branch.modes);
  EXPECT_FALSE(read.getBranches()[1].rounded);
}

TEST(PlanTest, CompletedInProgramOrder) {
  Plan plan({2, 1});
  plan.add(BranchPlan::getFull(makeSites().getSites()[1], 2));
  plan.getBranches()[0].setStep(1, Mode::share(0));
  Plan completed = plan.getCompleted(makeSites());
  ASSERT_EQ(completed.getBranches().size(), 2u);
  EXPECT_TRUE(completed.getBranches()[0].isFull());
  EXPECT_EQ(completed.getBranches()[1].countSharedSteps(), 1);
}

} // namespace
