//===- main.cpp - Compiled attention on threads of the host ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calls the function of attention.mlir on one thread, then on a pool of
// std::thread, and compares the results bit by bit.
//
//===----------------------------------------------------------------------===//

#include "ThreadPool.h"
#include "attention.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

static constexpr int64_t kHeads = 4, kTokens = 512, kDepth = 32;
static constexpr int64_t kSize = kHeads * kTokens * kDepth;

/// Calls the compiled function on one array as q, k and v.
static std::vector<float> call(std::vector<float> &qkv) {
  int64_t sizes[] = {1, kHeads, kTokens, kDepth};
  std::vector<float> result(kSize);
  dit_buffer in = {qkv.data(), DIT_RT_F32, 4, sizes, nullptr};
  dit_buffer out = {result.data(), DIT_RT_F32, 4, sizes, nullptr};
  // The workspace is the caller's, 64 bytes aligned.
  size_t size = (attention_workspace_size() + 63) / 64 * 64;
  void *workspace = std::aligned_alloc(64, size ? size : 64);
  if (attention(&in, &in, &in, &out, workspace) != DIT_RT_OK) {
    std::fprintf(stderr, "%s\n", dit_rt_last_error());
    std::exit(1);
  }
  std::free(workspace);
  return result;
}

int main() {
  std::vector<float> qkv(kSize);
  for (int64_t i = 0; i < kSize; ++i)
    qkv[i] = static_cast<float>(i * 7919 % 2003) / 1001.5F - 1;

  dit_rt_set_num_threads(1);
  std::vector<float> alone = call(qkv);

  ThreadPool pool(4);
  dit_rt_set_parallel_for(ThreadPool::parallelFor, &pool);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> shared = call(qkv);
    if (std::memcmp(shared.data(), alone.data(), kSize * sizeof(float)) != 0) {
      std::puts("the pool changed the result");
      return 1;
    }
  }
  // Before the pool goes.
  dit_rt_set_parallel_for(nullptr, nullptr);

  std::printf("loops on the pool: %s\n", pool.getNumLoops() ? "yes" : "no");
  std::printf("shared by threads: %s\n", pool.getNumShared() ? "yes" : "no");
  std::puts("same bits");
  return 0;
}
