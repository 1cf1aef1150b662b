//===- ThreadPool.h - A host's own threads for compiled code ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The smallest pool that dit can run on: threads that wait for a loop and take
// its chunks one by one, as they become free. A host that has a pool already
// needs only the function `parallelFor`.
//
//===----------------------------------------------------------------------===//

#ifndef EXAMPLES_HOSTPOOL_THREADPOOL_H
#define EXAMPLES_HOSTPOOL_THREADPOOL_H

#include "dit/Runtime/Runtime.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

class ThreadPool {
public:
  /// A pool of `numThreads` with the thread that calls.
  explicit ThreadPool(int numThreads) {
    for (int i = 1; i < numThreads; ++i)
      workers.emplace_back([this] { work(); });
  }

  ~ThreadPool() {
    {
      std::lock_guard<std::mutex> lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread &worker : workers)
      worker.join();
  }

  /// What dit_rt_set_parallel_for takes; `self` is the pool. dit calls it for
  /// the outermost loops alone, so it need not expect calls from its own
  /// chunks.
  static void parallelFor(void *self, int64_t count, int64_t grain,
                          dit_rt_parallel_fn fn, void *context) {
    static_cast<ThreadPool *>(self)->run(count, grain, fn, context);
  }

  /// Loops that the pool has run.
  int64_t getNumLoops() const { return numLoops; }
  /// Chunks that threads other than the calling one took.
  int64_t getNumShared() const { return numShared; }

private:
  void run(int64_t count, int64_t grain, dit_rt_parallel_fn fn, void *context) {
    // One loop at a time: programs may be called from several threads.
    std::lock_guard<std::mutex> turn(loopMutex);
    {
      std::lock_guard<std::mutex> lock(mutex);
      body = fn;
      bodyContext = context;
      end = count;
      step = grain;
      next = 0;
      numBusy = workers.size();
      ++numLoops;
    }
    wake.notify_all();
    takeChunks();
    std::unique_lock<std::mutex> lock(mutex);
    done.wait(lock, [this] { return numBusy == 0; });
  }

  /// Returns the number of chunks that were left for this thread.
  int64_t takeChunks() {
    int64_t numTaken = 0;
    for (;; ++numTaken) {
      int64_t begin = next.fetch_add(step);
      if (begin >= end)
        return numTaken;
      body(bodyContext, begin, std::min(begin + step, end));
    }
  }

  void work() {
    for (int64_t seen = 0;;) {
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return stopping || numLoops != seen; });
        if (stopping)
          return;
        seen = numLoops;
      }
      numShared += takeChunks();
      std::lock_guard<std::mutex> lock(mutex);
      if (--numBusy == 0)
        done.notify_one();
    }
  }

  std::vector<std::thread> workers;
  std::mutex mutex, loopMutex;
  std::condition_variable wake, done;
  bool stopping = false;
  size_t numBusy = 0;
  int64_t numLoops = 0;
  std::atomic<int64_t> numShared{0};

  dit_rt_parallel_fn body = nullptr;
  void *bodyContext = nullptr;
  int64_t end = 0, step = 1;
  std::atomic<int64_t> next{0};
};

#endif // EXAMPLES_HOSTPOOL_THREADPOOL_H
