//===- ParameterFiles.h - Weights of programs from files --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Points compiled programs to their weights in mapped .safetensors files.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_PARAMETERFILES_H
#define DIT_TARGET_PARAMETERFILES_H

#include "dit/Support/HostTensor.h"
#include "dit/Support/Safetensors.h"

#include <memory>
#include <vector>

namespace mlir::dit {

/// Files that must live as long as the programs that use their weights.
class ParameterFiles {
public:
  /// Adds the file at `path`. Errors do not name the path.
  llvm::Error open(llvm::StringRef path);

  /// Gives each parameter of `entry` that a file holds its data, of the first
  /// file that does. Returns how many these are. It is an error if a tensor has
  /// another type than its parameter.
  llvm::Expected<int64_t> bind(const dit_rt_entry &entry);

  /// The tensor `name`, for a parameter of this type. It is an error if there
  /// is none or if it has another type.
  llvm::Expected<const TensorView *> find(llvm::StringRef name,
                                          dit_rt_dtype dtype,
                                          llvm::ArrayRef<int64_t> shape) const;

  /// Fails if a parameter of `entry` has no data, and names it with its type.
  static llvm::Error checkBound(const dit_rt_entry &entry);

private:
  const TensorView *lookup(llvm::StringRef name) const;
  char *getAlignedData(const TensorView &view);

  std::vector<SafetensorsFile> files;
  /// Copies of tensors that are not aligned in their file.
  std::vector<std::unique_ptr<HostTensor>> copies;
};

} // namespace mlir::dit

#endif // DIT_TARGET_PARAMETERFILES_H
