//===- NVVMToEmulator.h - GPU kernels that run on the CPU ------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `dit-to-emulator` asks of upstream's operations.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_CONVERSION_NVVMTOEMULATOR_H
#define DIT_CONVERSION_NVVMTOEMULATOR_H

namespace mlir {
class DialectRegistry;

namespace dit {

/// Says that a `gpu.launch_func` may read and write the memrefs it is given,
/// without which buffers around it could not be freed.
void registerLaunchEffectsExternalModels(DialectRegistry &registry);

} // namespace dit
} // namespace mlir

#endif // DIT_CONVERSION_NVVMTOEMULATOR_H
