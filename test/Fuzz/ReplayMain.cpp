//===- ReplayMain.cpp - Fuzz targets without libFuzzer --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a target over the files of the folders that it is given, so that every
// build can run the kept corpora. Options, which are libFuzzer's, are ignored.
//
//===----------------------------------------------------------------------===//

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int *argc,
                                                          char ***argv);

/// What mutators of targets call; nothing is mutated here.
extern "C" size_t LLVMFuzzerMutate(uint8_t *, size_t size, size_t) {
  return size;
}

static std::vector<std::string> listFiles(llvm::StringRef folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error))
    paths.push_back(it->path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

int main(int argc, char **argv) {
  if (LLVMFuzzerInitialize)
    LLVMFuzzerInitialize(&argc, &argv);
  size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-')
      continue;
    for (const std::string &path : listFiles(argv[i])) {
      auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
      if (!file)
        continue;
      // Tells which input it was, if the target does not return.
      llvm::errs() << "Running: " << path << '\n';
      llvm::StringRef bytes = (*file)->getBuffer();
      LLVMFuzzerTestOneInput(bytes.bytes_begin(), bytes.size());
      ++count;
    }
  }
  llvm::errs() << "Done " << count << " runs\n";
  return count == 0;
}
