//===- MatrixTest.cpp - Matrix instructions and asynchronous copies -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmulatorRunner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace {

uint16_t *getHalves() { return static_cast<uint16_t *>(dit_emu_shared()); }

/// Matrices m of 8 x 8 whose element (row, column) is 100 m + 10 row + column.
void fillMatrices() {
  if (getThread() == 0)
    for (int i = 0; i < 256; ++i) {
      dit_emu_access(getHalves() + i, 2, true, "fill");
      getHalves()[i] = 100 * (i / 64) + 10 * (i / 8 % 8) + i % 8;
    }
  dit_emu_barrier(0, -1, true, "filled");
}

TEST(Matrix, LdmatrixGivesTheFragmentsOfThePtxIsa) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    for (bool transposed : {false, true}) {
      std::string report = runKernel(
          [&] {
            fillMatrices();
            uint32_t lane = getLane(), registers[4];
            dit_emu_ldmatrix(getHalves() + 8 * lane, 4, transposed, registers,
                             "load");
            for (uint32_t m = 0; m < 4; ++m)
              for (uint32_t half = 0; half < 2; ++half) {
                uint32_t row = lane / 4, column = lane % 4 * 2 + half;
                uint32_t want =
                    transposed ? 10 * column + row : 10 * row + column;
                EXPECT_EQ(registers[m] >> (16 * half) & 0xffff, 100 * m + want);
              }
          },
          32, seed);
      EXPECT_EQ(report, "");
    }
}

TEST(Matrix, StmatrixIsTheInverseOfLdmatrix) {
  for (bool transposed : {false, true}) {
    std::string report = runKernel(
        [&] {
          fillMatrices();
          uint32_t registers[4], again[4];
          uint16_t *row = getHalves() + 8 * getLane();
          dit_emu_ldmatrix(row, 4, transposed, registers, "load");
          dit_emu_stmatrix(row + 256, 4, transposed, registers, "store");
          dit_emu_ldmatrix(row + 256, 4, transposed, again, "load again");
          EXPECT_EQ(std::memcmp(registers, again, sizeof again), 0);
        },
        32);
    EXPECT_EQ(report, "");
  }
}

uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

/// Small whole numbers, which every type has.
int getA(int row, int k) { return (row * 7 + k * 3) % 11 - 5; }
int getB(int k, int column) { return (k * 5 + column * 2) % 7 - 3; }

uint32_t pack(int type, int low, int high) {
  auto narrow = [&](int value) -> uint32_t {
    if (type == DIT_EMU_BF16)
      return toBits(value) >> 16;
    if (value == 0)
      return 0;
    int exponent = std::ilogb(std::abs(value));
    uint32_t fraction =
        std::lround((std::abs(value) / std::exp2(exponent) - 1) * 1024);
    return (value < 0) << 15 | (exponent + 15) << 10 | fraction;
  };
  return narrow(low) | narrow(high) << 16;
}

TEST(Matrix, MmaMultipliesFragments) {
  for (int type : {DIT_EMU_F16, DIT_EMU_BF16})
    for (int k : {8, 16})
      for (uint64_t seed : {0, 1, 2}) {
        std::string report = runKernel(
            [&] {
              int lane = getLane(), row = lane / 4, column = lane % 4 * 2;
              uint32_t a[4], b[2];
              float c[4], d[4];
              for (int i = 0; i < k / 4; ++i) {
                int r = row + 8 * (i % 2), at = column + 8 * (i / 2);
                a[i] = pack(type, getA(r, at), getA(r, at + 1));
              }
              for (int i = 0; i < k / 8; ++i) {
                int at = column + 8 * i;
                b[i] = pack(type, getB(at, row), getB(at + 1, row));
              }
              for (int i = 0; i < 4; ++i)
                c[i] = 1000 * i + lane;
              dit_emu_mma(k, type, a, b, c, d, "mma");
              for (int i = 0; i < 4; ++i) {
                float want = c[i];
                for (int at = 0; at < k; ++at)
                  want +=
                      getA(row + 8 * (i / 2), at) * getB(at, column + i % 2);
                EXPECT_EQ(d[i], want);
              }
            },
            32, seed);
        EXPECT_EQ(report, "");
      }
}

TEST(Matrix, CopiesArriveWhenTheyAreWaitedFor) {
  alignas(16) static const int32_t source[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          char *target = static_cast<char *>(dit_emu_shared());
          dit_emu_cp_async(target, source, 16, 16, "first");
          dit_emu_cp_async_commit("first");
          dit_emu_cp_async(target + 16, source + 4, 16, 4, "second");
          dit_emu_cp_async_commit("second");
          dit_emu_cp_async_wait(1, "first");
          dit_emu_access(target, 16, false, "load");
          EXPECT_EQ(std::memcmp(target, source, 16), 0);
          dit_emu_cp_async_wait(0, "second");
          dit_emu_access(target + 16, 16, false, "load");
          const int32_t padded[4] = {5, 0, 0, 0};
          EXPECT_EQ(std::memcmp(target + 16, padded, 16), 0);
        },
        1, seed);
    EXPECT_EQ(report, "");
  }
}

TEST(Matrix, ReportsLoadsBeforeTheEndOfACopy) {
  alignas(16) static const int32_t source[4] = {1, 2, 3, 4};
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_TRUE(contains(runKernel(
                             [] {
                               auto *target =
                                   static_cast<char *>(dit_emu_shared());
                               dit_emu_cp_async(target, source, 16, 16, "copy");
                               // The open group is none that is waited for.
                               dit_emu_cp_async_wait(0, "wait");
                               dit_emu_access(target, 4, false, "load");
                             },
                             1, seed),
                         "asynchronous copy that was issued by thread 0 at "
                         "copy"));
}

TEST(Matrix, CountsWhatRuns) {
  dit_emu_reset_counters();
  EXPECT_EQ(runKernel(
                [] {
                  fillMatrices();
                  uint32_t r[4] = {};
                  float c[4] = {};
                  dit_emu_ldmatrix(getHalves() + 8 * getLane(), 4, false, r,
                                   "load");
                  for (int i = 0; i < 3; ++i)
                    dit_emu_mma(16, DIT_EMU_F16, r, r, c, c, "mma");
                },
                64, 0, 2),
            "");
  const dit_emu_counters *counters = dit_emu_get_counters();
  // Two CTAs of two warps.
  EXPECT_EQ(counters->ldmatrix, 4u);
  EXPECT_EQ(counters->mma, 12u);
  EXPECT_EQ(counters->mma_flops, 12u * 2 * 16 * 8 * 16);
  EXPECT_EQ(counters->barrier, 128u);
  EXPECT_EQ(counters->shared_written, 2u * 512);
  EXPECT_EQ(counters->shared_read, 0u);
}

} // namespace
