//===- Cta.cpp - The threads of one CTA and who runs next -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Any thread that does not wait may run next, and any asynchronous operation
// may take place at any time between its issue and the wait for it. The plain
// schedule takes the first thread and the earliest time; others choose by their
// seed, and every fourth of them lets asynchronous operations take place as
// late as it can.
//
//===----------------------------------------------------------------------===//

#include "Cta.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

using namespace dit_emu;

/// The CTA that this thread of the host runs.
static thread_local Cta *runningCta = nullptr;

Cta &dit_emu::getCta() { return *runningCta; }

dit_emu_counters &dit_emu::getCounters() {
  static thread_local dit_emu_counters counters;
  return counters;
}

std::string dit_emu::format(const char *text, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(buffer, sizeof buffer, text, arguments);
  va_end(arguments);
  return buffer;
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
uint64_t Random::next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Cta::Cta(const dit_emu_kernel &kernel, const dit_emu_grid &grid,
         std::vector<dit_emu_buffer> someBuffers)
    : kernel(kernel), grid(grid), buffers(std::move(someBuffers)),
      numThreads(grid.threads[0] * grid.threads[1] * grid.threads[2]) {
  std::sort(buffers.begin(), buffers.end(),
            [](const dit_emu_buffer &a, const dit_emu_buffer &b) {
              return a.data < b.data;
            });
  warps.resize((numThreads + kWarpLanes - 1) / kWarpLanes);
  for (unsigned i = 0; i < numThreads; ++i) {
    threads.push_back(std::make_unique<Thread>());
    Thread &thread = *threads.back();
    thread.index = i;
    thread.id[0] = i % grid.threads[0];
    thread.id[1] = i / grid.threads[0] % grid.threads[1];
    thread.id[2] = i / grid.threads[0] / grid.threads[1];
  }
}

bool Cta::isInBuffer(const char *address, int64_t bytes) const {
  // Buffers may overlap: any that begins before may hold it.
  for (const dit_emu_buffer &buffer : buffers) {
    auto begin = static_cast<const char *>(buffer.data);
    if (begin > address)
      break;
    if (address + bytes <= begin + buffer.bytes)
      return true;
  }
  return buffers.empty();
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

std::string Cta::describe(const Thread &thread) const {
  return format("thread %u (%u, %u, %u)", thread.index, thread.id[0],
                thread.id[1], thread.id[2]);
}

void Cta::fail(const char *place, std::string text) {
  {
    std::string taken = std::move(text);
    if (report.empty())
      report = format("%s: kernel %s, CTA (%u, %u, %u), ", place, kernel.name,
                      id[0], id[1], id[2]) +
               describe(*running) + ": " + taken;
  }
  // Never resumed.
  running->fiber.suspend(/*last=*/true);
  __builtin_unreachable();
}

void Cta::checkRace(const char *place, const char *what, std::string wrong) {
  if (wrong.empty())
    return;
  std::string text = format("race: %s: %s", what, wrong.c_str());
  std::string().swap(wrong);
  fail(place, std::move(text));
}

void Cta::reportDeadlock() {
  report = format("kernel %s, CTA (%u, %u, %u): deadlock: no thread can go on",
                  kernel.name, id[0], id[1], id[2]);
  // Threads that wait at the same place for the same thing in one line.
  std::vector<const Thread *> told;
  for (auto &thread : threads) {
    if (thread->finished)
      continue;
    auto isAlike = [&](const Thread *other) {
      return !std::strcmp(other->waitsAt, thread->waitsAt) &&
             !std::strcmp(other->waitsFor, thread->waitsFor) &&
             other->waitsAtBarrier == thread->waitsAtBarrier;
    };
    if (std::any_of(told.begin(), told.end(), isAlike))
      continue;
    told.push_back(thread.get());
    unsigned count = 0;
    for (auto &other : threads)
      count += !other->finished && isAlike(other.get());
    report +=
        format("\n  %s: %u threads, the first is ", thread->waitsAt, count) +
        describe(*thread) + ", wait for " + thread->waitsFor;
    auto at = mbarriers.find(thread->waitsAtBarrier);
    if (at != mbarriers.end())
      report += format(" at byte %u, which expects %lld more arrivals and %lld "
                       "more bytes in its phase %llu",
                       at->first, (long long)at->second.pending,
                       (long long)at->second.bytes,
                       (unsigned long long)at->second.phase);
  }
}

//===----------------------------------------------------------------------===//
// The schedule
//===----------------------------------------------------------------------===//

void Cta::reset(const unsigned (&newId)[3], uint64_t seed) {
  std::copy(newId, newId + 3, id);
  plain = seed == 0;
  random = Random(seed * 0x9e3779b97f4a7c15 + newId[0] + 4099 * newId[1] +
                  4111 * newId[2]);
  memory.reset(kernel.static_shared + grid.dynamic_shared);
  barriers = {};
  openCopies.clear();
  copyArrivals.clear();
  mbarriers.clear();
  pollers.clear();
  fruitlessPolls = 0;
  ready.clear();
  numFinished = 0;
  for (Warp &warp : warps)
    warp = Warp();
  for (auto &thread : threads) {
    thread->finished = false;
    thread->waitsAt = thread->waitsFor = nullptr;
    thread->waitsAtBarrier = -1;
    thread->copies.clear();
    thread->copies.emplace_back();
    warps[thread->warp()].alive |= 1u << thread->lane();
    ready.push_back(thread->index);
  }
}

void Cta::enterThread(void *argument) {
  Cta &cta = getCta();
  cta.kernel.thread(cta.arguments);
  (void)argument;
  cta.finishThread();
}

void Cta::finishThread() {
  Thread &thread = *running;
  thread.finished = true;
  ++numFinished;
  Warp &warp = warpOf(thread);
  warp.alive &= ~(1u << thread.lane());
  // Nobody waits for a thread that is gone.
  for (size_t i = 0; i < warp.collectives.size();) {
    const Collective &collective = warp.collectives[i];
    if (collective.arrived == (collective.mask & warp.alive))
      completeCollective(thread.warp(), i);
    else
      ++i;
  }
  for (Barrier &barrier : barriers)
    if (barrier.arrived && isComplete(barrier))
      completeBarrier(barrier);
  thread.fiber.suspend(/*last=*/true);
}

Thread *Cta::pickThread() {
  if (ready.empty())
    return nullptr;
  size_t at = plain ? 0 : random.below(ready.size());
  Thread *thread = threads[ready[at]].get();
  if (plain) {
    ready.erase(ready.begin());
  } else {
    ready[at] = ready.back();
    ready.pop_back();
  }
  return thread;
}

bool Cta::performSomeCopy() {
  if (openCopies.empty())
    return false;
  size_t at = random.below(openCopies.size());
  AsyncCopyRef copy = openCopies[at];
  openCopies[at] = openCopies.back();
  openCopies.pop_back();
  if (!copy->done)
    perform(*copy);
  return true;
}

void Cta::resume(Thread &thread) {
  running = &thread;
  thread.fiber.resume();
}

bool Cta::run(const unsigned (&newId)[3], void **newArguments, uint64_t seed) {
  report.clear();
  if (!memory) {
    report = format("no memory to emulate kernel %s", kernel.name);
    return false;
  }
  arguments = newArguments;
  reset(newId, seed);
  runningCta = this;
  for (auto &thread : threads)
    if (!thread->fiber.start(enterThread, nullptr)) {
      report = format("no memory for the stacks of kernel %s", kernel.name);
      return false;
    }
  bool late = seed % 4 == 3;
  while (report.empty()) {
    if (!plain && !late && random.below(4) == 0)
      performSomeCopy();
    if (Thread *thread = pickThread()) {
      resume(*thread);
    } else if (!performSomeCopy() && !resumePollers()) {
      if (numFinished == numThreads)
        break;
      reportDeadlock();
    }
  }
  runningCta = nullptr;
  return report.empty();
}

bool Cta::resumePollers() {
  // A phase that is not over after so many questions will never be.
  constexpr unsigned kMaxFruitlessPolls = 100;
  if (pollers.empty() || fruitlessPolls++ > kMaxFruitlessPolls)
    return false;
  for (Thread *thread : pollers)
    ready.push_back(thread->index);
  pollers.clear();
  return true;
}

void Cta::wait(const char *what, const char *place) {
  running->waitsFor = what;
  running->waitsAt = place;
  running->fiber.suspend();
}

void Cta::wake(Thread &thread) {
  fruitlessPolls = 0;
  thread.waitsAtBarrier = -1;
  thread.waitsFor = thread.waitsAt = nullptr;
  ready.push_back(thread.index);
}

void Cta::mayYield() {
  if (plain || random.below(8) != 0)
    return;
  wake(*running);
  running->fiber.suspend();
}

//===----------------------------------------------------------------------===//
// Collectives of a warp
//===----------------------------------------------------------------------===//

void Cta::checkCollective(const Warp &warp, const char *what, uint32_t mask,
                          const char *place) {
  uint32_t self = 1u << running->lane();
  if (!(mask & self))
    fail(place, format("%s with lanes 0x%08x, without its own, lane %u", what,
                       mask, running->lane()));
  for (const Collective &other : warp.collectives)
    if ((other.mask & self) && (mask & other.arrived) &&
        (other.mask != mask || std::strcmp(other.what, what)))
      fail(place,
           format("%s with lanes 0x%08x, while lanes 0x%08x wait for it at %s "
                  "with lanes 0x%08x at %s",
                  what, mask, other.arrived, other.what, other.mask,
                  other.place));
}

void Cta::completeCollective(unsigned warpIndex, size_t index) {
  Warp &warp = warps[warpIndex];
  Collective collective = warp.collectives[index];
  warp.collectives.erase(warp.collectives.begin() + index);
  memory.meet(warpIndex);
  collective.execute(*this, warpIndex, collective.arrived, collective.place);
  for (unsigned lane = 0; lane < kWarpLanes; ++lane) {
    if (!(collective.arrived >> lane & 1))
      continue;
    Thread &thread = *threads[warpIndex * kWarpLanes + lane];
    if (&thread != running)
      wake(thread);
  }
}

void Cta::collective(const char *what, uint32_t mask, void *operands,
                     const char *place, CollectiveFn execute) {
  mayYield();
  Thread &thread = *running;
  Warp &warp = warpOf(thread);
  checkCollective(warp, what, mask, place);
  thread.operands = operands;
  uint32_t self = 1u << thread.lane();
  size_t index = 0, end = warp.collectives.size();
  auto isThis = [&](const Collective &some) {
    return some.mask == mask && !std::strcmp(some.what, what);
  };
  while (index < end && !isThis(warp.collectives[index]))
    ++index;
  if (index == end)
    warp.collectives.push_back({what, place, mask, 0, execute});
  Collective &collective = warp.collectives[index];
  collective.arrived |= self;
  if (collective.arrived == (mask & warp.alive))
    completeCollective(thread.warp(), index);
  else
    wait(what, place);
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

bool Cta::isComplete(const Barrier &barrier) const {
  int32_t alive = numThreads - numFinished;
  return barrier.arrived >= (barrier.expected < 0 ? alive : barrier.expected);
}

void Cta::completeBarrier(Barrier &barrier) {
  int32_t result = barrier.holds;
  if (barrier.reduction == Reduction::And)
    result = barrier.holds == barrier.arrived;
  else if (barrier.reduction == Reduction::Or)
    result = barrier.holds != 0;
  for (Thread *thread : barrier.waiting) {
    memory.acquire(thread->warp(), barrier.clock);
    memory.meet(thread->warp());
    thread->barrierResult = result;
    if (thread != running)
      wake(*thread);
  }
  barrier = Barrier();
}

int32_t Cta::arrive(unsigned barrierId, int32_t expected, bool waits,
                    Reduction reduction, bool predicate, const char *place) {
  if (barrierId >= kNumBarriers)
    fail(place, format("barrier %d: expected one of 0 to 15", int(barrierId)));
  if (expected >= 0 && (expected == 0 || expected % kWarpLanes != 0))
    fail(place, format("barrier %u of %d threads: expected a multiple of 32",
                       barrierId, expected));
  if (expected >= 0 && numThreads % kWarpLanes != 0)
    fail(place, format("barrier %u of %d threads in a CTA of %u threads: "
                       "expected full warps",
                       barrierId, expected, numThreads));
  mayYield();
  Barrier &barrier = barriers[barrierId];
  auto describeCount = [](int32_t count) {
    return count < 0 ? std::string("all threads") : format("%d threads", count);
  };
  if (barrier.arrived && barrier.expected != expected)
    fail(place, format("barrier %u of %s, while others wait there for %s",
                       barrierId, describeCount(expected).c_str(),
                       describeCount(barrier.expected).c_str()));
  barrier.expected = expected;
  barrier.reduction = reduction;
  ++barrier.arrived;
  barrier.holds += predicate;
  memory.release(running->warp(), barrier.clock);
  if (waits)
    barrier.waiting.push_back(running);
  if (isComplete(barrier))
    completeBarrier(barrier);
  else if (waits)
    wait("a barrier", place);
  return waits ? running->barrierResult : 0;
}
