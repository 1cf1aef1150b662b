//===- Reductions.h - Simplifications for dit-reduce ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ways to make a program simpler while a test still calls it interesting, for
// `dit-reduce` and for reducers of other projects.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_REDUCTION_REDUCTIONS_H
#define DIT_DIALECT_DIT_REDUCTION_REDUCTIONS_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::dit {

/// Gives the dialect its `DialectReductionPatternInterface`, which upstream's
/// `reduction-tree` pass asks for patterns.
void registerReductions(DialectRegistry &registry);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_REDUCTION_REDUCTIONS_H
