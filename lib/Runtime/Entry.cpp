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
#include "StridedCopy.h"

#include <alloca.h>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

thread_local char lastError[512] = "";

#if defined(__clang__) || defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int32_t fail(int32_t status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(lastError, sizeof(lastError), format, args);
  va_end(args);
  return status;
}

/// Words of a memref descriptor: allocated and aligned pointer, offset, sizes,
/// strides.
int64_t descriptorWords(int32_t rank) { return 3 + 2 * int64_t(rank); }

/// Writes the descriptor of `size` elements at `data`.
void fillVector(int64_t *words, void *data, int64_t size) {
  std::memcpy(&words[0], &data, sizeof(data));
  std::memcpy(&words[1], &data, sizeof(data));
  words[2] = 0;
  words[3] = size;
  words[4] = 1;
}

int64_t numElements(int32_t rank, const int64_t *sizes) {
  int64_t count = 1;
  for (int32_t i = 0; i < rank; ++i)
    count *= sizes[i];
  return count;
}

void setRowMajor(int32_t rank, const int64_t *sizes, int64_t *strides) {
  int64_t stride = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= sizes[i];
  }
}

/// Strides of dimensions with at most one index do not matter.
bool isRowMajor(const dit_buffer &buffer) {
  if (!buffer.strides)
    return true;
  int64_t stride = 1;
  for (int32_t i = buffer.rank - 1; i >= 0; --i) {
    if (buffer.sizes[i] > 1 && buffer.strides[i] != stride)
      return false;
    stride *= buffer.sizes[i];
  }
  return true;
}

bool hasDynamicSize(const dit_rt_arg_spec &spec) {
  for (int32_t i = 0; i < spec.rank; ++i)
    if (spec.sizes[i] < 0)
      return true;
  return false;
}

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

int32_t Invocation::checkSizes(int32_t i) const {
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer &buffer = *args[i];
  // A result that the runtime is to allocate has no extents yet.
  if (isDynamicResult(i) && !buffer.data)
    return DIT_RT_OK;
  for (int32_t dim = 0; dim < spec.rank; ++dim) {
    int64_t got = buffer.sizes[dim];
    if (spec.sizes[dim] >= 0 && got != spec.sizes[dim])
      return fail(DIT_RT_SHAPE_MISMATCH,
                  "%s: %s '%s': expected extent %lld in dimension %d, got %lld",
                  entry.name, role(i), spec.name, (long long)spec.sizes[dim],
                  dim, (long long)got);
    if (got < 0)
      return fail(DIT_RT_SHAPE_MISMATCH,
                  "%s: %s '%s': negative extent %lld in dimension %d",
                  entry.name, role(i), spec.name, (long long)got, dim);
  }
  return DIT_RT_OK;
}

int32_t Invocation::checkType(int32_t i) const {
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer *buffer = args[i];
  if (!buffer)
    return fail(DIT_RT_INVALID_ARGUMENT, "%s: %s '%s' is a null buffer",
                entry.name, role(i), spec.name);
  if (buffer->dtype != spec.dtype)
    return fail(DIT_RT_INVALID_ARGUMENT,
                "%s: %s '%s': expected element type %s, got %s", entry.name,
                role(i), spec.name, dit_rt_dtype_name(spec.dtype),
                dit_rt_dtype_name(buffer->dtype));
  if (buffer->rank != spec.rank)
    return fail(DIT_RT_INVALID_ARGUMENT,
                "%s: %s '%s': expected rank %d, got %d", entry.name, role(i),
                spec.name, spec.rank, buffer->rank);
  if (spec.rank > 0 && !buffer->sizes)
    return fail(DIT_RT_INVALID_ARGUMENT, "%s: %s '%s' has no sizes", entry.name,
                role(i), spec.name);
  return checkSizes(i);
}

int32_t Invocation::check(int32_t i) const {
  if (int32_t status = checkType(i))
    return status;
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer *buffer = args[i];
  if (!buffer->data && !isDynamicResult(i) &&
      numElements(spec.rank, buffer->sizes) != 0)
    return fail(DIT_RT_INVALID_ARGUMENT, "%s: %s '%s' has no data", entry.name,
                role(i), spec.name);
  return DIT_RT_OK;
}

int32_t Invocation::checkInputs() const {
  for (int32_t i = 0; i < entry.num_inputs; ++i)
    if (int32_t status = check(i))
      return status;
  return DIT_RT_OK;
}

int32_t Invocation::checkExtents() const {
  for (int32_t i = 0; i < entry.num_inputs; ++i)
    if (int32_t status = checkType(i))
      return status;
  return DIT_RT_OK;
}

int32_t Invocation::checkResults() const {
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i)
    if (int32_t status = check(i))
      return status;
  return DIT_RT_OK;
}

int32_t Invocation::checkParameters() const {
  for (int64_t i = 0; i < entry.num_parameters; ++i)
    if (!*entry.parameters[i].slot)
      return fail(DIT_RT_UNBOUND_PARAMETER,
                  "%s: parameter '%s' has no data; bind it with "
                  "dit_rt_bind_parameter",
                  entry.name, entry.parameters[i].name);
  return DIT_RT_OK;
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

} // namespace

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
