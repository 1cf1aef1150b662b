//===- SiteAnnotationsTest.cpp - The annotation file of sites -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the parser makes of a file, and what it says of a wrong one.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/SiteAnnotations.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

class SiteAnnotationsTest : public testing::Test {
protected:
  /// The annotations in `text`, which has to be right.
  SmallVector<SiteAnnotation> parse(StringRef text) {
    llvm::Expected<SmallVector<SiteAnnotation>> annotations =
        parseSiteAnnotations(&context, text);
    if (annotations)
      return *annotations;
    ADD_FAILURE() << llvm::toString(annotations.takeError());
    return {};
  }

  /// What is said of `text`, which has to be wrong.
  std::string refusal(StringRef text) {
    llvm::Expected<SmallVector<SiteAnnotation>> annotations =
        parseSiteAnnotations(&context, text);
    return annotations ? "accepted" : llvm::toString(annotations.takeError());
  }

  MLIRContext context;
};

TEST_F(SiteAnnotationsTest, AllKeys) {
  SmallVector<SiteAnnotation> annotations = parse(
      R"({"sites": [{"site": "a", "name": "b", "kind": "temporal", "layer": 3,
          "grid": {"frames": 2, "height": 3, "width": 4, "text": 5,
                   "text_first": true}}]})");
  ASSERT_EQ(annotations.size(), 1u);
  const SiteAnnotation &annotation = annotations.front();
  EXPECT_EQ(annotation.site, "a");
  EXPECT_EQ(annotation.name, "b");
  EXPECT_EQ(annotation.kind, BranchKind::Temporal);
  EXPECT_EQ(annotation.layer, 3);
  EXPECT_EQ(annotation.grid, GridAttr::get(&context, 2, 3, 4, 5, true));
  EXPECT_TRUE(annotation.isOfAttention());
}

TEST_F(SiteAnnotationsTest, EveryKeyButTheSiteIsOptional) {
  SmallVector<SiteAnnotation> annotations = parse(
      R"({"sites": [{"site": "a"}, {"site": "b", "grid": {"frames": 1,
          "height": 1, "width": 7}}]})");
  ASSERT_EQ(annotations.size(), 2u);
  EXPECT_EQ(annotations[0].name, std::nullopt);
  EXPECT_FALSE(annotations[0].isOfAttention());
  EXPECT_EQ(annotations[1].grid, GridAttr::get(&context, 1, 1, 7, 0, false));
}

TEST_F(SiteAnnotationsTest, WithoutTextItDoesNotMatterWhichComesFirst) {
  SmallVector<SiteAnnotation> annotations = parse(
      R"({"sites": [{"site": "a", "grid": {"frames": 1, "height": 1,
          "width": 7, "text": 0, "text_first": true}}]})");
  ASSERT_EQ(annotations.size(), 1u);
  EXPECT_FALSE(annotations[0].grid.getTextFirst());
}

TEST_F(SiteAnnotationsTest, Refusals) {
  EXPECT_EQ(refusal("3"), "expected an object with an array \"sites\" when "
                          "parsing annotations");
  EXPECT_EQ(refusal(R"({"sites": {}})"),
            "expected an object with an array \"sites\" when parsing "
            "annotations");
  EXPECT_EQ(refusal(R"({"sites": [], "version": 1})"),
            "unknown key at annotations.version");
  EXPECT_EQ(refusal(R"({"sites": [3]})"),
            "expected object at annotations.sites[0]");
  EXPECT_EQ(refusal(R"({"sites": [{"site": ""}]})"),
            "expected a string that is not empty at annotations.sites[0].site");
  EXPECT_EQ(refusal(R"({"sites": [{"site": "a", "name": 1}]})"),
            "expected string at annotations.sites[0].name");
  EXPECT_EQ(refusal(R"({"sites": [{"site": "a", "grid": 1}]})"),
            "expected object at annotations.sites[0].grid");
  EXPECT_EQ(refusal(R"({"sites": [{"site": "a", "grid": {"depth": 1}}]})"),
            "unknown key at annotations.sites[0].grid.depth");
}

TEST(GridKindTest, KindOnGrid) {
  MLIRContext context;
  context.loadDialect<DitDialect>();
  auto kind = [&](int64_t frames, int64_t height, int64_t width, int64_t text) {
    return getKindOnGrid(
        GridAttr::get(&context, frames, height, width, text, false));
  };
  EXPECT_EQ(kind(8, 4, 4, 0), AttentionKind::Full);
  EXPECT_EQ(kind(8, 4, 4, 3), AttentionKind::Joint);
  EXPECT_EQ(kind(8, 1, 1, 0), AttentionKind::Temporal);
  // An image, or a frame.
  EXPECT_EQ(kind(1, 4, 4, 0), std::nullopt);
}

} // namespace
