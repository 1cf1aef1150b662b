//===- StepLoop.h - The loop over diffusion steps ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What transforms that depend on the step share.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_STEPLOOP_H
#define DIT_DIALECT_DIT_TRANSFORMS_STEPLOOP_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::dit {

/// The number of iterations of `loop` before the current one, an index value at
/// the insertion point of `builder` in the body.
Value createStep(OpBuilder &builder, scf::ForOp loop);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_STEPLOOP_H
