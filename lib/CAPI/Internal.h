//===- Internal.h - Handles of the C API ------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the handles point to, and how calls fail.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CAPI_INTERNAL_H
#define DIT_LIB_CAPI_INTERNAL_H

#include "dit-c/Program.h"
#include "dit/Target/EntryPoints.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ThreadPool.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct DitContext {
  explicit DitContext(const mlir::DialectRegistry &registry)
      : context(registry, mlir::MLIRContext::Threading::DISABLED) {}

  /// Held by every call.
  std::mutex mutex;
  /// Threads of the context, which must outlive it.
  std::unique_ptr<llvm::DefaultThreadPool> threads;
  mlir::MLIRContext context;
  DitDiagnosticHandler handler = nullptr;
  void *userData = nullptr;
  /// Seconds that another process may read a module for.
  int64_t timeLimit = 0;
  /// The first error of the call that runs, as one line.
  std::string firstError;
};

struct DitModule {
  DitContext *owner;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

namespace mlir::dit::capi {

/// Keeps `message` for `ditGetLastError` and returns `status`.
DitStatus fail(DitStatus status, const llvm::Twine &message);
DitStatus fail(DitStatus status, llvm::Error error);

/// Copies `contents` to memory of the caller; fails when there is none.
DitStatus returnText(llvm::StringRef contents, DitText *text);

/// A call on a context: waits for its turn, and collects the errors that the
/// context reports meanwhile.
class ContextCall {
public:
  explicit ContextCall(DitContext &owner) : owner(owner), lock(owner.mutex) {
    owner.firstError.clear();
  }

  /// Fails with the first error that was reported, else with `fallback`.
  DitStatus fail(DitStatus status, const llvm::Twine &fallback) const {
    return capi::fail(status, owner.firstError.empty()
                                  ? fallback
                                  : llvm::Twine(owner.firstError));
  }

private:
  DitContext &owner;
  std::lock_guard<std::mutex> lock;
};

/// Lets another process read a module that upstream's parsers need not survive.
/// Bytecode is replaced by what that process wrote of it. Fails, with a
/// diagnostic, if the process crashes or takes too long, or if bytecode is
/// wrong; text that is wrong is left to the parser.
DitStatus checkModule(const ContextCall &call, DitContext &owner,
                      std::unique_ptr<llvm::MemoryBuffer> &buffer);

/// The folder of the library that this code is in.
std::string getOwnDirectory();

/// Reads options that the caller may have compiled against an older or newer
/// header: what it does not have keeps its default in `result`, and what this
/// library does not have must be zero.
template <typename Options>
DitStatus readOptions(const Options *given, Options &result) {
  if (!given)
    return DIT_OK;
  size_t size = given->struct_size;
  if (size < sizeof(size_t))
    return fail(DIT_ERROR_INVALID_ARGUMENT,
                "options: struct_size is " + llvm::Twine(size) +
                    "; initialise them with the macro DIT_..._INIT");
  const char *bytes = reinterpret_cast<const char *>(given);
  for (size_t i = sizeof(Options); i < size; ++i)
    if (bytes[i] != 0)
      return fail(DIT_ERROR_UNSUPPORTED,
                  "options: this version of dit does not know a field that is "
                  "set; expected at most " +
                      llvm::Twine(sizeof(Options)) + " bytes, got " +
                      llvm::Twine(size));
  std::memcpy(&result, given, std::min(size, sizeof(Options)));
  return DIT_OK;
}

/// A DitTensorInfo with what it points to. Not to be moved.
struct TensorRecord {
  TensorRecord(llvm::StringRef name, RankedTensorType type);

  std::string name;
  llvm::SmallVector<int64_t> sizes;
  DitTensorInfo info;
};

/// A DitEntryInfo with what it points to. Not to be moved.
struct EntryRecord {
  explicit EntryRecord(const EntrySignature &signature);
  explicit EntryRecord(const EntryPoint &entry);

  std::string name, cName;
  std::vector<std::unique_ptr<TensorRecord>> tensors;
  std::vector<const DitTensorInfo *> inputs, results;
  DitEntryInfo info;
};

} // namespace mlir::dit::capi

struct DitEntryList {
  std::vector<std::unique_ptr<mlir::dit::capi::EntryRecord>> entries;
};

#endif // DIT_LIB_CAPI_INTERNAL_H
