//===- RegionSlicer.h - Part of what a block computes -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies the ops of a block that parts of some of its values need: a half of
// the batch, some of the heads. What an op does to a part is followed back
// through `linalg` and `tensor` ops; where that ends, the whole value is
// computed and the part cut out of it, so a copy is always right and at worst
// saves nothing.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_REGIONSLICER_H
#define DIT_DIALECT_DIT_TRANSFORMS_REGIONSLICER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::dit {

/// A range along each dimension of a tensor.
struct TensorPart {
  SmallVector<int64_t, 4> offsets;
  SmallVector<int64_t, 4> sizes;

  static TensorPart getWhole(RankedTensorType type);
  /// All of `type` but along dimension `dim`.
  static TensorPart get(RankedTensorType type, int64_t dim, int64_t offset,
                        int64_t size);
  bool isWhole(RankedTensorType type) const;
  bool isWhole(RankedTensorType type, int64_t dim) const;
  RankedTensorType getType(RankedTensorType type) const;
  bool operator==(const TensorPart &other) const {
    return offsets == other.offsets && sizes == other.sizes;
  }
};

/// The part of `value` as a value; `value` itself if it is all of it.
Value createPart(OpBuilder &builder, Location loc, Value value,
                 const TensorPart &part);

class RegionSlicer {
public:
  /// Copies of ops of `body` see the values that `known` has for others, as for
  /// arguments of the block.
  RegionSlicer(Block &body, const IRMapping &known)
      : body(body), copies(known) {}

  /// Asks for a part of a value of the block, or of one that it captures.
  void demand(Value value, const TensorPart &part);
  void demandWhole(Value value);

  /// Finds what the demands need of each op, in reverse order.
  void plan();

  /// After `plan`: whether `part` is all that is needed of `value`.
  bool needsOnly(Value value, const TensorPart &part) const;
  /// Has copies see `known` for `value`.
  void setKnown(Value value, Value known) { copies.map(value, known); }
  /// Says that the value known for `value` is only that part of it.
  void setKnownPart(Value value, const TensorPart &part);

  /// Copies the ops that are needed to where `builder` is.
  void emit(OpBuilder &builder);

  /// After `emit`: a part that was asked for.
  Value get(OpBuilder &builder, Value value, const TensorPart &part);
  Value getWhole(OpBuilder &builder, Value value);

private:
  struct Demand {
    bool whole = false;
    SmallVector<TensorPart, 2> parts;
  };

  void planOp(Operation *op);
  Value createFilled(OpBuilder &builder, Value value, const TensorPart &part);
  void emitPart(OpBuilder &builder, Operation *op, const TensorPart &part);
  Operation *clonePart(OpBuilder &builder, Operation *op,
                       const TensorPart &part);

  Block &body;
  IRMapping copies;
  DenseMap<Value, Demand> demands;
  DenseMap<Value, TensorPart> knownParts;
  DenseMap<Value, SmallVector<std::pair<TensorPart, Value>, 2>> made;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_REGIONSLICER_H
