//===- ContractionPatterns.h - Simpler matrix products ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Patterns that take copies away from around matrix products and turn
// convolutions into them.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_CONTRACTIONPATTERNS_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_CONTRACTIONPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::dit {

void populateContractionPatterns(RewritePatternSet &patterns);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_CONTRACTIONPATTERNS_H
