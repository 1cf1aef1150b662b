//===- Invocation.h - A call of a compiled function -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One call from the caller's buffers to memref descriptors and back; Entry.cpp
// puts the steps in order. Nothing in here throws, and nothing but packed
// copies and dynamic results is allocated.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_RUNTIME_INVOCATION_H
#define DIT_LIB_RUNTIME_INVOCATION_H

#include "dit/Runtime/Entry.h"

#include <cstdint>

namespace dit_rt {

/// Sets the text of `dit_rt_last_error` and returns `status`.
#if defined(__clang__) || defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int32_t fail(int32_t status, const char *format, ...);

int64_t numElements(int32_t rank, const int64_t *sizes);

/// Whether the data of `buffer` are one block in the order of its dimensions.
bool isRowMajor(const dit_buffer &buffer);

bool hasDynamicSize(const dit_rt_arg_spec &spec);

/// One call in flight: the descriptors, and what the runtime allocates for it.
/// Packed copies of strided arguments are freed however the call ends, results
/// for the caller only if it fails.
class Invocation {
public:
  Invocation(const dit_rt_entry &entry, dit_buffer *const *args)
      : entry(entry), args(args) {}
  ~Invocation();

  int32_t numArgs() const { return entry.num_inputs + entry.num_results; }
  bool isResult(int32_t i) const { return i >= entry.num_inputs; }
  bool isDynamicResult(int32_t i) const {
    return isResult(i) && hasDynamicSize(entry.args[i]);
  }
  bool isReturned(int32_t i) const {
    return isDynamicResult(i) && entry.returns_results;
  }

  int32_t checkInputs() const;
  /// The same but for the data.
  int32_t checkExtents() const;
  int32_t checkResults() const;
  int32_t checkParameters() const;
  /// Number of values that the entry's query gives.
  int64_t numQueryValues() const;
  /// The bytes of the workspace, then the extents of dynamic results.
  void query(int64_t *values) const;
  /// Compares dynamic results with their extents, and allocates those that
  /// have no memory; `extents` comes from the query.
  int32_t prepareResults(const int64_t *extents);
  /// Words of storage for the descriptors of all arguments and the workspace.
  int64_t storageWords() const;
  /// Provides one slot per argument for each kind of allocation.
  void setSlots(void **packedSlots, void **freshSlots);
  /// Lays the descriptors out in `storage` and lists them in `descriptors`.
  int32_t bind(int64_t *storage, void **descriptors, void *workspace,
               int64_t workspaceSize);
  int32_t run(void **descriptors);
  /// Moves the returned results to the caller.
  int32_t takeResults(int64_t *storage);
  /// Frees the buffers of returned results, each once.
  void freeReturned(int64_t *storage);
  void unpackResults();
  /// The call has succeeded: results now belong to the caller.
  void release() { fresh = nullptr; }

private:
  int32_t checkType(int32_t i) const;
  int32_t check(int32_t i) const;
  int32_t checkSizes(int32_t i) const;
  int32_t reportExtents(int32_t i) const;
  void fillExtents(int32_t i, int64_t *words) const;
  int32_t fillDescriptor(int32_t i, int64_t *words);
  int32_t takeResult(int32_t i, const int64_t *words);
  const char *role(int32_t i) const { return isResult(i) ? "result" : "input"; }

  const dit_rt_entry &entry;
  dit_buffer *const *args;
  /// Per argument: its packed copy, and the memory made for a result.
  void **packed = nullptr, **fresh = nullptr;
};

} // namespace dit_rt

#endif // DIT_LIB_RUNTIME_INVOCATION_H
