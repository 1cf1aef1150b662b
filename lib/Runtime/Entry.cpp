//===- Entry.cpp - Checked calls of compiled functions --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The front door of every compiled function: compares the caller's buffers with
// what the function was compiled for, hands the body memref descriptors, and
// brings results back. Contiguous buffers are passed as they are; strided ones
// go through a packed copy.
//
//===----------------------------------------------------------------------===//

#include "dit/Runtime/Entry.h"
#include "CheckFailure.h"
#include "Invocation.h"

#include <alloca.h>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace dit_rt;

// Long enough for a deadlock of the emulator, which says where each thread
// waits.
static thread_local char lastError[4096] = "";

int32_t dit_rt::fail(int32_t status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(lastError, sizeof(lastError), format, args);
  va_end(args);
  return status;
}

const char *dit_rt_last_error(void) { return lastError; }

int64_t dit_rt_dtype_size(int32_t dtype) {
  static const int64_t sizes[] = {0, 1, 1, 2, 4, 8, 2, 2, 4, 8};
  return dtype >= DIT_RT_BOOL && dtype <= DIT_RT_F64 ? sizes[dtype] : 0;
}

const char *dit_rt_dtype_name(int32_t dtype) {
  static const char *const names[] = {"",    "bool", "i8",   "i16", "i32",
                                      "i64", "f16",  "bf16", "f32", "f64"};
  return dtype >= DIT_RT_BOOL && dtype <= DIT_RT_F64 ? names[dtype] : "unknown";
}

int64_t dit_rt_workspace_size(const dit_rt_entry *entry,
                              dit_buffer *const *args) {
  lastError[0] = '\0';
  if (!entry->query)
    return entry->workspace_size;
  Invocation invocation(*entry, args);
  if (invocation.checkExtents() != DIT_RT_OK)
    return -1;
  auto *values = static_cast<int64_t *>(
      alloca(invocation.numQueryValues() * sizeof(int64_t)));
  invocation.query(values);
  return values[0];
}

/// Checks everything but the data that `invocation` reads, and allocates
/// results; `values` comes from the query.
static int32_t prepare(Invocation &invocation, const dit_rt_entry &entry,
                       const void *workspace, int64_t *values) {
  if (int32_t status = invocation.checkInputs())
    return status;
  if (int32_t status = invocation.checkResults())
    return status;
  if (int32_t status = invocation.checkParameters())
    return status;
  invocation.query(values);
  if (values[0] > 0 &&
      (!workspace || reinterpret_cast<uintptr_t>(workspace) % 64 != 0))
    return fail(DIT_RT_INVALID_ARGUMENT,
                "%s: expected a workspace of %lld bytes aligned to 64, got %s",
                entry.name, (long long)values[0],
                workspace ? "a misaligned one" : "none");
  return invocation.prepareResults(values + 1);
}

int32_t dit_rt_invoke(const dit_rt_entry *entry, dit_buffer *const *args,
                      void *workspace) {
  lastError[0] = '\0';
  Invocation invocation(*entry, args);
  int64_t numPointers = invocation.numArgs() + 2;
  auto **slots = static_cast<void **>(alloca(3 * numPointers * sizeof(void *)));
  invocation.setSlots(slots, slots + numPointers);
  void **descriptors = slots + 2 * numPointers;
  auto *values = static_cast<int64_t *>(
      alloca(invocation.numQueryValues() * sizeof(int64_t)));
  if (int32_t status = prepare(invocation, *entry, workspace, values))
    return status;
  auto *storage = static_cast<int64_t *>(
      alloca(invocation.storageWords() * sizeof(int64_t)));
  if (int32_t status =
          invocation.bind(storage, descriptors, workspace, values[0]))
    return status;
  if (int32_t status = invocation.run(descriptors))
    return status;
  if (int32_t status = invocation.takeResults(storage))
    return status;
  invocation.unpackResults();
  invocation.release();
  return DIT_RT_OK;
}

int32_t dit_rt_bind_parameter(const dit_rt_entry *entry, const char *name,
                              const dit_buffer *value) {
  lastError[0] = '\0';
  for (int64_t i = 0; i < entry->num_parameters; ++i) {
    const dit_rt_parameter &parameter = entry->parameters[i];
    if (std::strcmp(parameter.name, name) != 0)
      continue;
    bool matches = value->data && value->dtype == parameter.dtype &&
                   value->rank == parameter.rank && isRowMajor(*value);
    for (int32_t dim = 0; matches && dim < parameter.rank; ++dim)
      matches = value->sizes[dim] == parameter.sizes[dim];
    if (!matches)
      return fail(DIT_RT_SHAPE_MISMATCH,
                  "%s: parameter '%s' needs row-major data of its element type "
                  "and extents",
                  entry->name, name);
    *parameter.slot = value->data;
    return DIT_RT_OK;
  }
  return fail(DIT_RT_INVALID_ARGUMENT, "%s: no parameter '%s'", entry->name,
              name);
}

thread_local std::jmp_buf *dit_rt::checkFailureTarget = nullptr;

void dit_rt::setLastError(const char *text) {
  std::snprintf(lastError, sizeof(lastError), "%s", text);
}

void dit_rt::leaveProgram(int32_t status) {
  if (checkFailureTarget)
    longjmp(*checkFailureTarget, status);
  std::fprintf(stderr, "%s\n", lastError);
  std::abort();
}

/// The callee of failed `cf.assert` ops.
extern "C" void dit_rt_check_failed(const char *message) {
  dit_rt::leaveProgram(fail(DIT_RT_CHECK_FAILED, "check failed: %s", message));
}
