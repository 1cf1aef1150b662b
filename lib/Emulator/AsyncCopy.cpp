//===- AsyncCopy.cpp - Copies that take place later -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// cp.async and cp.async.bulk. A copy reads and writes at some time after its
// issue. Of cp.async that is at the latest when the thread that issued it waits
// for its group; only that wait, and then a barrier, makes what it wrote good
// for others. Bulk copies, and cp.async with mbarriers, are over with a phase.
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
  if (copy.barrier >= 0) {
    endCopy(copy);
    MBarrier &barrier = mbarriers.at(copy.barrier);
    memory.release(copy.thread / kWarpLanes, barrier.clock);
    barrier.bytes -= copy.bytes;
    completePhase(barrier);
  }
  finishArrivals();
}

void Cta::endCopy(AsyncCopy &copy) {
  if (!copy.over)
    memory.endCopy(copy.thread, copy.target, copy.bytes);
  copy.over = true;
}

void Cta::issue(AsyncCopy copy, const char *what) {
  if (copy.target + copy.bytes > memory.size())
    fail(copy.place,
         format("out of bounds: %s to bytes %u to %u of a shared "
                "memory of %u bytes",
                what, copy.target, copy.target + copy.bytes, memory.size()));
  if (copy.valid > 0 && !isInBuffer(copy.source, copy.valid))
    fail(copy.place,
         format("out of bounds: %s reads %u bytes at %p, which are "
                "in no buffer of the launch",
                what, copy.valid, static_cast<const void *>(copy.source)));
  checkRace(
      copy.place, what,
      memory.beginCopy(running->index, copy.target, copy.bytes, copy.place));
  copy.thread = running->index;
  begin(std::make_shared<AsyncCopy>(copy));
  mayYield();
}

void Cta::begin(AsyncCopyRef copy) {
  if (copy->barrier < 0)
    running->copies.back().push_back(copy);
  if (plain)
    perform(*copy);
  else
    openCopies.push_back(copy);
}

void Cta::waitForCopies(int32_t pending) {
  auto &groups = running->copies;
  // The last group is still open.
  while (int64_t(groups.size()) - 1 > pending) {
    for (AsyncCopyRef &copy : groups.front()) {
      if (!copy->done)
        perform(*copy);
      endCopy(*copy);
    }
    groups.pop_front();
  }
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// The offset of `address`, or one that is surely out of bounds.
static unsigned getOffset(const void *address) {
  SharedMemory &shared = getCta().shared();
  return shared.contains(address) ? shared.offsetOf(address)
                                  : SharedMemory::kWindow;
}

/// Reports addresses or sizes that are no multiples of `unit`.
static void checkUnit(const char *what, unsigned offset, const void *source,
                      int64_t bytes, unsigned unit, const char *place) {
  if (offset % unit != 0 || reinterpret_cast<uintptr_t>(source) % unit != 0 ||
      bytes % unit != 0)
    getCta().fail(place, format("%s of %lld bytes from %p to byte %u of shared "
                                "memory: expected multiples of %u",
                                what, (long long)bytes, source, offset, unit));
}

extern "C" void dit_emu_cp_async(void *target, const void *source,
                                 int32_t bytes, int32_t valid,
                                 const char *place) {
  if (valid < 0 || valid > bytes)
    getCta().fail(place, format("cp.async of %d bytes from a source of %d: "
                                "expected 0 to %d",
                                bytes, valid, bytes));
  unsigned offset = getOffset(target);
  checkUnit("cp.async", offset, source, bytes, bytes, place);
  ++getCounters().cp_async;
  getCounters().cp_async_bytes += bytes;
  AsyncCopy copy{offset, unsigned(bytes), unsigned(valid),
                 static_cast<const char *>(source), place};
  getCta().issue(copy, "cp.async");
}

extern "C" void dit_emu_cp_async_commit(const char *) {
  getCta().current().copies.emplace_back();
}

extern "C" void dit_emu_cp_async_wait(int32_t pending, const char *) {
  getCta().waitForCopies(pending);
}

extern "C" void dit_emu_cp_async_bulk(void *target, const void *source,
                                      void *barrier, int32_t bytes,
                                      const char *place) {
  unsigned offset = getOffset(target);
  checkUnit("cp.async.bulk", offset, source, bytes, 16, place);
  // Reports what is no mbarrier.
  getCta().arriveAtMBarrier(barrier, /*bytes=*/0, /*count=*/0, /*dropped=*/0,
                            place);
  ++getCounters().cp_async_bulk;
  getCounters().cp_async_bulk_bytes += bytes;
  AsyncCopy copy{offset, unsigned(bytes), unsigned(bytes),
                 static_cast<const char *>(source), place};
  copy.barrier = getOffset(barrier);
  getCta().issue(copy, "cp.async.bulk");
}
