//===- GenericEmitter.h - Loops of a linalg op ------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits the loops that a GenericPlan describes.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_GENERICEMITTER_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_GENERICEMITTER_H

#include "GenericPlan.h"

namespace mlir::dit {

class GenericEmitter {
public:
  GenericEmitter(OpBuilder &builder, linalg::LinalgOp op,
                 const GenericPlan &plan)
      : builder(builder), op(op), plan(plan), loc(op.getLoc()) {}

  /// Emits the loops at the builder's insertion point; `op` stays.
  void emit();

private:
  void emitParallelNest(unsigned depth);
  void emitPoint();
  void emitLanesAlongParallel();
  void emitGroup(int64_t lanes);
  void emitReduction();
  SmallVector<Value>
  emitReductionNest(unsigned depth, ValueRange carried,
                    function_ref<SmallVector<Value>(ValueRange)> body);
  SmallVector<Value> emitAccumulation(ValueRange carried);
  SmallVector<Value> accumulate(int64_t lanes, ValueRange accumulators);

  /// Values of all block arguments at the current point; `outs` stands for the
  /// outputs.
  IRMapping loadInputs(int64_t lanes);
  void mapOutputs(IRMapping &mapping, ValueRange outs);
  SmallVector<Value> loadOutputs(int64_t lanes);
  void storeOutputs(ValueRange values, int64_t lanes);
  /// Evaluates the body but for the ops in `skip`.
  void emitBody(IRMapping &mapping, int64_t lanes,
                ArrayRef<Operation *> skip = {});
  void emitBodyOp(Operation &inner, IRMapping &mapping, int64_t lanes);

  Value load(OpOperand &operand, int64_t lanes);
  void store(Value value, OpOperand &operand, int64_t lanes);
  Value loadEverySecond(OpOperand &operand, int64_t lanes);
  void storeEverySecond(Value value, OpOperand &operand, int64_t lanes);
  std::pair<Value, Value> flatten(OpOperand &operand);
  Value loadLanes(Value memref, ArrayRef<SmallVector<Value>> indices);
  /// Indices of an operand at the current point, `lane` further along the
  /// vector dimension.
  SmallVector<Value> indicesOf(OpOperand &operand, int64_t lane = 0);
  Value splat(Value value, int64_t lanes);
  Value constant(int64_t value);
  /// End of the part of the vector dimension that full vectors cover.
  Value mainEnd();
  bool hasTail();
  bool isLane(unsigned dim) const {
    return plan.strategy != VectorStrategy::Scalar && dim == plan.vectorDim;
  }

  OpBuilder &builder;
  linalg::LinalgOp op;
  const GenericPlan &plan;
  Location loc;
  /// Extent and current position of each dimension.
  SmallVector<Value> extents;
  SmallVector<Value> position;
};

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_GENERICEMITTER_H
