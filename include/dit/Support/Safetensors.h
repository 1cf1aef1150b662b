//===- Safetensors.h - Files of named tensors -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading of .safetensors files, whose data stays in the mapped file.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_SAFETENSORS_H
#define DIT_SUPPORT_SAFETENSORS_H

#include "dit/Runtime/Entry.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace mlir::dit {

/// A tensor inside a file; its data is row-major.
struct TensorView {
  dit_rt_dtype dtype;
  llvm::SmallVector<int64_t> shape;
  const char *data;
};

class SafetensorsFile {
public:
  /// Maps the file at `path` and checks its table. Errors do not name the path.
  static llvm::Expected<SafetensorsFile> open(llvm::StringRef path);

  /// Checks the contents of a file.
  static llvm::Expected<SafetensorsFile>
  parse(std::unique_ptr<llvm::MemoryBuffer> buffer);

  /// The tensor `name`, or null. Tensors of types that dit does not know are
  /// left out.
  const TensorView *lookup(llvm::StringRef name) const;
  size_t size() const { return tensors.size(); }

private:
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  llvm::StringMap<TensorView> tensors;
};

} // namespace mlir::dit

#endif // DIT_SUPPORT_SAFETENSORS_H
