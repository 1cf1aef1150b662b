//===- Passes.h - Conversions -----------------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Constructors, options and registration of the conversion passes.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_CONVERSION_PASSES_H
#define DIT_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::dit {

#define GEN_PASS_DECL
#include "dit/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dit/Conversion/Passes.h.inc"

} // namespace mlir::dit

#endif // DIT_CONVERSION_PASSES_H
