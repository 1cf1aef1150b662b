//===- Passes.td - Transforms of the dit dialect -----------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD
#define DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD
