//===- Passes.h - Profiles and planners -------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Constructors, options and registration of the passes in Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_PASSES_H
#define DIT_DIALECT_DIT_PLANNERS_PASSES_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "mlir/Pass/Pass.h"

namespace mlir::dit {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dit/Dialect/Dit/Planners/Passes.h.inc"

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_PASSES_H
