//===- ProfileTest.cpp - Profiles as values -------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A profile of another resolution.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/Profile.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

static Measurement measure(StringRef site, Mode mode) {
  Measurement entry;
  entry.site = site.str();
  entry.metric = Metric::Rse;
  entry.mode = mode;
  entry.values = {0.5};
  return entry;
}

TEST(ProfileTest, Rescaled) {
  MLIRContext context;
  context.loadDialect<DitDialect>();
  auto grid = GridAttr::get(&context, 4, 8, 8, /*text=*/5, /*textFirst=*/false);
  SiteList sites({{"a", BranchKind::Joint, 0, 1, grid},
                  {"b", BranchKind::Full, 0, 1, {}}});
  Mode inGrid = Mode::window(0);
  inGrid.inGrid = true;
  inGrid.width = {1, -1, 0};
  Profile profile({1000.0});
  Measurement seconds = measure("a", Mode::full());
  seconds.metric = Metric::Seconds;
  seconds.mode.reset();
  profile.add(seconds);
  profile.add(measure("a", Mode::arrow(3)));
  profile.add(measure("a", inGrid));
  profile.add(measure("a", Mode::share()));
  profile.add(measure("b", Mode::window(3)));
  profile.add(measure("b", Mode::share()));
  profile.add(Trial{"", {0.0}, 2.5});

  // From 32 tokens of the video to 256; the text does not count.
  Profile rescaled = profile.getRescaled({2, 4, 4}, sites);
  inGrid.width = {2, -1, 0};
  EXPECT_EQ(rescaled.getModes("a", Metric::Rse),
            (SmallVector<Mode>{Mode::arrow(24), inGrid, Mode::share()}));
  // Nothing tells how many tokens it has.
  EXPECT_EQ(rescaled.getModes("b", Metric::Rse),
            SmallVector<Mode>{Mode::share()});
  EXPECT_EQ(rescaled.lookup("a", Metric::Seconds), nullptr);
  ASSERT_NE(rescaled.getDenseTrial(), nullptr);
  EXPECT_FALSE(rescaled.getDenseTrial()->seconds);
}

TEST(ProfileTest, RescaledWindowsStayApart) {
  MLIRContext context;
  context.loadDialect<DitDialect>();
  auto grid = GridAttr::get(&context, 1, 4, 4, /*text=*/0, /*textFirst=*/false);
  SiteList sites({{"a", BranchKind::Full, 0, 1, grid}});
  Profile profile({1000.0});
  for (int64_t width : {0, 1, 2, 64})
    profile.add(measure("a", Mode::window(width)));
  // A 16th of the tokens; 1 and 2 would both be one, and one of them stays.
  EXPECT_EQ(
      profile.getRescaled({1, 16, 16}, sites).getModes("a", Metric::Rse),
      (SmallVector<Mode>{Mode::window(0), Mode::window(1), Mode::window(4)}));
}
