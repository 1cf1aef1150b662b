//===- RowGroups.h - Ops that work row by row -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds ops on tensors that compute each row of their results from the same
// row of what they share, so that a block of rows can pass through all of them
// while it is in the cache.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_ROWGROUPS_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_ROWGROUPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace mlir::dit {

/// A space of `rows` rows cut into tiles of `tileRows`. A tensor has these rows
/// if the extents of its leading dimensions multiply to `rows`: [2, 2048, 128]
/// has 4096 rows, and so has [4096, 384]. Row r is the r-th in row-major order.
struct RowSpace {
  int64_t rows, tileRows;

  int64_t getNumTiles() const { return rows / tileRows; }

  /// The number of leading dimensions of `shape` that count rows, the smallest
  /// there is; none if there is none, or if a tile is no rectangle in them.
  std::optional<unsigned> getRowRank(ArrayRef<int64_t> shape) const;

  /// Extents of a tile in the dimensions `extents`, whose product is `rows`;
  /// none if a tile is no rectangle in them.
  std::optional<SmallVector<int64_t>>
  getTileSizes(ArrayRef<int64_t> extents) const;

  /// Where in dimension `dim` of `extents` the tile begins whose number is d0.
  AffineExpr getTileOffset(ArrayRef<int64_t> extents, unsigned dim,
                           MLIRContext *context) const;
};

/// How a row-wise op is indexed.
struct RowOp {
  /// Dimensions of the iteration space of a linalg op that count rows.
  SmallVector<unsigned> dims;
  /// Their extents, or those of the leading dimensions of other ops.
  SmallVector<int64_t> extents;

  /// What `op` looks like in `space`; none if it does not work row by row.
  static std::optional<RowOp> match(Operation *op, const RowSpace &space);

  /// The position among `dims` that `expr` stands for, if it is one.
  std::optional<unsigned> getPosition(AffineExpr expr) const;
  /// Whether the leading dimensions of what `map` indexes are the rows, in
  /// order, so that a tile of the op needs just that tile.
  bool isIdentity(AffineMap map) const;
};

/// An op that makes a tensor from nothing, for each user anew if need be: an
/// empty tensor, or one filled with a constant.
bool isFreeTensor(Operation *op);

/// Bytes of operands of `op` that each row needs all of, as the right-hand side
/// of a product.
int64_t getSharedBytes(Operation *op, const RowSpace &space);

/// The groups of a block: ops that can run tile by tile, one after the other,
/// for one tile before the next. All that a group takes from outside can be
/// computed before the group, and all that takes something of the group after
/// it: groups never wait for each other in a circle.
class RowGroups {
public:
  /// Ops share a group only while what they all need of weights is at most
  /// `maxSharedBytes`.
  RowGroups(Block &block, const RowSpace &space, int64_t maxSharedBytes);

  /// The ops of each group in order. Groups of less than two ops that compute
  /// are left out.
  ArrayRef<SmallVector<Operation *>> getGroups() const { return groups; }

private:
  int64_t getStage(Operation *op) const;

  /// Row-wise ops, and the number of the group of each op; for other ops, that
  /// of the group before which they can run.
  llvm::DenseMap<Operation *, RowOp> rowOps;
  llvm::DenseMap<Operation *, int64_t> stages;
  SmallVector<int64_t> sharedBytes;
  SmallVector<SmallVector<Operation *>> groups;
};

/// Whether `operand` of `user` takes, for each tile, that tile of a value.
bool takesSameRows(OpOperand &operand, const RowOp &user);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_ROWGROUPS_H
