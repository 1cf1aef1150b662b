//===- BackwardEmitter.h - The kernel of dit.attention_backward -*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel is four functions:
//
//   kernel   runs one task per batch, key head and part of the keys, then sums
//            the gradients of the queries over the parts, in order;
//   task     packs the keys and values of its part into panels, runs a block
//            for each query block of each query head that looks at the key
//            head, and writes the gradients of its keys and values;
//   block    packs queries, output gradients and what a row is measured by,
//            queues the panels of the part that the pattern, the tile list and
//            kv_valid allow, and runs a step whenever the queue is full;
//   step     weights and their gradients from two products, then the three
//            products that add to the gradients of queries, keys and values.
//
// A task owns its keys, so nothing is added to by two tasks: no atomics, and
// the same bits whatever runs in parallel. The parts depend on the shape alone.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_BACKWARDEMITTER_H
#define DIT_LIB_CONVERSION_DITTOCPU_BACKWARDEMITTER_H

#include "AttentionEmitter.h"

namespace mlir::dit::cpu {

class BackwardEmitter : public AttentionEmitter {
public:
  BackwardEmitter(AttentionBackwardOp op, KernelLibrary &library);

private:
  /// Memory of the kernel, in the order of the functions' arguments. Gradients
  /// are of the type of the arithmetic and padded to whole vectors.
  struct Memory {
    /// Panels, unless keys are gathered: [batch, key head, panel, element].
    Value keyPanels, keyRows, valuePanels;
    /// [batch, key head, key, element].
    Value keyGradients, valueGradients;
    /// [part, batch, head, query, element].
    Value queryGradients;
    /// Whether a block of queries looks at keys of a part, which else gives it
    /// no gradient: [part, batch, head, block].
    Value touched;
    /// Panels in each part of the keys.
    Value partPanels;

    SmallVector<Value *> fields() {
      return {&keyPanels,      &keyRows,        &valuePanels, &keyGradients,
              &valueGradients, &queryGradients, &touched,     &partPanels};
    }
  };

  // BackwardKernel.cpp
  void emitKernel(KernelBuilder &kb, func::FuncOp func) override;
  Memory emitMemory(KernelBuilder &kb, const AttentionOperands &operands,
                    Value parts);
  /// The operands and the memory that `func` takes; returns the indices that
  /// follow them.
  ValueRange bind(func::FuncOp func, AttentionOperands &operands,
                  Memory *memory);
  void emitTaskBody(KernelBuilder &kb, func::FuncOp task);
  void emitPackPart(KernelBuilder &kb, const AttentionOperands &operands,
                    const Memory &memory, Value batch, Value head,
                    Value beginPanel, Value endPanel);
  void emitZeroGradients(KernelBuilder &kb, Value memory, ValueRange head,
                         Value begin, Value end, int64_t size);
  /// Writes rows `[begin, end)` of the sum of `sources`, times `factor`.
  void
  emitWrite(KernelBuilder &kb, Value target, ValueRange head, Value begin,
            Value end, int64_t size, double factor,
            llvm::function_ref<Value(Value row, Value column, Type type)> load);
  void emitSumParts(KernelBuilder &kb, const AttentionOperands &operands,
                    const Memory &memory, Value parts);

  // BackwardBlock.cpp
  void emitBlockBody(KernelBuilder &kb, func::FuncOp block);
  void createScratch(KernelBuilder &kb, AttentionStep &step);
  void emitRowReferences(KernelBuilder &kb, const AttentionOperands &operands,
                         const AttentionStep &step);
  Value emitTouched(KernelBuilder &kb, const AttentionOperands &operands,
                    const AttentionStep &step, Value row, Value begin,
                    Value end);
  Value emitRowProduct(KernelBuilder &kb, Value output,
                       const AttentionStep &step, Value row);
  void emitFinish(KernelBuilder &kb, const Memory &memory, Value part,
                  const AttentionStep &step);

  // BackwardStep.cpp
  void emitStepBody(KernelBuilder &kb, const AttentionStep &step) override;
  void emitPackGathered(KernelBuilder &kb, const AttentionStep &step,
                        const PanelSource &keys, const PanelSource &values,
                        Value p) override;
  void emitWeights(KernelBuilder &kb, const AttentionStep &step, Value panels,
                   Value endRow);
  void emitZeroWeights(KernelBuilder &kb, const AttentionStep &step, Value row,
                       Value begin, Value end, Value panels);
  std::pair<Value, Value> emitColumnRows(KernelBuilder &kb,
                                         const AttentionStep &step, Value p,
                                         Value firstColumn, int64_t columns);
  /// Adds to the gradient of each key `column` of the queued panels the sum of
  /// weights[row, column] rows[row, .].
  void emitTransposed(KernelBuilder &kb, const AttentionStep &step,
                      Value weights, Value rows, ArrayRef<int64_t> chunks,
                      Value gradients, Value panels);
  void emitTransposedTile(KernelBuilder &kb, const AttentionStep &step,
                          Value weights, Value rows, Value gradients, Value p,
                          Value firstColumn, int64_t columns,
                          int64_t firstVector, int64_t vectors);

  /// Words of a panel of `size` elements of each key, transposed.
  int64_t getPanelWords(int64_t size) const {
    return llvm::divideCeil(size, plan.getUnit()) * plan.panelKeys;
  }
  int64_t paddedSize() const { return llvm::alignTo(headSize, plan.lanes); }
  int64_t paddedValueSize() const { return plan.getPaddedValueSize(); }
  /// What the packed queries are multiplied by; what stored scores then are
  /// multiplied by to be scores, or exponents of two; and what is left of the
  /// scale for the gradient of the keys.
  double queryFactor, scoreFactor = 1.0, exponentFactor, keyFactor;

  AttentionBackwardOp backward;
  /// Vectors of each chunk of columns of the keys.
  SmallVector<int64_t> keyChunks;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_BACKWARDEMITTER_H
