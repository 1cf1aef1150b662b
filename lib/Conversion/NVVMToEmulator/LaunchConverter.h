//===- LaunchConverter.h - Launches to calls of the emulator ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels as the emulator takes them, and their launches.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_NVVMTOEMULATOR_LAUNCHCONVERTER_H
#define DIT_LIB_CONVERSION_NVVMTOEMULATOR_LAUNCHCONVERTER_H

#include "EmulatorCalls.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::dit::emulator {

/// A kernel that has moved to the module of its launches.
struct Kernel {
  LLVM::LLVMFuncOp function;
  /// Its `dit_emu_kernel`.
  LLVM::GlobalOp descriptor;
  /// Variables in global memory that came with it.
  SmallVector<LLVM::GlobalOp> globals;
};

/// Makes the `dit_emu_kernel` of `function`, which needs `sharedBytes` of
/// shared memory of static size.
LLVM::GlobalOp createDescriptor(LLVM::LLVMFuncOp function, int64_t sharedBytes,
                                EmulatorCalls &calls);

/// Replaces `launch` by a call of the emulator. Fails with a diagnostic where
/// the operands do not fit the kernel, or at what the emulator does not know.
LogicalResult convertLaunch(gpu::LaunchFuncOp launch, const Kernel &kernel,
                            EmulatorCalls &calls);

} // namespace mlir::dit::emulator

#endif // DIT_LIB_CONVERSION_NVVMTOEMULATOR_LAUNCHCONVERTER_H
