//===- Program.cpp - Compiled programs of the C API -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiling, with a cache, parameters and artefacts; Invoke.cpp has the calls.
//
//===----------------------------------------------------------------------===//

#include "ProgramHandle.h"
#include "dit/Pipelines/Lowering.h"
#include "dit/Target/Header.h"
#include "dit/Target/ProgramCache.h"
#include "dit/Target/SharedLibrary.h"
#include "dit/Version/Version.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

/// Checks the options and chooses the entries.
static DitStatus readRequest(ModuleOp module, const DitCompileOptions &options,
                             ProgramRequest &request) {
  if (options.opt_level < 0 || options.opt_level > 3)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "opt_level: expected 0 to 3, got " +
                          llvm::Twine(options.opt_level));
  request.target = options.target ? options.target : "cpu";
  if (!PassPipelineInfo::lookup("dit-to-" + request.target))
    return capi::fail(DIT_ERROR_UNSUPPORTED,
                      "target '" + request.target +
                          "': this build of dit has cpu and reference, and no "
                          "GPU target");
  SmallVector<std::string> names;
  if (options.num_entries > 0 && !options.entries)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT, "entries is NULL");
  for (size_t i = 0; i < std::max<size_t>(options.num_entries, 1); ++i) {
    StringRef name;
    if (options.num_entries > 0) {
      if (!options.entries[i] || !*options.entries[i])
        return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                          "entries: name " + llvm::Twine(i) + " is empty");
      name = options.entries[i];
    }
    llvm::Expected<std::string> chosen = chooseEntry(module, name);
    if (!chosen)
      return capi::fail(DIT_ERROR_NOT_FOUND, chosen.takeError());
    names.push_back(std::move(*chosen));
  }
  request.entries = llvm::join(names, ",");
  request.pipelineOptions =
      options.pipeline_options ? options.pipeline_options : "";
  request.options.optLevel = options.opt_level;
  if (StringRef name = options.c_name ? options.c_name : ""; !name.empty()) {
    if (names.size() != 1 || getCName(name) != name)
      return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                        "c_name: expected a C identifier for one entry, got '" +
                            name + "' for " + llvm::Twine(names.size()));
    request.options.cName = name;
  }
  return DIT_OK;
}

/// Where programs are kept, by the options.
static std::optional<ProgramCache> openCache(const DitCompileOptions &options) {
  // LLVM IR comes into being only on the way.
  if (!options.cache_dir || options.keep_llvm_ir)
    return std::nullopt;
  CacheSettings settings = CacheSettings::fromEnvironment();
  if (*options.cache_dir)
    settings.directory = options.cache_dir;
  if (settings.directory.empty())
    return std::nullopt;
  return std::make_optional<ProgramCache>(std::move(settings), getBuildId());
}

/// Lowers a copy of `module` and compiles it.
static DitStatus compile(const capi::ContextCall &call, ModuleOp module,
                         const ProgramRequest &request,
                         CompiledObject &result) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  if (llvm::Error error = buildTargetPipeline(
          pm, request.entries, request.target, request.pipelineOptions))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT, std::move(error));
  // Once at the end, as in lowerToTarget.
  pm.enableVerifier(false);
  OwningOpRef<ModuleOp> copy = module.clone();
  if (failed(pm.run(*copy)) || failed(verify(*copy)))
    return call.fail(DIT_ERROR_COMPILE, "lowering for target '" +
                                            request.target +
                                            "' failed without a reason");
  llvm::Expected<CompiledObject> object =
      compileToObject(*copy, request.options);
  if (!object)
    return capi::fail(DIT_ERROR_COMPILE, object.takeError());
  result = std::move(*object);
  return DIT_OK;
}

DitStatus ditModuleCompile(DitModule *module, const DitCompileOptions *options,
                           DitProgram **program) {
  if (!module || !program)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleCompile: module or program is NULL");
  *program = nullptr;
  DitCompileOptions read = DIT_COMPILE_OPTIONS_INIT;
  if (DitStatus status = capi::readOptions(options, read))
    return status;
  capi::ContextCall call(*module->owner);
  ProgramRequest request;
  if (DitStatus status = readRequest(*module->module, read, request))
    return status;
  std::string llvmIR;
  llvm::raw_string_ostream llvmIRStream(llvmIR);
  if (read.keep_llvm_ir)
    request.options.dumpLLVM = &llvmIRStream;

  std::optional<ProgramCache> cache = openCache(read);
  FailureOr<CacheKey> key = failure();
  std::optional<CompiledObject> object;
  if (cache)
    key = cache->getKey(*module->module, request);
  if (succeeded(key))
    object = cache->lookup(*key, &module->owner->context);
  if (!object) {
    if (DitStatus status =
            compile(call, *module->module, request, object.emplace()))
      return status;
    if (succeeded(key))
      cache->store(*key, *object);
  }
  *program =
      new DitProgram(std::move(*object), request.target, std::move(llvmIR));
  return DIT_OK;
}

DitProgram::DitProgram(CompiledObject compiled, StringRef target,
                       std::string llvmIR)
    : object(std::move(compiled)), target(target), llvmIR(std::move(llvmIR)),
      workspaces(object.entries.size()) {
  for (const EntryPoint &entry : object.entries)
    entries.entries.push_back(std::make_unique<capi::EntryRecord>(entry));
  for (const ExternalParameter &parameter : object.parameters)
    parameters.push_back(
        std::make_unique<capi::TensorRecord>(parameter.symbol, parameter.type));
  // Now, while there is a context: the types are its own.
  llvm::raw_string_ostream os(header);
  emitHeader(os, object, "a module", target);
}

