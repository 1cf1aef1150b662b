//===- SeparateInits.h - Tensors that results begin as -----------*- C++
//-*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Empty and filled tensors are what results are written into. Two results that
// begin as the same tensor need a copy of it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_SEPARATEINITS_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_SEPARATEINITS_H

#include "mlir/IR/Operation.h"

namespace mlir::dit {

/// Gives each use of a fill or an empty tensor under `root` one of its own,
/// right before the user.
void separateInits(Operation *root);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_SEPARATEINITS_H
