//===- Passes.td - Conversions -----------------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_CONVERSION_PASSES_TD
#define DIT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // DIT_CONVERSION_PASSES_TD
