//===- Launch.cpp - Grids, special registers and plain accesses -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cta.h"

#include <atomic>
#include <cstdlib>

using namespace dit_emu;

extern "C" void dit_rt_check_failed(const char *message);

/// Most dynamic and static shared memory of a CTA on any GPU, in bytes.
static constexpr int64_t kMaxShared = 227 * 1024;

static std::atomic<uint64_t> &getSeed() {
  static std::atomic<uint64_t> seed{[] {
    const char *text = getenv("DIT_EMULATOR_SEED");
    return text ? strtoull(text, nullptr, 10) : 0;
  }()};
  return seed;
}

extern "C" void dit_emu_set_seed(uint64_t seed) { getSeed() = seed; }

extern "C" const dit_emu_counters *dit_emu_get_counters() {
  return &getCounters();
}

extern "C" void dit_emu_reset_counters() { getCounters() = {}; }

/// What is wrong with a launch, or nothing.
static std::string checkGrid(const dit_emu_kernel &kernel,
                             const dit_emu_grid &grid) {
  static const int64_t maxCtas[] = {INT32_MAX, 65535, 65535};
  static const int64_t maxThreads[] = {1024, 1024, 64};
  for (int i = 0; i < 3; ++i) {
    if (grid.ctas[i] < 1 || grid.ctas[i] > maxCtas[i])
      return format("kernel %s: expected 1 to %lld CTAs in dimension %d, got "
                    "%lld",
                    kernel.name, (long long)maxCtas[i], i,
                    (long long)grid.ctas[i]);
    if (grid.threads[i] < 1 || grid.threads[i] > maxThreads[i])
      return format("kernel %s: expected 1 to %lld threads in dimension %d, "
                    "got %lld",
                    kernel.name, (long long)maxThreads[i], i,
                    (long long)grid.threads[i]);
  }
  int64_t threads = grid.threads[0] * grid.threads[1] * grid.threads[2];
  if (threads > kMaxThreads)
    return format("kernel %s: expected at most 1024 threads, got %lld",
                  kernel.name, (long long)threads);
  int64_t shared = kernel.static_shared + grid.dynamic_shared;
  if (grid.dynamic_shared < 0 || shared > kMaxShared)
    return format(
        "kernel %s: expected at most %lld bytes of shared memory, got "
        "%lld",
        kernel.name, (long long)kMaxShared, (long long)shared);
  return {};
}

static std::string runGrid(const dit_emu_kernel &kernel,
                           const dit_emu_grid &grid, void **arguments,
                           std::vector<dit_emu_buffer> buffers) {
  if (std::string wrong = checkGrid(kernel, grid); !wrong.empty())
    return wrong;
  uint64_t seed = getSeed();
  Cta cta(kernel, grid, std::move(buffers));
  for (int64_t z = 0; z < grid.ctas[2]; ++z)
    for (int64_t y = 0; y < grid.ctas[1]; ++y)
      for (int64_t x = 0; x < grid.ctas[0]; ++x) {
        const unsigned id[3] = {unsigned(x), unsigned(y), unsigned(z)};
        if (!cta.run(id, arguments, seed))
          return cta.getReport() +
                 format("\n  (seed %llu)", (unsigned long long)seed);
      }
  return {};
}

extern "C" const char *dit_emu_run(const dit_emu_kernel *kernel,
                                   const dit_emu_grid *grid, void **arguments,
                                   const dit_emu_buffer *buffers,
                                   int64_t numBuffers) {
  static thread_local std::string report;
  report = runGrid(*kernel, *grid, arguments, {buffers, buffers + numBuffers});
  return report.empty() ? nullptr : report.c_str();
}

extern "C" void dit_emu_launch(const dit_emu_kernel *kernel,
                               const dit_emu_grid *grid, void **arguments,
                               const dit_emu_buffer *buffers,
                               int64_t numBuffers) {
  if (const char *report =
          dit_emu_run(kernel, grid, arguments, buffers, numBuffers))
    dit_rt_check_failed(report);
}

//===----------------------------------------------------------------------===//
// Registers and memory
//===----------------------------------------------------------------------===//

extern "C" int32_t dit_emu_register(int32_t which) {
  Cta &cta = getCta();
  const Thread &thread = cta.current();
  switch (which) {
  case DIT_EMU_LANEID:
    return thread.lane();
  case DIT_EMU_WARPID:
    return thread.warp();
  case DIT_EMU_NWARPID:
    return (cta.getNumThreads() + kWarpLanes - 1) / kWarpLanes;
  }
  int dim = which % 3;
  switch (which - dim) {
  case DIT_EMU_TID:
    return thread.id[dim];
  case DIT_EMU_NTID:
    return cta.getGrid().threads[dim];
  case DIT_EMU_CTAID:
    return cta.getId()[dim];
  default:
    return cta.getGrid().ctas[dim];
  }
}

extern "C" void *dit_emu_shared() { return getCta().shared().data(); }

/// Whether `[address, address + bytes)` is shared memory; reports addresses
/// that are no memory of the kernel.
static bool isShared(Cta &cta, const void *address, int64_t bytes,
                     const char *place) {
  SharedMemory &shared = cta.shared();
  if (shared.contains(address)) {
    unsigned offset = shared.offsetOf(address);
    if (offset + bytes > shared.size())
      cta.fail(place,
               format("out of bounds: bytes %u to %lld of a shared "
                      "memory of %u bytes",
                      offset, (long long)(offset + bytes), shared.size()));
    return true;
  }
  if (!cta.current().fiber.contains(address) &&
      !cta.isInBuffer(static_cast<const char *>(address), bytes))
    cta.fail(place,
             format("out of bounds: %lld bytes at %p are in no buffer of "
                    "the launch",
                    (long long)bytes, address));
  return false;
}

extern "C" void dit_emu_access(const void *address, int64_t bytes, bool write,
                               const char *place) {
  Cta &cta = getCta();
  dit_emu_counters &counters = getCounters();
  if (!isShared(cta, address, bytes, place)) {
    (write ? counters.global_written : counters.global_read) += bytes;
    return;
  }
  (write ? counters.shared_written : counters.shared_read) += bytes;
  cta.mayYield();
  SharedMemory &shared = cta.shared();
  unsigned offset = shared.offsetOf(address), thread = cta.current().index;
  cta.checkRace(place, write ? "a store" : "a load",
                write ? shared.write(thread, offset, bytes, place)
                      : shared.read(thread, offset, bytes, place));
}

extern "C" void dit_emu_atomic(const void *address, int64_t bytes,
                               const char *place) {
  Cta &cta = getCta();
  if (!isShared(cta, address, bytes, place))
    return;
  cta.mayYield();
  SharedMemory &shared = cta.shared();
  cta.checkRace(place, "an atomic operation",
                shared.atomic(cta.current().index, shared.offsetOf(address),
                              bytes, place));
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

extern "C" void dit_emu_barrier(int32_t id, int32_t threads, bool wait,
                                const char *place) {
  ++getCounters().barrier;
  getCta().arrive(id, threads, wait, Reduction::None, false, place);
}

extern "C" int32_t dit_emu_barrier_reduce(int32_t id, int32_t threads,
                                          int32_t operation, int32_t predicate,
                                          const char *place) {
  static const Reduction kinds[] = {Reduction::Popc, Reduction::And,
                                    Reduction::Or};
  ++getCounters().barrier;
  return getCta().arrive(id, threads, /*waits=*/true, kinds[operation],
                         predicate != 0, place);
}
