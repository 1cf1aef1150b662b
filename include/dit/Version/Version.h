//===- Version.h - Which build of dit this is -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For whatever keeps results of the compiler beyond the process.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_VERSION_VERSION_H
#define DIT_VERSION_VERSION_H

#include "llvm/ADT/StringRef.h"

namespace mlir::dit {

/// "0.1.0"
llvm::StringRef getVersion();

/// A hash of the code of dit's libraries: the same in every program linked to
/// them, and another one after a rebuild that changed anything.
llvm::StringRef getBuildId();

} // namespace mlir::dit

#endif // DIT_VERSION_VERSION_H
