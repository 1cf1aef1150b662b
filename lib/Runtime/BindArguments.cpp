//===- BindArguments.cpp - Buffers to descriptors and back ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lays memref descriptors out for the arguments of a call, with packed copies
// of strided buffers, and moves results to where the caller wants them.
//
//===----------------------------------------------------------------------===//

#include "CheckFailure.h"
#include "Invocation.h"
#include "StridedCopy.h"

#include <alloca.h>
#include <csetjmp>
#include <cstdlib>
#include <cstring>

using namespace dit_rt;

/// Words of a memref descriptor: allocated and aligned pointer, offset, sizes,
/// strides.
static int64_t descriptorWords(int32_t rank) { return 3 + 2 * int64_t(rank); }

/// Writes the descriptor of `size` elements at `data`.
static void fillVector(int64_t *words, void *data, int64_t size) {
  std::memcpy(&words[0], &data, sizeof(data));
  std::memcpy(&words[1], &data, sizeof(data));
  words[2] = 0;
  words[3] = size;
  words[4] = 1;
}

static void setRowMajor(int32_t rank, const int64_t *sizes, int64_t *strides) {
  int64_t stride = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= sizes[i];
  }
}

Invocation::~Invocation() {
  for (int32_t i = 0; packed && i < numArgs(); ++i)
    std::free(packed[i]);
  for (int32_t i = 0; fresh && i < numArgs(); ++i)
    if (fresh[i]) {
      std::free(fresh[i]);
      args[i]->data = nullptr;
    }
}

void Invocation::setSlots(void **packedSlots, void **freshSlots) {
  packed = packedSlots;
  fresh = freshSlots;
  std::memset(packed, 0, numArgs() * sizeof(void *));
  std::memset(fresh, 0, numArgs() * sizeof(void *));
}

int64_t Invocation::numQueryValues() const {
  int64_t count = 1;
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i)
    if (isDynamicResult(i) && !isReturned(i))
      count += entry.args[i].rank;
  return count;
}

void Invocation::query(int64_t *values) const {
  values[0] = entry.workspace_size;
  if (!entry.query)
    return;
  int64_t words = descriptorWords(1);
  for (int32_t i = 0; i < entry.num_inputs; ++i)
    words += descriptorWords(entry.args[i].rank);
  auto *storage = static_cast<int64_t *>(alloca(words * sizeof(int64_t)));
  auto **descriptors =
      static_cast<void **>(alloca((entry.num_inputs + 1) * sizeof(void *)));
  for (int32_t i = 0; i < entry.num_inputs; ++i) {
    std::memset(storage, 0, 3 * sizeof(int64_t));
    fillExtents(i, storage);
    descriptors[i] = storage;
    storage += descriptorWords(entry.args[i].rank);
  }
  fillVector(storage, values, numQueryValues());
  descriptors[entry.num_inputs] = storage;
  entry.query(descriptors);
}

int32_t Invocation::reportExtents(int32_t i) const {
  return fail(DIT_RT_SHAPE_MISMATCH,
              "%s: result '%s' has other extents than the buffer given; they "
              "are stored in its sizes",
              entry.name, entry.args[i].name);
}

int32_t Invocation::prepareResults(const int64_t *extents) {
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i) {
    if (!isDynamicResult(i) || isReturned(i))
      continue;
    const dit_rt_arg_spec &spec = entry.args[i];
    dit_buffer &buffer = *args[i];
    bool same = true;
    for (int32_t dim = 0; dim < spec.rank; ++dim) {
      same &= !buffer.data || buffer.sizes[dim] == extents[dim];
      buffer.sizes[dim] = extents[dim];
    }
    if (!same)
      return reportExtents(i);
    extents += spec.rank;
    if (buffer.data)
      continue;
    fresh[i] = buffer.data = std::malloc(numElements(spec.rank, buffer.sizes) *
                                             dit_rt_dtype_size(spec.dtype) +
                                         1);
    if (!buffer.data)
      return fail(DIT_RT_OUT_OF_MEMORY, "%s: no memory for result '%s'",
                  entry.name, spec.name);
  }
  return DIT_RT_OK;
}

int64_t Invocation::storageWords() const {
  int64_t words = descriptorWords(1);
  for (int32_t i = 0; i < numArgs(); ++i)
    words += descriptorWords(entry.args[i].rank);
  return words;
}

void Invocation::fillExtents(int32_t i, int64_t *words) const {
  int32_t rank = entry.args[i].rank;
  int64_t *sizes = words + 3;
  for (int32_t dim = 0; dim < rank; ++dim)
    sizes[dim] = args[i]->sizes[dim];
  setRowMajor(rank, sizes, sizes + rank);
}

