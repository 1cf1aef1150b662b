//===- MBarrierTest.cpp - Mbarriers and the copies they count -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A ring of stages between a producer and consumers, right and with one mistake
// each.
//
//===----------------------------------------------------------------------===//

#include "EmulatorRunner.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

constexpr int kStages = 2, kRounds = 6, kConsumers = 64;
constexpr int kStageBytes = 256;

/// Mistakes in the ring.
enum class Mistake {
  None,
  NoWaitFull,
  NoWaitEmpty,
  WrongParity,
  EarlyRelease,
  FewBytes,
  ManyBytes,
  WrongCount,
  NoInitBarrier,
  NoExpect,
  WrongStage,
  OutOfBounds,
};

alignas(16) int32_t source[kRounds][kStageBytes / 4];

/// Shared memory: stages, then full and empty mbarriers.
struct Ring {
  char *base = static_cast<char *>(dit_emu_shared());
  char *stage(int i) { return base + i * kStageBytes; }
  void *full(int i) { return base + kStages * kStageBytes + 8 * i; }
  void *empty(int i) { return base + kStages * kStageBytes + 64 + 8 * i; }
};

void produce(Ring &ring, Mistake mistake) {
  for (int round = 0; round < kRounds; ++round) {
    int i = round % kStages, lap = round / kStages;
    if (mistake != Mistake::NoWaitEmpty)
      dit_emu_mbarrier_wait(ring.empty(i),
                            (lap + (mistake != Mistake::WrongParity)) % 2,
                            "wait empty");
    int expected = kStageBytes;
    if (mistake == Mistake::FewBytes)
      expected -= 16;
    if (mistake == Mistake::ManyBytes)
      expected += 16;
    if (mistake == Mistake::NoExpect)
      expected = 0;
    dit_emu_mbarrier_arrive(ring.full(i), expected, 1, false, "expect");
    int target = mistake == Mistake::WrongStage ? (i + 1) % kStages : i;
    char *to = ring.stage(target);
    if (mistake == Mistake::OutOfBounds && round == 3)
      to = ring.base + 1024;
    dit_emu_cp_async_bulk(to, source[round], ring.full(i), kStageBytes, "copy");
  }
}

/// Sums what the copies bring; returns the sum of thread `thread`.
int consume(Ring &ring, int thread, Mistake mistake) {
  int sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    int i = round % kStages;
    if (mistake != Mistake::NoWaitFull)
      dit_emu_mbarrier_wait(ring.full(i), round / kStages % 2, "wait full");
    if (mistake == Mistake::EarlyRelease)
      dit_emu_mbarrier_arrive(ring.empty(i), 0, 1, false, "release");
    char *at = ring.stage(i) + 4 * (thread % (kStageBytes / 4));
    dit_emu_access(at, 4, false, "load");
    int32_t value;
    std::memcpy(&value, at, 4);
    sum += value;
    if (mistake != Mistake::EarlyRelease)
      dit_emu_mbarrier_arrive(ring.empty(i), 0, 1, false, "release");
  }
  return sum;
}

void runRing(Mistake mistake, bool &isRight) {
  Ring ring;
  int thread = dit_emu_register(DIT_EMU_TID);
  if (thread == 0)
    for (int i = 0; i < kStages; ++i) {
      dit_emu_mbarrier_init(ring.full(i), 1, "init full");
      dit_emu_mbarrier_init(ring.empty(i),
                            kConsumers - 32 * (mistake == Mistake::WrongCount),
                            "init empty");
    }
  if (mistake != Mistake::NoInitBarrier)
    dit_emu_barrier(0, -1, true, "initialised");
  if (thread < kConsumers) {
    int want = 0;
    for (auto &round : source)
      want += round[thread % (kStageBytes / 4)];
    isRight &= consume(ring, thread, mistake) == want;
  } else if (thread == kConsumers) {
    produce(ring, mistake);
  }
}

/// The report of a run, or "wrong" if it has none and the sums are not right.
std::string runRing(Mistake mistake, uint64_t seed) {
  for (int round = 0; round < kRounds; ++round)
    for (int i = 0; i < kStageBytes / 4; ++i)
      source[round][i] = 1000 * round + i;
  bool isRight = true;
  std::string report =
      runKernel([&] { runRing(mistake, isRight); }, kConsumers + 32, seed);
  return report.empty() && !isRight ? "wrong" : report;
}

TEST(MBarrier, ARingHandsOverEachStage) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_EQ(runRing(Mistake::None, seed), "");
}

/// Reports of `mistake` under all schedules.
unsigned countReports(Mistake mistake) {
  unsigned count = 0;
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    std::string report = runRing(mistake, seed);
    count += !report.empty() && report != "wrong";
  }
  return count;
}

