//===- AttentionPlan.h - Tile sizes of the attention kernel -----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pure arithmetic from the shape of an attention and a CPU to the sizes of
// its register tile, its key panels and its query blocks.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONPLAN_H
#define DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONPLAN_H

#include "dit/Conversion/CPUTarget.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace mlir::dit::cpu {

/// What the plan depends on; lengths are `ShapedType::kDynamic` if unknown.
struct AttentionProblem {
  int64_t queryLength;
  int64_t keyLength;
  int64_t headSize;
  int64_t valueHeadSize;
  /// Bits of the type of the arithmetic, 32 or 64.
  unsigned bits;
  /// Whether the operands are bf16 and the products may be dot products of
  /// pairs of them.
  bool isBF16 = false;
  /// Extents of the tiles of a tile list.
  std::optional<std::pair<int64_t, int64_t>> tile;
  /// Keys of a step, about.
  int64_t stepKeys = 128;
};

/// The sizes of one attention kernel. Keys come in panels of `panelKeys`, of
/// which `panelsPerStep` are scored before the softmax looks at them.
struct AttentionPlan {
  /// Elements of a vector.
  int64_t lanes;
  /// Rows (queries) of the register tile.
  int64_t tileRows;
  /// Keys of a panel, a multiple of `lanes`: the register tile is
  /// `tileRows` x `panelKeys`.
  int64_t panelKeys;
  int64_t panelsPerStep;
  /// Queries of a block, the unit of parallel work.
  int64_t blockRows;
  /// `blockRows` rounded up to whole register tiles.
  int64_t paddedRows;
  /// Rows of a last, smaller register tile of a block; 0 if all are alike.
  int64_t tailRows;
  /// Query blocks of one row of the tile list; 1 without one.
  int64_t blocksPerTile;
  /// Vectors of each chunk of columns of the values, and the most that a chunk
  /// may have.
  llvm::SmallVector<int64_t> valueChunks;
  int64_t maxChunkVectors;
  int64_t vectorRegisters;
  /// Whether products are dot products of pairs of bf16: what is packed are
  /// pairs along the dimension that is summed over.
  bool dot;
  /// Whether a step gathers its keys one by one, because the tiles of the
  /// list are too narrow for whole panels.
  bool gather;

  static AttentionPlan get(const AttentionProblem &problem,
                           const CPUTarget &target);

  /// Elements that a product sums over at a time.
  int64_t getUnit() const { return dot ? 2 : 1; }
  int64_t getPanelVectors() const { return panelKeys / lanes; }
  int64_t getStepKeys() const { return panelKeys * panelsPerStep; }
  /// `size` columns in chunks of whole vectors.
  llvm::SmallVector<int64_t> splitColumns(int64_t size) const;
  /// Columns of a panel in the register tile of a product by columns, whose
  /// chunks have `vectors` vectors: as many as fit, and divide the panel.
  int64_t getTileColumns(int64_t vectors) const;
  /// Columns of the values rounded up to whole vectors.
  int64_t getPaddedValueSize() const;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONPLAN_H
