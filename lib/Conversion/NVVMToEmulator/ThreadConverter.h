//===- ThreadConverter.h - Code of GPU threads to native code ---*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of a gpu.module, whose operations beyond the arithmetic of one
// thread become calls of the emulator.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_NVVMTOEMULATOR_THREADCONVERTER_H
#define DIT_LIB_CONVERSION_NVVMTOEMULATOR_THREADCONVERTER_H

#include "EmulatorCalls.h"

namespace mlir::dit::emulator {

/// Where the variables in shared memory of a module are, and how many bytes all
/// of them take that have a size.
struct SharedLayout {
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
};

/// Places the globals of `module`, a gpu.module, that are in shared memory.
/// Those of no size are dynamic shared memory and begin behind all others.
SharedLayout layOutShared(Operation *module);

/// Rewrites the operations of `function` that the emulator takes over. Fails
/// with a diagnostic at one that it does not know.
LogicalResult convertThread(LLVM::LLVMFuncOp function, EmulatorCalls &calls,
                            const SharedLayout &shared);

} // namespace mlir::dit::emulator

#endif // DIT_LIB_CONVERSION_NVVMTOEMULATOR_THREADCONVERTER_H
