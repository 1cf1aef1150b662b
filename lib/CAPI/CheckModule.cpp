//===- CheckModule.cpp - Modules that may crash the parser ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's bytecode reader can crash or hang on damaged input, and its parser
// of text on some that is half written. A host cannot be asked to live with
// that, so a program of its own, dit-check-module, reads first. Bytecode it
// writes anew, and the host reads only that: whether damage does harm can
// depend on what else lies on the heap. It is a new program and no fork of the
// host, which may have many threads: a fork keeps the locks that the others
// hold.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include "mlir/Bytecode/BytecodeReader.h"
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

/// The file descriptor that dit-check-module writes the module to.
static constexpr int kOutput = 3;

static constexpr char kWayOut[] = "; ditModuleParseTrusted does without";

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

/// How dit-check-module is started.
class SpawnSettings {
public:
  SpawnSettings(int input, int answer, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, answer, 1);
    posix_spawn_file_actions_adddup2(&actions, output, kOutput);
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

/// What dit-check-module says: "ok", or an error as "line:column:message".
struct Answer {
  std::string text;
  /// The signal that ended it, or -1 if it ended without an answer.
  int signal = 0;
};

} // namespace

/// Where dit-check-module is: beside the library, or where it is installed.
static std::string findChecker() {
  std::string folder = capi::getOwnDirectory();
  SmallString<128> path(folder);
  llvm::sys::path::append(path, "dit-check-module");
  if (!llvm::sys::fs::can_execute(path)) {
    path = folder;
    llvm::sys::path::append(path, "..", "libexec", "dit-check-module");
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

/// Runs dit-check-module, which writes what was bytecode to `output`.
static llvm::Expected<Answer> runChecker(StringRef bytes, StringRef name,
                                         int64_t timeLimit,
                                         Descriptor &output) {
  Descriptor input, answer, childAnswer;
  if (llvm::Error error = writeToMemory(bytes, input))
    return std::move(error);
  if (llvm::Error error = writeToMemory("", output))
    return std::move(error);
  int pipeEnds[2];
  if (pipe2(pipeEnds, O_CLOEXEC) != 0)
    return llvm::createStringError(llvm::Twine("no pipe: ") + strerror(errno));
  answer.reset(pipeEnds[0]);
  childAnswer.reset(pipeEnds[1]);
  SpawnSettings settings(input.get(), childAnswer.get(), output.get());
  std::string path = findChecker(), file = name.str(),
              limit = std::to_string(timeLimit);
  char *arguments[] = {path.data(), file.data(), limit.data(), nullptr};
  pid_t child;
  if (int error = posix_spawn(&child, path.c_str(), &settings.actions,
                              &settings.attributes, arguments, environ))
    return llvm::createStringError(path + ": " + strerror(error));
  childAnswer.reset();
  Answer result;
  result.text = readAll(answer.get());
  // A host may have told the system to forget its children.
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED(status))
    result.signal = WTERMSIG(status);
  else if (result.text.empty())
    result.signal = -1;
  return result;
}

/// What is wrong with input that ended dit-check-module.
static std::string describeEnd(bool isText, int signal, int64_t timeLimit) {
  std::string what = isText ? "MLIR's parser fails on this text: it "
                            : "the bytecode is damaged: reading it ";
  if (signal == SIGALRM)
    return what + "took longer than " + std::to_string(timeLimit) + " s";
  return what + "crashes or does not end";
}

/// What a file in memory holds, once it is complete.
static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readMemory(const Descriptor &file, StringRef name) {
  auto buffer = llvm::MemoryBuffer::getOpenFile(
      file.get(), name, /*FileSize=*/-1, /*RequiresNullTerminator=*/false,
      /*IsVolatile=*/false, llvm::Align(64));
  if (!buffer)
    return llvm::errorCodeToError(buffer.getError());
  return std::move(*buffer);
}

DitStatus capi::checkModule(const ContextCall &call, DitContext &owner,
                            std::unique_ptr<llvm::MemoryBuffer> &buffer) {
  std::string name = buffer->getBufferIdentifier().str();
  bool isText = !isBytecode(*buffer);
  Descriptor output;
  llvm::Expected<Answer> answer =
      runChecker(buffer->getBuffer(), name, owner.timeLimit, output);
  if (!answer)
    return fail(DIT_ERROR_IO, "no process that checks modules: " +
                                  llvm::toString(answer.takeError()) + kWayOut);
  if (answer->signal != 0)
    answer->text =
        "0:0:" + describeEnd(isText, answer->signal, owner.timeLimit);
  else if (isText)
    return DIT_OK; // The parser itself says all that is wrong.
  if (answer->text != "ok") {
    auto [line, rest] = StringRef(answer->text).split(':');
    auto [column, message] = rest.split(':');
    unsigned lineNumber = 0, columnNumber = 0;
    (void)line.getAsInteger(10, lineNumber);
    (void)column.getAsInteger(10, columnNumber);
    emitError(
        FileLineColLoc::get(&owner.context, name, lineNumber, columnNumber))
        << message;
    return call.fail(DIT_ERROR_PARSE, message);
  }
  auto written = readMemory(output, name);
  if (!written)
    return fail(DIT_ERROR_IO, "what dit-check-module wrote: " +
                                  llvm::toString(written.takeError()) +
                                  kWayOut);
  buffer = std::move(*written);
  return DIT_OK;
}
