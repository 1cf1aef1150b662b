//===- Cta.h - The threads of one CTA and who runs next ---------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The state of the CTA that runs, and its scheduler.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_EMULATOR_CTA_H
#define DIT_LIB_EMULATOR_CTA_H

#include "Fiber.h"
#include "SharedMemory.h"

#include "dit/Emulator/Emulator.h"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dit_emu {

inline constexpr unsigned kWarpLanes = 32;
inline constexpr unsigned kMaxThreads = 1024;
inline constexpr unsigned kNumBarriers = 16;

/// Random numbers that are the same everywhere for the same seed.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next();
  /// Below `bound`, which is not zero.
  unsigned below(unsigned bound) { return next() % bound; }

private:
  uint64_t state;
};

struct Thread;

/// An asynchronous copy from its issue to where it is known to be over: the
/// wait of the thread that issued it, or the phase of an mbarrier.
struct AsyncCopy {
  unsigned target, bytes, valid;
  const char *source;
  const char *place;
  /// The thread that issued it.
  unsigned thread = 0;
  /// Where the mbarrier is that counts its bytes, or -1.
  int barrier = -1;
  /// Whether it took place, and whether that is known.
  bool done = false, over = false;
};
using AsyncCopyRef = std::shared_ptr<AsyncCopy>;

/// An arrival at an mbarrier when copies of `cp.async` have taken place.
struct CopyArrival {
  unsigned barrier;
  unsigned thread;
  std::vector<AsyncCopyRef> copies;
};

/// What an mbarrier holds, but for the bits.
struct MBarrier {
  /// Arrivals that a phase takes, and that this one still waits for.
  int64_t expected, pending;
  /// Bytes that this phase still waits for.
  int64_t bytes = 0;
  /// Phases that are over.
  uint64_t phase = 0;
  std::vector<Thread *> waiting;
  /// What arrivals of this phase, and of the last one, hand on.
  VectorClock clock{}, completed{};
};

struct Thread {
  /// Of the CTA, x fastest.
  unsigned index;
  unsigned id[3];
  bool finished = false;
  /// Where and at what it waits; null while it can run.
  const char *waitsAt = nullptr;
  const char *waitsFor = nullptr;
  /// The operands of the collective at which it waits.
  void *operands = nullptr;
  /// What the last barrier gave it.
  int32_t barrierResult = 0;
  /// The mbarrier at which it waits, by its offset, or -1.
  int waitsAtBarrier = -1;
  /// Groups of asynchronous copies, the open one last.
  std::deque<std::vector<AsyncCopyRef>> copies;
  Fiber fiber;

  unsigned lane() const { return index % kWarpLanes; }
  unsigned warp() const { return index / kWarpLanes; }
};

class Cta;

/// Does what lanes of a warp do together, when they are all there.
using CollectiveFn = void (*)(Cta &cta, unsigned warp, uint32_t lanes,
                              const char *place);

/// Lanes of a warp that wait for each other.
struct Collective {
  const char *what;
  const char *place;
  uint32_t mask;
  uint32_t arrived;
  CollectiveFn execute;
};

struct Warp {
  /// Lanes that exist and have not finished.
  uint32_t alive = 0;
  std::vector<Collective> collectives;
};

/// What `bar.red` computes of the predicates; plain barriers do none of it.
enum class Reduction { None, Popc, And, Or };

/// A named barrier. Threads count, as lanes may arrive one by one.
struct Barrier {
  /// Below zero for all threads that have not finished.
  int32_t expected = 0;
  int32_t arrived = 0;
  std::vector<Thread *> waiting;
  /// How many threads gave a predicate that holds.
  int32_t holds = 0;
  Reduction reduction = Reduction::None;
  VectorClock clock{};
};

/// The CTA that this thread of the host runs.
class Cta {
public:
  Cta(const dit_emu_kernel &kernel, const dit_emu_grid &grid,
      std::vector<dit_emu_buffer> buffers);

  /// Runs CTA `id`; false if there is a report.
  bool run(const unsigned (&id)[3], void **arguments, uint64_t seed);
  const std::string &getReport() const { return report; }

  /// The thread that runs.
  Thread &current() { return *running; }
  Warp &warpOf(const Thread &thread) { return warps[thread.warp()]; }
  unsigned getNumThreads() const { return numThreads; }
  const dit_emu_grid &getGrid() const { return grid; }
  const unsigned (&getId() const)[3] { return id; }
  SharedMemory &shared() { return memory; }
  /// Whether `[address, address + bytes)` is in one of the launch's buffers.
  bool isInBuffer(const char *address, int64_t bytes) const;

