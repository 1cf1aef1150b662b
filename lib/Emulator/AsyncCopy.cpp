//===- AsyncCopy.cpp - Copies of cp.async ---------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A copy reads and writes at some time after its issue, at the latest when the
// thread that issued it waits for its group; only that wait, and then a
// barrier, makes what it wrote good for others.
//
//===----------------------------------------------------------------------===//

#include "Cta.h"

#include <cstring>

using namespace dit_emu;

void Cta::perform(AsyncCopy &copy) {
  char *target = memory.data() + copy.target;
  std::memcpy(target, copy.source, copy.valid);
  std::memset(target + copy.valid, 0, copy.bytes - copy.valid);
  copy.done = true;
}

void Cta::issue(AsyncCopy copy) {
  Thread &thread = *running;
  std::string wrong =
      memory.beginCopy(thread.index, copy.target, copy.bytes, copy.place);
  if (!wrong.empty())
    fail(copy.place, "race: cp.async: " + wrong);
  if (plain)
    perform(copy);
  else
    copying.push_back(thread.index);
  thread.copies.back().push_back(copy);
  mayYield();
}

void Cta::waitForCopies(int32_t pending) {
  auto &groups = running->copies;
  // The last group is still open.
  while (int64_t(groups.size()) - 1 > pending) {
    for (AsyncCopy &copy : groups.front()) {
      if (!copy.done)
        perform(copy);
      memory.endCopy(running->index, copy.target, copy.bytes);
    }
    groups.pop_front();
  }
}

extern "C" void dit_emu_cp_async(void *target, const void *source,
                                 int32_t bytes, int32_t valid,
                                 const char *place) {
  Cta &cta = getCta();
  SharedMemory &shared = cta.shared();
  unsigned offset = shared.offsetOf(target);
  if (!shared.contains(target) || offset + bytes > shared.size())
    cta.fail(
        place,
        format("out of bounds: cp.async to bytes %lld to %lld of a "
               "shared memory of %u bytes",
               (long long)(static_cast<char *>(target) - shared.data()),
               (long long)(static_cast<char *>(target) - shared.data() + bytes),
               shared.size()));
  if (valid < 0 || valid > bytes)
    cta.fail(place, format("cp.async of %d bytes from a source of %d: expected "
                           "0 to %d",
                           bytes, valid, bytes));
  if (offset % bytes != 0 || reinterpret_cast<uintptr_t>(source) % bytes != 0)
    cta.fail(place, format("cp.async of %d bytes from %p to byte %u of shared "
                           "memory: expected multiples of %d",
                           bytes, source, offset, bytes));
  auto begin = static_cast<const char *>(source);
  if (valid > 0 && !cta.isInBuffer(begin, valid))
    cta.fail(place,
             format("out of bounds: cp.async reads %d bytes at %p, which "
                    "are in no buffer of the launch",
                    valid, source));
  ++getCounters().cp_async;
  getCounters().cp_async_bytes += bytes;
  cta.issue({offset, unsigned(bytes), unsigned(valid), begin, place});
}

extern "C" void dit_emu_cp_async_commit(const char *) {
  getCta().current().copies.emplace_back();
}

extern "C" void dit_emu_cp_async_wait(int32_t pending, const char *) {
  getCta().waitForCopies(pending);
}
