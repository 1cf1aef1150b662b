//===- OpInputs.h - What an op reads ----------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a slice follows backwards.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_ANALYSIS_OPINPUTS_H
#define DIT_DIALECT_DIT_ANALYSIS_OPINPUTS_H

#include "mlir/IR/Operation.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::dit {

/// Operands of `op` and values that its regions capture.
inline SetVector<Value> getInputs(Operation *op) {
  SetVector<Value> inputs(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), inputs);
  return inputs;
}

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_ANALYSIS_OPINPUTS_H
