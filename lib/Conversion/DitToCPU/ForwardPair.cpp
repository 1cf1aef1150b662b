//===- ForwardPair.cpp - The second softmax of a pair of attentions -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The scores of a step are those of both patterns. Register tiles of rows that
// the second pattern lets look at none of the queued panels do nothing for it;
// others copy the panels that it does, before the first softmax makes weights
// of the scores.
//
//===----------------------------------------------------------------------===//

#include "ForwardEmitter.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

void ForwardEmitter::createInnerScratch(KernelBuilder &kb,
                                        AttentionStep &step) {
  step.innerPattern = op->getAttrOfType<PatternAttrInterface>("within");
  auto likewise = [&](Value memory) -> Value {
    if (!memory)
      return {};
    auto type = cast<MemRefType>(memory.getType());
    return kb.scratch(type.getShape(), type.getElementType());
  };
  step.innerScores = likewise(step.scores);
  step.innerWeights = likewise(step.weights);
  step.innerRows = likewise(step.rows);
  step.innerMax = likewise(step.rowMax);
  step.innerSum = likewise(step.rowSum);
  step.innerScale = likewise(step.rowScale);
  createTrim(kb, step.innerTileColumns, step.innerTilePanels);
}

/// Leaves the second pattern only panels that the first one gave scores.
static void emitClip(KernelBuilder &kb, Value inner, Value outer, Value tiles) {
  Value begin = kb.index(0), end = kb.index(1);
  kb.loop(kb.index(0), tiles, 1, [&](Value tile) {
    Value first =
        kb.max(kb.load(inner, {tile, begin}), kb.load(outer, {tile, begin}));
    Value last =
        kb.min(kb.load(inner, {tile, end}), kb.load(outer, {tile, end}));
    kb.store(first, inner, {tile, begin});
    kb.store(last, inner, {tile, end});
  });
}

void ForwardEmitter::emitInnerTile(KernelBuilder &kb,
                                   const AttentionStep &inner, Value panels,
                                   Value row) {
  kb.loop(row, kb.add(row, plan.tileRows), 1,
          [&](Value r) { emitSoftmaxRow(kb, inner, panels, r); });
  int64_t firstVector = 0;
  for (int64_t vectors : plan.valueChunks) {
    emitWeightedTile(kb, inner, plan.dot ? inner.weights : inner.scores,
                     inner.valuePanels, inner.rows, inner.rowScale, panels, row,
                     plan.tileRows, firstVector, vectors);
    firstVector += vectors;
  }
}

void ForwardEmitter::emitInnerStep(KernelBuilder &kb, const AttentionStep &step,
                                   Value panels, Value endRow) {
  AttentionStep inner = step.getInner();
  auto emitTiles = [&](llvm::function_ref<void(Value, Value, Value)> body) {
    kb.loop(kb.index(0), endRow, plan.tileRows, [&](Value row) {
      auto [first, end] = emitTilePanels(kb, inner, row, panels);
      body(row, first, end);
    });
  };
  auto emitAll = [&] {
    emitTrim(kb, inner, panels);
    if (trims(step))
      emitClip(kb, inner.tilePanels, step.tilePanels,
               kb.ceilDiv(step.numRows, plan.tileRows));
    emitTiles([&](Value row, Value first, Value end) {
      kb.loop(row, kb.add(row, plan.tileRows), 1, [&](Value r) {
        kb.loop(kb.mul(first, plan.panelKeys), kb.mul(end, plan.panelKeys),
                plan.lanes, [&](Value column) {
                  kb.vstore(kb.vload(vec, step.scores, {r, column}),
                            inner.scores, {r, column});
                });
      });
    });
    emitMask(kb, inner, panels);
    emitTiles([&](Value row, Value first, Value end) {
      kb.ifThen(kb.lt(first, end),
                [&] { emitInnerTile(kb, inner, panels, row); });
    });
  };
  if (!inner.halfWidth)
    return emitAll();
  // Without a limit the two results are one.
  kb.ifThen(kb.lt(kb.index(0), inner.halfWidth), emitAll);
}

void ForwardEmitter::emitInnerFinish(KernelBuilder &kb,
                                     const AttentionStep &step, Value output) {
  AttentionStep inner = step.getInner();
  auto emitOwn = [&] { emitFinish(kb, inner, output, /*lse=*/Value()); };
  if (!inner.halfWidth)
    return emitOwn();
  kb.ifThenElse(kb.lt(kb.index(0), inner.halfWidth), emitOwn,
                [&] { emitFinish(kb, step, output, /*lse=*/Value()); });
}
