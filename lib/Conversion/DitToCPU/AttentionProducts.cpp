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

#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

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

void AttentionEmitter::emitRowTiles(
    KernelBuilder &kb, Value endRow,
    llvm::function_ref<void(Value, int64_t)> body) {
  if (!plan.tailRows)
    return kb.loop(kb.index(0), endRow, plan.tileRows,
                   [&](Value row) { body(row, plan.tileRows); });
  Value whole = kb.index(plan.paddedRows - plan.tailRows);
  kb.loop(kb.index(0), kb.min(endRow, whole), plan.tileRows,
          [&](Value row) { body(row, plan.tileRows); });
  kb.ifThen(kb.lt(whole, endRow), [&] { body(whole, plan.tailRows); });
}

void AttentionEmitter::emitStorePairs(KernelBuilder &kb, Value weights,
                                      Value target, ArrayRef<Value> at) {
  Value rounded = x86vector::CvtPackedF32ToBF16Op::create(
      kb, VectorType::get(plan.lanes, kb.getBF16Type()), weights);
  auto words = VectorType::get(plan.lanes / 2, packed);
  kb.vstore(vector::BitCastOp::create(kb, words, rounded), target,
            {at[0], kb.div(at[1], 2)});
}

Value AttentionEmitter::emitBroadcast(KernelBuilder &kb, Value rows, Value row,
                                      Value column) {
  return kb.splat(packedVec, kb.load(rows, {row, column}));
}

Value AttentionEmitter::emitMultiplyAdd(KernelBuilder &kb, Value lhs, Value rhs,
                                        Value acc) {
  if (!plan.dot)
    return kb.fma(lhs, rhs, acc);
  auto pairs = VectorType::get(2 * plan.lanes, kb.getBF16Type());
  return x86vector::DotBF16Op::create(
      kb, acc, vector::BitCastOp::create(kb, pairs, lhs),
      vector::BitCastOp::create(kb, pairs, rhs));
}

void AttentionEmitter::emitScoreTile(KernelBuilder &kb,
                                     const AttentionStep &step,
                                     const ScoreProduct &product, Value p,
                                     Value row, int64_t rows, Value firstVector,
                                     int64_t vectors) {
  int64_t depth = llvm::divideCeil(product.size, plan.getUnit());
  Value panel = emitPanel(kb, step, p);
  Value offset = kb.mul(firstVector, plan.lanes);
  SmallVector<Value> zeros(rows * vectors, kb.constant(vec, 0.0));
  SmallVector<Value> tile = kb.loop(
      kb.index(0), kb.index(depth), 1, zeros, [&](Value d, ValueRange acc) {
        Value first = kb.add(kb.mul(d, plan.panelKeys), offset);
        SmallVector<Value> keys, next;
        for (int64_t v = 0; v < vectors; ++v)
          keys.push_back(kb.vload(
              packedVec, product.panelMemory,
              panelAt(kb, step, panel, kb.add(first, v * plan.lanes))));
        for (int64_t r = 0; r < rows; ++r) {
          Value query = emitBroadcast(kb, product.rows, kb.add(row, r), d);
          for (int64_t v = 0; v < vectors; ++v)
            next.push_back(
                emitMultiplyAdd(kb, query, keys[v], acc[r * vectors + v]));
        }
        return next;
      });
  Value firstColumn = kb.add(kb.mul(p, plan.panelKeys), offset);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value score = tile[r * vectors + v];
      if (product.factor != 1.0)
        score = kb.mulf(score, kb.constant(vec, product.factor));
      kb.vstore(score, product.target,
                {kb.add(row, r), kb.add(firstColumn, v * plan.lanes)});
    }
}

/// A register tile that needs all vectors of the panel, or those that it needs
/// one by one.
void AttentionEmitter::emitTrimmedScores(KernelBuilder &kb,
                                         const AttentionStep &step,
                                         const ScoreProduct &product, Value p,
                                         Value row, int64_t rows) {
  int64_t vectors = plan.getPanelVectors();
  Columns columns = emitTileColumns(kb, step, row, p);
  Value first = kb.div(columns.begin, plan.lanes);
  Value end = kb.ceilDiv(columns.end, plan.lanes);
  Value all = kb.eq(kb.sub(end, first), kb.index(vectors));
  auto emitSome = [&] {
    Value zeros = kb.constant(vec, 0.0);
    Value firstColumn = kb.mul(p, plan.panelKeys);
    for (int64_t r = 0; product.fill && r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        kb.vstore(zeros, product.target,
                  {kb.add(row, r), kb.add(firstColumn, v * plan.lanes)});
    kb.loop(first, end, 1, [&](Value v) {
      emitScoreTile(kb, step, product, p, row, rows, v, 1);
    });
  };
  kb.ifThenElse(
      all,
      [&] {
        emitScoreTile(kb, step, product, p, row, rows, kb.index(0), vectors);
      },
      emitSome);
}

void AttentionEmitter::emitScores(KernelBuilder &kb, const AttentionStep &step,
                                  const ScoreProduct &product, Value panels,
                                  Value endRow) {
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    emitRowTiles(kb, endRow, [&](Value row, int64_t rows) {
      if (step.tileColumns)
        return emitTrimmedScores(kb, step, product, p, row, rows);
      emitScoreTile(kb, step, product, p, row, rows, kb.index(0),
                    plan.getPanelVectors());
    });
  });
}

/// Adds the weights of one register tile of rows times the values of one chunk
/// of columns to the scaled output rows.
void AttentionEmitter::emitWeightedTile(KernelBuilder &kb,
                                        const AttentionStep &step,
                                        Value weights, Value panelMemory,
                                        Value target, Value factors,
                                        Value panels, Value row, int64_t rows,
                                        int64_t firstVector, int64_t vectors) {
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
  int64_t columns = plan.panelKeys / plan.getUnit();
  int64_t chunkBegin = firstVector * plan.lanes * columns;
  auto addKey = [&](Value p, Value panel, Value column, ValueRange acc) {
    Value first = kb.add(kb.mul(column, vectors * plan.lanes), chunkBegin);
    SmallVector<Value> values, next;
    for (int64_t v = 0; v < vectors; ++v)
      values.push_back(
          kb.vload(packedVec, panelMemory,
                   panelAt(kb, step, panel, kb.add(first, v * plan.lanes))));
    Value weightColumn = kb.add(kb.mul(p, columns), column);
    for (int64_t r = 0; r < rows; ++r) {
      Value weight = emitBroadcast(kb, weights, kb.add(row, r), weightColumn);
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(
            emitMultiplyAdd(kb, weight, values[v], acc[r * vectors + v]));
    }
    return next;
  };
  auto [firstPanel, endPanel] = emitTilePanels(kb, step, row, panels);
  tile = kb.loop(firstPanel, endPanel, 1, tile, [&](Value p, ValueRange outer) {
    Value panel = emitPanel(kb, step, p);
    Value begin = kb.index(0), end = kb.index(columns);
    if (step.tileColumns) {
      Columns used = emitTileColumns(kb, step, row, p);
      begin = kb.div(used.begin, plan.getUnit());
      end = kb.ceilDiv(used.end, plan.getUnit());
    }
    return kb.loop(begin, end, 1, outer, [&](Value column, ValueRange acc) {
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
    emitRowTiles(kb, endRow, [&](Value row, int64_t rows) {
      emitWeightedTile(kb, step, weights, panelMemory, target, factors, panels,
                       row, rows, firstVector, vectors);
    });
    firstVector += vectors;
  }
}
