//===- SharedMemory.cpp - Shared memory and who touched it ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedMemory.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>

using namespace dit_emu;

/// Words of shared memory that nothing has written: a NaN in f32, f16 and bf16,
/// and an absurd index.
static constexpr unsigned char kPoison = 0xff;
/// Elements of one byte that share a word are not told from each other, and so
/// not checked.
static constexpr unsigned kWordBytes = 2;

void dit_emu::join(VectorClock &clock, const VectorClock &other) {
  for (unsigned i = 0; i < clock.size(); ++i)
    clock[i] = std::max(clock[i], other[i]);
}

SharedMemory::SharedMemory() {
  // Twice as much, for an aligned part of it.
  void *memory = mmap(nullptr, 2 * kWindow, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return;
  auto begin = reinterpret_cast<uintptr_t>(memory);
  uintptr_t aligned = (begin + kWindow - 1) / kWindow * kWindow;
  if (aligned > begin)
    munmap(memory, aligned - begin);
  munmap(reinterpret_cast<void *>(aligned + kWindow),
         begin + kWindow - aligned);
  bytes = reinterpret_cast<char *>(aligned);
}

SharedMemory::~SharedMemory() {
  if (bytes)
    munmap(bytes, kWindow);
}

void SharedMemory::reset(unsigned numBytes) {
  used = numBytes;
  std::memset(bytes, kPoison, kWindow);
  words.assign((numBytes + kWordBytes - 1) / kWordBytes, Word());
  readers.clear();
  freeReaders.clear();
  for (unsigned warp = 0; warp < clocks.size(); ++warp) {
    clocks[warp].fill(0);
    // Above zero, which is what nobody has heard of.
    clocks[warp][warp] = 1;
  }
  meetings.fill(0);
}

void SharedMemory::release(unsigned warp, VectorClock &clock) {
  join(clock, clocks[warp]);
  ++clocks[warp][warp];
}

void SharedMemory::acquire(unsigned warp, const VectorClock &clock) {
  join(clocks[warp], clock);
}

bool SharedMemory::isBefore(const Access &access, unsigned thread) const {
  unsigned warp = access.thread / 32;
  if (warp != thread / 32)
    return clocks[thread / 32][warp] >= access.clock;
  return access.thread == thread || access.meeting < meetings[warp];
}

Access SharedMemory::getAccess(unsigned thread, const char *place) const {
  unsigned warp = thread / 32;
  Access access;
  access.place = place;
  access.clock = clocks[warp][warp];
  access.meeting = meetings[warp];
  access.thread = thread;
  return access;
}

std::string SharedMemory::describeRace(const char *what, const Access &other,
                                       unsigned offset) const {
  return std::string(what) + " thread " + std::to_string(other.thread) +
         " at " + other.place + " (shared memory at byte " +
         std::to_string(offset) + ")";
}

std::string SharedMemory::checkWord(Word &word, unsigned index, unsigned thread,
                                    bool isWrite) const {
  unsigned offset = index * kWordBytes;
  if (word.copying)
    return describeRace("it may come before the end of the asynchronous copy "
                        "that was issued by",
                        word.write, offset);
  if (word.write.place && !isBefore(word.write, thread))
    return describeRace("nothing orders it after the write of", word.write,
                        offset);
  if (!isWrite)
    return {};
  if (word.readers == 0) {
    if (word.read.place && !isBefore(word.read, thread))
      return describeRace("nothing orders it after the read of", word.read,
                          offset);
    return {};
  }
  for (const Access &read : readers[word.readers - 1])
    if (read.place && read.thread / 32 != thread / 32 &&
        !isBefore(read, thread))
      return describeRace("nothing orders it after the read of", read, offset);
  return {};
}

void SharedMemory::noteRead(Word &word, const Access &access) {
  if (word.readers == 0 &&
      (!word.read.place || word.read.thread == access.thread)) {
    word.read = access;
    return;
  }
  if (word.readers == 0) {
    if (freeReaders.empty()) {
      readers.emplace_back();
      freeReaders.push_back(readers.size());
    }
    word.readers = freeReaders.back();
    freeReaders.pop_back();
    readers[word.readers - 1] = {};
    readers[word.readers - 1][word.read.thread / 32] = word.read;
  }
  readers[word.readers - 1][access.thread / 32] = access;
}

void SharedMemory::noteWrite(Word &word, const Access &access) {
  if (word.readers)
    freeReaders.push_back(word.readers);
  word = Word();
  word.write = access;
}

template <typename Fn>
std::string SharedMemory::forEachWord(unsigned offset, unsigned numBytes,
                                      Fn fn) {
  unsigned end = (offset + numBytes + kWordBytes - 1) / kWordBytes;
  for (unsigned i = offset / kWordBytes; i < end; ++i)
    if (std::string wrong = fn(words[i], i); !wrong.empty())
      return wrong;
  return {};
}

std::string SharedMemory::read(unsigned thread, unsigned offset,
                               unsigned numBytes, const char *place) {
  if (numBytes < kWordBytes)
    return {};
  Access access = getAccess(thread, place);
  return forEachWord(offset, numBytes, [&](Word &word, unsigned index) {
    std::string wrong = checkWord(word, index, thread, /*isWrite=*/false);
    noteRead(word, access);
    return wrong;
  });
}

std::string SharedMemory::write(unsigned thread, unsigned offset,
                                unsigned numBytes, const char *place) {
  if (numBytes < kWordBytes)
    return {};
  Access access = getAccess(thread, place);
  return forEachWord(offset, numBytes, [&](Word &word, unsigned index) {
    std::string wrong = checkWord(word, index, thread, /*isWrite=*/true);
    noteWrite(word, access);
    return wrong;
  });
}

std::string SharedMemory::atomic(unsigned thread, unsigned offset,
                                 unsigned numBytes, const char *place) {
  Access access = getAccess(thread, place);
  return forEachWord(offset, numBytes, [&](Word &word, unsigned index) {
    std::string wrong = word.atomic && !word.copying
                            ? std::string()
                            : checkWord(word, index, thread, /*isWrite=*/true);
    noteWrite(word, access);
    word.atomic = true;
    return wrong;
  });
}

std::string SharedMemory::beginCopy(unsigned thread, unsigned offset,
                                    unsigned numBytes, const char *place) {
  std::string wrong = write(thread, offset, numBytes, place);
  forEachWord(offset, numBytes, [](Word &word, unsigned) {
    word.copying = true;
    return std::string();
  });
  return wrong;
}

void SharedMemory::endCopy(unsigned thread, unsigned offset,
                           unsigned numBytes) {
  forEachWord(offset, numBytes, [&](Word &word, unsigned) {
    word.copying = false;
    word.write = getAccess(thread, word.write.place);
    return std::string();
  });
}
