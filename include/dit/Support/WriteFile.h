//===- WriteFile.h - Files that are whole or not there ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Output of tools and libraries.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_WRITEFILE_H
#define DIT_SUPPORT_WRITEFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::dit {

/// Replaces the file at `path` by what `write` writes. It is written beside it
/// and renamed, so that nobody ever finds half a file; where that fails, for
/// want of space for instance, the old file stays. What is no regular file, a
/// pipe or a device, is written to. Errors do not name the path.
llvm::Error writeFile(llvm::StringRef path,
                      llvm::function_ref<void(llvm::raw_ostream &)> write);

/// The same for what other programs write: `make` is called with the name of
/// an empty file, and writes to it or replaces it. `path` is no pipe or device.
llvm::Error replaceFile(llvm::StringRef path,
                        llvm::function_ref<llvm::Error(llvm::StringRef)> make);

/// Replaces the file at `path` by what is in memory, as above.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents);

} // namespace mlir::dit

#endif // DIT_SUPPORT_WRITEFILE_H
