//===- Module.cpp - Modules of the C API ----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading, transforming and writing modules.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"
#include "dit/Support/Nesting.h"
#include "dit/Target/LinkModules.h"
#include "dit/Target/ModuleFile.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static DitStatus parse(DitContext *owner,
                       std::unique_ptr<llvm::MemoryBuffer> buffer, bool trusted,
                       DitModule **module) {
  capi::ContextCall call(*owner);
  if (!trusted)
    if (DitStatus status = capi::checkModule(call, *owner, buffer))
      return status;
  OwningOpRef<ModuleOp> parsed =
      parseModule(std::move(buffer), &owner->context);
  if (!parsed)
    return call.fail(DIT_ERROR_PARSE, "not a module");
  *module = new DitModule{owner, std::move(parsed)};
  return DIT_OK;
}

static DitStatus parseBytes(DitContext *context, const char *data, size_t size,
                            const char *name, bool trusted,
                            DitModule **module) {
  if (!context || (!data && size > 0) || !module)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleParse: context, data or module is NULL");
  *module = nullptr;
  // Bytecode may hold data that is aligned to its own beginning.
  std::unique_ptr<llvm::WritableMemoryBuffer> buffer =
      llvm::WritableMemoryBuffer::getNewUninitMemBuffer(size, name ? name : "-",
                                                        llvm::Align(64));
  if (!buffer)
    return capi::fail(DIT_ERROR_OUT_OF_MEMORY,
                      "ditModuleParse: no memory for " + llvm::Twine(size) +
                          " bytes");
  if (size > 0)
    std::memcpy(buffer->getBufferStart(), data, size);
  return parse(context, std::move(buffer), trusted, module);
}

DitStatus ditModuleParse(DitContext *context, const char *data, size_t size,
                         const char *name, DitModule **module) {
  return parseBytes(context, data, size, name, /*trusted=*/false, module);
}

DitStatus ditModuleParseTrusted(DitContext *context, const char *data,
                                size_t size, const char *name,
                                DitModule **module) {
  return parseBytes(context, data, size, name, /*trusted=*/true, module);
}

static DitStatus parseFile(DitContext *context, const char *path, bool trusted,
                           DitModule **module) {
  if (!context || !path || !module)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleParseFile: context, path or module is NULL");
  *module = nullptr;
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return capi::fail(DIT_ERROR_IO,
                      llvm::Twine(path) + ": " + buffer.getError().message());
  return parse(context, std::move(*buffer), trusted, module);
}

DitStatus ditModuleParseFile(DitContext *context, const char *path,
                             DitModule **module) {
  return parseFile(context, path, /*trusted=*/false, module);
}

DitStatus ditModuleParseFileTrusted(DitContext *context, const char *path,
                                    DitModule **module) {
  return parseFile(context, path, /*trusted=*/true, module);
}

DitStatus ditModuleClone(DitModule *module, DitModule **copy) {
  if (!module || !copy)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleClone: module or copy is NULL");
  capi::ContextCall call(*module->owner);
  *copy = new DitModule{module->owner, module->module->clone()};
  return DIT_OK;
}

void ditModuleDestroy(DitModule *module) {
  if (!module)
    return;
  capi::ContextCall call(*module->owner);
  delete module;
}

//===----------------------------------------------------------------------===//
// Transforming
//===----------------------------------------------------------------------===//

DitStatus ditModuleLink(DitModule *module, DitModule *library) {
  if (!module || !library)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleLink: module or library is NULL");
  if (module == library || module->owner != library->owner)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleLink: expected two modules of one context");
  capi::ContextCall call(*module->owner);
  Location loc = library->module->getLoc();
  // What is linked is lost on an error.
  OwningOpRef<ModuleOp> copy = library->module->clone();
  if (llvm::Error error = linkModules(*module->module, std::move(copy)))
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT, std::move(error));
  library->module = ModuleOp::create(loc);
  return DIT_OK;
}

/// Parses a pipeline on modules, with or without what surrounds its passes.
static LogicalResult parsePipeline(StringRef text, PassManager &pm,
                                   llvm::raw_ostream &errors) {
  text = text.trim();
  if (std::optional<NestingFault> fault = findDeepNesting(text)) {
    errors << fault->text;
    return failure();
  }
  if (!text.starts_with("builtin.module(") && !text.starts_with("any("))
    return parsePassPipeline(text, pm, errors);
  FailureOr<OpPassManager> parsed = parsePassPipeline(text, errors);
  if (failed(parsed))
    return failure();
  static_cast<OpPassManager &>(pm) = std::move(*parsed);
  return success();
}

DitStatus ditModuleRunPipeline(DitModule *module, const char *pipeline) {
  if (!module || !pipeline)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleRunPipeline: module or pipeline is NULL");
  capi::ContextCall call(*module->owner);
  PassManager pm(&module->owner->context, ModuleOp::getOperationName());
  std::string errors;
  llvm::raw_string_ostream errorStream(errors);
  if (failed(parsePipeline(pipeline, pm, errorStream)))
    return call.fail(DIT_ERROR_PIPELINE, "pipeline '" + llvm::Twine(pipeline) +
                                             "': " + StringRef(errors).trim());
  // A pass that fails leaves what it worked on in any state.
  OwningOpRef<ModuleOp> copy = module->module->clone();
  if (failed(pm.run(*copy)))
    return call.fail(DIT_ERROR_PIPELINE, "pipeline '" + llvm::Twine(pipeline) +
                                             "' failed without a reason");
  module->module = std::move(copy);
  return DIT_OK;
}

DitStatus ditModuleVerify(DitModule *module) {
  if (!module)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleVerify: module is NULL");
  capi::ContextCall call(*module->owner);
  if (failed(verify(*module->module)))
    return call.fail(DIT_ERROR_VERIFY, "the module is not valid");
  return DIT_OK;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

DitStatus ditModulePrint(DitModule *module, const DitPrintOptions *options,
                         DitText *text) {
  if (!module || !text)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModulePrint: module or text is NULL");
  *text = DitText();
  DitPrintOptions read = DIT_PRINT_OPTIONS_INIT;
  if (DitStatus status = capi::readOptions(options, read))
    return status;
  if (read.locations < 0 || read.locations > 2 || read.elide_elements < -1)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModulePrint: expected locations 0, 1 or 2 and "
                      "elide_elements of at least -1");
  OpPrintingFlags flags;
  if (read.elide_elements >= 0) {
    flags.elideLargeElementsAttrs(read.elide_elements);
    flags.elideLargeResourceString(read.elide_elements);
  }
  flags.printGenericOpForm(read.generic != 0);
  flags.enableDebugInfo(read.locations > 0, /*prettyForm=*/false);
  if (read.locations == 2)
    flags.useLocalScope();
  capi::ContextCall call(*module->owner);
  std::string printed;
  llvm::raw_string_ostream os(printed);
  module->module->print(os, flags);
  return capi::returnText(printed, text);
}

DitStatus ditModuleWriteBytecode(DitModule *module, DitText *bytecode) {
  if (!module || !bytecode)
    return capi::fail(DIT_ERROR_INVALID_ARGUMENT,
                      "ditModuleWriteBytecode: module or bytecode is NULL");
  *bytecode = DitText();
  capi::ContextCall call(*module->owner);
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  if (failed(writeBytecodeToFile(*module->module, os)))
    return call.fail(DIT_ERROR_UNSUPPORTED,
                     "the module cannot be written as bytecode");
  return capi::returnText(bytes, bytecode);
}
