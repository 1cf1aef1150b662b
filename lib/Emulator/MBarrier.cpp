//===- MBarrier.cpp - Barriers in shared memory ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An mbarrier counts arrivals and bytes; when a phase has all of both, it is
// over and the next one begins with the same count of arrivals. What it holds
// is kept beside shared memory: its eight bytes there are touched like any
// others, so that whoever uses it before its initialisation is known to be
// done, or writes over it, races with that.
//
//===----------------------------------------------------------------------===//

#include "Cta.h"

#include <algorithm>

using namespace dit_emu;

static constexpr unsigned kMBarrierBytes = 8;
/// The most arrivals that a phase can take.
static constexpr int32_t kMaxCount = (1 << 20) - 1;

MBarrier &Cta::getMBarrier(const void *address, const char *what,
                           const char *place) {
  auto at = memory.contains(address) ? mbarriers.find(memory.offsetOf(address))
                                     : mbarriers.end();
  if (at == mbarriers.end())
    fail(place,
         format("%s of what is no mbarrier: nothing has initialised it", what));
  checkRace(place, what,
            memory.read(running->index, at->first, kMBarrierBytes, place));
  return at->second;
}

void Cta::initMBarrier(const void *address, int32_t count, const char *place) {
  unsigned offset = memory.contains(address) ? memory.offsetOf(address)
                                             : SharedMemory::kWindow;
  if (offset + kMBarrierBytes > memory.size() || offset % kMBarrierBytes != 0)
    fail(place,
         format("mbarrier.init at byte %u of a shared memory of %u bytes: "
                "expected a multiple of 8 inside",
                offset, memory.size()));
  if (count < 1 || count > kMaxCount)
    fail(place, format("mbarrier.init for %d arrivals: expected 1 to %d", count,
                       kMaxCount));
  if (mbarriers.count(offset))
    fail(place, "mbarrier.init of what is an mbarrier: expected mbarrier.inval "
                "first");
  checkRace(place, "mbarrier.init",
            memory.write(running->index, offset, kMBarrierBytes, place));
  MBarrier barrier;
  barrier.expected = barrier.pending = count;
  mbarriers.emplace(offset, std::move(barrier));
}

void Cta::invalidateMBarrier(const void *address, const char *place) {
  getMBarrier(address, "mbarrier.inval", place);
  unsigned offset = memory.offsetOf(address);
  checkRace(place, "mbarrier.inval",
            memory.write(running->index, offset, kMBarrierBytes, place));
  mbarriers.erase(offset);
}

void Cta::completePhase(MBarrier &barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0)
    return;
  ++barrier.phase;
  barrier.pending = barrier.expected;
  barrier.completed = barrier.clock;
  barrier.clock = {};
  for (Thread *thread : barrier.waiting)
    wake(*thread);
  barrier.waiting.clear();
}

uint64_t Cta::arriveAtMBarrier(const void *address, int64_t bytes,
                               int32_t count, int32_t dropped,
                               const char *place) {
  mayYield();
  MBarrier &barrier = getMBarrier(address, "mbarrier.arrive", place);
  uint64_t phase = barrier.phase;
  if (count > barrier.pending)
    fail(place,
         format("%d arrivals at an mbarrier whose phase %llu expects %lld "
                "more",
                count, (unsigned long long)phase, (long long)barrier.pending));
  barrier.bytes += bytes;
  barrier.pending -= count;
  barrier.expected -= dropped;
  if (count > 0) {
    memory.release(running->warp(), barrier.clock);
    completePhase(barrier);
  }
  return phase;
}

void Cta::completeBytes(const void *address, int64_t bytes, const char *place) {
  MBarrier &barrier = getMBarrier(address, "mbarrier.complete_tx", place);
  barrier.bytes -= bytes;
  completePhase(barrier);
}

bool Cta::isOver(const MBarrier &barrier, uint64_t phase, bool isParity) const {
  // Of a parity the phase that runs, if it has that parity, is not over.
  return isParity ? barrier.phase % 2 != phase % 2 : barrier.phase > phase;
}

