//===- AttentionStep.cpp - Scores, softmax and values of some panels ------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One step of the online softmax. Both products use the same register tile:
// a few rows, each element of which is broadcast, times the vectors of a
// panel, with all accumulators in registers.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"
#include "VectorMath.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

func::FuncOp AttentionEmitter::emitStep(KernelBuilder &kb, func::FuncOp block,
                                        const AttentionStep &arguments) {
  AttentionStep given = arguments, step;
  SmallVector<Type> types;
  for (Value *field : given.fields())
    if (*field)
      types.push_back(field->getType());
  func::FuncOp func =
      library.createHelper(block.getName() + "_step", types, kb.getLoc());
  unsigned next = 0;
  for (auto [field, from] : llvm::zip(step.fields(), given.fields()))
    if (*from)
      *field = func.getArgument(next++);
  OpBuilder::InsertionGuard guard(kb);
  kb.setInsertionPointToStart(&func.getBody().front());
  emitStepBody(kb, step);
  func::ReturnOp::create(kb);
  return func;
}

void AttentionEmitter::emitStepBody(KernelBuilder &kb,
                                    const AttentionStep &step) {
  Value panels =
      plan.gather ? kb.ceilDiv(step.count, plan.panelKeys) : step.count;
  Value endRow = kb.mul(kb.ceilDiv(step.numRows, plan.tileRows), plan.tileRows);
  if (plan.gather)
    emitGather(kb, step, panels);
  emitScores(kb, step, panels, endRow);
  if (step.bias)
    emitBias(kb, step, panels);
  emitMask(kb, step, panels);
  emitSoftmax(kb, step, panels, endRow);
  emitValues(kb, step, panels, endRow);
}

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

void AttentionEmitter::emitGather(KernelBuilder &kb, const AttentionStep &step,
                                  Value panels) {
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    Value first = kb.mul(p, plan.panelKeys);
    Value zero = kb.index(0);
    emitPackPanel(kb, {zero, zero, p}, step.k, step.v, step.keyPanels,
                  step.valuePanels, step.batch, step.kvHead,
                  kb.sub(step.count, first), [&](Value column) {
                    return kb.load(step.queue, kb.add(first, column));
                  });
  });
}

void AttentionEmitter::emitScores(KernelBuilder &kb, const AttentionStep &step,
                                  Value panels, Value endRow) {
  int64_t rows = plan.tileRows, vectors = plan.getPanelVectors();
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    Value panel = emitPanel(kb, step, p);
    kb.loop(kb.index(0), endRow, rows, [&](Value row) {
      SmallVector<Value> zeros(rows * vectors, kb.constant(vec, 0.0));
      SmallVector<Value> tile = kb.loop(
          kb.index(0), kb.index(headSize), 1, zeros,
          [&](Value d, ValueRange acc) {
            Value first = kb.mul(d, plan.panelKeys);
            SmallVector<Value> keys, next;
            for (int64_t v = 0; v < vectors; ++v)
              keys.push_back(kb.vload(
                  vec, step.keyPanels,
                  panelAt(kb, step, panel, kb.add(first, v * plan.lanes))));
            for (int64_t r = 0; r < rows; ++r) {
              Value query =
                  kb.splat(vec, kb.load(step.queries, {kb.add(row, r), d}));
              for (int64_t v = 0; v < vectors; ++v)
                next.push_back(kb.fma(query, keys[v], acc[r * vectors + v]));
            }
            return next;
          });
      Value firstColumn = kb.mul(p, plan.panelKeys);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v)
          kb.vstore(tile[r * vectors + v], step.scores,
                    {kb.add(row, r), kb.add(firstColumn, v * plan.lanes)});
    });
  });
}

/// Maximum of the lanes by halving, without the care for NaN that a reduction
/// takes.
static Value reduceMax(KernelBuilder &kb, Value vector) {
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> swapped;
    for (int64_t l = 0; l < lanes; ++l)
      swapped.push_back(l ^ half);
    vector =
        kb.maxf(vector::ShuffleOp::create(kb, vector, vector, swapped), vector);
  }
  return vector;
}

