//===- EmulatorTest.cpp - Threads, warps and barriers ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmulatorRunner.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

namespace {

constexpr uint32_t kAll = 0xffffffff;

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

TEST(Emulator, EachThreadRunsOnce) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::map<std::pair<int, int>, int> runs;
    EXPECT_EQ(
        runKernel(
            [&] { ++runs[{dit_emu_register(DIT_EMU_CTAID), getThread()}]; },
            /*threads=*/70, seed, /*ctas=*/3),
        "");
    EXPECT_EQ(runs.size(), 210u);
    for (auto &[id, count] : runs)
      EXPECT_EQ(count, 1);
  }
}

TEST(Emulator, RefusesGridsThatNoDeviceTakes) {
  auto nothing = [] {};
  EXPECT_TRUE(contains(runKernel(nothing, 1025),
                       "expected 1 to 1024 threads in dimension 0, got 1025"));
  EXPECT_TRUE(contains(runKernel(nothing, 0), "got 0"));
  EXPECT_TRUE(contains(runKernel(nothing, 32, 0, 0), "CTAs in dimension 0"));
  EXPECT_TRUE(contains(runKernel(nothing, 32, 0, 1, 1 << 20),
                       "expected at most 232448 bytes of shared memory"));
}

TEST(Emulator, SchedulesDifferAndRepeat) {
  auto getOrder = [](uint64_t seed) {
    std::vector<int> order;
    runKernel([&] { order.push_back(getThread()); }, 64, seed);
    return order;
  };
  EXPECT_EQ(getOrder(5), getOrder(5));
  EXPECT_NE(getOrder(5), getOrder(6));
  std::vector<int> plain(64);
  for (int i = 0; i < 64; ++i)
    plain[i] = i;
  EXPECT_EQ(getOrder(0), plain);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

/// The lane that `shfl.sync` reads, after the pseudo code of the PTX ISA.
std::pair<int, bool> getShuffleSource(int kind, int lane, int b, int c) {
  int clamp = c & 31, mask = c >> 8 & 31;
  int maxLane = (lane & mask) | (clamp & ~mask), minLane = lane & mask;
  int source = 0;
  bool valid = false;
  if (kind == 0) {
    source = lane ^ b;
    valid = source <= maxLane;
  } else if (kind == 1) {
    source = lane - b;
    valid = source >= maxLane;
  } else if (kind == 2) {
    source = lane + b;
    valid = source <= maxLane;
  } else {
    source = minLane | (b & ~mask);
    valid = source <= maxLane;
  }
  return {valid ? source : lane, valid};
}

TEST(Emulator, ShufflesReadTheLaneOfThePtxIsa) {
  for (int kind = 0; kind < 4; ++kind)
    for (int width : {32, 16, 8, 4})
      for (int offset = 0; offset < 32; offset += 3) {
        int c = (32 - width) << 8 | (kind == 1 ? 0 : 31);
        std::string report = runKernel(
            [&] {
              int lane = getLane();
              bool valid;
              uint32_t got = dit_emu_shuffle(kind, kAll, 100 + lane, offset, c,
                                             &valid, "here");
              auto [source, inRange] = getShuffleSource(kind, lane, offset, c);
              EXPECT_EQ(got, 100u + source);
              EXPECT_EQ(valid, inRange);
            },
            32, offset);
        EXPECT_EQ(report, "");
      }
}

TEST(Emulator, VotesReduceAndElect) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          uint32_t lane = getLane();
          EXPECT_EQ(dit_emu_vote(2, kAll, lane % 3 == 0, "a"), 0x49249249u);
          EXPECT_EQ(dit_emu_vote(0, kAll, lane == 7, "b"), 1u);
          EXPECT_EQ(dit_emu_vote(1, kAll, lane == 7, "c"), 0u);
          EXPECT_EQ(dit_emu_vote(3, kAll, true, "d"), 1u);
          EXPECT_EQ(dit_emu_redux(1, kAll, lane, "e"), 496u);
          EXPECT_EQ(dit_emu_redux(3, kAll, lane - 40, "f"), uint32_t(-9));
          EXPECT_EQ(dit_emu_redux(6, kAll, lane - 4, "g"), uint32_t(-1));
          EXPECT_EQ(dit_emu_redux(8, kAll, 1u << lane, "h"), kAll);
          EXPECT_EQ(dit_emu_elect(kAll, "i"), lane == 0);
        },
        64, seed);
    EXPECT_EQ(report, "");
  }
}