DitProgram::~DitProgram() {
  for (const std::vector<Workspace> &blocks : workspaces)
    for (const Workspace &block : blocks)
      std::free(block.data);
}

void ditProgramDestroy(DitProgram *program) { delete program; }

DitStatus DitProgram::load() {
  std::call_once(loadOnce, [&] {
    // The object stays for those who ask for it.
    llvm::Expected<Program> program = Program::load(object);
    if (!program) {
      loadError = llvm::toString(program.takeError());
      return;
    }
    loaded = std::make_unique<Program>(std::move(*program));
    for (const EntryPoint &entry : object.entries) {
      auto descriptor = loaded->lookup(entry.signature.name);
      if (descriptor)
        descriptors.push_back(*descriptor);
      else
        loadError = llvm::toString(descriptor.takeError());
    }
  });
  return loadError.empty() ? DIT_OK : capi::fail(DIT_ERROR_COMPILE, loadError);
}

//===----------------------------------------------------------------------===//
// Entries and parameters
//===----------------------------------------------------------------------===//

const DitEntryList *ditProgramGetEntries(const DitProgram *program) {
  return program ? &program->entries : nullptr;
}

size_t ditProgramGetNumParameters(const DitProgram *program) {
  return program ? program->parameters.size() : 0;
}

const DitTensorInfo *ditProgramGetParameter(const DitProgram *program,
                                            size_t index) {
  return index < ditProgramGetNumParameters(program)
             ? &program->parameters[index]->info
             : nullptr;
}

DitStatus ditProgramLoadParameters(DitProgram *program, const char *path) {
  if (!program || !path)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramLoadParameters: program or path is NULL");
  auto files = std::make_unique<ParameterFiles>();
  if (llvm::Error error = files->open(path))
    return capi::fail(DIT_ERROR_IO, llvm::Twine(path) + ": " +
                                        llvm::toString(std::move(error)));
  if (DitStatus status = program->load())
    return status;
  llvm::Expected<int64_t> numBound = files->bind(*program->descriptors.front());
  // Some may be bound in any case.
  program->parameterFiles.push_back(std::move(files));
  if (!numBound)
    return capi::fail(DIT_ERROR_SHAPE_MISMATCH,
                      llvm::Twine(path) + ": " +
                          llvm::toString(numBound.takeError()));
  if (*numBound == 0)
    return capi::fail(DIT_ERROR_NOT_FOUND,
                      llvm::Twine(path) +
                          ": holds none of the program's parameters, which "
                          "are " +
                          llvm::Twine(program->parameters.size()));
  return DIT_OK;
}

DitStatus ditProgramBindParameter(DitProgram *program, const char *name,
                                  const dit_buffer *value) {
  if (!program || !name || !value)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramBindParameter: program, name or value is "
                      "NULL");
  if (DitStatus status = program->load())
    return status;
  if (llvm::none_of(program->parameters, [&](const auto &parameter) {
        return parameter->name == name;
      }))
    return capi::fail(DIT_ERROR_NOT_FOUND,
                      "no parameter '" + llvm::Twine(name) + "'");
  auto status = static_cast<DitStatus>(
      dit_rt_bind_parameter(program->descriptors.front(), name, value));
  return status == DIT_OK ? DIT_OK : capi::fail(status, dit_rt_last_error());
}

DitStatus ditProgramCheckParameters(const DitProgram *program) {
  if (!program)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramCheckParameters: program is NULL");
  if (program->parameters.empty())
    return DIT_OK;
  // Nothing was bound before loading.
  if (program->descriptors.empty())
    return capi::fail(DIT_ERROR_UNBOUND_PARAMETER,
                      "no tensor '" + program->parameters.front()->name + "'");
  if (llvm::Error error =
          ParameterFiles::checkBound(*program->descriptors.front()))
    return capi::fail(DIT_ERROR_UNBOUND_PARAMETER, std::move(error));
  return DIT_OK;
}

//===----------------------------------------------------------------------===//
// Artefacts
//===----------------------------------------------------------------------===//

DitStatus ditProgramGetArtifact(const DitProgram *program, DitArtifact artifact,
                                DitText *bytes) {
  if (!program || !bytes)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramGetArtifact: program or bytes is NULL");
  *bytes = DitText();
  const CompiledObject &object = program->object;
  switch (artifact) {
  case DIT_ARTIFACT_OBJECT:
    return capi::returnText({object.object.data(), object.object.size()},
                            bytes);
  case DIT_ARTIFACT_HEADER:
    return capi::returnText(program->header, bytes);
  case DIT_ARTIFACT_LLVM_IR:
    if (program->llvmIR.empty())
      return capi::fail(DIT_ERROR_NOT_FOUND,
                        "the program was compiled without keep_llvm_ir");
    return capi::returnText(program->llvmIR, bytes);
  case DIT_ARTIFACT_PTX:
    return capi::fail(DIT_ERROR_UNSUPPORTED,
                      "a program for target '" + program->target +
                          "' has no PTX; this build of dit has no GPU target");
  }
  return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                    "no artefact " + llvm::Twine(static_cast<int>(artifact)));
}

DitStatus ditProgramWriteSharedLibrary(const DitProgram *program,
                                       const char *path,
                                       const char *runtime_dir) {
  if (!program || !path)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditProgramWriteSharedLibrary: program or path is NULL");
  std::string runtimeDir = runtime_dir ? runtime_dir : capi::getOwnDirectory();
  if (llvm::Error error =
          linkSharedLibrary(program->object.object, path, runtimeDir))
    return capi::fail(DIT_ERROR_IO, llvm::Twine(path) + ": " +
                                        llvm::toString(std::move(error)));
  return DIT_OK;
}
