//===- SharedMemory.h - Shared memory and who touched it --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes of a CTA's shared memory, and for each word of two of them who
// wrote and read it last. Accesses are in order if the clocks say so (vector
// clocks over warps, as in FastTrack; Flanagan and Freund, PLDI 2009): each
// warp has a clock, which a barrier or another release hands on to who
// acquires. Inside a warp, lanes are in order after any operation at which they
// meet. Where a warp as a whole is taken for a lane, races may be missed, but
// none is reported that is none.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_EMULATOR_SHAREDMEMORY_H
#define DIT_LIB_EMULATOR_SHAREDMEMORY_H

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dit_emu {

/// What is known of each warp of a CTA.
using VectorClock = std::array<uint32_t, 32>;

void join(VectorClock &clock, const VectorClock &other);

/// One access: by whom, and when by the clock of the warp and by its number of
/// meetings.
struct Access {
  const char *place = nullptr;
  uint32_t clock = 0;
  uint32_t meeting = 0;
  uint16_t thread = 0;
};

class SharedMemory {
public:
  /// The size of the window: what 18 bits of an address can name.
  static constexpr unsigned kWindow = 256 * 1024;

  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory &) = delete;
  SharedMemory &operator=(const SharedMemory &) = delete;

  /// Whether the host had memory for it.
  explicit operator bool() const { return bytes; }
  char *data() const { return bytes; }
  unsigned size() const { return used; }
  bool contains(const void *address) const {
    auto byte = static_cast<const char *>(address);
    return byte >= bytes && byte < bytes + kWindow;
  }
  unsigned offsetOf(const void *address) const {
    return static_cast<const char *>(address) - bytes;
  }

  /// A new CTA: `numBytes` of garbage that nobody has touched.
  void reset(unsigned numBytes);

  /// The lanes of `warp` have met.
  void meet(unsigned warp) { ++meetings[warp]; }
  /// What `warp` did so far is known to who acquires `clock`.
  void release(unsigned warp, VectorClock &clock);
  void acquire(unsigned warp, const VectorClock &clock);

  /// Notes accesses of `thread` to `[offset, offset + numBytes)`. Returns what
  /// is wrong with them, or nothing.
  std::string read(unsigned thread, unsigned offset, unsigned numBytes,
                   const char *place);
  std::string write(unsigned thread, unsigned offset, unsigned numBytes,
                    const char *place);
  /// Atomic operations are in order with each other.
  std::string atomic(unsigned thread, unsigned offset, unsigned numBytes,
                     const char *place);
  /// An asynchronous write begins, and is known to be over.
  std::string beginCopy(unsigned thread, unsigned offset, unsigned numBytes,
                        const char *place);
  void endCopy(unsigned thread, unsigned offset, unsigned numBytes);

private:
  struct Word {
    Access write;
    /// The only reader since the write; or, by index from one, one of each
    /// warp.
    Access read;
    uint32_t readers = 0;
    bool copying = false;
    bool atomic = false;
  };
  using Readers = std::array<Access, 32>;

  bool isBefore(const Access &access, unsigned thread) const;
  Access getAccess(unsigned thread, const char *place) const;
  std::string describeRace(const char *what, const Access &other,
                           unsigned offset) const;
  std::string checkWord(Word &word, unsigned index, unsigned thread,
                        bool isWrite) const;
  void noteRead(Word &word, const Access &access);
  void noteWrite(Word &word, const Access &access);
  template <typename Fn>
  std::string forEachWord(unsigned offset, unsigned numBytes, Fn fn);

  char *bytes = nullptr;
  unsigned used = 0;
  std::vector<Word> words;
  std::vector<Readers> readers;
  std::vector<uint32_t> freeReaders;
  std::array<VectorClock, 32> clocks;
  std::array<uint32_t, 32> meetings;
};

} // namespace dit_emu

#endif // DIT_LIB_EMULATOR_SHAREDMEMORY_H
