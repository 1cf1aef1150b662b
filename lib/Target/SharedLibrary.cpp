//===- SharedLibrary.cpp - Linking of compiled objects --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a compiler driver found in PATH.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/SharedLibrary.h"
#include "dit/Support/WriteFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

using namespace llvm;

static Expected<std::string> findDriver() {
  for (StringRef name : {"clang-22", "clang", "cc"})
    if (auto path = sys::findProgramByName(name))
      return *path;
  return createStringError("linking a shared library needs clang-22, clang or "
                           "cc in PATH; write a .o file instead");
}

/// Runs `args`; the error is the first line that the program prints.
static Error runProgram(ArrayRef<StringRef> args) {
  SmallString<128> log;
  if (std::error_code error =
          sys::fs::createTemporaryFile("dit-link", "log", log))
    return errorCodeToError(error);
  FileRemover removeLog(log);
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log),
                                          StringRef(log)};
  std::string message;
  int status = sys::ExecuteAndWait(args.front(), args, /*Env=*/std::nullopt,
                                   redirects, /*SecondsToWait=*/0,
                                   /*MemoryLimit=*/0, &message);
  if (status == 0)
    return Error::success();
  if (auto text = MemoryBuffer::getFile(log))
    if (message.empty())
      message = (*text)->getBuffer().split('\n').first.str();
  return createStringError(args.front() + " failed: " + message);
}

/// The folder `to` as seen from the folder `from`.
static SmallString<128> getRelativePath(StringRef from, StringRef to) {
  SmallString<128> absolute[2] = {from, to};
  for (SmallString<128> &path : absolute) {
    sys::fs::make_absolute(path);
    sys::path::remove_dots(path, /*remove_dot_dot=*/true);
  }
  auto here = sys::path::begin(absolute[0]),
       hereEnd = sys::path::end(absolute[0]);
  auto there = sys::path::begin(absolute[1]),
       thereEnd = sys::path::end(absolute[1]);
  while (here != hereEnd && there != thereEnd && *here == *there) {
    ++here;
    ++there;
  }
  SmallString<128> relative;
  for (; here != hereEnd; ++here)
    sys::path::append(relative, "..");
  for (; there != thereEnd; ++there)
    sys::path::append(relative, *there);
  return relative;
}

/// The runtime in `folder`: by the name to link with, or, where only programs
/// run, by the name that they ask for.
static Expected<SmallString<128>> findRuntime(StringRef folder) {
  for (StringRef name : {"libdit_runtime.so", DIT_RUNTIME_SONAME}) {
    SmallString<128> path(folder);
    sys::path::append(path, name);
    if (sys::fs::exists(path))
      return path;
  }
  SmallString<128> path(folder);
  sys::path::append(path, "libdit_runtime.so");
  return createStringError("no runtime at " + path +
                           "; name its folder with --runtime-dir");
}

Error mlir::dit::linkSharedLibrary(ArrayRef<char> object, StringRef path,
                                   StringRef runtimeDir) {
  Expected<SmallString<128>> runtime = findRuntime(runtimeDir);
  if (!runtime)
    return runtime.takeError();
  Expected<std::string> driver = findDriver();
  if (!driver)
    return driver.takeError();
  SmallString<128> objectPath;
  if (std::error_code error =
          sys::fs::createTemporaryFile("dit", "o", objectPath))
    return errorCodeToError(error);
  FileRemover removeObject(objectPath);
  if (Error error =
          writeFile(objectPath, StringRef(object.data(), object.size())))
    return error;
  // The runtime lies beside the library, or where it is now as seen from there:
  // both may move together.
  std::string rpath =
      ("-Wl,-rpath,$ORIGIN:$ORIGIN/" +
       getRelativePath(sys::path::parent_path(path), runtimeDir))
          .str();
  return replaceFile(path, [&](StringRef temporary) {
    SmallVector<StringRef> args = {*driver,    "-shared", "-o",  temporary,
                                   objectPath, *runtime,  "-lm", rpath};
    return runProgram(args);
  });
}
