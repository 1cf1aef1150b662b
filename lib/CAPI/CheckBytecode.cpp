//===- CheckBytecode.cpp - Bytecode that may be damaged -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's bytecode reader can crash or hang on damaged input. A host cannot
// be asked to live with that, so a program of its own, dit-check-bytecode,
// reads first. It is a new program and no fork of the host, which may have many
// threads: a fork keeps the locks that the others hold.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::dit;

extern char **environ;

static constexpr char kWayOut[] =
    "; ditModuleParseTrusted reads bytecode without it";

namespace {

/// A file descriptor that closes itself. None of them outlives an exec.
class Descriptor {
public:
  explicit Descriptor(int fd = -1) : fd(fd) {}
  Descriptor(const Descriptor &) = delete;
  ~Descriptor() { reset(); }
  void reset(int newFd = -1) {
    if (fd >= 0)
      close(fd);
    fd = newFd;
  }
  int get() const { return fd; }

private:
  int fd;
};

/// How dit-check-bytecode is started.
class SpawnSettings {
public:
  SpawnSettings(int input, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    // Whatever the host blocks or ignores, the child dies of its faults.
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  SpawnSettings(const SpawnSettings &) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

} // namespace

/// Where dit-check-bytecode is: beside the library, or where it is installed.
static std::string findChecker() {
  std::string folder = capi::getOwnDirectory();
  SmallString<128> path(folder);
  llvm::sys::path::append(path, "dit-check-bytecode");
  if (!llvm::sys::fs::can_execute(path)) {
    path = folder;
    llvm::sys::path::append(path, "..", "libexec", "dit-check-bytecode");
  }
  return path.str().str();
}

/// Puts `bytes` into a file in memory, from its beginning.
static llvm::Error writeToMemory(StringRef bytes, Descriptor &file) {
  file.reset(memfd_create("dit-bytecode", MFD_CLOEXEC));
  const char *data = bytes.data();
  size_t rest = bytes.size();
  while (file.get() >= 0 && rest > 0) {
    ssize_t written = write(file.get(), data, rest);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      break;
    data += written;
    rest -= written;
  }
  if (file.get() < 0 || rest > 0 || lseek(file.get(), 0, SEEK_SET) != 0)
    return llvm::createStringError(llvm::Twine("no file in memory: ") +
                                   strerror(errno));
  return llvm::Error::success();
}

static std::string readAll(int fd) {
  std::string text;
  char chunk[4096];
  for (;;) {
    ssize_t size = read(fd, chunk, sizeof(chunk));
    if (size > 0)
      text.append(chunk, size);
    else if (size == 0 || errno != EINTR)
      return text;
  }
}

/// Runs dit-check-bytecode and returns what it says: "ok", or an error as
/// "line:column:message". What crashes says nothing.
static llvm::Expected<std::string> runChecker(StringRef bytes, StringRef name) {
  Descriptor input, output, childOutput;
  if (llvm::Error error = writeToMemory(bytes, input))
    return std::move(error);
  int pipeEnds[2];
  if (pipe2(pipeEnds, O_CLOEXEC) != 0)
    return llvm::createStringError(llvm::Twine("no pipe: ") + strerror(errno));
  output.reset(pipeEnds[0]);
  childOutput.reset(pipeEnds[1]);
  SpawnSettings settings(input.get(), childOutput.get());
  std::string path = findChecker(), file = name.str();
  char *arguments[] = {path.data(), file.data(), nullptr};
  pid_t child;
  if (int error = posix_spawn(&child, path.c_str(), &settings.actions,
                              &settings.attributes, arguments, environ))
    return llvm::createStringError(path + ": " + strerror(error));
  childOutput.reset();
  std::string answer = readAll(output.get());
  // A host may have told the system to forget its children.
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR)
    ;
  return answer;
}

DitStatus capi::checkBytecode(const ContextCall &call, DitContext &owner,
                              llvm::MemoryBufferRef bytecode) {
  StringRef name = bytecode.getBufferIdentifier();
  llvm::Expected<std::string> answer = runChecker(bytecode.getBuffer(), name);
  if (!answer)
    return fail(DIT_ERROR_IO, "no process that checks bytecode: " +
                                  llvm::toString(answer.takeError()) + kWayOut);
  if (*answer == "ok")
    return DIT_OK;
  auto [line, rest] = StringRef(*answer).split(':');
  auto [column, message] = rest.split(':');
  unsigned lineNumber = 0, columnNumber = 0;
  if (line.getAsInteger(10, lineNumber) ||
      column.getAsInteger(10, columnNumber))
    message = "the bytecode is damaged: reading it crashes or does not end";
  emitError(FileLineColLoc::get(&owner.context, name, lineNumber, columnNumber))
      << message;
  return call.fail(DIT_ERROR_PARSE, message);
}
