//===- AttentionPlan.cpp - Tile sizes of the attention kernel -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionPlan.h"

#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

static int64_t ceilDiv(int64_t lhs, int64_t rhs) {
  return (lhs + rhs - 1) / rhs;
}

/// Splits `count` into the fewest parts of at most `limit`, as even as can be.
static llvm::SmallVector<int64_t> splitEvenly(int64_t count, int64_t limit) {
  int64_t parts = ceilDiv(count, limit);
  llvm::SmallVector<int64_t> sizes(parts, count / parts);
  for (int64_t i = 0; i < count % parts; ++i)
    ++sizes[i];
  return sizes;
}

/// The first of those parts.
static int64_t getLargestPart(int64_t count, int64_t limit) {
  return ceilDiv(count, ceilDiv(count, limit));
}

/// Vectors of a panel: as many as the register tile holds, fewer where that
/// fits the keys or the tiles of the list better.
static int64_t choosePanelVectors(const AttentionProblem &problem,
                                  int64_t lanes, int64_t limit) {
  if (problem.tile && problem.tile->second % lanes == 0) {
    int64_t vectors = problem.tile->second / lanes;
    for (int64_t width = std::min(limit, vectors); width > 1; --width)
      if (vectors % width == 0)
        return width;
    return vectors == 1 ? 1 : limit;
  }
  if (!problem.tile && !ShapedType::isDynamic(problem.keyLength) &&
      problem.keyLength > 0)
    return getLargestPart(ceilDiv(problem.keyLength, lanes), limit);
  return limit;
}

/// Rows of the register tile: the accumulators, one row of the panel and a
/// broadcast query stay in registers. A smaller tile loads more for each
/// product, so it has to save a share of the block's rows to be worth it.
static int64_t chooseTileRows(int64_t blockRows, int64_t panelVectors,
                              int64_t registers, bool hasTail) {
  int64_t largest = std::max<int64_t>(
      1, (registers - 1 - panelVectors) / std::max<int64_t>(panelVectors, 1));
  largest = std::min({largest, blockRows, int64_t(12)});
  if (hasTail)
    return largest;
  int64_t best = largest;
  for (int64_t rows = largest; rows >= std::max<int64_t>(1, largest * 2 / 3);
       --rows)
    if (llvm::alignTo(blockRows, rows) * 20 <
        llvm::alignTo(blockRows, best) * 19)
      best = rows;
  return best;
}

AttentionPlan AttentionPlan::get(const AttentionProblem &problem,
                                 const CPUTarget &target) {
  AttentionPlan plan;
  plan.lanes = target.getLanes(problem.bits);
  // The instructions are there for 8 and 16 lanes.
  plan.dot = problem.isBF16 && target.bf16Dot.value_or(false) &&
             (plan.lanes == 8 || plan.lanes == 16);
  int64_t maxVectors = target.vectorRegisters >= 32  ? 4
                       : target.vectorRegisters >= 8 ? 2
                                                     : 1;
  plan.gather = problem.tile &&
                problem.tile->second < plan.lanes * maxVectors &&
                problem.tile->second % plan.lanes != 0;
  int64_t vectors = choosePanelVectors(problem, plan.lanes, maxVectors);
  plan.panelKeys = vectors * plan.lanes;

  // The longer a step, the less often rows are scaled and reduced; gathered
  // panels are scratch as well, so there it stays short.
  int64_t stepKeys =
      plan.gather ? std::min<int64_t>(problem.stepKeys, 128) : problem.stepKeys;
  if (!ShapedType::isDynamic(problem.keyLength))
    stepKeys = std::min(stepKeys, problem.keyLength + plan.panelKeys - 1);
  plan.panelsPerStep = std::max<int64_t>(1, stepKeys / plan.panelKeys);
  // Operands of a block and the scores of a short step live in the
  // second-level cache, and on the stack.
  int64_t rowBytes =
      (problem.headSize + problem.valueHeadSize + 128) * (problem.bits / 8);
  int64_t budget = std::max<int64_t>(target.l2Bytes / 4, 64 * 1024);
  int64_t maxRows = std::clamp<int64_t>(budget / rowBytes, 8, 96);
  plan.blocksPerTile = 1;
  if (problem.tile) {
    int64_t tileRows = problem.tile->first;
    if (!ShapedType::isDynamic(problem.queryLength))
      tileRows = std::clamp<int64_t>(problem.queryLength, 1, tileRows);
    // A little over the limit is better than two small blocks.
    plan.blocksPerTile = ceilDiv(tileRows, maxRows + maxRows / 3);
    plan.blockRows = ceilDiv(tileRows, plan.blocksPerTile);
  } else if (!ShapedType::isDynamic(problem.queryLength) &&
             problem.queryLength > 0) {
    int64_t blocks = ceilDiv(problem.queryLength, maxRows);
    plan.blockRows = ceilDiv(problem.queryLength, blocks);
  } else {
    plan.blockRows = maxRows;
  }
  // The blocks of a list have a given number of rows, which a smaller tile
  // completes; others are made of whole tiles.
  plan.tileRows =
      chooseTileRows(plan.blockRows, vectors, target.vectorRegisters,
                     problem.tile.has_value());
  plan.tailRows = problem.tile ? plan.blockRows % plan.tileRows : 0;
  plan.paddedRows = plan.tailRows
                        ? plan.blockRows
                        : llvm::alignTo(plan.blockRows, plan.tileRows);
  // Without a list a block may as well be whole register tiles.
  if (!problem.tile)
    plan.blockRows = plan.paddedRows;
  plan.vectorRegisters = target.vectorRegisters;
  plan.maxChunkVectors = std::max<int64_t>(
      1, std::min((target.vectorRegisters - 1) / (plan.tileRows + 1),
                  2 * maxVectors));
  plan.valueChunks = plan.splitColumns(problem.valueHeadSize);
  return plan;
}

llvm::SmallVector<int64_t> AttentionPlan::splitColumns(int64_t size) const {
  return splitEvenly(ceilDiv(size, lanes), maxChunkVectors);
}

int64_t AttentionPlan::getTileColumns(int64_t vectors) const {
  int64_t columns =
      std::clamp<int64_t>((vectorRegisters - 1 - vectors) / vectors, 1, 16);
  while (panelKeys % columns != 0)
    --columns;
  return columns;
}

int64_t AttentionPlan::getPaddedValueSize() const {
  int64_t vectors = 0;
  for (int64_t chunk : valueChunks)
    vectors += chunk;
  return vectors * lanes;
}