TEST(MBarrier, EachMistakeIsReported) {
  for (Mistake mistake :
       {Mistake::NoWaitFull, Mistake::NoWaitEmpty, Mistake::WrongParity,
        Mistake::EarlyRelease, Mistake::FewBytes, Mistake::ManyBytes,
        Mistake::WrongCount, Mistake::NoInitBarrier, Mistake::NoExpect,
        Mistake::WrongStage, Mistake::OutOfBounds})
    EXPECT_GT(countReports(mistake), 0u) << int(mistake);
}

TEST(MBarrier, DeadlocksSayWhatThePhaseExpects) {
  std::string report = runRing(Mistake::ManyBytes, 1);
  EXPECT_TRUE(contains(report, "deadlock"));
  EXPECT_TRUE(contains(report, "wait full: 64 threads"));
  EXPECT_TRUE(contains(report, "0 more arrivals and 16 more bytes"));
}

TEST(MBarrier, PollingEndsInADeadlockToo) {
  std::string report = runKernel(
      [] {
        void *barrier = dit_emu_shared();
        dit_emu_mbarrier_init(barrier, 2, "init");
        uint64_t phase =
            dit_emu_mbarrier_arrive(barrier, 0, 1, false, "arrive");
        while (!dit_emu_mbarrier_test(barrier, phase, false, false, "poll")) {
        }
      },
      1);
  EXPECT_TRUE(contains(report, "deadlock"));
  EXPECT_TRUE(contains(report, "1 more arrivals"));
}

TEST(MBarrier, PhasesAreKnownByWhatArrivalsReturn) {
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
    EXPECT_EQ(runKernel(
                  [] {
                    void *barrier = dit_emu_shared();
                    if (dit_emu_register(DIT_EMU_TID) == 0)
                      dit_emu_mbarrier_init(barrier, 64, "init");
                    dit_emu_barrier(0, -1, true, "initialised");
                    for (uint64_t round = 0; round < 300; ++round) {
                      uint64_t phase = dit_emu_mbarrier_arrive(barrier, 0, 1,
                                                               false, "arrive");
                      EXPECT_EQ(phase, round);
                      while (!dit_emu_mbarrier_test(barrier, phase, false,
                                                    round % 2, "test")) {
                      }
                    }
                  },
                  64, seed),
              "");
}

TEST(MBarrier, CopiesOfThreadsArrive) {
  alignas(16) static const int32_t data[64] = {7, 8, 9};
  for (bool counted : {false, true})
    for (uint64_t seed = 0; seed < kNumSeeds; ++seed)
      EXPECT_EQ(
          runKernel(
              [&] {
                auto *shared = static_cast<char *>(dit_emu_shared());
                void *barrier = shared + 512;
                int thread = dit_emu_register(DIT_EMU_TID);
                if (thread == 0)
                  dit_emu_mbarrier_init(barrier, counted ? 16 : 32, "init");
                dit_emu_barrier(0, -1, true, "initialised");
                if (thread < 16) {
                  dit_emu_cp_async(shared + 16 * thread, data + 4 * thread, 16,
                                   16, "copy");
                  dit_emu_cp_async_mbarrier_arrive(barrier, counted, "copied");
                  if (!counted)
                    dit_emu_mbarrier_arrive(barrier, 0, 2, false, "own");
                }
                dit_emu_mbarrier_wait(barrier, 0, "wait");
                int at = (thread + 5) % 64;
                dit_emu_access(shared + 4 * at, 4, false, "load");
                EXPECT_EQ(std::memcmp(shared + 4 * at, data + at, 4), 0);
              },
              64, seed),
          "");
}

TEST(MBarrier, ReportsMisuse) {
  auto init = [] { dit_emu_mbarrier_init(dit_emu_shared(), 1, "init"); };
  EXPECT_TRUE(contains(runKernel(
                           [&] {
                             init();
                             init();
                           },
                           1),
                       "expected mbarrier.inval first"));
  EXPECT_TRUE(contains(
      runKernel([] { dit_emu_mbarrier_wait(dit_emu_shared(), 0, "w"); }, 1),
      "no mbarrier"));
  EXPECT_TRUE(contains(
      runKernel(
          [&] {
            init();
            dit_emu_mbarrier_arrive(dit_emu_shared(), 0, 2, false, "arrive");
          },
          1),
      "2 arrivals at an mbarrier whose phase 0 expects 1 more"));
  EXPECT_TRUE(contains(
      runKernel([] { dit_emu_mbarrier_init(dit_emu_shared(), 0, "i"); }, 1),
      "expected 1 to 1048575"));
}

} // namespace
