//===- ProgramCache.h - Programs that were compiled before ------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled programs by what they were compiled from, for all tools and the APIs
// alike.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_PROGRAMCACHE_H
#define DIT_TARGET_PROGRAMCACHE_H

#include "dit/Support/FileCache.h"
#include "dit/Target/Compiler.h"

namespace mlir::dit {

/// What is to be compiled, beside the module.
struct ProgramRequest {
  /// Names of the functions, separated by commas. May be empty where a default
  /// follows from the sources alone.
  std::string entries;
  /// The pipeline is dit-to-<target>.
  std::string target = "cpu";
  std::string pipelineOptions;
  CompileOptions options;

  /// Whether the object says it all, and holds nothing from elsewhere: no dump
  /// is asked for, and no weights are put into it.
  bool canBeKept() const { return !options.dumpLLVM && !options.parameters; }
};

/// A program has two keys: one of the files it comes from, which is found
/// without reading them as IR, and one of the module in them, which programs
/// share that hold the module in memory or in files of another form. Both hold
/// the request, the processor, LLVM's version and the build of the compiler.
class ProgramCache {
public:
  /// `compilerId` changes whenever the compiler does: see getBuildId.
  ProgramCache(CacheSettings settings, StringRef compilerId)
      : files(std::move(settings)), compilerId(compilerId) {}

  /// The key of a program made of these files' contents: the first, and those
  /// linked to it in this order.
  CacheKey getKey(ArrayRef<StringRef> sources,
                  const ProgramRequest &request) const;
  /// The key of a program made of `module`; where its operations were written
  /// does not matter. Fails if the module cannot be written as bytecode.
  FailureOr<CacheKey> getKey(ModuleOp module,
                             const ProgramRequest &request) const;

  /// The program stored under `key`, be it a module's or one of files that
  /// were tied to one.
  std::optional<CompiledObject> lookup(const CacheKey &key,
                                       MLIRContext *context);
  void store(const CacheKey &key, const CompiledObject &object);
  /// Makes what is stored under `module` be found by `sources` too.
  void tie(const CacheKey &sources, const CacheKey &module);

  /// Why something could not be stored, once; empty if nothing was wrong.
  std::string getProblem() const { return files.getProblem(); }

private:
  CacheKeyBuilder startKey(StringRef kind, const ProgramRequest &request) const;

  FileCache files;
  std::string compilerId;
};

} // namespace mlir::dit

#endif // DIT_TARGET_PROGRAMCACHE_H
