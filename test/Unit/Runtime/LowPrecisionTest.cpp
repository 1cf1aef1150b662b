//===- LowPrecisionTest.cpp - Unit tests of conversions to bfloat16 -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "gtest/gtest.h"

#include <cmath>
#include <cstdint>
#include <cstring>

extern "C" __bf16 __truncsfbf2(float);
extern "C" __bf16 __truncdfbf2(double);

namespace {

uint16_t bitsOf(__bf16 value) {
  uint16_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

TEST(LowPrecision, RoundsFloatsToNearestEven) {
  EXPECT_EQ(bitsOf(__truncsfbf2(1.0f)), 0x3F80);
  EXPECT_EQ(bitsOf(__truncsfbf2(-2.5f)), 0xC020);
  // Halfway between 1 and 1 + 2^-7, and between that and the next.
  EXPECT_EQ(bitsOf(__truncsfbf2(1.0f + 0x1p-8f)), 0x3F80);
  EXPECT_EQ(bitsOf(__truncsfbf2(1.0f + 0x3p-8f)), 0x3F82);
  EXPECT_EQ(bitsOf(__truncsfbf2(INFINITY)), 0x7F80);
  EXPECT_EQ(bitsOf(__truncsfbf2(0x1.FFFFFEp127f)), 0x7F80);
  EXPECT_EQ(bitsOf(__truncsfbf2(-0.0f)), 0x8000);
  EXPECT_EQ(bitsOf(__truncsfbf2(NAN)) & 0x7FC0, 0x7FC0);
}

TEST(LowPrecision, RoundsDoublesOnce) {
  // Just above a tie of bf16, which rounding to float first would hide.
  EXPECT_EQ(bitsOf(__truncdfbf2(1.0 + 0x1p-8 + 0x1p-40)), 0x3F81);
  EXPECT_EQ(bitsOf(__truncdfbf2(1.0 + 0x1p-8)), 0x3F80);
  EXPECT_EQ(bitsOf(__truncdfbf2(1.0 + 0x3p-8 - 0x1p-40)), 0x3F81);
  EXPECT_EQ(bitsOf(__truncdfbf2(-1.0 - 0x1p-8 - 0x1p-40)), 0xBF81);
  EXPECT_EQ(bitsOf(__truncdfbf2(1e300)), 0x7F80);
  EXPECT_EQ(bitsOf(__truncdfbf2(NAN)) & 0x7FC0, 0x7FC0);
}

} // namespace
