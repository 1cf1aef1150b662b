//===- AttentionProducts.cpp - Register-blocked products ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows times panels. Both products use the same register tile: a few rows, each
// element of which is broadcast, times the vectors of a panel, with all
// accumulators in registers.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

SmallVector<Value> AttentionEmitter::panelAt(KernelBuilder &kb,
                                             const AttentionStep &step,
                                             Value panel, Value element) {
  if (plan.gather)
    return {kb.index(0), kb.index(0), panel, element};
  return {step.batch, step.kvHead, panel, element};
}

Value AttentionEmitter::emitPanel(KernelBuilder &kb, const AttentionStep &step,
                                  Value p) {
  return plan.gather ? p : kb.load(step.queue, {p, kb.index(0)});
}

void AttentionEmitter::emitScores(KernelBuilder &kb, const AttentionStep &step,
                                  Value rowMemory, Value panelMemory,
                                  int64_t size, Value target, Value panels,
                                  Value endRow) {
  int64_t rows = plan.tileRows, vectors = plan.getPanelVectors();
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    Value panel = emitPanel(kb, step, p);
    kb.loop(kb.index(0), endRow, rows, [&](Value row) {
      SmallVector<Value> zeros(rows * vectors, kb.constant(vec, 0.0));
      SmallVector<Value> tile = kb.loop(
          kb.index(0), kb.index(size), 1, zeros, [&](Value d, ValueRange acc) {
            Value first = kb.mul(d, plan.panelKeys);
            SmallVector<Value> keys, next;
            for (int64_t v = 0; v < vectors; ++v)
              keys.push_back(kb.vload(
                  vec, panelMemory,
                  panelAt(kb, step, panel, kb.add(first, v * plan.lanes))));
            for (int64_t r = 0; r < rows; ++r) {
              Value query =
                  kb.splat(vec, kb.load(rowMemory, {kb.add(row, r), d}));
              for (int64_t v = 0; v < vectors; ++v)
                next.push_back(kb.fma(query, keys[v], acc[r * vectors + v]));
            }
            return next;
          });
      Value firstColumn = kb.mul(p, plan.panelKeys);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v)
          kb.vstore(tile[r * vectors + v], target,
                    {kb.add(row, r), kb.add(firstColumn, v * plan.lanes)});
    });
  });
}

/// Adds the weights of one register tile of rows times the values of one chunk
/// of columns to the scaled output rows.
void AttentionEmitter::emitWeightedTile(KernelBuilder &kb,
                                        const AttentionStep &step,
                                        Value weights, Value panelMemory,
                                        Value target, Value factors,
                                        Value panels, Value row,
                                        int64_t firstVector, int64_t vectors) {
  int64_t rows = plan.tileRows;
  auto outputAt = [&](int64_t r, int64_t v) {
    return SmallVector<Value>{kb.add(row, r),
                              kb.index((firstVector + v) * plan.lanes)};
  };
  SmallVector<Value> tile;
  for (int64_t r = 0; r < rows; ++r) {
    Value factor;
    if (factors)
      factor = kb.splat(vec, kb.load(factors, kb.add(row, r)));
    for (int64_t v = 0; v < vectors; ++v) {
      Value old = kb.vload(vec, target, outputAt(r, v));
      tile.push_back(factor ? kb.mulf(old, factor) : old);
    }
  }
  int64_t chunkBegin = firstVector * plan.lanes * plan.panelKeys;
  auto addKey = [&](Value p, Value panel, Value column, ValueRange acc) {
    Value first = kb.add(kb.mul(column, vectors * plan.lanes), chunkBegin);
    SmallVector<Value> values, next;
    for (int64_t v = 0; v < vectors; ++v)
      values.push_back(
          kb.vload(vec, panelMemory,
                   panelAt(kb, step, panel, kb.add(first, v * plan.lanes))));
    Value scoreColumn = kb.add(kb.mul(p, plan.panelKeys), column);
    for (int64_t r = 0; r < rows; ++r) {
      Value weight =
          kb.splat(vec, kb.load(weights, {kb.add(row, r), scoreColumn}));
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(kb.fma(weight, values[v], acc[r * vectors + v]));
    }
    return next;
  };
  tile = kb.loop(kb.index(0), panels, 1, tile, [&](Value p, ValueRange outer) {
    Value panel = emitPanel(kb, step, p);
    return kb.loop(kb.index(0), kb.index(plan.panelKeys), 1, outer,
                   [&](Value column, ValueRange acc) {
                     return addKey(p, panel, column, acc);
                   });
  });
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      kb.vstore(tile[r * vectors + v], target, outputAt(r, v));
}

void AttentionEmitter::emitWeighted(KernelBuilder &kb,
                                    const AttentionStep &step, Value weights,
                                    Value panelMemory, ArrayRef<int64_t> chunks,
                                    Value target, Value factors, Value panels,
                                    Value endRow) {
  int64_t firstVector = 0;
  for (int64_t vectors : chunks) {
    kb.loop(kb.index(0), endRow, plan.tileRows, [&](Value row) {
      emitWeightedTile(kb, step, weights, panelMemory, target, factors, panels,
                       row, firstVector, vectors);
    });
    firstVector += vectors;
  }
}
