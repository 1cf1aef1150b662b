//===- AttentionEmitter.h - The attention kernel as IR ----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel is three functions, so that scratch memory lives on the stack of
// one task and the large code of a step exists once:
//
//   kernel   packs the keys and values of each head into panels, then runs one
//            task per batch, head and query block;
//   block    packs the queries, queues the panels that the pattern, the tile
//            list and kv_valid allow, runs a step whenever the queue is full,
//            and divides by the sum of the row at the end;
//   step     scores the queued panels, adds the bias, masks panels that are
//            only partly allowed, updates the online softmax and adds the
//            product with the values.
//
// Panels that nothing allows are never queued: sparsity skips work. Exponents
// are powers of two; without a bias the factor log2(e) is in the packed
// queries, with one it is applied after the row maximum is subtracted, so that
// no finite bias overflows.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONEMITTER_H
#define DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONEMITTER_H

#include "AttentionPlan.h"
#include "KernelLibrary.h"
#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::cpu {

/// The operands of an attention as dimensions (b, h, s, d); null if absent.
struct AttentionOperands {
  Value q, k, v, bias, num, idx, kvValid, output, lse;

  SmallVector<Value *> fields() {
    return {&q, &k, &v, &bias, &num, &idx, &kvValid, &output, &lse};
  }
};

/// What a step works on.
struct AttentionStep {
  /// The source of gathered keys and values, else null.
  Value k, v;
  Value bias;
  /// Panels: [batch, head, panel, element].
  Value keyPanels, valuePanels;
  /// Scratch: packed queries, scores, output rows, and for each row the
  /// maximum, the sum by lanes and the factor of this step.
  Value queries, scores, rows, rowMax, rowSum, rowScale;
  /// Queued panels as (panel, first key, end key), or gathered keys.
  Value queue;
  Value batch, head, kvHead, queryBegin, numRows, queryLength, keyLength;
  /// Number of queued panels, or of gathered keys.
  Value count;

  SmallVector<Value *> fields() {
    return {&k,          &v,       &bias,        &keyPanels, &valuePanels,
            &queries,    &scores,  &rows,        &rowMax,    &rowSum,
            &rowScale,   &queue,   &batch,       &head,      &kvHead,
            &queryBegin, &numRows, &queryLength, &keyLength, &count};
  }
};

class AttentionEmitter {
public:
  AttentionEmitter(AttentionOp op, KernelLibrary &library);

  /// The kernel for `op` on views of `types`.
  func::FuncOp getKernel(TypeRange viewTypes);

private:
  // AttentionKernel.cpp
  void emitKernel(KernelBuilder &kb, func::FuncOp func);
  func::FuncOp emitBlock(KernelBuilder &kb, func::FuncOp kernel,
                         ValueRange arguments);
  void emitBlockBody(KernelBuilder &kb, func::FuncOp block);
  void createScratch(KernelBuilder &kb, AttentionStep &step);
  std::pair<Value, Value> emitQueryRange(KernelBuilder &kb, Value block,
                                         Value queryLength);
  void emitInitialRows(KernelBuilder &kb, const AttentionStep &step);
  void emitFinish(KernelBuilder &kb, const AttentionOperands &operands,
                  const AttentionStep &step);

  // AttentionPacking.cpp
  void emitPackQueries(KernelBuilder &kb, Value q, const AttentionStep &step);
  /// Packs a panel of head `g` of batch `b`: its column `j` holds key
  /// `keyOf(j)`, or zeros from `numColumns` on.
  void emitPackPanel(KernelBuilder &kb, ValueRange target, Value keys,
                     Value values, Value keyPanels, Value valuePanels, Value b,
                     Value g, Value numColumns,
                     llvm::function_ref<Value(Value)> keyOf);
  std::pair<Value, Value> emitPackHeads(KernelBuilder &kb);

  // AttentionMask.cpp
  void emitQueueKeys(KernelBuilder &kb, const AttentionOperands &operands,
                     const AttentionStep &step, Value row,
                     func::FuncOp stepFunc);
  void emitQueueRange(KernelBuilder &kb, const AttentionStep &step, Value begin,
                      Value end, func::FuncOp stepFunc);
  void emitQueueEntry(KernelBuilder &kb, const AttentionStep &step,
                      ValueRange entry, func::FuncOp stepFunc);
  void emitFlush(KernelBuilder &kb, const AttentionStep &step, Value count,
                 func::FuncOp stepFunc);
  /// Columns `[begin, end)` of queued panel `p` that hold keys, and the key of
  /// column 0 unless keys are gathered.
  struct Columns {
    Value begin, end, firstKey;
  };
  Columns emitColumns(KernelBuilder &kb, const AttentionStep &step, Value p);
  Value emitKeyOfColumn(KernelBuilder &kb, const AttentionStep &step,
                        const Columns &columns, Value p, Value column);
  void emitBias(KernelBuilder &kb, const AttentionStep &step, Value panels);
  void emitMask(KernelBuilder &kb, const AttentionStep &step, Value panels);
  void emitRangeMask(KernelBuilder &kb, const AttentionStep &step, Value p,
                     const Columns &columns);
  void emitPatternMask(KernelBuilder &kb, const AttentionStep &step, Value p,
                       const Columns &columns);

  // AttentionStep.cpp
  func::FuncOp emitStep(KernelBuilder &kb, func::FuncOp block,
                        const AttentionStep &arguments);
  void emitStepBody(KernelBuilder &kb, const AttentionStep &step);
  void emitGather(KernelBuilder &kb, const AttentionStep &step, Value panels);
  void emitScores(KernelBuilder &kb, const AttentionStep &step, Value panels,
                  Value endRow);
  void emitSoftmax(KernelBuilder &kb, const AttentionStep &step, Value panels,
                   Value endRow);
  void emitSoftmaxRow(KernelBuilder &kb, const AttentionStep &step,
                      Value panels, Value row);
  void emitValues(KernelBuilder &kb, const AttentionStep &step, Value panels,
                  Value endRow);
  void emitValuesTile(KernelBuilder &kb, const AttentionStep &step,
                      Value panels, Value row, int64_t firstVector,
                      int64_t vectors);

  /// Indices of element `element` of panel `panel` of the step's head.
  SmallVector<Value> panelAt(KernelBuilder &kb, const AttentionStep &step,
                             Value panel, Value element);
  Value emitPanel(KernelBuilder &kb, const AttentionStep &step, Value p);

  AttentionOperands bind(func::FuncOp func);

  AttentionOp op;
  KernelLibrary &library;
  AttentionPlan plan;
  /// Type of the arithmetic and a vector of it.
  Type compute;
  VectorType vec;
  int64_t headSize, valueHeadSize;
  PatternAttrInterface pattern;
  bool hasBias;
  std::string name;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONEMITTER_H
