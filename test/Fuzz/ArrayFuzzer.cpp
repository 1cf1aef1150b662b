//===- ArrayFuzzer.cpp - Fuzz target: .npy and .safetensors ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The first byte chooses the reader. All elements that a reader promises are
// read, so that a promise beyond the file is found.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "dit/Support/Npy.h"
#include "dit/Support/Safetensors.h"

using namespace mlir;
using namespace mlir::dit;

static void readNpyBytes(StringRef bytes) {
  llvm::Expected<HostTensor> tensor = parseNpy(bytes);
  if (!tensor)
    return llvm::consumeError(tensor.takeError());
  countNaNs(*tensor);
}

static void readSafetensorsBytes(StringRef bytes) {
  auto file =
      SafetensorsFile::parse(llvm::MemoryBuffer::getMemBufferCopy(bytes));
  if (!file)
    return llvm::consumeError(file.takeError());
  unsigned sum = 0;
  for (StringRef name : {"a", "weight", ""})
    if (const TensorView *view = file->lookup(name)) {
      int64_t numBytes = dit_rt_dtype_size(view->dtype);
      for (int64_t extent : view->shape)
        numBytes *= extent;
      for (int64_t i = 0; i < numBytes; ++i)
        sum += static_cast<unsigned char>(view->data[i]);
    }
  // Kept, so that the reads are.
  [[maybe_unused]] static volatile unsigned sink;
  sink = sum;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return -1;
  StringRef bytes(reinterpret_cast<const char *>(data + 1), size - 1);
  if (data[0] % 2 == 0)
    readNpyBytes(bytes);
  else
    readSafetensorsBytes(bytes);
  return 0;
}
