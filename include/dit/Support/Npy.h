//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading and writing of .npy files, little-endian, versions 1 to 3. bf16
// travels as dtype <V2, as ml_dtypes writes it, or as its bits in <u2.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_NPY_H
#define DIT_SUPPORT_NPY_H

#include "dit/Support/HostTensor.h"

#include "llvm/Support/Error.h"

namespace mlir::dit {

/// Reads the file at `path`. Errors do not name the path. Unsigned integers
/// come as integers of the same width.
llvm::Expected<HostTensor> readNpy(llvm::StringRef path);

/// Parses the contents of a .npy file.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef contents);

/// Writes `tensor` to `path`, replacing what is there.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace mlir::dit

#endif // DIT_SUPPORT_NPY_H
