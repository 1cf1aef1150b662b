//===- ParallelFor.cpp - Dynamic parallel loops ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parallel loop that compiled code calls, on OpenMP's threads with dynamic
// scheduling: the tiles of sparse heads differ widely in work.
//
//===----------------------------------------------------------------------===//

#include "dit/Runtime/Runtime.h"

#include <algorithm>
#include <atomic>
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
/// Set while this thread runs a chunk: inner loops are then serial, on any
/// pool.
thread_local bool insideChunk = false;

/// Marks the current thread as running chunks for the life of the object.
class ChunkScope {
public:
  ChunkScope() { insideChunk = true; }
  ~ChunkScope() { insideChunk = false; }
};

void runSerially(int64_t count, int64_t grain, dit_rt_parallel_fn fn,
                 void *context) {
  for (int64_t begin = 0; begin < count; begin += grain)
    fn(context, begin, begin + std::min(grain, count - begin));
}

void runOnOpenMP(int64_t count, int64_t grain, int numThreads,
                 dit_rt_parallel_fn fn, void *context) {
  int64_t numChunks = count / grain + (count % grain != 0);
  int team = static_cast<int>(std::min<int64_t>(numThreads, numChunks));
#pragma omp parallel num_threads(team)
  {
    ChunkScope scope;
#pragma omp for schedule(dynamic, 1)
    for (int64_t chunk = 0; chunk < numChunks; ++chunk) {
      int64_t begin = chunk * grain;
      fn(context, begin, begin + std::min(grain, count - begin));
    }
  }
}

/// A loop as a host's pool sees it: marks the pool's threads as inside a chunk.
struct HostLoop {
  dit_rt_parallel_fn fn;
  void *context;

  static void run(void *self, int64_t begin, int64_t end) {
    auto *loop = static_cast<HostLoop *>(self);
    ChunkScope scope;
    loop->fn(loop->context, begin, end);
  }
};

} // namespace

void dit_rt_parallel_for(int64_t count, int64_t grain, dit_rt_parallel_fn fn,
                         void *context) {
  if (count <= 0)
    return;
  grain = std::min(std::max<int64_t>(grain, 1), count);
  if (insideChunk)
    return runSerially(count, grain, fn, context);
  if (hostPool.impl) {
    HostLoop loop{fn, context};
    return hostPool.impl(hostPool.context, count, grain, HostLoop::run, &loop);
  }
  int numThreads = dit_rt_get_num_threads();
  if (numThreads == 1 || grain == count)
    return runSerially(count, grain, fn, context);
  runOnOpenMP(count, grain, numThreads, fn, context);
}

void dit_rt_set_num_threads(int num_threads) {
  requestedThreads = std::max(num_threads, 0);
}

int dit_rt_get_num_threads(void) {
  int requested = requestedThreads;
  return requested > 0 ? requested : std::max(omp_get_num_procs(), 1);
}

void dit_rt_set_parallel_for(dit_rt_parallel_for_impl impl, void *pool) {
  hostPool = Pool{impl, pool};
}
