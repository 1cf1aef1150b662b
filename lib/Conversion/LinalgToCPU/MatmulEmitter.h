//===- MatmulEmitter.h - Packed matrix products -----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits a matrix product of memrefs as register-blocked vector code over
// packed panels of the right-hand side.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_MATMULEMITTER_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_MATMULEMITTER_H

#include "MatmulPlan.h"

namespace mlir::dit {

/// Emits `op` at the builder's insertion point; `op` stays. With `overwrite`
/// the old contents of the output are ignored, as if they were zero; so they
/// are if there is a bias.
void emitMatmul(OpBuilder &builder, linalg::LinalgOp op, const MatmulPlan &plan,
                bool overwrite);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_MATMULEMITTER_H
