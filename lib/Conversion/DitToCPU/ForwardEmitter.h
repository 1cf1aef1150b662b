//===- ForwardEmitter.h - The kernel of dit.attention -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel is three functions:
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
// A pair has a second softmax: a step copies the scores that the second pattern
// may allow, masks them, and has them update a maximum, sum and rows of their
// own.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_FORWARDEMITTER_H
#define DIT_LIB_CONVERSION_DITTOCPU_FORWARDEMITTER_H

#include "AttentionEmitter.h"

namespace mlir::dit::cpu {

class ForwardEmitter : public AttentionEmitter {
public:
  /// A kernel of a `dit.attention` or a `dit.attention_pair`.
  ForwardEmitter(AttentionOpInterface op, KernelLibrary &library);

private:
  /// Whether there is a second softmax, of the same scores within a second
  /// pattern.
  bool isPair() { return isa<AttentionPairOp>(op); }

  /// What stored scores are multiplied by to be exponents of two, and what
  /// packed queries and products are multiplied by to be scores. Pairs of bf16
  /// take no factor but a sign.
  double exponentFactor, queryFactor, scoreFactor;

  /// Words of the packed queries, and of the keys of a panel.
  int64_t getPackedSize() const {
    return llvm::divideCeil(headSize, plan.getUnit());
  }
  /// Words of a panel of values.
  int64_t getPackedValues() const {
    return plan.panelKeys / plan.getUnit() * plan.getPaddedValueSize();
  }

  // ForwardKernel.cpp
  void emitKernel(KernelBuilder &kb, func::FuncOp func) override;
  AttentionOperands bind(func::FuncOp func);
  Value emitIsRead(KernelBuilder &kb, const AttentionOperands &operands,
                   Value keyHead);
  std::pair<Value, Value> emitPackHeads(KernelBuilder &kb,
                                        const AttentionOperands &operands);
  void emitBlockBody(KernelBuilder &kb, func::FuncOp block);
  void createScratch(KernelBuilder &kb, AttentionStep &step);
  void emitInitialRows(KernelBuilder &kb, const AttentionStep &step);
  void emitFinish(KernelBuilder &kb, const AttentionStep &step, Value output,
                  Value lse);

  // ForwardPair.cpp
  void createInnerScratch(KernelBuilder &kb, AttentionStep &step);
  void emitInnerStep(KernelBuilder &kb, const AttentionStep &step, Value panels,
                     Value endRow);
  void emitInnerTile(KernelBuilder &kb, const AttentionStep &inner,
                     Value panels, Value row);
  void emitInnerFinish(KernelBuilder &kb, const AttentionStep &step,
                       Value output);

  // ForwardStep.cpp
  void emitStepBody(KernelBuilder &kb, const AttentionStep &step) override;
  void emitPackGathered(KernelBuilder &kb, const AttentionStep &step,
                        const PanelSource &keys, const PanelSource &values,
                        Value p) override;
  void emitSoftmax(KernelBuilder &kb, const AttentionStep &step, Value panels,
                   Value endRow);
  void emitSoftmaxRow(KernelBuilder &kb, const AttentionStep &step,
                      Value panels, Value row);
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_FORWARDEMITTER_H