void AttentionEmitter::emitSoftmaxRow(KernelBuilder &kb,
                                      const AttentionStep &step, Value panels,
                                      Value row) {
  int64_t vectors = plan.getPanelVectors();
  auto at = [&](Value p, int64_t v) {
    return SmallVector<Value>{
        row, kb.add(kb.mul(p, plan.panelKeys), v * plan.lanes)};
  };
  Value minus = kb.minusInfinity(vec), zeros = kb.constant(vec, 0.0);
  Value oldMax = kb.splat(vec, kb.load(step.rowMax, row));
  SmallVector<Value> best(vectors, oldMax);
  best =
      kb.loop(kb.index(0), panels, 1, best, [&](Value p, ValueRange previous) {
        SmallVector<Value> next;
        for (int64_t v = 0; v < vectors; ++v)
          next.push_back(
              kb.maxf(kb.vload(vec, step.scores, at(p, v)), previous[v]));
        return next;
      });
  for (int64_t v = 1; v < vectors; ++v)
    best[0] = kb.maxf(best[v], best[0]);
  Value newMax = reduceMax(kb, best[0]);

  // While nothing is allowed, any finite reference keeps exp2(-inf) at 0.
  Value none = kb.cmpf(arith::CmpFPredicate::OEQ, newMax, minus);
  Value reference = arith::SelectOp::create(kb, none, zeros, newMax);
  auto exponent = [&](Value score) {
    Value difference = kb.subf(score, reference);
    if (hasBias)
      difference = kb.mulf(difference, kb.constant(vec, M_LOG2E));
    return emitExp2OfNonPositive(kb, difference);
  };
  Value factor = exponent(oldMax);
  SmallVector<Value> sums(vectors, zeros);
  sums =
      kb.loop(kb.index(0), panels, 1, sums, [&](Value p, ValueRange previous) {
        SmallVector<Value> next;
        for (int64_t v = 0; v < vectors; ++v) {
          Value weight = exponent(kb.vload(vec, step.scores, at(p, v)));
          kb.vstore(weight, step.scores, at(p, v));
          next.push_back(kb.addf(previous[v], weight));
        }
        return next;
      });
  for (int64_t v = 1; v < vectors; ++v)
    sums[0] = kb.addf(sums[0], sums[v]);
  SmallVector<Value> sumAt = {row, kb.index(0)};
  Value oldSum = kb.vload(vec, step.rowSum, sumAt);
  kb.vstore(kb.fma(oldSum, factor, sums[0]), step.rowSum, sumAt);
  auto first = [&](Value vector) -> Value {
    return vector::ExtractOp::create(kb, vector, int64_t(0));
  };
  kb.store(first(newMax), step.rowMax, row);
  kb.store(first(factor), step.rowScale, row);
}

void AttentionEmitter::emitSoftmax(KernelBuilder &kb, const AttentionStep &step,
                                   Value panels, Value endRow) {
  kb.loop(kb.index(0), endRow, 1,
          [&](Value row) { emitSoftmaxRow(kb, step, panels, row); });
}

/// Adds the weights of one register tile of rows times the values of one chunk
/// of columns to the scaled output rows.
void AttentionEmitter::emitValuesTile(KernelBuilder &kb,
                                      const AttentionStep &step, Value panels,
                                      Value row, int64_t firstVector,
                                      int64_t vectors) {
  int64_t rows = plan.tileRows;
  auto outputAt = [&](int64_t r, int64_t v) {
    return SmallVector<Value>{kb.add(row, r),
                              kb.index((firstVector + v) * plan.lanes)};
  };
  SmallVector<Value> tile;
  for (int64_t r = 0; r < rows; ++r) {
    Value factor = kb.splat(vec, kb.load(step.rowScale, kb.add(row, r)));
    for (int64_t v = 0; v < vectors; ++v)
      tile.push_back(kb.mulf(kb.vload(vec, step.rows, outputAt(r, v)), factor));
  }
  int64_t chunkBegin = firstVector * plan.lanes * plan.panelKeys;
  auto addKey = [&](Value p, Value panel, Value column, ValueRange acc) {
    Value first = kb.add(kb.mul(column, vectors * plan.lanes), chunkBegin);
    SmallVector<Value> values, next;
    for (int64_t v = 0; v < vectors; ++v)
      values.push_back(
          kb.vload(vec, step.valuePanels,
                   panelAt(kb, step, panel, kb.add(first, v * plan.lanes))));
    Value scoreColumn = kb.add(kb.mul(p, plan.panelKeys), column);
    for (int64_t r = 0; r < rows; ++r) {
      Value weight =
          kb.splat(vec, kb.load(step.scores, {kb.add(row, r), scoreColumn}));
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
      kb.vstore(tile[r * vectors + v], step.rows, outputAt(r, v));
}

void AttentionEmitter::emitValues(KernelBuilder &kb, const AttentionStep &step,
                                  Value panels, Value endRow) {
  int64_t firstVector = 0;
  for (int64_t vectors : plan.valueChunks) {
    kb.loop(kb.index(0), endRow, plan.tileRows, [&](Value row) {
      emitValuesTile(kb, step, panels, row, firstVector, vectors);
    });
    firstVector += vectors;
  }
}
