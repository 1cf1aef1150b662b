//===- BackwardBlock.cpp - Query block of a gradient ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One block of queries against one part of the keys; see BackwardEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "BackwardEmitter.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

void BackwardEmitter::createScratch(KernelBuilder &kb, AttentionStep &step) {
  // The products by columns read single vectors of many rows; rows a power of
  // two apart would share a few sets of the cache.
  int64_t rows = plan.paddedRows, pad = plan.lanes;
  step.queries = kb.scratch({rows, paddedSize() + pad}, compute);
  step.outputGradients = kb.scratch({rows, paddedValueSize() + pad}, compute);
  step.scores = kb.scratch({rows, plan.getStepKeys() + pad}, compute);
  step.scoreGradients = kb.scratch({rows, plan.getStepKeys() + pad}, compute);
  step.rows = kb.scratch({rows, paddedSize()}, compute);
  if (plan.dot) {
    step.queryPairs = kb.scratch({rows, paddedSize()}, packed);
    step.outputPairs = kb.scratch({rows, paddedValueSize()}, packed);
    step.weights = kb.scratch({rows, plan.getStepKeys() / 2}, packed);
  }
  step.rowMax = kb.scratch({rows}, compute);
  step.rowDelta = kb.scratch({rows}, compute);
  createQueue(kb, step);
  if (plan.gather) {
    auto panels = [&](int64_t words) {
      return kb.scratch({1, 1, plan.panelsPerStep, words}, packed);
    };
    step.keyPanels = panels(getPanelWords(headSize));
    step.keyRows = panels(paddedSize() * plan.panelKeys / plan.getUnit());
    step.valuePanels = panels(getPanelWords(valueHeadSize));
  }
}

void BackwardEmitter::emitBlockBody(KernelBuilder &kb, func::FuncOp block) {
  AttentionOperands operands;
  Memory memory;
  ValueRange indices = bind(block, operands, &memory);
  AttentionStep step;
  step.pattern = pattern;
  createScratch(kb, step);
  step.batch = indices[0];
  step.head = indices[1];
  step.kvHead = indices[2];
  Value part = indices[3], firstKey = indices[4], endKey = indices[5];
  if (plan.gather) {
    step.k = operands.k;
    step.v = operands.v;
  } else {
    step.keyPanels = memory.keyPanels;
    step.keyRows = memory.keyRows;
    step.valuePanels = memory.valuePanels;
  }
  step.keyGradients = memory.keyGradients;
  step.valueGradients = memory.valueGradients;
  step.bias = operands.bias;
  step.queryLength = kb.dim(operands.q, 2);
  step.keyLength = kb.dim(operands.k, 2);
  auto [begin, end] = emitQueryRange(kb, indices[6], step.queryLength);
  step.queryBegin = begin;
  step.numRows = kb.sub(end, begin);

  Value queue = step.count;
  step.count = kb.index(0);
  func::FuncOp stepFunc = emitStep(kb, block, step);
  step.count = queue;
  Value row = emitListRow(kb, indices[6]);
  Value touched = emitTouched(kb, operands, step, row, firstKey, endKey);
  kb.store(touched, memory.touched, {part, step.batch, step.head, indices[6]});
  kb.ifThen(touched, [&] {
    emitPackRows(kb, operands.q, step, step.queries, headSize, queryFactor);
    emitPackRows(kb, operands.dO, step, step.outputGradients, valueHeadSize,
                 1.0);
    if (plan.dot) {
      emitPackPairs(kb, operands.q, step, step.queryPairs, headSize,
                    /*negate=*/queryFactor < 0);
      emitPackPairs(kb, operands.dO, step, step.outputPairs, valueHeadSize,
                    /*negate=*/false);
    }
    emitRowReferences(kb, operands, step);
    emitZeroRows(kb, step.rows, paddedSize());
    kb.store(kb.index(0), step.count, {});
    emitQueueKeys(kb, operands, step, row, stepFunc, firstKey, endKey);
    emitFlushRest(kb, step, stepFunc);
    emitFinish(kb, memory, part, step);
  });
}

/// Whether the block has queries and any of them may look at the keys.
Value BackwardEmitter::emitTouched(KernelBuilder &kb,
                                   const AttentionOperands &operands,
                                   const AttentionStep &step, Value row,
                                   Value begin, Value end) {
  // In memory, as the pattern may call back from loops of its own.
  Value found = kb.scratch({}, kb.getI1Type());
  kb.store(kb.bit(false), found, {});
  auto note = [&](KernelBuilder &inner, Value first, Value last) {
    inner.ifThen(inner.lt(first, last),
                 [&] { inner.store(inner.bit(true), found, {}); });
  };
  kb.ifThen(kb.lt(kb.index(0), step.numRows),
            [&] { emitKeyRanges(kb, operands, step, row, note, begin, end); });
  return kb.load(found, {});
}

/// The product of a row of the output and its gradient.
Value BackwardEmitter::emitRowProduct(KernelBuilder &kb, Value output,
                                      const AttentionStep &step, Value row) {
  Value query = kb.add(step.queryBegin, row);
  if (isContiguous(output)) {
    auto sourceVec = cast<VectorType>(vec.clone(op.getElementType()));
    Value sum = kb.constant(vec, 0.0);
    for (int64_t d = 0; d < valueHeadSize; d += plan.lanes) {
      Value part = kb.vloadPart(sourceVec, output,
                                {step.batch, step.head, query, kb.index(d)},
                                std::min(plan.lanes, valueHeadSize - d));
      sum =
          kb.fma(kb.convert(part, compute),
                 kb.vload(vec, step.outputGradients, {row, kb.index(d)}), sum);
    }
    return kb.reduceAdd(sum);
  }
  return kb
      .loop(kb.index(0), kb.index(valueHeadSize), 1, kb.constant(compute, 0.0),
            [&](Value d, ValueRange sum) {
              Value element = kb.convert(
                  kb.load(output, {step.batch, step.head, query, d}), compute);
              Value gradient = kb.load(step.outputGradients, {row, d});
              return SmallVector<Value>{
                  kb.addf(sum.front(), kb.mulf(element, gradient))};
            })
      .front();
}

/// What the scores and their gradients are measured by. Measured against +inf,
/// a row without weights has none.
void BackwardEmitter::emitRowReferences(KernelBuilder &kb,
                                        const AttentionOperands &operands,
                                        const AttentionStep &step) {
  Value minus = kb.minusInfinity(compute);
  Value plus = kb.constant(compute, std::numeric_limits<double>::infinity());
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    Value lse = kb.load(operands.lse, {step.batch, step.head, query});
    Value none = kb.cmpf(arith::CmpFPredicate::OEQ, lse, minus);
    if (!hasBias)
      lse = kb.mulf(lse, kb.constant(compute, M_LOG2E));
    kb.store(kb.select(none, plus, lse), step.rowMax, row);
    kb.store(emitRowProduct(kb, operands.output, step, row), step.rowDelta,
             row);
  });
  kb.loop(step.numRows, kb.index(plan.paddedRows), 1, [&](Value row) {
    kb.store(plus, step.rowMax, row);
    kb.store(kb.constant(compute, 0.0), step.rowDelta, row);
  });
}

void BackwardEmitter::emitFinish(KernelBuilder &kb, const Memory &memory,
                                 Value part, const AttentionStep &step) {
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    kb.loop(0, paddedSize(), plan.lanes, [&](Value column) {
      kb.vstore(kb.vload(vec, step.rows, {row, column}), memory.queryGradients,
                {part, step.batch, step.head, query, column});
    });
  });
}
