//===- DitToCPU.h - dit ops on memrefs to CPU kernels -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Turns the compute ops of dit on memrefs into calls of kernels, which are
// generated as vector, memref, scf and arith IR.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_CONVERSION_DITTOCPU_H
#define DIT_CONVERSION_DITTOCPU_H

#include "dit/Conversion/CPUTarget.h"
#include "mlir/Support/LLVM.h"

namespace mlir {
class ModuleOp;

namespace dit {

/// Replaces every compute op of dit on memrefs in `module` by a call of a
/// private kernel function, one for each distinct configuration.
/// `numKernels` and `numCalls` count what was made. Fails with a diagnostic on
/// an op that has no kernel.
LogicalResult convertDitToCPU(ModuleOp module, const CPUTarget &target,
                              int64_t &numKernels, int64_t &numCalls);

} // namespace dit
} // namespace mlir

#endif // DIT_CONVERSION_DITTOCPU_H
