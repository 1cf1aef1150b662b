//===- Invoke.cpp - Calls of compiled programs ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Brings the buffers of a caller, workspace and threads together. The runtime
// checks the buffers.
//
//===----------------------------------------------------------------------===//

#include "ProgramHandle.h"

#include "llvm/Support/MathExtras.h"

#include <cstdlib>

using namespace mlir::dit;

DitProgram::Workspace DitProgram::takeWorkspace(size_t index, int64_t size) {
  Workspace found;
  {
    std::lock_guard<std::mutex> lock(workspaceMutex);
    std::vector<Workspace> &blocks = workspaces[index];
    if (!blocks.empty()) {
      found = blocks.back();
      blocks.pop_back();
    }
  }
  if (found.size >= size)
    return found;
  // Made for smaller extents.
  std::free(found.data);
  found.size = llvm::alignTo(size, 64);
  found.data = std::aligned_alloc(64, found.size);
  return found;
}

void DitProgram::giveWorkspace(size_t index, Workspace workspace) {
  std::lock_guard<std::mutex> lock(workspaceMutex);
  workspaces[index].push_back(workspace);
}

namespace {

/// One call: what it takes from the library goes back when it ends.
class Call {
public:
  Call(DitProgram &program, size_t index, dit_buffer *const *results)
      : program(program), index(index),
        info(program.entries.entries[index]->info), results(results) {}
  ~Call() {
    if (workspace.data)
      program.giveWorkspace(index, workspace);
  }

  DitStatus run(const dit_buffer *const *inputs,
                const DitInvokeOptions &options);

private:
  bool isMissing(size_t i) const { return results[i] && !results[i]->data; }
  DitStatus allocateResults();
  void freeResults();
  DitStatus invoke(const dit_buffer *const *inputs,
                   const DitInvokeOptions &options);

  DitProgram &program;
  size_t index;
  const DitEntryInfo &info;
  dit_buffer *const *results;
  /// Results that the library allocates.
  llvm::SmallVector<dit_buffer *> allocated;
  DitProgram::Workspace workspace;
};

} // namespace

/// The runtime does not write to inputs.
static llvm::SmallVector<dit_buffer *>
listInputs(const dit_buffer *const *inputs, size_t count) {
  llvm::SmallVector<dit_buffer *> list;
  for (size_t i = 0; i < count; ++i)
    list.push_back(const_cast<dit_buffer *>(inputs[i]));
  return list;
}

/// Allocates the missing results whose extents are known. The runtime refuses
/// a buffer of another type or rank, and allocates the others.
DitStatus Call::allocateResults() {
  for (size_t i = 0; i < info.num_results; ++i) {
    if (!isMissing(i))
      continue;
    dit_buffer &buffer = *results[i];
    const DitTensorInfo &wanted = *info.results[i];
    allocated.push_back(&buffer);
    llvm::ArrayRef<int64_t> sizes(wanted.sizes, wanted.rank);
    if (buffer.dtype != wanted.dtype || buffer.rank != wanted.rank ||
        (wanted.rank > 0 && !buffer.sizes) || llvm::is_contained(sizes, -1))
      continue;
    int64_t bytes = dit_rt_dtype_size(wanted.dtype);
    for (int64_t size : sizes)
      bytes *= size;
    buffer.data =
        std::aligned_alloc(64, llvm::alignTo(std::max<int64_t>(bytes, 1), 64));
    if (!buffer.data)
      return capi::fail(DIT_ERROR_OUT_OF_MEMORY,
                        "no memory for result '" + llvm::Twine(wanted.name) +
                            "' of " + llvm::Twine(bytes) + " bytes");
    llvm::copy(sizes, buffer.sizes);
    buffer.strides = nullptr;
  }
  return DIT_OK;
}

void Call::freeResults() {
  for (dit_buffer *buffer : allocated)
    ditBufferFree(buffer);
}

