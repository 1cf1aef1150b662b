//===- ProgramSource.cpp - From files or a module to code -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lookups before the work and stores after it.
//
//===----------------------------------------------------------------------===//

#include "dit/Pipelines/ProgramSource.h"
#include "dit/Pipelines/Lowering.h"
#include "dit/Support/CommandLine.h"
#include "dit/Target/LinkModules.h"
#include "dit/Target/ModuleFile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// A program and the key that the module gave it.
struct KeyedProgram {
  CompiledObject object;
  std::optional<CacheKey> key;
  bool isCached = false;
};

} // namespace

static llvm::Expected<KeyedProgram> compileKeyed(ModuleOp module,
                                                 const ProgramRequest &request,
                                                 ProgramCache *cache) {
  KeyedProgram result;
  if (cache) {
    CompileTimer timer(request.options.times, &CompileTimes::load);
    FailureOr<CacheKey> key = cache->getKey(module, request);
    if (succeeded(key)) {
      result.key = *key;
      if (auto object = cache->lookup(*key, module.getContext())) {
        result.object = std::move(*object);
        result.isCached = true;
        return result;
      }
    }
  }
  {
    CompileTimer timer(request.options.times, &CompileTimes::lower);
    if (llvm::Error error = lowerToTarget(
            module, request.entries, request.target, request.pipelineOptions))
      return std::move(error);
  }
  // What goes wrong now is in the error that is returned.
  FirstErrorHandler errors(module.getContext());
  llvm::Expected<CompiledObject> object =
      compileToObject(module, request.options);
  if (!object)
    return errors.hasError()
               ? llvm::joinErrors(object.takeError(),
                                  llvm::createStringError(errors.getText()))
               : object.takeError();
  result.object = std::move(*object);
  if (result.key)
    cache->store(*result.key, result.object);
  return result;
}

std::optional<CacheKey> ProgramSource::getFilesKey() const {
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> files;
  SmallVector<StringRef> contents;
  for (const std::string &path : paths) {
    // The standard input can be read only once; that is for the parser.
    if (path == "-")
      return std::nullopt;
    auto file = llvm::MemoryBuffer::getFile(path);
    // Loading will say what is wrong.
    if (!file)
      return std::nullopt;
    contents.push_back((*file)->getBuffer());
    files.push_back(std::move(*file));
  }
  return cache->getKey(contents, request);
}

llvm::Expected<ProgramSource>
ProgramSource::open(StringRef file, ArrayRef<std::string> libraries,
                    ProgramRequest request, ProgramCache *cache,
                    MLIRContext *context) {
  ProgramSource source;
  source.paths.push_back(file.str());
  source.paths.append(libraries.begin(), libraries.end());
  source.request = std::move(request);
  if (source.request.canBeKept())
    source.cache = cache;
  if (source.cache) {
    source.filesKey = source.getFilesKey();
    if (source.filesKey)
      source.object = cache->lookup(*source.filesKey, context);
    if (source.object && source.object->entries.size() == 1) {
      source.cached = true;
      source.signature = source.object->entries.front().signature;
      return source;
    }
    source.object.reset();
  }
  auto module = loadModules(file, libraries, context);
  if (!module)
    return module.takeError();
  source.module = std::move(*module);
  auto entry = chooseEntry(*source.module, source.request.entries);
  if (!entry)
    return inArgument("--entry", entry.takeError());
  FirstErrorHandler errors(context);
  FailureOr<EntrySignature> signature =
      inferSignature(source.module->lookupSymbol<FunctionOpInterface>(*entry));
  if (failed(signature))
    return inArgument("--entry", llvm::createStringError(errors.getText()));
  source.signature = std::move(*signature);
  return source;
}

llvm::Expected<CompiledObject> ProgramSource::compile() {
  if (object)
    return std::move(*object);
  ProgramRequest exact = request;
  exact.entries = signature.name;
  llvm::Expected<KeyedProgram> program = compileKeyed(*module, exact, cache);
  if (!program)
    return program.takeError();
  cached = program->isCached;
  if (!program->key || !filesKey)
    return std::move(program->object);
  // The files may have changed while they were read as IR.
  if (getFilesKey() == filesKey)
    cache->tie(*filesKey, *program->key);
  return std::move(program->object);
}
