//===- ProgramHandle.h - Compiled programs of the C API ---------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a DitProgram is: an object, loaded into the process when it is first
// needed there.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CAPI_PROGRAMHANDLE_H
#define DIT_LIB_CAPI_PROGRAMHANDLE_H

#include "Internal.h"
#include "dit/Target/ParameterFiles.h"
#include "dit/Target/Program.h"

struct DitProgram {
  DitProgram(mlir::dit::CompiledObject compiled, llvm::StringRef target,
             std::string llvmIR);
  ~DitProgram();

  /// Links the object into the process, once. Until then nobody pays for it.
  DitStatus load();

  struct Workspace {
    void *data = nullptr;
    int64_t size = 0;
  };
  /// A workspace of at least `size` bytes for a call of entry `index`, of its
  /// own until given back; null if there is no memory.
  Workspace takeWorkspace(size_t index, int64_t size);
  void giveWorkspace(size_t index, Workspace workspace);

  /// The types in it belong to a context that may be gone.
  const mlir::dit::CompiledObject object;
  const std::string target, llvmIR;
  std::string header;
  DitEntryList entries;
  std::vector<std::unique_ptr<mlir::dit::capi::TensorRecord>> parameters;
  /// One for each entry, when loaded.
  std::vector<const dit_rt_entry *> descriptors;
  std::vector<std::unique_ptr<mlir::dit::ParameterFiles>> parameterFiles;

private:
  std::once_flag loadOnce;
  std::string loadError;
  std::unique_ptr<mlir::dit::Program> loaded;
  std::mutex workspaceMutex;
  /// For each entry, blocks that no call uses now.
  std::vector<std::vector<Workspace>> workspaces;
};

namespace mlir::dit::capi {

/// Finds the entry `name`, or the only one if that is null.
DitStatus findEntry(const DitProgram &program, const char *name, size_t &index);

} // namespace mlir::dit::capi

#endif // DIT_LIB_CAPI_PROGRAMHANDLE_H
