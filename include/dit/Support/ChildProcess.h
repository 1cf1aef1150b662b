//===- ChildProcess.h - Work that may crash or hang -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs what is not trusted to end well, such as upstream's reader of bytecode
// on a damaged file, in a process of its own.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_SUPPORT_CHILDPROCESS_H
#define DIT_SUPPORT_CHILDPROCESS_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::dit {

struct ChildAnswer {
  /// The signal that ended the child, or 0. SIGALRM: it took too long.
  int signal;
  /// What it wrote, if no signal did.
  std::unique_ptr<llvm::MemoryBuffer> output;
};

/// Runs `work` in a copy of this process and returns what it wrote, as a buffer
/// called `name`, or the error that it returned. The child is ended after
/// `timeoutSeconds`. To be called while the process has one thread.
llvm::Expected<ChildAnswer>
runInChild(llvm::function_ref<llvm::Error(llvm::raw_ostream &)> work,
           llvm::StringRef name, unsigned timeoutSeconds);

} // namespace mlir::dit

#endif // DIT_SUPPORT_CHILDPROCESS_H
