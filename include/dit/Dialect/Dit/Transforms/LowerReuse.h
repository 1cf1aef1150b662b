//===- LowerReuse.h - Reuse to control flow ---------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `--dit-lower-reuse` does, for use in other pattern sets.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_LOWERREUSE_H
#define DIT_DIALECT_DIT_TRANSFORMS_LOWERREUSE_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mlir::dit {

/// Adds patterns that turn `dit.reuse` into `scf.if` and `dit.scheduled` into
/// `arith`. They keep the numerics.
void populateLowerReusePatterns(RewritePatternSet &patterns);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_LOWERREUSE_H
