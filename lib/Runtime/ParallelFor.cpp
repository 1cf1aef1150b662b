//===- ParallelFor.cpp - Dynamic parallel loops ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parallel loop that compiled code calls, on OpenMP's threads, each of
// which takes the next chunk when it is done with one: the tiles of sparse
// heads differ widely in work. The counter is ours, because OpenMP's own
// dynamic schedule may allocate memory for each chunk.
//
//===----------------------------------------------------------------------===//

#include "CheckFailure.h"
#include "dit/Runtime/Entry.h"
#include "dit/Runtime/Runtime.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <omp.h>

namespace {

/// A host's pool and its context, replaced together while no loop runs.
struct Pool {
  dit_rt_parallel_for_impl impl = nullptr;
  void *context = nullptr;
};

Pool hostPool;
/// 0 stands for all processors.
std::atomic<int> requestedThreads{0};
/// What this thread asked for itself; 0 for nothing.
thread_local int requestedByCaller = 0;
/// Set while this thread runs a chunk: inner loops are then serial, on any
/// pool.
thread_local bool insideChunk = false;

/// A loop whose chunks run on several threads. A failed check in a chunk skips
/// the chunks that follow, and fails on the calling thread in the end.
class SharedLoop {
public:
  SharedLoop(dit_rt_parallel_fn fn, void *context) : fn(fn), context(context) {}

  void runChunk(int64_t begin, int64_t end);
  /// To be called on the calling thread when all chunks are done.
  void finish();

  static void run(void *self, int64_t begin, int64_t end) {
    static_cast<SharedLoop *>(self)->runChunk(begin, end);
  }

private:
  dit_rt_parallel_fn fn;
  void *context;
  static constexpr int kWriting = -1;
  /// 0 without a failure; `kWriting` while a thread writes the text; then the
  /// status that the entry returns.
  std::atomic<int> failure{0};
  char failureText[512] = "";
};

void SharedLoop::runChunk(int64_t begin, int64_t end) {
  if (failure != 0)
    return;
  std::jmp_buf target;
  std::jmp_buf *outer = dit_rt::checkFailureTarget;
  bool wasInside = insideChunk;
  dit_rt::checkFailureTarget = &target;
  insideChunk = true;
  int status = setjmp(target);
  if (status == DIT_RT_OK) {
    fn(context, begin, end);
  } else {
    int none = 0;
    if (failure.compare_exchange_strong(none, kWriting)) {
      std::snprintf(failureText, sizeof(failureText), "%s",
                    dit_rt_last_error());
      failure = status;
    }
  }
  insideChunk = wasInside;
  dit_rt::checkFailureTarget = outer;
}

void SharedLoop::finish() {
  if (failure == 0)
    return;
  dit_rt::setLastError(failureText);
  dit_rt::leaveProgram(failure);
}

void runSerially(int64_t count, int64_t grain, dit_rt_parallel_fn fn,
                 void *context) {
  // The end of the last chunk is the largest number that is formed.
  for (int64_t begin = 0; begin < count;) {
    int64_t end = begin + std::min(grain, count - begin);
    fn(context, begin, end);
    begin = end;
  }
}

void runOnOpenMP(int64_t count, int64_t grain, int numThreads,
                 SharedLoop &loop) {
  int64_t numChunks = count / grain + (count % grain != 0);
  int team = static_cast<int>(std::min<int64_t>(numThreads, numChunks));
  std::atomic<int64_t> next{0};
#pragma omp parallel num_threads(team)
  for (int64_t chunk = next++; chunk < numChunks; chunk = next++) {
    int64_t begin = chunk * grain;
    loop.runChunk(begin, begin + std::min(grain, count - begin));
  }
}

} // namespace

void dit_rt_parallel_for(int64_t count, int64_t grain, dit_rt_parallel_fn fn,
                         void *context) {
  if (count <= 0)
    return;
  grain = std::min(std::max<int64_t>(grain, 1), count);
  if (insideChunk)
    return runSerially(count, grain, fn, context);
  int numThreads = dit_rt_get_num_threads();
  if (!hostPool.impl && (numThreads == 1 || grain == count))
    return runSerially(count, grain, fn, context);
  SharedLoop loop(fn, context);
  if (hostPool.impl)
    hostPool.impl(hostPool.context, count, grain, SharedLoop::run, &loop);
  else
    runOnOpenMP(count, grain, numThreads, loop);
  loop.finish();
}

void dit_rt_set_num_threads(int num_threads) {
  requestedThreads = std::max(num_threads, 0);
}

void dit_rt_set_num_threads_of_caller(int num_threads) {
  requestedByCaller = std::max(num_threads, 0);
}

int dit_rt_get_num_threads(void) {
  int requested = requestedByCaller;
  if (requested == 0)
    requested = requestedThreads;
  return requested > 0 ? requested : std::max(omp_get_num_procs(), 1);
}

void dit_rt_set_parallel_for(dit_rt_parallel_for_impl impl, void *pool) {
  hostPool = Pool{impl, pool};
}
