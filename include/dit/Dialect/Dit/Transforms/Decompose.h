//===- Decompose.h - Dit ops to upstream ops --------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `--dit-decompose` does, for use in other pattern sets.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_DECOMPOSE_H
#define DIT_DIALECT_DIT_TRANSFORMS_DECOMPOSE_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mlir::dit {

/// Adds patterns that rewrite every op of the dialect on tensors into
/// `linalg`, `tensor`, `arith`, `math` and `scf`. They define what the ops
/// mean; ops on memrefs do not match.
void populateDecomposePatterns(RewritePatternSet &patterns);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_DECOMPOSE_H