TEST(Emulator, PartsOfAWarpMeetOnTheirOwn) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          uint32_t lane = getLane(), mask = lane < 8 ? 0xff : 0xffffff00;
          uint32_t sum = dit_emu_redux(1, mask, 1, lane < 8 ? "low" : "high");
          EXPECT_EQ(sum, lane < 8 ? 8u : 24u);
        },
        32, seed);
    EXPECT_EQ(report, "");
  }
}

TEST(Emulator, LanesThatHaveEndedAreNotWaitedFor) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          if (getLane() >= 20)
            return;
          EXPECT_EQ(dit_emu_redux(1, kAll, 1, "here"), 20u);
        },
        32, seed);
    EXPECT_EQ(report, "");
  }
}

TEST(Emulator, ReportsLanesAtDifferentOperations) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          if (getLane() == 3)
            dit_emu_syncwarp(kAll, "there");
          else
            dit_emu_vote(0, kAll, true, "here");
        },
        32, seed);
    EXPECT_TRUE(contains(report, "bar.warp.sync"));
    EXPECT_TRUE(contains(report, "vote.sync.any"));
  }
  EXPECT_TRUE(contains(runKernel([] { dit_emu_syncwarp(1, "here"); }, 32),
                       "without its own, lane 1"));
  EXPECT_TRUE(contains(runKernel(
                           [] {
                             if (getLane() < 2)
                               dit_emu_shuffle(3, 3, 0, 9, 31, nullptr, "here");
                           },
                           32),
                       "reads lane 9, which takes no part"));
}

//===----------------------------------------------------------------------===//
// Barriers and races
//===----------------------------------------------------------------------===//

int *getShared() { return static_cast<int *>(dit_emu_shared()); }

void storeShared(int index, int value) {
  dit_emu_access(getShared() + index, 4, true, "store");
  getShared()[index] = value;
}

int loadShared(int index) {
  dit_emu_access(getShared() + index, 4, false, "load");
  return getShared()[index];
}

TEST(Emulator, BarriersOrderAccesses) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          int thread = getThread();
          for (int round = 0; round < 4; ++round) {
            storeShared(thread, thread + round);
            dit_emu_barrier(0, -1, true, "first");
            int other = (thread + 37) % 96;
            EXPECT_EQ(loadShared(other), other + round);
            dit_emu_barrier(0, -1, true, "second");
          }
        },
        96, seed);
    EXPECT_EQ(report, "");
  }
}

TEST(Emulator, ReportsAMissingBarrier) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          int thread = getThread();
          storeShared(thread, thread);
          dit_emu_barrier(0, -1, true, "first");
          loadShared((thread + 37) % 96);
          storeShared(thread, thread);
        },
        96, seed);
    EXPECT_TRUE(contains(report, "race: "));
  }
}

TEST(Emulator, LanesAreInOrderOnlyWhereTheyMeet) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    for (bool meets : {false, true}) {
      std::string report = runKernel(
          [&] {
            int lane = getLane();
            storeShared(lane, lane);
            if (meets)
              dit_emu_syncwarp(kAll, "meet");
            loadShared(lane ^ 1);
          },
          32, seed);
      if (meets)
        EXPECT_EQ(report, "");
      else
        EXPECT_TRUE(contains(report, "race: "));
    }
}

/// One warp fills, one reads, each at named barriers of its own.
void produceAndConsume(bool waitsForFree) {
  int thread = getThread();
  bool produces = thread < 32;
  int slot = thread % 32;
  for (int round = 0; round < 5; ++round) {
    if (produces) {
      if (round > 0 && waitsForFree)
        dit_emu_barrier(2, 64, true, "wait free");
      storeShared(slot, 100 * round + slot);
      dit_emu_barrier(1, 64, false, "signal full");
    } else {
      dit_emu_barrier(1, 64, true, "wait full");
      EXPECT_EQ(loadShared(31 - slot), 100 * round + 31 - slot);
      if (round < 4 && waitsForFree)
        dit_emu_barrier(2, 64, false, "signal free");
    }
  }
}

