//===- WriteFile.cpp - Files that are whole or not there ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/WriteFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

/// Writes to an open file, and closes it.
static Error writeAndClose(int fd, function_ref<void(raw_ostream &)> write) {
  raw_fd_ostream file(fd, /*shouldClose=*/true);
  write(file);
  file.close();
  std::error_code error = file.error();
  // An error that nobody has looked at ends the process.
  file.clear_error();
  return errorCodeToError(error);
}

/// Writes to a file that is there.
static Error writeExisting(StringRef path,
                           function_ref<void(raw_ostream &)> write) {
  int fd;
  if (std::error_code error = sys::fs::openFileForWrite(
          path, fd, sys::fs::CD_OpenExisting, sys::fs::OF_None))
    return errorCodeToError(error);
  return writeAndClose(fd, write);
}

Error mlir::dit::replaceFile(StringRef path,
                             function_ref<Error(StringRef)> make) {
  // A link stays, and what it names is replaced.
  SmallString<128> target(path), temporary;
  if (sys::fs::is_symlink_file(path))
    if (std::error_code error = sys::fs::real_path(path, target))
      return errorCodeToError(error);
  int fd;
  unsigned mode = sys::fs::all_read | sys::fs::all_write;
  if (std::error_code error = sys::fs::createUniqueFile(
          target + ".%%%%%%%%", fd, temporary, sys::fs::OF_None, mode))
    return errorCodeToError(error);
  sys::fs::file_t file = sys::fs::convertFDToNativeFile(fd);
  Error error = errorCodeToError(sys::fs::closeFile(file));
  if (!error)
    error = make(temporary);
  if (!error)
    error = errorCodeToError(sys::fs::rename(temporary, target));
  if (error)
    sys::fs::remove(temporary);
  return error;
}

Error mlir::dit::writeFile(StringRef path,
                           function_ref<void(raw_ostream &)> write) {
  if (sys::fs::exists(path) && !sys::fs::is_regular_file(path))
    return writeExisting(path, write);
  return replaceFile(path, [&](StringRef temporary) {
    return writeExisting(temporary, write);
  });
}

Error mlir::dit::writeFile(StringRef path, StringRef contents) {
  return writeFile(path, [&](raw_ostream &file) { file << contents; });
}