bool Cta::testMBarrier(const void *address, uint64_t phase, bool isParity,
                       bool blocks, const char *place) {
  mayYield();
  MBarrier *barrier = &getMBarrier(address, "mbarrier.test_wait", place);
  if (!isOver(*barrier, phase, isParity)) {
    // A wait may end before the phase does.
    bool polls = !blocks || (!plain && random.below(4) == 0);
    running->waitsAtBarrier = memory.offsetOf(address);
    (polls ? pollers : barrier->waiting).push_back(running);
    wait("a phase of the mbarrier", place);
    barrier = &getMBarrier(address, "mbarrier.test_wait", place);
  }
  if (!isOver(*barrier, phase, isParity))
    return false;
  fruitlessPolls = 0;
  memory.acquire(running->warp(), barrier->completed);
  memory.meet(running->warp());
  return true;
}

//===----------------------------------------------------------------------===//
// Arrivals of copies
//===----------------------------------------------------------------------===//

void Cta::finishArrivals() {
  for (size_t i = 0; i < copyArrivals.size();) {
    CopyArrival &arrival = copyArrivals[i];
    if (!std::all_of(arrival.copies.begin(), arrival.copies.end(),
                     [](const AsyncCopyRef &copy) { return copy->done; })) {
      ++i;
      continue;
    }
    for (AsyncCopyRef &copy : arrival.copies)
      endCopy(*copy);
    MBarrier &barrier = mbarriers.at(arrival.barrier);
    memory.release(arrival.thread / kWarpLanes, barrier.clock);
    --barrier.pending;
    completePhase(barrier);
    copyArrivals.erase(copyArrivals.begin() + i);
  }
}

void Cta::arriveAfterCopies(const void *address, bool counted,
                            const char *place) {
  MBarrier &barrier = getMBarrier(address, "cp.async.mbarrier.arrive", place);
  if (!counted)
    ++barrier.pending;
  if (barrier.pending < 1)
    fail(place,
         format("an arrival at an mbarrier whose phase %llu expects none",
                (unsigned long long)barrier.phase));
  CopyArrival arrival{memory.offsetOf(address), running->index, {}};
  for (auto &group : running->copies)
    for (AsyncCopyRef &copy : group)
      if (!copy->over)
        arrival.copies.push_back(copy);
  copyArrivals.push_back(std::move(arrival));
  finishArrivals();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

extern "C" void dit_emu_mbarrier_init(void *barrier, int32_t count,
                                      const char *place) {
  getCta().initMBarrier(barrier, count, place);
}

extern "C" void dit_emu_mbarrier_inval(void *barrier, const char *place) {
  getCta().invalidateMBarrier(barrier, place);
}

extern "C" uint64_t dit_emu_mbarrier_arrive(void *barrier, int32_t bytes,
                                            int32_t count, bool drop,
                                            const char *place) {
  ++getCounters().mbarrier;
  return getCta().arriveAtMBarrier(barrier, bytes, count, drop ? count : 0,
                                   place);
}

extern "C" void dit_emu_mbarrier_complete_tx(void *barrier, int32_t bytes,
                                             const char *place) {
  getCta().completeBytes(barrier, bytes, place);
}

extern "C" bool dit_emu_mbarrier_test(void *barrier, uint64_t phase,
                                      bool is_parity, bool blocks,
                                      const char *place) {
  return getCta().testMBarrier(barrier, phase, is_parity, blocks, place);
}

extern "C" void dit_emu_mbarrier_wait(void *barrier, int32_t parity,
                                      const char *place) {
  while (!getCta().testMBarrier(barrier, parity, /*isParity=*/true,
                                /*blocks=*/true, place)) {
  }
}

extern "C" void dit_emu_cp_async_mbarrier_arrive(void *barrier, bool counted,
                                                 const char *place) {
  getCta().arriveAfterCopies(barrier, counted, place);
}
