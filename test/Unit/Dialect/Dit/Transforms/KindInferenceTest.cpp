//===- KindInferenceTest.cpp - Tests of the kinds of attentions -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KindInference.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

namespace {

using Dims = SmallVector<unsigned, 3>;
using Windows = SmallVector<SmallVector<unsigned, 3>>;

class KindInferenceTest : public ::testing::Test {
protected:
  KindInferenceTest() {
    auto type =
        RankedTensorType::get({2, 4, 3, 8, 8}, Float32Type::get(&context));
    Location loc = UnknownLoc::get(&context);
    video = block.addArgument(type, loc);
    other = block.addArgument(type, loc);
  }

  KindEvidence attend(Dims sequence, Dims batch, Windows windows = {}) {
    KindEvidence evidence;
    evidence.input = video;
    evidence.sequenceDims = sequence;
    evidence.batchDims = batch;
    evidence.windows = windows;
    return evidence;
  }
  static std::vector<AttentionKind>
  kindsOf(SmallVector<KindEvidence> attentions) {
    resolveKinds(attentions);
    std::vector<AttentionKind> kinds;
    for (const KindEvidence &attention : attentions)
      kinds.push_back(attention.kind);
    return kinds;
  }

  MLIRContext context;
  Block block;
  Value video, other;
};

using Kinds = std::vector<AttentionKind>;

TEST_F(KindInferenceTest, WindowsNameTheAxesOfAFrame) {
  Windows plane = {{3, 4}};
  EXPECT_EQ(kindsOf({attend({3, 4}, {0, 2}, plane)}),
            Kinds{AttentionKind::Spatial});
  EXPECT_EQ(kindsOf({attend({2}, {0, 3, 4}, plane)}),
            Kinds{AttentionKind::Temporal});
  // Windows of all axes, or of one, name no pair.
  EXPECT_EQ(kindsOf({attend({3, 4}, {0, 2}, {{2, 3, 4}, {2}})}),
            Kinds{AttentionKind::Self});
  // Two pairs contradict each other.
  EXPECT_EQ(kindsOf({attend({3, 4}, {0, 2}, {{3, 4}, {2, 3}})}),
            Kinds{AttentionKind::Self});
}

TEST_F(KindInferenceTest, TwoAttentionsNameTheAxesOfAFrame) {
  EXPECT_EQ(kindsOf({attend({3, 4}, {0, 2}), attend({2}, {0, 3, 4})}),
            (Kinds{AttentionKind::Spatial, AttentionKind::Temporal}));
  // Each pair of axes is one sequence: nothing tells which is a frame.
  EXPECT_EQ(kindsOf({attend({3, 4}, {0, 2}), attend({2}, {0, 3, 4}),
                     attend({2, 3}, {0, 4}), attend({4}, {0, 2, 3})}),
            Kinds(4, AttentionKind::Self));
}

TEST_F(KindInferenceTest, EvidenceIsOfOneInput) {
  KindEvidence spatial = attend({3, 4}, {0, 2});
  KindEvidence temporal = attend({2}, {0, 3, 4});
  temporal.input = other;
  EXPECT_EQ(kindsOf({spatial, temporal}), Kinds(2, AttentionKind::Self));
}

TEST_F(KindInferenceTest, FramesInTheBatch) {
  // An image: there is nothing but the batch.
  Windows plane = {{2, 3}};
  EXPECT_EQ(kindsOf({attend({2, 3}, {0}, plane)}), Kinds{AttentionKind::Self});
  // Another attention takes frames out of the batch.
  EXPECT_EQ(kindsOf({attend({2, 3}, {0}, plane), attend({0}, {0, 2, 3})}),
            (Kinds{AttentionKind::Spatial, AttentionKind::Temporal}));
}

TEST_F(KindInferenceTest, PartsOfAxes) {
  // Windows of a frame are not the frame.
  EXPECT_EQ(kindsOf({attend({3, 4}, {0, 2, 3, 4}, {{3, 4}})}),
            Kinds{AttentionKind::Self});
  EXPECT_EQ(kindsOf({attend({2, 3, 4}, {0})}), Kinds{AttentionKind::Full});
  EXPECT_EQ(kindsOf({attend({2, 3, 4}, {0, 2})}), Kinds{AttentionKind::Self});
}

TEST_F(KindInferenceTest, AmbiguousOnlyWithAnAxisInTheBatch) {
  SmallVector<KindEvidence> attentions = {attend({1}, {0, 2}), attend({1}, {0}),
                                          attend({0}, {1})};
  resolveKinds(attentions);
  EXPECT_TRUE(attentions[0].isAmbiguous);
  EXPECT_FALSE(attentions[1].isAmbiguous);
  EXPECT_FALSE(attentions[2].isAmbiguous);
}

TEST_F(KindInferenceTest, WhatIsKnownStays) {
  KindEvidence cross = attend({3, 4}, {0, 2}, {{3, 4}});
  cross.kind = AttentionKind::Cross;
  EXPECT_EQ(kindsOf({cross}), Kinds{AttentionKind::Cross});
}

} // namespace
