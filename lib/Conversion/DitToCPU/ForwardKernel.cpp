//===- ForwardKernel.cpp - Kernel and query block of an attention ---------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The outer two functions of the kernel; see ForwardEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "ForwardEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// A scale of zero would lose the -inf of masked scores if it came after them.
static bool allowsDot(AttentionOpInterface op) {
  return !op.getScale().isZero();
}

/// A pair stores the scores of a step twice, in f64 too much for a stack.
static int64_t getStepKeys(AttentionOpInterface op) {
  return isa<AttentionPairOp>(op) && op.getElementType().isF64() ? 256 : 512;
}

static StringRef getPrefix(AttentionOpInterface op) {
  return isa<AttentionPairOp>(op) ? "dit_attention_pair" : "dit_attention";
}

ForwardEmitter::ForwardEmitter(AttentionOpInterface op, KernelLibrary &library)
    : AttentionEmitter(op, library, getPrefix(op), allowsDot(op),
                       getStepKeys(op)) {
  double scale = op.getScale().convertToDouble();
  exponentFactor = hasBias ? M_LOG2E : 1.0;
  queryFactor = hasBias ? scale : scale * M_LOG2E;
  scoreFactor = 1.0;
  if (!plan.dot)
    return;
  queryFactor = scale < 0 ? -1.0 : 1.0;
  if (hasBias)
    scoreFactor = std::abs(scale);
  else
    exponentFactor = std::abs(scale) * M_LOG2E;
}

AttentionOperands ForwardEmitter::bind(func::FuncOp func) {
  AttentionOperands operands;
  ArgumentReader take(func);
  take(operands.q);
  take(operands.k);
  take(operands.v);
  bindMask(take, operands);
  take(operands.output);
  take(operands.inner, isPair());
  take(operands.lse, static_cast<bool>(op.getLse()));
  take(operands.halfWidths, static_cast<bool>(op.getHalfWidths()));
  return operands;
}

/// Whether any of the query heads that read a key head is not skipped.
Value ForwardEmitter::emitIsRead(KernelBuilder &kb,
                                 const AttentionOperands &operands,
                                 Value keyHead) {
  Value group = kb.div(kb.dim(operands.q, 1), kb.dim(operands.k, 1));
  Value first = kb.mul(keyHead, group);
  auto isRead = [&](Value head, ValueRange read) {
    Value width = kb.toIndex(kb.load(operands.halfWidths, head));
    Value reads = kb.cmp(arith::CmpIPredicate::ne, width, kb.index(0));
    return SmallVector<Value>{kb.lor(read.front(), reads)};
  };
  return kb.loop(first, kb.add(first, group), 1, kb.bit(false), isRead).front();
}

std::pair<Value, Value>
ForwardEmitter::emitPackHeads(KernelBuilder &kb,
                              const AttentionOperands &operands) {
  Value batches = kb.dim(operands.k, 0), heads = kb.dim(operands.k, 1);
  Value keys = kb.dim(operands.k, 2);
  Value panels = kb.ceilDiv(keys, plan.panelKeys);
  auto allocate = [&](int64_t elements) -> Value {
    SmallVector<int64_t> shape(3, ShapedType::kDynamic);
    shape.push_back(elements);
    auto alloc = memref::AllocOp::create(kb, MemRefType::get(shape, packed),
                                         ValueRange{batches, heads, panels});
    alloc.setAlignment(64);
    return alloc;
  };
  Value keyPanels = allocate(getPackedSize() * plan.panelKeys);
  Value valuePanels = allocate(getPackedValues());
  kb.parallel({batches, heads, panels}, [&](ValueRange ivs) {
    Value first = kb.mul(ivs[2], plan.panelKeys);
    auto keyOf = [&](Value column) { return kb.add(first, column); };
    Value left = kb.sub(keys, first);
    auto pack = [&] {
      emitPackTransposed(kb, {operands.k, ivs[0], ivs[1], left, keyOf},
                         keyPanels, ivs, headSize);
      emitPackChunks(kb, {operands.v, ivs[0], ivs[1], left, keyOf}, valuePanels,
                     ivs, valueHeadSize, plan.valueChunks);
    };
    if (!operands.halfWidths)
      return pack();
    kb.ifThen(emitIsRead(kb, operands, ivs[1]), pack);
  });
  return {keyPanels, valuePanels};
}

void ForwardEmitter::emitKernel(KernelBuilder &kb, func::FuncOp func) {
  AttentionOperands operands = bind(func);
  SmallVector<Value> arguments(func.getArguments());
  Value keyPanels, valuePanels;
  if (!plan.gather) {
    std::tie(keyPanels, valuePanels) = emitPackHeads(kb, operands);
    arguments.append({keyPanels, valuePanels});
  }
  Value batches = kb.dim(operands.q, 0), heads = kb.dim(operands.q, 1);
  Value queries = kb.dim(operands.q, 2);
  Value blocks = emitNumBlocks(kb, queries);
  func::FuncOp block;
  kb.parallel({batches, heads, blocks}, [&](ValueRange ivs) {
    SmallVector<Value> callArguments(arguments);
    llvm::append_range(callArguments, ivs);
    if (!block)
      block = emitHelper(kb, func.getName() + "_block", callArguments,
                         [&](func::FuncOp block) { emitBlockBody(kb, block); });
    func::CallOp::create(kb, block, callArguments);
  });
}

