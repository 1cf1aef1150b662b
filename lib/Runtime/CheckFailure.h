//===- CheckFailure.h - How failed checks leave a program -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled code has no exceptions and nothing to unwind, so a failed check goes
// back to its entry by longjmp; a parallel loop takes it from a worker thread
// to the thread that runs the entry. Memory that the program allocated for
// dynamic extents is lost then.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_RUNTIME_CHECKFAILURE_H
#define DIT_LIB_RUNTIME_CHECKFAILURE_H

#include <csetjmp>
#include <cstdint>

namespace dit_rt {

/// Where a failed check on this thread goes; null outside of entries.
extern thread_local std::jmp_buf *checkFailureTarget;

/// Sets the text of `dit_rt_last_error` on this thread.
void setLastError(const char *text);

/// Goes to the target of this thread with the text already set; `status` is
/// what the entry will return.
[[noreturn]] void leaveProgram(int32_t status);

} // namespace dit_rt

#endif // DIT_LIB_RUNTIME_CHECKFAILURE_H
