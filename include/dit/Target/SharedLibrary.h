//===- SharedLibrary.h - Linking of compiled objects ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Makes a shared library of an object by the system's compiler driver.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_SHAREDLIBRARY_H
#define DIT_TARGET_SHAREDLIBRARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::dit {

/// Links `object` and dit's runtime, found in `runtimeDir`, to the shared
/// library `path`, which looks for the runtime beside itself and then where it
/// is now, as seen from `path`. The linker is clang's, or else the system's
/// compiler; it is an error if neither is there.
llvm::Error linkSharedLibrary(llvm::ArrayRef<char> object, llvm::StringRef path,
                              llvm::StringRef runtimeDir);

} // namespace mlir::dit

#endif // DIT_TARGET_SHAREDLIBRARY_H
