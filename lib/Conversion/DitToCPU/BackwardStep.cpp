//===- BackwardStep.cpp - The five products of a gradient -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One step of a gradient: some panels of keys against a block of queries.
//
//===----------------------------------------------------------------------===//

#include "BackwardEmitter.h"
#include "VectorMath.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

void BackwardEmitter::emitStepBody(KernelBuilder &kb,
                                   const AttentionStep &step) {
  Value panels = emitStepPanels(kb, step), endRow = emitEndRow(kb, step);
  ScoreProduct scores = {plan.dot ? step.queryPairs : step.queries,
                         step.keyPanels, headSize, step.scores, scoreFactor};
  emitMaskedScores(kb, step, scores, panels, endRow);
  ScoreProduct gradients = {plan.dot ? step.outputPairs : step.outputGradients,
                            step.valuePanels,
                            valueHeadSize,
                            step.scoreGradients,
                            /*factor=*/1.0,
                            /*fill=*/true};
  emitScores(kb, step, gradients, panels, endRow);
  emitWeights(kb, step, panels, endRow);
  emitTransposed(kb, step, step.scores, step.outputGradients, plan.valueChunks,
                 step.valueGradients, panels);
  emitTransposed(kb, step, step.scoreGradients, step.queries, keyChunks,
                 step.keyGradients, panels);
  emitWeighted(kb, step, plan.dot ? step.weights : step.scoreGradients,
               step.keyRows, keyChunks, step.rows, /*factors=*/Value(), panels,
               endRow);
}

void BackwardEmitter::emitPackGathered(KernelBuilder &kb,
                                       const AttentionStep &step,
                                       const PanelSource &keys,
                                       const PanelSource &values, Value p) {
  Value zero = kb.index(0);
  emitPackTransposed(kb, keys, step.keyPanels, {zero, zero, p}, headSize);
  emitPackChunks(kb, keys, step.keyRows, {zero, zero, p}, headSize, keyChunks);
  emitPackTransposed(kb, values, step.valuePanels, {zero, zero, p},
                     valueHeadSize);
}

/// Scores become weights, and products with the values gradients of scores.
void BackwardEmitter::emitWeights(KernelBuilder &kb, const AttentionStep &step,
                                  Value panels, Value endRow) {
  kb.loop(kb.index(0), endRow, 1, [&](Value row) {
    Value reference = kb.splat(vec, kb.load(step.rowMax, row));
    Value delta = kb.splat(vec, kb.load(step.rowDelta, row));
    auto [firstPanel, endPanel] = emitTilePanels(kb, step, row, panels);
    if (trims(step))
      emitZeroWeights(kb, step, row, firstPanel, endPanel, panels);
    kb.loop(firstPanel, endPanel, 1, [&](Value p) {
      Value first = kb.mul(p, plan.panelKeys);
      for (int64_t v = 0; v < plan.getPanelVectors(); ++v) {
        SmallVector<Value> at = {row, kb.add(first, v * plan.lanes)};
        Value score = kb.vload(vec, step.scores, at);
        // A bias could overflow under a factor, so that comes last.
        bool early = !hasBias && exponentFactor != 1.0;
        Value factor = kb.constant(vec, exponentFactor);
        if (early)
          score = kb.mulf(score, factor);
        Value difference = kb.subf(score, reference);
        if (hasBias)
          difference = kb.mulf(difference, factor);
        Value weight = emitExp2OfNonPositive(kb, difference, plan.dot);
        kb.vstore(weight, step.scores, at);
        Value gradient = kb.subf(kb.vload(vec, step.scoreGradients, at), delta);
        gradient = kb.mulf(weight, gradient);
        kb.vstore(gradient, step.scoreGradients, at);
        if (plan.dot)
          emitStorePairs(kb, gradient, step.weights, at);
      }
    });
  });
}

/// Zeros outside of the panels `[begin, end)`, as products by columns may read
/// more of a row than its register tile looks at.
void BackwardEmitter::emitZeroWeights(KernelBuilder &kb,
                                      const AttentionStep &step, Value row,
                                      Value begin, Value end, Value panels) {
  auto clear = [&](Value p) {
    kb.loop(0, plan.panelKeys, plan.lanes, [&](Value column) {
      Value at = kb.add(kb.mul(p, plan.panelKeys), column);
      for (Value weights : {step.scores, step.scoreGradients})
        kb.vstore(kb.constant(vec, 0.0), weights, {row, at});
    });
  };
  kb.loop(kb.index(0), kb.min(begin, panels), 1, clear);
  kb.loop(kb.max(begin, end), panels, 1, clear);
}

