//===- ProgramSource.h - From files or a module to code ---------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The whole way to machine code, through the cache of compiled programs.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PIPELINES_PROGRAMSOURCE_H
#define DIT_PIPELINES_PROGRAMSOURCE_H

#include "dit/Target/ProgramCache.h"

#include "mlir/IR/OwningOpRef.h"

namespace mlir::dit {

/// A program of one entry, given by files. What is in the cache is known, and
/// ready, without reading the files as IR.
class ProgramSource {
public:
  /// Looks for the program in `cache`, which may be null, or else loads the
  /// module in `file` with the `libraries` linked to it and chooses the entry.
  static llvm::Expected<ProgramSource>
  open(StringRef file, ArrayRef<std::string> libraries, ProgramRequest request,
       ProgramCache *cache, MLIRContext *context);

  /// What the entry takes and gives.
  const EntrySignature &getSignature() const { return signature; }
  /// Whether nothing will be, or was, compiled.
  bool isCached() const { return cached; }
  /// Null after `open` if the cache has the program.
  ModuleOp getModule() { return module.get(); }

  /// Compiles the module, which it uses up, unless the code is there. To be
  /// called once.
  llvm::Expected<CompiledObject> compile();

private:
  std::optional<CacheKey> getFilesKey() const;

  SmallVector<std::string> paths;
  /// As given: the entry may be left to the module.
  ProgramRequest request;
  ProgramCache *cache = nullptr;
  std::optional<CacheKey> filesKey;
  OwningOpRef<ModuleOp> module;
  std::optional<CompiledObject> object;
  EntrySignature signature;
  bool cached = false;
};

} // namespace mlir::dit

#endif // DIT_PIPELINES_PROGRAMSOURCE_H
