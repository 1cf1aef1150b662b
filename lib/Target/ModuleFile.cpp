//===- ModuleFile.cpp - Reading modules that may be damaged ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The trial parse in a child process, and the parse proper. Bytecode is read
// from the file in the child only, and here as the child wrote it: whether
// damage does harm can depend on what else lies on the heap.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/ModuleFile.h"

#include "dit/Support/ChildProcess.h"
#include "dit/Support/Nesting.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include <csignal>
#include <cstring>

using namespace mlir;
using namespace mlir::dit;

/// "file:line:column: " where known.
static std::string formatLocation(Location loc) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    os << file.getFilename().getValue() << ':' << file.getLine() << ':'
       << file.getColumn() << ": ";
  return text;
}

FirstErrorHandler::FirstErrorHandler(MLIRContext *context)
    : ScopedDiagnosticHandler(context) {
  setHandler([this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error || !text.empty())
      return success();
    text = formatLocation(diagnostic.getLocation()) + diagnostic.str();
    // Messages that quote whole operations would flood the line.
    text = StringRef(text).split('\n').first.str();
    return success();
  });
}

/// Whether regions nest too deep, which bytecode does not tell before it is
/// read. Without calling itself, and the verifier does that too.
static bool hasDeepRegions(Operation *root) {
  SmallVector<std::pair<Operation *, int64_t>> stack = {{root, 0}};
  while (!stack.empty()) {
    auto [op, depth] = stack.pop_back_val();
    if (depth > kMaxNesting)
      return true;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          if (inner.getNumRegions() > 0)
            stack.push_back({&inner, depth + 1});
  }
  return false;
}

static bool checkRegions(ModuleOp module, StringRef name) {
  if (!hasDeepRegions(module))
    return true;
  emitError(FileLineColLoc::get(module->getContext(), name, 0, 0))
      << "expected regions that nest at most " << kMaxNesting << " deep";
  return false;
}

OwningOpRef<ModuleOp>
mlir::dit::parseModule(std::unique_ptr<llvm::MemoryBuffer> buffer,
                       MLIRContext *context) {
  bool isText = !isBytecode(*buffer);
  std::string name = buffer->getBufferIdentifier().str();
  if (isText)
    if (std::optional<NestingFault> fault =
            findDeepNesting(buffer->getBuffer())) {
      emitError(FileLineColLoc::get(context, name, fault->line, fault->column))
          << fault->text;
      return {};
    }
  auto sourceManager = std::make_shared<llvm::SourceMgr>();
  sourceManager->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  auto module = parseSourceFile<ModuleOp>(
      sourceManager, ParserConfig(context, /*verifyAfterParse=*/isText));
  if (!module || isText)
    return module;
  if (!checkRegions(*module, name) || failed(verify(*module)))
    return {};
  return module;
}

static llvm::Expected<OwningOpRef<ModuleOp>>
parseBuffer(std::unique_ptr<llvm::MemoryBuffer> buffer, MLIRContext *context) {
  FirstErrorHandler errors(context);
  OwningOpRef<ModuleOp> module = parseModule(std::move(buffer), context);
  if (module)
    return module;
  return llvm::createStringError(errors.hasError() ? errors.getText()
                                                   : "not a module");
}

/// Bytecode of `module` in the version of this build.
static llvm::Error writeBytecode(ModuleOp module, FallbackAsmResourceMap *rest,
                                 llvm::raw_ostream &os) {
  BytecodeWriterConfig config;
  if (rest)
    config.attachFallbackResourcePrinter(*rest);
  if (failed(writeBytecodeToFile(module, os, config)))
    return llvm::createStringError("cannot be written as bytecode");
  return llvm::Error::success();
}

/// What a child wrote, unless it crashed or took too long.
static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
takeOutput(llvm::Expected<ChildAnswer> answer, unsigned timeoutSeconds) {
  if (!answer)
    return answer.takeError();
  if (answer->signal == SIGALRM)
    return llvm::createStringError("parsing took longer than " +
                                   Twine(timeoutSeconds) +
                                   " s; the file seems to be damaged");
  if (answer->signal != 0)
    return llvm::createStringError("the parser crashed on it (" +
                                   Twine(strsignal(answer->signal)) +
                                   "); the file seems to be damaged");
  return std::move(answer->output);
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> mlir::dit::rewriteBytecode(
    const llvm::MemoryBuffer &bytecode, const DialectRegistry &registry,
    bool allowUnregistered, bool verifyModule, unsigned timeoutSeconds) {
  StringRef name = bytecode.getBufferIdentifier();
  auto work = [&](llvm::raw_ostream &os) -> llvm::Error {
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    context.allowUnregisteredDialects(allowUnregistered);
    auto sourceManager = std::make_shared<llvm::SourceMgr>();
    sourceManager->AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBuffer(bytecode.getMemBufferRef(), false),
        llvm::SMLoc());
    std::string text;
    llvm::raw_string_ostream diagnostics(text);
    SourceMgrDiagnosticHandler handler(*sourceManager, &context, diagnostics);
    FallbackAsmResourceMap rest;
    ParserConfig config(&context, /*verifyAfterParse=*/false, &rest);
    auto module = parseSourceFile<ModuleOp>(sourceManager, config);
    if (!module || !checkRegions(*module, name) ||
        (verifyModule && failed(verify(*module))))
      return llvm::createStringError(StringRef(text).rtrim());
    return writeBytecode(*module, &rest, os);
  };
  return takeOutput(runInChild(work, name, timeoutSeconds), timeoutSeconds);
}

llvm::Expected<OwningOpRef<ModuleOp>>
mlir::dit::parseModuleFile(StringRef path, MLIRContext *context,
                           unsigned timeoutSeconds) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file)
    return llvm::errorCodeToError(file.getError());
  std::unique_ptr<llvm::MemoryBuffer> buffer = std::move(*file);
  auto work = [&](llvm::raw_ostream &os) -> llvm::Error {
    auto module = parseBuffer(
        llvm::MemoryBuffer::getMemBuffer(buffer->getMemBufferRef(), false),
        context);
    if (!module)
      return module.takeError();
    return isBytecode(*buffer) ? writeBytecode(**module, nullptr, os)
                               : llvm::Error::success();
  };
  auto output =
      takeOutput(runInChild(work, path, timeoutSeconds), timeoutSeconds);
  if (!output)
    return output.takeError();
  if (isBytecode(*buffer))
    buffer = std::move(*output);
  return parseBuffer(std::move(buffer), context);
}