/// The rows that look at any of `columns` keys of panel `p`, and what lies
/// between them.
std::pair<Value, Value>
BackwardEmitter::emitColumnRows(KernelBuilder &kb, const AttentionStep &step,
                                Value p, Value firstColumn, int64_t columns) {
  if (!trims(step))
    return {kb.index(0), step.numRows};
  Value endColumn = kb.add(firstColumn, columns);
  SmallVector<Value> found =
      kb.loop(kb.index(0), step.numRows, plan.tileRows,
              {step.numRows, kb.index(0)}, [&](Value row, ValueRange carried) {
                Columns used = emitTileColumns(kb, step, row, p);
                Value looks = kb.land(kb.lt(used.begin, endColumn),
                                      kb.lt(firstColumn, used.end));
                Value end = kb.add(row, plan.tileRows);
                return SmallVector<Value>{
                    kb.select(looks, kb.min(carried[0], row), carried[0]),
                    kb.select(looks, end, carried[1])};
              });
  return {found[0], kb.min(found[1], step.numRows)};
}

/// One register tile: `columns` keys of panel `p`, each element of which is
/// broadcast, times a chunk of the rows.
void BackwardEmitter::emitTransposedTile(KernelBuilder &kb,
                                         const AttentionStep &step,
                                         Value weights, Value rows,
                                         Value gradients, Value p,
                                         Value firstColumn, int64_t columns,
                                         int64_t firstVector, int64_t vectors) {
  Value stepColumn = kb.add(kb.mul(p, plan.panelKeys), firstColumn);
  auto at = [&](int64_t v) { return kb.index((firstVector + v) * plan.lanes); };
  SmallVector<Value> zeros(columns * vectors, kb.constant(vec, 0.0));
  auto [firstRow, endRow] = emitColumnRows(kb, step, p, firstColumn, columns);
  SmallVector<Value> tile =
      kb.loop(firstRow, endRow, 1, zeros, [&](Value row, ValueRange acc) {
        SmallVector<Value> parts, next;
        for (int64_t v = 0; v < vectors; ++v)
          parts.push_back(kb.vload(vec, rows, {row, at(v)}));
        for (int64_t c = 0; c < columns; ++c) {
          Value weight =
              kb.splat(vec, kb.load(weights, {row, kb.add(stepColumn, c)}));
          for (int64_t v = 0; v < vectors; ++v)
            next.push_back(kb.fma(weight, parts[v], acc[c * vectors + v]));
        }
        return next;
      });
  auto addTo = [&](int64_t c, Value key) {
    for (int64_t v = 0; v < vectors; ++v) {
      SmallVector<Value> target = {step.batch, step.kvHead, key, at(v)};
      Value sum =
          kb.addf(kb.vload(vec, gradients, target), tile[c * vectors + v]);
      kb.vstore(sum, gradients, target);
    }
  };
  for (int64_t c = 0; c < columns; ++c) {
    if (!plan.gather) {
      Value firstKey = kb.mul(emitPanel(kb, step, p), plan.panelKeys);
      addTo(c, kb.add(kb.add(firstKey, firstColumn), c));
      continue;
    }
    Value queued = kb.add(stepColumn, c);
    kb.ifThen(kb.lt(queued, step.count),
              [&] { addTo(c, kb.load(step.queue, queued)); });
  }
}

void BackwardEmitter::emitTransposed(KernelBuilder &kb,
                                     const AttentionStep &step, Value weights,
                                     Value rows, ArrayRef<int64_t> chunks,
                                     Value gradients, Value panels) {
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    int64_t firstVector = 0;
    for (int64_t vectors : chunks) {
      int64_t columns = plan.getTileColumns(vectors);
      kb.loop(0, plan.panelKeys, columns, [&](Value firstColumn) {
        emitTransposedTile(kb, step, weights, rows, gradients, p, firstColumn,
                           columns, firstVector, vectors);
      });
      firstVector += vectors;
    }
  });
}
