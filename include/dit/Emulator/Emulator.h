//===- Emulator.h - C interface of the GPU emulator ---------------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What kernels under `--convert-nvvm-to-emulator` call. A kernel runs as native
// code, one fiber per CUDA thread and one CTA after the other; all that is more
// than the arithmetic of one thread comes here. The emulator chooses, by a
// seed, which warp goes on and when an asynchronous operation takes place, and
// reports what PTX leaves undefined: races, missing waits, accesses out of
// bounds, collectives that lanes do not reach together, deadlocks. Pure C++
// inside, no LLVM.
//
// Every function takes the place of the operation in the source, a string that
// lives as long as the program, as its last argument.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_EMULATOR_EMULATOR_H
#define DIT_EMULATOR_EMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A kernel. `thread` runs one thread of it, given what the launch was given.
typedef struct dit_emu_kernel {
  const char *name;
  void (*thread)(void **arguments);
  /// Bytes of the shared memory of static size, at the start of a CTA's.
  int64_t static_shared;
} dit_emu_kernel;

/// A range of memory that the kernel may touch.
typedef struct dit_emu_buffer {
  const void *data;
  int64_t bytes;
} dit_emu_buffer;

/// Extents x, y, z of a launch, in CTAs and threads, and its dynamic shared
/// memory in bytes.
typedef struct dit_emu_grid {
  int64_t ctas[3];
  int64_t threads[3];
  int64_t dynamic_shared;
} dit_emu_grid;

/// Runs a kernel to its end. With `num_buffers` of zero any address of global
/// memory is allowed. The schedule comes from `dit_emu_set_seed`, or from the
/// environment variable DIT_EMULATOR_SEED. Returns NULL, or a report of the
/// first thing that was wrong, valid until the next launch of this thread.
const char *dit_emu_run(const dit_emu_kernel *kernel, const dit_emu_grid *grid,
                        void **arguments, const dit_emu_buffer *buffers,
                        int64_t num_buffers);

/// The same for compiled programs: a report ends the program as a failed check
/// does.
void dit_emu_launch(const dit_emu_kernel *kernel, const dit_emu_grid *grid,
                    void **arguments, const dit_emu_buffer *buffers,
                    int64_t num_buffers);

/// Seed of the launches that follow on all threads. Zero is the plain schedule:
/// threads in order, asynchronous operations as early as possible.
void dit_emu_set_seed(uint64_t seed);

/// What the kernels of this thread did since the last reset.
typedef struct dit_emu_counters {
  /// Matrix instructions of warps, and their multiplications and additions.
  uint64_t mma, mma_flops;
  uint64_t ldmatrix, stmatrix, shuffle;
  /// `bar.sync` and `bar.arrive`, by threads.
  uint64_t barrier;
  /// Asynchronous copies, by threads, and the bytes that they wrote.
  uint64_t cp_async, cp_async_bytes;
  uint64_t cp_async_bulk, cp_async_bulk_bytes;
  /// Arrivals at mbarriers, of threads.
  uint64_t mbarrier;
  /// Bytes that plain loads and stores moved.
  uint64_t global_read, global_written, shared_read, shared_written;
} dit_emu_counters;
const dit_emu_counters *dit_emu_get_counters(void);
void dit_emu_reset_counters(void);

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// Special registers: `which` is one of the following plus 0, 1, 2 for x, y, z.
enum {
  DIT_EMU_TID = 0,
  DIT_EMU_NTID = 3,
  DIT_EMU_CTAID = 6,
  DIT_EMU_NCTAID = 9,
  DIT_EMU_LANEID = 12,
  DIT_EMU_WARPID = 13,
  DIT_EMU_NWARPID = 14,
};
int32_t dit_emu_register(int32_t which);

/// The start of the CTA's shared memory, aligned to 256 KiB: the low 18 bits of
/// an address in it are what PTX calls the shared address.
void *dit_emu_shared(void);

/// Comes before each load (`write` false) or store of `bytes` at `address`.
void dit_emu_access(const void *address, int64_t bytes, bool write,
                    const char *place);
/// Comes before each atomic operation.
void dit_emu_atomic(const void *address, int64_t bytes, const char *place);