void ForwardEmitter::createScratch(KernelBuilder &kb, AttentionStep &step) {
  int64_t rows = plan.paddedRows;
  int64_t paddedSize = llvm::alignTo(getPackedSize(), plan.lanes);
  step.queries = kb.scratch({rows, paddedSize}, packed);
  step.scores = kb.scratch({rows, plan.getStepKeys()}, compute);
  if (plan.dot)
    step.weights = kb.scratch({rows, plan.getStepKeys() / 2}, packed);
  step.rows = kb.scratch({rows, plan.getPaddedValueSize()}, compute);
  step.rowMax = kb.scratch({rows}, compute);
  step.rowSum = kb.scratch({rows, plan.lanes}, compute);
  step.rowScale = kb.scratch({rows}, compute);
  createQueue(kb, step);
  if (isPair())
    createInnerScratch(kb, step);
  if (plan.gather) {
    step.keyPanels = kb.scratch(
        {1, 1, plan.panelsPerStep, getPackedSize() * plan.panelKeys}, packed);
    step.valuePanels =
        kb.scratch({1, 1, plan.panelsPerStep, getPackedValues()}, packed);
  }
}

/// Rows of an empty softmax.
void ForwardEmitter::emitInitialRows(KernelBuilder &kb,
                                     const AttentionStep &step) {
  Value zeros = kb.constant(vec, 0.0), empty = kb.minusInfinity(compute);
  kb.loop(0, plan.paddedRows, 1, [&](Value row) {
    kb.store(empty, step.rowMax, row);
    kb.vstore(zeros, step.rowSum, {row, kb.index(0)});
  });
  emitZeroRows(kb, step.rows, plan.getPaddedValueSize());
}

void ForwardEmitter::emitBlockBody(KernelBuilder &kb, func::FuncOp block) {
  AttentionOperands operands = bind(block);
  AttentionStep step;
  step.pattern = pattern;
  createScratch(kb, step);
  ArrayRef<BlockArgument> indices = block.getArguments().take_back(3);
  step.batch = indices[0];
  step.head = indices[1];
  Value group = kb.div(kb.dim(operands.q, 1), kb.dim(operands.k, 1));
  step.kvHead = kb.div(step.head, group);
  if (plan.gather) {
    step.k = operands.k;
    step.v = operands.v;
  } else {
    step.keyPanels = block.getArguments().drop_back(3).drop_back(1).back();
    step.valuePanels = block.getArguments().drop_back(3).back();
  }
  step.bias = operands.bias;
  step.queryLength = kb.dim(operands.q, 2);
  step.keyLength = kb.dim(operands.k, 2);
  auto [begin, end] = emitQueryRange(kb, indices[2], step.queryLength);
  step.queryBegin = begin;
  step.numRows = kb.sub(end, begin);

  Value computed = kb.lt(kb.index(0), step.numRows);
  if (operands.halfWidths) {
    Value width = kb.toIndex(kb.load(operands.halfWidths, step.head));
    (isPair() ? step.innerHalfWidth : step.halfWidth) = width;
    Value skipped = kb.eq(width, kb.index(0));
    computed = kb.select(skipped, kb.bit(false), computed);
  }

  Value queue = step.count;
  step.count = kb.index(0);
  func::FuncOp stepFunc = emitStep(kb, block, step);
  step.count = queue;
  kb.ifThen(computed, [&] {
    if (plan.dot)
      emitPackPairs(kb, operands.q, step, step.queries, headSize,
                    /*negate=*/queryFactor < 0);
    else
      emitPackRows(kb, operands.q, step, step.queries, headSize, queryFactor);
    emitInitialRows(kb, step);
    if (isPair())
      emitInitialRows(kb, step.getInner());
    kb.store(kb.index(0), step.count, {});
    emitQueueKeys(kb, operands, step, emitListRow(kb, indices[2]), stepFunc);
    emitFlushRest(kb, step, stepFunc);
    emitFinish(kb, step, operands.output, operands.lse);
    if (isPair())
      emitInnerFinish(kb, step, operands.inner);
  });
}

/// Divides each row by its sum and writes it and its log-sum-exp out.
void ForwardEmitter::emitFinish(KernelBuilder &kb, const AttentionStep &step,
                                Value output, Value lse) {
  bool contiguous = isContiguous(output);
  Value zero = kb.constant(compute, 0.0), one = kb.constant(compute, 1.0);
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    Value sum = kb.reduceAdd(kb.vload(vec, step.rowSum, {row, kb.index(0)}));
    Value empty = kb.cmpf(arith::CmpFPredicate::OEQ, sum, zero);
    Value inverse =
        kb.select(empty, zero, arith::DivFOp::create(kb, one, sum).getResult());
    auto scaled = [&](Value column, Type type) {
      if (auto vector = dyn_cast<VectorType>(type))
        return kb.convert(kb.mulf(kb.vload(vector, step.rows, {row, column}),
                                  kb.splat(vector, inverse)),
                          op.getElementType());
      return kb.convert(kb.mulf(kb.load(step.rows, {row, column}), inverse),
                        op.getElementType());
    };
    if (contiguous) {
      for (int64_t d = 0; d < valueHeadSize; d += plan.lanes)
        kb.vstorePart(scaled(kb.index(d), vec), output,
                      {step.batch, step.head, query, kb.index(d)},
                      std::min(plan.lanes, valueHeadSize - d));
    } else {
      kb.loop(0, valueHeadSize, 1, [&](Value d) {
        kb.store(scaled(d, compute), output, {step.batch, step.head, query, d});
      });
    }
    if (!lse)
      return;
    // The sum of an empty row is zero, whose logarithm is -inf, and its
    // maximum is -inf.
    Value maximum = kb.load(step.rowMax, row);
    if (!hasBias)
      maximum = kb.mulf(maximum, kb.constant(compute, exponentFactor * M_LN2));
    kb.store(kb.addf(maximum, math::LogOp::create(kb, sum)), lse,
             {step.batch, step.head, query});
  });
}
