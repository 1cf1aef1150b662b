//===- ModuleFile.cpp - Reading modules that may be damaged ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The trial parse in a child process, and the parse proper.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/ModuleFile.h"

#include "dit/Support/Nesting.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/SourceMgr.h"

#include <csignal>
#include <cstring>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
  if (hasDeepRegions(*module)) {
    emitError(FileLineColLoc::get(context, name, 0, 0))
        << "expected regions that nest at most " << kMaxNesting << " deep";
    return {};
  }
  if (failed(verify(*module)))
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

/// Parses in a child process and sends the error, if any, through `fd`.
[[noreturn]] static void runChild(std::unique_ptr<llvm::MemoryBuffer> buffer,
                                  MLIRContext *context, int fd,
                                  unsigned timeoutSeconds) {
  // The parent reports crashes; no core, no stack trace.
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGALRM})
    std::signal(signal, SIG_DFL);
  rlimit noCore{0, 0};
  setrlimit(RLIMIT_CORE, &noCore);
  (void)std::freopen("/dev/null", "w", stderr);
  alarm(timeoutSeconds);
  auto module = parseBuffer(std::move(buffer), context);
  if (module)
    _exit(0);
  std::string message = llvm::toString(module.takeError());
  (void)!write(fd, message.data(), std::min<size_t>(message.size(), 4000));
  _exit(1);
}

static std::string readAll(int fd) {
  std::string text;
  char chunk[4096];
  for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
    text.append(chunk, n);
  return text;
}

static llvm::Error tryParse(const llvm::MemoryBuffer &buffer,
                            MLIRContext *context, unsigned timeoutSeconds) {
  int fds[2];
  if (pipe(fds) != 0)
    return llvm::createStringError("no pipe: " + Twine(strerror(errno)));
  pid_t child = fork();
  if (child < 0)
    return llvm::createStringError("no process: " + Twine(strerror(errno)));
  if (child == 0)
    runChild(llvm::MemoryBuffer::getMemBuffer(buffer.getMemBufferRef(), false),
             context, fds[1], timeoutSeconds);
  close(fds[1]);
  std::string message = readAll(fds[0]);
  close(fds[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return llvm::Error::success();
  if (WIFEXITED(status))
    return llvm::createStringError(message.empty() ? "not a module" : message);
  if (WTERMSIG(status) == SIGALRM)
    return llvm::createStringError("parsing took longer than " +
                                   Twine(timeoutSeconds) +
                                   " s; the file seems to be damaged");
  return llvm::createStringError("the parser crashed on it (" +
                                 Twine(strsignal(WTERMSIG(status))) +
                                 "); the file seems to be damaged");
}

llvm::Expected<OwningOpRef<ModuleOp>>
mlir::dit::parseModuleFile(StringRef path, MLIRContext *context,
                           unsigned timeoutSeconds) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer)
    return llvm::errorCodeToError(buffer.getError());
  if (llvm::Error error = tryParse(**buffer, context, timeoutSeconds))
    return std::move(error);
  return parseBuffer(std::move(*buffer), context);
}