int32_t Invocation::fillDescriptor(int32_t i, int64_t *words) {
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer &buffer = *args[i];
  fillExtents(i, words);
  int64_t *sizes = words + 3, *strides = sizes + spec.rank;
  void *data = buffer.data;
  if (!isRowMajor(buffer)) {
    int64_t elementSize = dit_rt_dtype_size(spec.dtype);
    data = std::malloc(numElements(spec.rank, sizes) * elementSize + 1);
    if (!data)
      return fail(DIT_RT_OUT_OF_MEMORY,
                  "%s: no memory for a packed copy of %s '%s'", entry.name,
                  role(i), spec.name);
    packed[i] = data;
    if (!isResult(i))
      dit_rt_strided_copy(spec.rank, elementSize, sizes, buffer.data,
                          buffer.strides, data, strides);
  }
  std::memcpy(&words[0], &data, sizeof(data));
  std::memcpy(&words[1], &data, sizeof(data));
  words[2] = 0;
  return DIT_RT_OK;
}

int32_t Invocation::bind(int64_t *storage, void **descriptors, void *workspace,
                         int64_t workspaceSize) {
  // The returned results come back as one struct of descriptors.
  *descriptors++ = storage;
  for (int32_t i = 0; i < numArgs(); ++i)
    if (isReturned(i))
      storage += descriptorWords(entry.args[i].rank);
  for (int32_t i = 0; i < numArgs(); ++i) {
    if (isReturned(i))
      continue;
    if (int32_t status = fillDescriptor(i, storage))
      return status;
    *descriptors++ = storage;
    storage += descriptorWords(entry.args[i].rank);
  }
  fillVector(storage, workspace, workspaceSize);
  *descriptors = storage;
  return DIT_RT_OK;
}

int32_t Invocation::run(void **descriptors) {
  std::jmp_buf target;
  std::jmp_buf *outer = dit_rt::checkFailureTarget;
  dit_rt::checkFailureTarget = &target;
  // What the program left with, if it did not come to its end.
  int32_t status = setjmp(target);
  if (status == DIT_RT_OK)
    entry.call(descriptors);
  dit_rt::checkFailureTarget = outer;
  return status;
}

int32_t Invocation::takeResult(int32_t i, const int64_t *words) {
  const dit_rt_arg_spec &spec = entry.args[i];
  dit_buffer &buffer = *args[i];
  const int64_t *sizes = words + 3, *strides = sizes + spec.rank;
  int64_t elementSize = dit_rt_dtype_size(spec.dtype);
  bool sameSizes = true;
  for (int32_t dim = 0; dim < spec.rank; ++dim) {
    sameSizes &= !buffer.data || buffer.sizes[dim] == sizes[dim];
    buffer.sizes[dim] = sizes[dim];
  }
  if (!sameSizes)
    return reportExtents(i);
  auto *rowMajor = static_cast<int64_t *>(alloca(spec.rank * sizeof(int64_t)));
  setRowMajor(spec.rank, sizes, rowMajor);
  const int64_t *dstStrides = rowMajor;
  if (!buffer.data) {
    buffer.data = std::malloc(numElements(spec.rank, sizes) * elementSize + 1);
    if (!buffer.data)
      return fail(DIT_RT_OUT_OF_MEMORY, "%s: no memory for result '%s'",
                  entry.name, spec.name);
  } else if (buffer.strides) {
    dstStrides = buffer.strides;
  }
  const char *aligned;
  std::memcpy(&aligned, &words[1], sizeof(aligned));
  dit_rt_strided_copy(spec.rank, elementSize, sizes,
                      aligned + words[2] * elementSize, strides, buffer.data,
                      dstStrides);
  return DIT_RT_OK;
}

int32_t Invocation::takeResults(int64_t *storage) {
  int32_t status = DIT_RT_OK;
  int64_t *words = storage;
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i) {
    if (!isReturned(i))
      continue;
    if (status == DIT_RT_OK)
      status = takeResult(i, words);
    words += descriptorWords(entry.args[i].rank);
  }
  freeReturned(storage);
  return status;
}

void Invocation::freeReturned(int64_t *storage) {
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i) {
    if (!isReturned(i))
      continue;
    void *allocated;
    std::memcpy(&allocated, &storage[0], sizeof(allocated));
    // Several results may lie in one buffer: the others forget it.
    int64_t *other = storage + descriptorWords(entry.args[i].rank);
    storage = other;
    for (int32_t j = i + 1; j < numArgs(); ++j) {
      if (!isReturned(j))
        continue;
      if (std::memcmp(&other[0], &allocated, sizeof(allocated)) == 0)
        other[0] = 0;
      other += descriptorWords(entry.args[j].rank);
    }
    std::free(allocated);
  }
}

void Invocation::unpackResults() {
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i) {
    if (!packed[i])
      continue;
    const dit_buffer &buffer = *args[i];
    auto *strides =
        static_cast<int64_t *>(alloca(buffer.rank * sizeof(int64_t)));
    setRowMajor(buffer.rank, buffer.sizes, strides);
    dit_rt_strided_copy(buffer.rank, dit_rt_dtype_size(buffer.dtype),
                        buffer.sizes, packed[i], strides, buffer.data,
                        buffer.strides);
  }
}