/// `bar.sync` if `wait`, else `bar.arrive`. `threads` below zero are all.
void dit_emu_barrier(int32_t id, int32_t threads, bool wait, const char *place);
/// `bar.red`; `operation` is 0 for popc, 1 for and, 2 for or.
int32_t dit_emu_barrier_reduce(int32_t id, int32_t threads, int32_t operation,
                               int32_t predicate, const char *place);

void dit_emu_syncwarp(uint32_t mask, const char *place);
/// `shfl.sync` of 32 bits; `kind` is 0 for bfly, 1 for up, 2 for down, 3 for
/// idx; `*valid`, if not NULL, is whether the source lane is in range.
uint32_t dit_emu_shuffle(int32_t kind, uint32_t mask, uint32_t value,
                         uint32_t offset, uint32_t clamp, bool *valid,
                         const char *place);
/// `vote.sync`; `kind` is 0 for any, 1 for all, 2 for ballot, 3 for uni.
uint32_t dit_emu_vote(int32_t kind, uint32_t mask, bool predicate,
                      const char *place);
/// `redux.sync` of integers by NVVM's numbers of kinds.
uint32_t dit_emu_redux(int32_t kind, uint32_t mask, uint32_t value,
                       const char *place);
bool dit_emu_elect(uint32_t mask, const char *place);

/// Element types of matrix operands.
enum { DIT_EMU_F16 = 0, DIT_EMU_BF16 = 1 };

/// `ldmatrix` of `count` matrices of 8 x 8 elements of 16 bits; each lane gets
/// one register of each.
void dit_emu_ldmatrix(const void *row, int32_t count, bool transposed,
                      uint32_t *registers, const char *place);
void dit_emu_stmatrix(void *row, int32_t count, bool transposed,
                      const uint32_t *registers, const char *place);
/// `mma.sync.m16n8k<k>.row.col` with accumulators in f32: `a` of k / 4
/// registers, `b` of k / 8, `c` and `d` of four.
void dit_emu_mma(int32_t k, int32_t type, const uint32_t *a, const uint32_t *b,
                 const float *c, float *d, const char *place);

/// `cp.async`: `bytes` from `source`, of which those from `valid` on are zero.
void dit_emu_cp_async(void *target, const void *source, int32_t bytes,
                      int32_t valid, const char *place);
void dit_emu_cp_async_commit(const char *place);
/// Waits until at most `pending` groups of this thread are under way.
void dit_emu_cp_async_wait(int32_t pending, const char *place);

/// Lets the copies of this thread so far arrive at an mbarrier when they have
/// taken place. `counted` (`.noinc`): the arrival is one of those that the
/// phase expects; else one more.
void dit_emu_cp_async_mbarrier_arrive(void *barrier, bool counted,
                                      const char *place);
/// `cp.async.bulk` from global to shared memory: an mbarrier counts its bytes.
void dit_emu_cp_async_bulk(void *target, const void *source, void *barrier,
                           int32_t bytes, const char *place);

/// `mbarrier.init` for phases of `count` arrivals, and `mbarrier.inval`.
void dit_emu_mbarrier_init(void *barrier, int32_t count, const char *place);
void dit_emu_mbarrier_inval(void *barrier, const char *place);
/// Adds `bytes` to what the phase expects, then arrives `count` times, for good
/// if `drop`. Returns the phase, for `dit_emu_mbarrier_test`.
uint64_t dit_emu_mbarrier_arrive(void *barrier, int32_t bytes, int32_t count,
                                 bool drop, const char *place);
void dit_emu_mbarrier_complete_tx(void *barrier, int32_t bytes,
                                  const char *place);
/// Whether a phase is over: that which an arrival returned, or the last one of
/// a parity. With `blocks` it waits for that, as `try_wait` may.
bool dit_emu_mbarrier_test(void *barrier, uint64_t phase, bool is_parity,
                           bool blocks, const char *place);
/// Waits until a phase of `parity` is over.
void dit_emu_mbarrier_wait(void *barrier, int32_t parity, const char *place);

#ifdef __cplusplus
}
#endif

#endif /* DIT_EMULATOR_EMULATOR_H */
