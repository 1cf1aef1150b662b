//===- PatternCost.h - Work of enumerating patterns -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What enumerates the rows of a pattern bounds its work by this.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_PATTERNCOST_H
#define DIT_DIALECT_DIT_IR_PATTERNCOST_H

#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit {

/// How many key intervals `pattern` looks at, about, to give those of one row.
int64_t countIntervalSteps(PatternAttrInterface pattern, PatternShape shape);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_IR_PATTERNCOST_H