TEST(Emulator, NamedBarriersHandOver) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_EQ(runKernel([] { produceAndConsume(true); }, 64, seed), "");
}

TEST(Emulator, ReportsASlotThatIsFilledTooEarly) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_NE(runKernel(
                  [] {
                    int thread = getThread(), slot = thread % 32;
                    for (int round = 0; round < 2; ++round) {
                      if (thread < 32) {
                        storeShared(slot, round);
                        dit_emu_barrier(1 + round, 64, false, "full");
                      } else {
                        dit_emu_barrier(1 + round, 64, true, "wait");
                        loadShared(slot);
                      }
                    }
                  },
                  64, seed),
              "");
}

TEST(Emulator, ReportsDeadlocksWithWhoWaitsWhere) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runKernel(
        [] {
          if (getThread() < 32)
            dit_emu_barrier(1, 64, true, "kernel.mlir:7:3: nvvm.barrier");
          else
            dit_emu_barrier(2, 64, true, "kernel.mlir:9:3: nvvm.barrier");
        },
        64, seed);
    EXPECT_TRUE(contains(report, "deadlock"));
    EXPECT_TRUE(contains(report, "kernel.mlir:7:3: nvvm.barrier: 32 threads"));
    EXPECT_TRUE(contains(report, "kernel.mlir:9:3: nvvm.barrier: 32 threads"));
  }
}

TEST(Emulator, ReportsBarriersThatDoNotAgree) {
  EXPECT_TRUE(contains(
      runKernel(
          [] { dit_emu_barrier(1, getThread() < 32 ? 64 : 96, true, "x"); },
          96),
      "while others wait there for 64 threads"));
  EXPECT_TRUE(
      contains(runKernel([] { dit_emu_barrier(16, -1, true, "x"); }, 32),
               "barrier 16: expected one of 0 to 15"));
  EXPECT_TRUE(contains(runKernel([] { dit_emu_barrier(1, 33, true, "x"); }, 64),
                       "expected a multiple of 32"));
}

TEST(Emulator, BarriersReducePredicates) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_EQ(
        runKernel(
            [] {
              int thread = getThread();
              EXPECT_EQ(dit_emu_barrier_reduce(0, -1, 0, thread % 2, "a"), 32);
              EXPECT_EQ(dit_emu_barrier_reduce(0, -1, 1, thread < 63, "b"), 0);
              EXPECT_EQ(dit_emu_barrier_reduce(0, -1, 2, thread == 9, "c"), 1);
            },
            64, seed),
        "");
}

TEST(Emulator, AtomicsDoNotRaceWithEachOther) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_EQ(runKernel(
                  [] {
                    if (getThread() == 0)
                      storeShared(0, 0);
                    dit_emu_barrier(0, -1, true, "zero");
                    dit_emu_atomic(getShared(), 4, "add");
                    ++*getShared();
                    dit_emu_barrier(0, -1, true, "all");
                    EXPECT_EQ(loadShared(0), 64);
                  },
                  64, seed),
              "");
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(Emulator, SharedMemoryIsPoisonedAndBounded) {
  EXPECT_EQ(runKernel([] { EXPECT_EQ(loadShared(getThread()), -1); }, 32, 0, 2),
            "");
  EXPECT_TRUE(contains(runKernel([] { loadShared(256); }, 1),
                       "bytes 1024 to 1028 of a shared memory of 1024 bytes"));
}

TEST(Emulator, BuffersBoundGlobalMemory) {
  float data[8] = {};
  dit_emu_kernel kernel{"reads",
                        [](void **arguments) {
                          auto *at = static_cast<const char *>(arguments[0]) +
                                     *static_cast<int64_t *>(arguments[1]);
                          dit_emu_access(at, 4, false, "load");
                        },
                        0};
  dit_emu_grid grid{{1, 1, 1}, {1, 1, 1}, 0};
  dit_emu_buffer buffer{data, sizeof data};
  for (int64_t offset : {-4, 0, 28, 30, 32}) {
    void *arguments[] = {data, &offset};
    const char *report = dit_emu_run(&kernel, &grid, arguments, &buffer, 1);
    if (offset == 0 || offset == 28)
      EXPECT_EQ(report, nullptr) << offset;
    else
      EXPECT_TRUE(contains(report, "are in no buffer of the launch"));
  }
}

} // namespace
