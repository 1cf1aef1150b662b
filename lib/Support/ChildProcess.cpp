//===- ChildProcess.cpp - Work that may crash or hang ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fork, its answer in a file in memory, and its end.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/ChildProcess.h"

#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir::dit;
using llvm::Error;
using llvm::raw_ostream;

namespace {

/// A file in memory, closed with the object.
class MemoryFile {
public:
  explicit MemoryFile(const char *name) : fd(memfd_create(name, MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile &) = delete;
  ~MemoryFile() {
    if (fd >= 0)
      close(fd);
  }
  bool isOpen() const { return fd >= 0; }

  /// What is in it; it may be closed afterwards. Bytecode may hold data that is
  /// aligned to its beginning.
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
  read(llvm::StringRef name) const {
    auto buffer = llvm::MemoryBuffer::getOpenFile(
        fd, name, /*FileSize=*/-1, /*RequiresNullTerminator=*/false,
        /*IsVolatile=*/false, llvm::Align(64));
    if (!buffer)
      return llvm::errorCodeToError(buffer.getError());
    return std::move(*buffer);
  }

  /// Lets `writer` write to it.
  Error write(llvm::function_ref<Error(raw_ostream &)> writer) const {
    llvm::raw_fd_ostream os(fd, /*shouldClose=*/false);
    Error error = writer(os);
    os.flush();
    if (!error && os.has_error())
      error = llvm::errorCodeToError(os.error());
    os.clear_error();
    return error;
  }

private:
  int fd;
};

} // namespace

[[noreturn]] static void runChild(llvm::function_ref<Error(raw_ostream &)> work,
                                  const MemoryFile &output,
                                  const MemoryFile &message,
                                  unsigned timeoutSeconds) {
  // The parent reports crashes; no core, no stack trace.
  for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGALRM})
    std::signal(signal, SIG_DFL);
  rlimit noCore{0, 0};
  setrlimit(RLIMIT_CORE, &noCore);
  (void)!std::freopen("/dev/null", "w", stderr);
  alarm(timeoutSeconds);
  Error error = output.write(work);
  if (!error)
    _exit(0);
  llvm::consumeError(message.write([&](raw_ostream &os) {
    os << llvm::toString(std::move(error));
    return Error::success();
  }));
  _exit(1);
}

llvm::Expected<ChildAnswer>
mlir::dit::runInChild(llvm::function_ref<Error(raw_ostream &)> work,
                      llvm::StringRef name, unsigned timeoutSeconds) {
  MemoryFile output("dit-output"), message("dit-message");
  if (!output.isOpen() || !message.isOpen())
    return llvm::createStringError(llvm::Twine("no file in memory: ") +
                                   strerror(errno));
  pid_t child = fork();
  if (child < 0)
    return llvm::createStringError(llvm::Twine("no process: ") +
                                   strerror(errno));
  if (child == 0)
    runChild(work, output, message, timeoutSeconds);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED(status))
    return ChildAnswer{WTERMSIG(status), nullptr};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    auto buffer = output.read(name);
    if (!buffer)
      return buffer.takeError();
    return ChildAnswer{0, std::move(*buffer)};
  }
  auto text = message.read("message");
  if (!text)
    return text.takeError();
  return llvm::createStringError((*text)->getBuffer());
}