DitStatus Call::invoke(const dit_buffer *const *inputs,
                       const DitInvokeOptions &options) {
  if (DitStatus status = allocateResults())
    return status;
  llvm::SmallVector<dit_buffer *> args = listInputs(inputs, info.num_inputs);
  args.append(results, results + info.num_results);
  const dit_rt_entry *descriptor = program.descriptors[index];
  void *block = options.workspace;
  // Where the extents do not fit there is no size, and the call says why.
  int64_t size = block ? 0 : dit_rt_workspace_size(descriptor, args.data());
  if (size > 0) {
    workspace = program.takeWorkspace(index, size);
    block = workspace.data;
    if (!block)
      return capi::fail(DIT_ERROR_OUT_OF_MEMORY,
                        "no memory for a workspace of " + llvm::Twine(size) +
                            " bytes");
  }
  dit_rt_set_num_threads_of_caller(options.num_threads);
  auto status =
      static_cast<DitStatus>(dit_rt_invoke(descriptor, args.data(), block));
  dit_rt_set_num_threads_of_caller(0);
  return status == DIT_OK ? DIT_OK : capi::fail(status, dit_rt_last_error());
}

DitStatus Call::run(const dit_buffer *const *inputs,
                    const DitInvokeOptions &options) {
  DitStatus status = invoke(inputs, options);
  if (status != DIT_OK)
    freeResults();
  return status;
}

DitStatus capi::findEntry(const DitProgram &program, const char *name,
                          size_t &index) {
  const auto &entries = program.entries.entries;
  std::string names;
  for (index = 0; index < entries.size(); ++index) {
    if (name ? entries[index]->name == name : entries.size() == 1)
      return DIT_OK;
    names += (index ? ", " : "") + entries[index]->name;
  }
  if (!name)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "the program has several entries: name one of " + names);
  return capi::fail(DIT_ERROR_NOT_FOUND, "no entry '" + llvm::Twine(name) +
                                             "'; the program has " + names);
}

DitStatus ditProgramGetWorkspaceSize(DitProgram *program, const char *entry,
                                     const dit_buffer *const *inputs,
                                     size_t num_inputs, int64_t *size) {
  if (!program || !size || (num_inputs > 0 && !inputs))
    return capi::fail(
        DIT_ERROR_INVALID_ARGUMENT,
        "ditProgramGetWorkspaceSize: program, inputs or size is NULL");
  size_t index = 0;
  if (DitStatus status = capi::findEntry(*program, entry, index))
    return status;
  const DitEntryInfo &info = program->entries.entries[index]->info;
  if (num_inputs != info.num_inputs)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      llvm::Twine(info.name) + ": expected " +
                          llvm::Twine(info.num_inputs) + " inputs, got " +
                          llvm::Twine(num_inputs));
  if (DitStatus status = program->load())
    return status;
  *size = dit_rt_workspace_size(program->descriptors[index],
                                listInputs(inputs, num_inputs).data());
  return *size >= 0 ? DIT_OK
                    : capi::fail(DIT_ERROR_SHAPE_MISMATCH, dit_rt_last_error());
}

DitStatus ditProgramInvoke(DitProgram *program, const char *entry,
                           const dit_buffer *const *inputs, size_t num_inputs,
                           dit_buffer *const *results, size_t num_results,
                           const DitInvokeOptions *options) {
  if (!program || (num_inputs > 0 && !inputs) || (num_results > 0 && !results))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramInvoke: program, inputs or results is NULL");
  DitInvokeOptions read = DIT_INVOKE_OPTIONS_INIT;
  if (DitStatus status = capi::readOptions(options, read))
    return status;
  size_t index = 0;
  if (DitStatus status = capi::findEntry(*program, entry, index))
    return status;
  const DitEntryInfo &info = program->entries.entries[index]->info;
  if (num_inputs != info.num_inputs || num_results != info.num_results)
    return capi::fail(
        DIT_ERROR_INVALID_ARGUMENT,
        llvm::Twine(info.name) + ": expected " + llvm::Twine(info.num_inputs) +
            " inputs and " + llvm::Twine(info.num_results) + " results, got " +
            llvm::Twine(num_inputs) + " and " + llvm::Twine(num_results));
  if (DitStatus status = program->load())
    return status;
  return Call(*program, index, results).run(inputs, read);
}

int64_t ditDTypeGetSize(int32_t dtype) { return dit_rt_dtype_size(dtype); }

const char *ditDTypeGetName(int32_t dtype) { return dit_rt_dtype_name(dtype); }

void ditBufferFree(dit_buffer *buffer) {
  if (!buffer)
    return;
  std::free(buffer->data);
  buffer->data = nullptr;
}

void ditSetNumThreads(int32_t num_threads) {
  dit_rt_set_num_threads(num_threads);
}

int32_t ditGetNumThreads(void) { return dit_rt_get_num_threads(); }

void ditSetParallelFor(dit_rt_parallel_for_impl impl, void *pool) {
  dit_rt_set_parallel_for(impl, pool);
}
