//===- ReferenceStages.h - Parts of the plain pipeline ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the pipelines share that take code on the host as it comes.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_PIPELINES_REFERENCESTAGES_H
#define DIT_LIB_PIPELINES_REFERENCESTAGES_H

#include "mlir/Pass/PassManager.h"

namespace mlir::dit {

/// Every dit op in terms of linalg, on tensors.
void addReferenceDecomposition(OpPassManager &pm);

/// Tensors become buffers of the caller's workspace.
void addReferenceBufferization(OpPassManager &pm);

/// Loops, and then the LLVM dialect.
void addReferenceLowering(OpPassManager &pm);

} // namespace mlir::dit

#endif // DIT_LIB_PIPELINES_REFERENCESTAGES_H
