//===- Runtime.h - C interface of the parallel runtime ------------*- C -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What compiled programs call at run time to use more than one thread. Pure
// C, no LLVM: a host links it, or replaces the thread pool by its own.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_RUNTIME_RUNTIME_H
#define DIT_RUNTIME_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Work on the indices [begin, end) of a parallel loop.
typedef void (*dit_rt_parallel_fn)(void *context, int64_t begin, int64_t end);

/// Runs `fn` over [0, count) in chunks of at most `grain` indices (a grain
/// below one counts as one), on as many threads as `dit_rt_get_num_threads`
/// says. Threads take chunks as they become free, so chunks may cost very
/// different times. Returns when all are done. A call from inside a chunk runs
/// serially on the calling thread.
void dit_rt_parallel_for(int64_t count, int64_t grain, dit_rt_parallel_fn fn,
                         void *context);

/// Sets the number of threads of the calls that follow; zero or less means all
/// processors that the process may use.
void dit_rt_set_num_threads(int num_threads);
int dit_rt_get_num_threads(void);

/// The same for calls from this thread alone; zero or less takes it back.
void dit_rt_set_num_threads_of_caller(int num_threads);

/// A replacement for the built-in OpenMP pool. It must call `fn` on disjoint
/// ranges that cover [0, count), each at most `grain` long, and return when all
/// have returned. `pool` is the pointer given at registration.
typedef void (*dit_rt_parallel_for_impl)(void *pool, int64_t count,
                                         int64_t grain, dit_rt_parallel_fn fn,
                                         void *context);

/// Makes every later `dit_rt_parallel_for` use `impl`, so that a host with
/// threads of its own is not oversubscribed. NULL brings OpenMP back. Not to be
/// called while a loop runs.
void dit_rt_set_parallel_for(dit_rt_parallel_for_impl impl, void *pool);

/// Memory for the buffers of a program. `dit_rt_free` keeps large blocks, up to
/// a fixed total for the process, for later allocations of about their size.
/// Both deal in blocks of `malloc`, and `free` may take them too. Where there
/// is no memory, a compiled function ends with DIT_RT_OUT_OF_MEMORY; other
/// callers get NULL.
void *dit_rt_alloc(uint64_t size);
void dit_rt_free(void *data);

/// Seconds since some point in the past, by a clock that never goes back: what
/// instrumented programs measure times with.
double dit_rt_seconds(void);

#ifdef __cplusplus
}
#endif

#endif /* DIT_RUNTIME_RUNTIME_H */
