//===- PackWeights.h - Constant matrices in panels --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stores the constant right-hand sides of matrix products in the order that
// their kernels read them in.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_PACKWEIGHTS_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_PACKWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::dit {

/// Rewrites each product of many rows and a constant [k, n] as one with
/// constant panels [n / w, k, w], where w is the width of a register tile on a
/// machine with vectors of `vectorBits`; its result is [m, n / w, w]. Returns
/// the number of products.
unsigned packConstantWeights(ModuleOp module, int64_t vectorBits);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_PACKWEIGHTS_H