  /// Stops the CTA with a report about the running thread, whose stack is left
  /// as it is: what its functions own, they must have given away.
  [[noreturn]] void fail(const char *place, std::string text);
  /// The same if an access, named `what`, is `wrong` and so races.
  void checkRace(const char *place, const char *what, std::string wrong);

  /// Lets the running thread wait until `wake`.
  void wait(const char *what, const char *place);
  void wake(Thread &thread);
  /// Perhaps lets others go first: called where their order matters.
  void mayYield();

  /// Waits for the lanes of `mask`; the last one calls `execute`, when the
  /// `operands` of all of them are there.
  void collective(const char *what, uint32_t mask, void *operands,
                  const char *place, CollectiveFn execute);
  /// The operands of lane `lane` of `warp`, of the type that the op gave.
  template <typename T>
  T &operandsOf(unsigned warp, unsigned lane) {
    return *static_cast<T *>(threads[warp * kWarpLanes + lane]->operands);
  }

  /// Arrives at a named barrier, and waits there if `wait`.
  int32_t arrive(unsigned id, int32_t expected, bool waits, Reduction reduction,
                 bool predicate, const char *place);

  /// Begins an asynchronous copy of the running thread, which `what` names in
  /// reports; checks its addresses. It belongs to the thread's open group, or
  /// to an mbarrier.
  void issue(AsyncCopy copy, const char *what);
  /// Ends all but the last `pending` groups of copies of the running thread.
  void waitForCopies(int32_t pending);

  // Operations on mbarriers, see MBarrier.cpp.
  void initMBarrier(const void *address, int32_t count, const char *place);
  void invalidateMBarrier(const void *address, const char *place);
  /// Adds `bytes` to what the phase waits for, arrives `count` times, takes
  /// `dropped` off the count of the phases that follow. Returns the phase.
  uint64_t arriveAtMBarrier(const void *address, int64_t bytes, int32_t count,
                            int32_t dropped, const char *place);
  void completeBytes(const void *address, int64_t bytes, const char *place);
  /// Whether phase `phase`, or the last one of that parity, is over; waits for
  /// it if `blocks`, though maybe not to the end.
  bool testMBarrier(const void *address, uint64_t phase, bool isParity,
                    bool blocks, const char *place);
  /// Lets the copies of the running thread so far arrive when they are done.
  void arriveAfterCopies(const void *address, bool counted, const char *place);

private:
  static void enterThread(void *thread);
  void finishThread();
  void reset(const unsigned (&newId)[3], uint64_t seed);
  /// Runs `thread` until it waits, yields or ends.
  void resume(Thread &thread);
  Thread *pickThread();
  /// Lets threads that poll ask again; false if that has led to nothing.
  bool resumePollers();
  /// Lets one asynchronous copy take place; false if there is none.
  bool performSomeCopy();
  void begin(AsyncCopyRef copy);
  void perform(AsyncCopy &copy);
  void endCopy(AsyncCopy &copy);
  void finishArrivals();
  MBarrier &getMBarrier(const void *address, const char *what,
                        const char *place);
  void completePhase(MBarrier &barrier);
  bool isOver(const MBarrier &barrier, uint64_t phase, bool isParity) const;
  void completeBarrier(Barrier &barrier);
  bool isComplete(const Barrier &barrier) const;
  void completeCollective(unsigned warp, size_t index);
  void reportDeadlock();
  std::string describe(const Thread &thread) const;
  void checkCollective(const Warp &warp, const char *what, uint32_t mask,
                       const char *place);

  const dit_emu_kernel &kernel;
  const dit_emu_grid &grid;
  std::vector<dit_emu_buffer> buffers;
  unsigned numThreads;
  unsigned numFinished = 0;
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<Warp> warps;
  std::array<Barrier, kNumBarriers> barriers;
  SharedMemory memory;

  unsigned id[3] = {0, 0, 0};
  void **arguments = nullptr;
  Thread *running = nullptr;
  /// Threads that can run, in no order that matters but the plain schedule's.
  std::vector<unsigned> ready;
  /// Copies that have not taken place.
  std::vector<AsyncCopyRef> openCopies;
  std::vector<CopyArrival> copyArrivals;
  /// By their offsets in shared memory.
  std::map<unsigned, MBarrier> mbarriers;
  /// Threads that ask again and again whether a phase is over, and how often
  /// they have since anything else happened.
  std::vector<Thread *> pollers;
  unsigned fruitlessPolls = 0;
  bool plain = true;
  Random random{0};
  std::string report;
};

/// The CTA that the calling operation belongs to.
Cta &getCta();
/// Its counters.
dit_emu_counters &getCounters();

/// How to write what went wrong.
[[gnu::format(printf, 1, 2)]] std::string format(const char *text, ...);

} // namespace dit_emu

#endif // DIT_LIB_EMULATOR_CTA_H
