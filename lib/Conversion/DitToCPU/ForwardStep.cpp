//===- ForwardStep.cpp - Scores, softmax and values of some panels --------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One step of the online softmax, between the two products.
//
//===----------------------------------------------------------------------===//

#include "ForwardEmitter.h"
#include "VectorMath.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

void ForwardEmitter::emitStepBody(KernelBuilder &kb,
                                  const AttentionStep &step) {
  Value panels = emitStepPanels(kb, step), endRow = emitEndRow(kb, step);
  ScoreProduct scores = {step.queries, step.keyPanels, headSize, step.scores,
                         scoreFactor};
  emitMaskedScores(kb, step, scores, panels, endRow);
  if (isPair())
    emitInnerStep(kb, step, panels, endRow);
  emitSoftmax(kb, step, panels, endRow);
  emitWeighted(kb, step, plan.dot ? step.weights : step.scores,
               step.valuePanels, plan.valueChunks, step.rows, step.rowScale,
               panels, endRow);
}

void ForwardEmitter::emitPackGathered(KernelBuilder &kb,
                                      const AttentionStep &step,
                                      const PanelSource &keys,
                                      const PanelSource &values, Value p) {
  Value zero = kb.index(0);
  emitPackTransposed(kb, keys, step.keyPanels, {zero, zero, p}, headSize);
  emitPackChunks(kb, values, step.valuePanels, {zero, zero, p}, valueHeadSize,
                 plan.valueChunks);
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

void ForwardEmitter::emitSoftmaxRow(KernelBuilder &kb,
                                    const AttentionStep &step, Value panels,
                                    Value row) {
  int64_t vectors = plan.getPanelVectors();
  auto at = [&](Value p, int64_t v) {
    return SmallVector<Value>{
        row, kb.add(kb.mul(p, plan.panelKeys), v * plan.lanes)};
  };
  Value minus = kb.minusInfinity(vec), zeros = kb.constant(vec, 0.0);
  auto [firstPanel, endPanel] = emitTilePanels(kb, step, row, panels);
  Value oldMax = kb.splat(vec, kb.load(step.rowMax, row));
  SmallVector<Value> best(vectors, oldMax);
  best =
      kb.loop(firstPanel, endPanel, 1, best, [&](Value p, ValueRange previous) {
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
  // Subtracted first where a factor could make a bias overflow, last where one
  // multiply-add does both.
  Value scale = kb.constant(vec, exponentFactor);
  Value shift;
  if (!hasBias && exponentFactor != 1.0)
    shift = kb.mulf(reference, kb.constant(vec, -exponentFactor));
  auto exponent = [&](Value score) {
    Value difference =
        shift ? kb.fma(score, scale, shift) : kb.subf(score, reference);
    if (hasBias)
      difference = kb.mulf(difference, scale);
    return emitExp2OfNonPositive(kb, difference, plan.dot);
  };
  Value factor = exponent(oldMax);
  SmallVector<Value> sums(vectors, zeros);
  sums =
      kb.loop(firstPanel, endPanel, 1, sums, [&](Value p, ValueRange previous) {
        SmallVector<Value> next;
        for (int64_t v = 0; v < vectors; ++v) {
          Value weight = exponent(kb.vload(vec, step.scores, at(p, v)));
          if (plan.dot)
            emitStorePairs(kb, weight, step.weights, at(p, v));
          else
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

void ForwardEmitter::emitSoftmax(KernelBuilder &kb, const AttentionStep &step,
                                 Value panels, Value endRow) {
  kb.loop(kb.index(0), endRow, 1,
          [&](Value row) { emitSoftmaxRow(kb, step, panels, row); });
}
