//===- Memory.cpp - Buffers of compiled programs --------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program allocates and frees the same large buffers over and over, and the
// C library gives each of them back to the system, which then has to map and
// clear its pages again: a quarter of a small model's time. This keeps freed
// blocks for the next allocation of about their size, up to a fixed total.
// Blocks are plain malloc blocks, so either side may free what the other
// allocated.
//
//===----------------------------------------------------------------------===//

#include "CheckFailure.h"

#include "dit/Runtime/Entry.h"
#include "dit/Runtime/Runtime.h"

#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <mutex>

namespace {

/// Blocks below this are left to malloc, which reuses them itself.
constexpr size_t kSmallestBlock = size_t(1) << 16;
constexpr size_t kCapacity = size_t(256) << 20;
constexpr unsigned kMaxBlocks = 64;

/// Freed blocks, oldest first.
class BlockCache {
public:
  /// The smallest block that holds `size` without wasting much; null if there
  /// is none.
  void *take(size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    unsigned best = count;
    for (unsigned i = 0; i < count; ++i)
      if (blocks[i].size >= size && blocks[i].size <= size + size / 4 &&
          (best == count || blocks[i].size < blocks[best].size))
        best = i;
    return best == count ? nullptr : remove(best);
  }

  /// Gives all blocks back to malloc.
  void clear() {
    std::lock_guard<std::mutex> lock(mutex);
    while (count)
      std::free(remove(count - 1));
  }

  void give(void *data, size_t size) {
    if (size > kCapacity)
      return std::free(data);
    std::lock_guard<std::mutex> lock(mutex);
    while (count == kMaxBlocks || total + size > kCapacity)
      std::free(remove(0));
    blocks[count++] = {data, size};
    total += size;
  }

private:
  struct Block {
    void *data;
    size_t size;
  };

  void *remove(unsigned index) {
    void *data = blocks[index].data;
    total -= blocks[index].size;
    for (--count; index < count; ++index)
      blocks[index] = blocks[index + 1];
    return data;
  }

  std::mutex mutex;
  Block blocks[kMaxBlocks];
  unsigned count = 0;
  size_t total = 0;
};

BlockCache cache;

} // namespace

extern "C" void *dit_rt_alloc(uint64_t size) {
  if (size >= kSmallestBlock)
    if (void *data = cache.take(size))
      return data;
  if (void *data = std::malloc(size))
    return data;
  cache.clear();
  if (void *data = std::malloc(size))
    return data;
  // Compiled code does not look at what it gets; others do.
  if (!dit_rt::checkFailureTarget)
    return nullptr;
  char text[96];
  std::snprintf(text, sizeof(text), "no memory for a buffer of %llu bytes",
                static_cast<unsigned long long>(size));
  dit_rt::setLastError(text);
  dit_rt::leaveProgram(DIT_RT_OUT_OF_MEMORY);
}

extern "C" void dit_rt_free(void *data) {
  size_t size = data ? malloc_usable_size(data) : 0;
  if (size < kSmallestBlock)
    return std::free(data);
  cache.give(data, size);
}
