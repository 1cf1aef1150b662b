//===- ParallelForTest.cpp - Unit tests of parallel loops -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Runtime/Entry.h"
#include "dit/Runtime/Runtime.h"

#include "gtest/gtest.h"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <thread>
#include <vector>

extern "C" void dit_rt_check_failed(const char *message);

namespace {

/// Counts the visits of each index and the longest range.
struct Visits {
  explicit Visits(int64_t count) : counts(count) {}

  static void visit(void *self, int64_t begin, int64_t end) {
    auto *visits = static_cast<Visits *>(self);
    int64_t longest = visits->longest;
    while (end - begin > longest &&
           !visits->longest.compare_exchange_weak(longest, end - begin))
      ;
    for (int64_t i = begin; i < end; ++i)
      ++visits->counts[i];
  }

  bool allOnce() const {
    for (const std::atomic<int> &count : counts)
      if (count != 1)
        return false;
    return true;
  }

  std::vector<std::atomic<int>> counts;
  std::atomic<int64_t> longest{0};
};

class ParallelFor : public ::testing::TestWithParam<int> {
protected:
  void SetUp() override { dit_rt_set_num_threads(GetParam()); }
  void TearDown() override {
    dit_rt_set_num_threads(0);
    dit_rt_set_parallel_for(nullptr, nullptr);
  }
};

TEST_P(ParallelFor, VisitsEachIndexOnce) {
  for (int64_t count : {1, 2, 7, 64, 1000})
    for (int64_t grain : {-1, 0, 1, 3, 64, 5000}) {
      Visits visits(count);
      dit_rt_parallel_for(count, grain, Visits::visit, &visits);
      EXPECT_TRUE(visits.allOnce()) << count << " " << grain;
      EXPECT_LE(visits.longest, std::max<int64_t>(grain, 1));
    }
}

TEST_P(ParallelFor, EmptyRangesCallNothing) {
  auto never = [](void *, int64_t, int64_t) { std::abort(); };
  dit_rt_parallel_for(0, 1, never, nullptr);
  dit_rt_parallel_for(-5, 1, never, nullptr);
}

TEST_P(ParallelFor, NestedLoopsRunOnTheirCaller) {
  std::atomic<int> total{0};
  auto outer = [](void *context, int64_t, int64_t) {
    std::pair<std::thread::id, std::atomic<int> *> inner(
        std::this_thread::get_id(), static_cast<std::atomic<int> *>(context));
    dit_rt_parallel_for(
        10, 1,
        [](void *context, int64_t begin, int64_t end) {
          auto *pair = static_cast<decltype(inner) *>(context);
          EXPECT_EQ(pair->first, std::this_thread::get_id());
          *pair->second += end - begin;
        },
        &inner);
  };
  dit_rt_parallel_for(8, 1, outer, &total);
  EXPECT_EQ(total, 80);
}

TEST_P(ParallelFor, HostPoolReplacesOpenMP) {
  int calls = 0;
  // A pool may run the chunks in any order.
  auto backwards = [](void *pool, int64_t count, int64_t grain,
                      dit_rt_parallel_fn fn, void *context) {
    ++*static_cast<int *>(pool);
    for (int64_t begin = (count - 1) / grain * grain; begin >= 0;
         begin -= grain)
      fn(context, begin, std::min(begin + grain, count));
  };
  dit_rt_set_parallel_for(backwards, &calls);
  Visits visits(10);
  dit_rt_parallel_for(10, 3, Visits::visit, &visits);
  EXPECT_TRUE(visits.allOnce());
  EXPECT_EQ(calls, 1);
  dit_rt_set_parallel_for(nullptr, nullptr);
  dit_rt_parallel_for(10, 3, Visits::visit, &visits);
  EXPECT_EQ(calls, 1);
}

TEST_P(ParallelFor, TakesTheLargestCounts) {
  constexpr int64_t max = std::numeric_limits<int64_t>::max();
  for (int64_t grain : {max, max - 1, max / 2, max / 3}) {
    // Sums of numbers this large are exact modulo 2^64.
    std::atomic<uint64_t> total{0};
    std::atomic<int> numChunks{0};
    std::pair<std::atomic<uint64_t> *, std::atomic<int> *> sums(&total,
                                                                &numChunks);
    dit_rt_parallel_for(
        max, grain,
        [](void *context, int64_t begin, int64_t end) {
          auto *pair = static_cast<decltype(sums) *>(context);
          EXPECT_LT(begin, end);
          *pair->first += static_cast<uint64_t>(end - begin);
          ++*pair->second;
        },
        &sums);
    EXPECT_EQ(total, static_cast<uint64_t>(max));
    EXPECT_EQ(numChunks, max / grain + (max % grain != 0));
  }
}

/// Runs each chunk on a thread of its own.
void runOnThreads(void *, int64_t count, int64_t grain, dit_rt_parallel_fn fn,
                  void *context) {
  std::vector<std::thread> threads;
  for (int64_t begin = 0; begin < count; begin += grain)
    threads.emplace_back(fn, context, begin, std::min(begin + grain, count));
  for (std::thread &thread : threads)
    thread.join();
}

TEST_P(ParallelFor, HostThreadsRunChunksAndWhatIsInsideThem) {
  dit_rt_set_parallel_for(runOnThreads, nullptr);
  for (int64_t grain : {1, 4, 100}) {
    Visits visits(30);
    dit_rt_parallel_for(
        30, grain,
        [](void *context, int64_t begin, int64_t end) {
          // Inner loops do not reach the pool again.
          std::pair<std::thread::id, void *> outer(std::this_thread::get_id(),
                                                   context);
          for (int64_t i = begin; i < end; ++i)
            dit_rt_parallel_for(
                1, 0,
                [](void *context, int64_t, int64_t) {
                  auto *pair = static_cast<decltype(outer) *>(context);
                  EXPECT_EQ(pair->first, std::this_thread::get_id());
                },
                &outer);
          Visits::visit(context, begin, end);
        },
        &visits);
    EXPECT_TRUE(visits.allOnce());
  }
  auto never = [](void *, int64_t, int64_t) { std::abort(); };
  dit_rt_parallel_for(0, 0, never, nullptr);
}

TEST_P(ParallelFor, FailedChecksOnHostThreadsReachTheEntry) {
  dit_rt_set_parallel_for(runOnThreads, nullptr);
  dit_rt_entry entry = {
      "f", 0, 0, nullptr, 0, 0, nullptr, [](void **) {
        dit_rt_parallel_for(
            8, 1,
            [](void *, int64_t, int64_t) { dit_rt_check_failed("bad index"); },
            nullptr);
      }};
  EXPECT_EQ(dit_rt_invoke(&entry, nullptr, nullptr), DIT_RT_CHECK_FAILED);
  EXPECT_STREQ(dit_rt_last_error(), "check failed: bad index");
}

/// A body that fails in one chunk of a parallel loop.
void failInLoop(void **) {
  dit_rt_parallel_for(
      100, 1,
      [](void *, int64_t begin, int64_t) {
        if (begin == 42)
          dit_rt_check_failed("bad index");
      },
      nullptr);
}

TEST_P(ParallelFor, FailedChecksReachTheEntry) {
  dit_rt_entry entry = {"f", 0, 0, nullptr, 0, 0, nullptr, failInLoop};
  EXPECT_EQ(dit_rt_invoke(&entry, nullptr, nullptr), DIT_RT_CHECK_FAILED);
  EXPECT_STREQ(dit_rt_last_error(), "check failed: bad index");
  // Nothing is left behind.
  Visits visits(10);
  dit_rt_parallel_for(10, 1, Visits::visit, &visits);
  EXPECT_TRUE(visits.allOnce());
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelFor, ::testing::Values(1, 2, 5));

TEST(Threads, ACallerHasItsOwnNumber) {
  dit_rt_set_num_threads(3);
  dit_rt_set_num_threads_of_caller(2);
  EXPECT_EQ(dit_rt_get_num_threads(), 2);
  int ofOther = 0;
  std::thread([&] { ofOther = dit_rt_get_num_threads(); }).join();
  EXPECT_EQ(ofOther, 3);
  dit_rt_set_num_threads_of_caller(0);
  EXPECT_EQ(dit_rt_get_num_threads(), 3);
  dit_rt_set_num_threads(0);
}

TEST(Threads, ZeroMeansAllProcessors) {
  dit_rt_set_num_threads(3);
  EXPECT_EQ(dit_rt_get_num_threads(), 3);
  dit_rt_set_num_threads(-1);
  EXPECT_GE(dit_rt_get_num_threads(), 1);
}

} // namespace
