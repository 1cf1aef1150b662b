//===- VectorMath.h - Functions of vectors by polynomials -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_VECTORMATH_H
#define DIT_LIB_CONVERSION_DITTOCPU_VECTORMATH_H

#include "KernelBuilder.h"

namespace mlir::dit::cpu {

/// 2^x for `x` of at most 0, f32 or f64, scalar or vector, to about 1 ulp, or
/// with `coarse` to 4e-6. What is below the smallest normal number, and -inf,
/// gives 0; NaN stays.
Value emitExp2OfNonPositive(KernelBuilder &kb, Value x, bool coarse = false);

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_VECTORMATH_H
