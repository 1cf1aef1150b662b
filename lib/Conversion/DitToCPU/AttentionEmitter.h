//===- AttentionEmitter.h - What attention kernels share --------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the kernels of an attention and of its gradient share: operands packed
// into panels, the queue of panels that the pattern, the tile list and kv_valid
// allow for a block of queries, the masks of panels that are only partly
// allowed, and the register-blocked products.
//
// A kernel is several functions, so that scratch memory lives on the stack of
// one task and the large code of a step exists once. A block of queries queues
// panels and runs a step whenever the queue is full; what a step does is the
// kernel's own (ForwardEmitter.h, BackwardEmitter.h). Panels that nothing
// allows are never queued: sparsity skips work. Exponents are powers of two;
// without a bias the factor log2(e) is in the packed queries, with one it is
// applied after the row's reference is subtracted, so that no finite bias
// overflows.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONEMITTER_H
#define DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONEMITTER_H

#include "AttentionPlan.h"
#include "KernelLibrary.h"
#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::cpu {

/// The operands of an attention or its gradient, those with a dimension order
/// as dimensions (b, h, s, d), lists and bias broadcast; null if absent.
struct AttentionOperands {
  Value q, k, v;
  Value bias, num, idx, kvValid;
  /// Of an attention, results; of a gradient, given.
  Value output, lse;
  /// Of an attention, the second result of a pair and the bands.
  Value inner, halfWidths;
  /// Of a gradient.
  Value dO, dq, dk, dv;
};

/// What a step works on; null if the kernel has no use for it.
struct AttentionStep {
  /// The source of gathered keys and values.
  Value k, v;
  Value bias;
  /// Keys, transposed, and the other operand of the second product (values, of
  /// a gradient transposed): [batch, head, panel, element].
  Value keyPanels, valuePanels;
  /// Keys by rows, and the gradients of keys and values so far.
  Value keyRows, keyGradients, valueGradients;
  /// Scratch: packed queries, scores and then weights (packed weights, where
  /// these are pairs), and the rows of the output or of the gradient of the
  /// queries.
  Value queries, scores, weights, rows;
  /// For each row the maximum (of a gradient the log-sum-exp), the sum by lanes
  /// and the factor of this step.
  Value rowMax, rowSum, rowScale;
  /// Packed gradients of the output, gradients of the scores, and for each row
  /// the product of the output and its gradient.
  Value outputGradients, scoreGradients, rowDelta;
  /// Queries and gradients of the output as pairs, beside those above.
  Value queryPairs, outputPairs;
  /// Queued panels as (panel, first key, end key), or gathered keys.
  Value queue;
  /// Where a pattern or a band trims register tiles: columns of each queued
  /// panel that any row of a tile looks at, as (tile, panel, begin or end), and
  /// the panels of which it does, as (tile, begin or end).
  Value tileColumns, tilePanels;
  Value batch, head, kvHead, queryBegin, numRows, queryLength, keyLength;
  /// Half-width of the head's band, negative for no limit; null without bands.
  Value halfWidth;
  /// Number of queued panels, or of gathered keys.
  Value count;
  /// What is allowed beside the band; null where the band is all, or everything
  /// is.
  PatternAttrInterface pattern;

  /// Of a pair, what the softmax within the second pattern has of its own.
  Value innerScores, innerWeights, innerRows, innerMax, innerSum, innerScale;
  Value innerTileColumns, innerTilePanels, innerHalfWidth;
  PatternAttrInterface innerPattern;

  /// The step with these in place of those of the first pattern.
  AttentionStep getInner() const;

  SmallVector<Value *> fields() {
    return {&k,
            &v,
            &bias,
            &keyPanels,
            &valuePanels,
            &keyRows,
            &keyGradients,
            &valueGradients,
            &queries,
            &weights,
            &scores,
            &rows,
            &rowMax,
            &rowSum,
            &rowScale,
            &outputGradients,
            &scoreGradients,
            &rowDelta,
            &queryPairs,
            &outputPairs,
            &queue,
            &tileColumns,
            &tilePanels,
            &batch,
            &head,
            &kvHead,
            &queryBegin,
            &numRows,
            &queryLength,
            &keyLength,
            &halfWidth,
            &count,
            &innerScores,
            &innerWeights,
            &innerRows,
            &innerMax,
            &innerSum,
            &innerScale,
            &innerTileColumns,
            &innerTilePanels,
            &innerHalfWidth};
  }
};

class AttentionEmitter {
public:
  virtual ~AttentionEmitter() = default;

  /// The kernel on views of `types`.
  func::FuncOp getKernel(TypeRange viewTypes);

protected:
  /// With `allowDot`, products of bf16 are dot products where the target has
  /// them. A step has about `stepKeys` keys.
  AttentionEmitter(AttentionOpInterface op, KernelLibrary &library,
                   StringRef name, bool allowDot, int64_t stepKeys);

  /// A product of rows with columns of panels.
  struct ScoreProduct {
    Value rows, panelMemory;
    /// Elements that are summed over.
    int64_t size;
    Value target;
    double factor = 1.0;
    /// Whether columns that no row of a tile looks at get zeros; else they are
    /// left as they are.
    bool fill = false;
  };
  /// What goes into a panel: column `j` is token `keyOf(j)` of head `head` of
  /// batch `batch`, or zeros from `numColumns` on.
  struct PanelSource {
    Value tokens;
    Value batch, head, numColumns;
    llvm::function_ref<Value(Value)> keyOf;
  };

  virtual void emitKernel(KernelBuilder &kb, func::FuncOp func) = 0;
  virtual void emitStepBody(KernelBuilder &kb, const AttentionStep &step) = 0;
  /// Packs gathered keys and values into panel `p` of the step.
  virtual void emitPackGathered(KernelBuilder &kb, const AttentionStep &step,
                                const PanelSource &keys,
                                const PanelSource &values, Value p) = 0;

  // AttentionEmitter.cpp
  /// Hands out the arguments of a function in order.
  class ArgumentReader {
  public:
    ArgumentReader(func::FuncOp func) : func(func) {}
    void operator()(Value &field, bool given = true) {
      if (given)
        field = func.getArgument(next++);
    }
    ValueRange rest() { return func.getArguments().drop_front(next); }

  private:
    func::FuncOp func;
    unsigned next = 0;
  };
  /// Takes the bias, the tile list and kv_valid.
  void bindMask(ArgumentReader &take, AttentionOperands &operands);
  /// A private function of the types of `arguments`, filled by `emitBody`.
  func::FuncOp emitHelper(KernelBuilder &kb, const Twine &name,
                          ValueRange arguments,
                          llvm::function_ref<void(func::FuncOp)> emitBody);
  /// The number of query blocks of a head.
  Value emitNumBlocks(KernelBuilder &kb, Value queryLength);
  /// First and end query of a block.
  std::pair<Value, Value> emitQueryRange(KernelBuilder &kb, Value block,
                                         Value queryLength);
  /// The row of the tile list that a block belongs to.
  Value emitListRow(KernelBuilder &kb, Value block);
  /// The function that runs a step on values of the types of `arguments`.
  func::FuncOp emitStep(KernelBuilder &kb, func::FuncOp block,
                        const AttentionStep &arguments);
  Value emitStepPanels(KernelBuilder &kb, const AttentionStep &step);
  /// What each step begins with: panels, if keys are gathered, and scores with
  /// the bias and the mask.
  void emitMaskedScores(KernelBuilder &kb, const AttentionStep &step,
                        const ScoreProduct &product, Value panels,
                        Value endRow);
  /// `step.numRows` rounded up to whole register tiles.
  Value emitEndRow(KernelBuilder &kb, const AttentionStep &step);
  void emitZeroRows(KernelBuilder &kb, Value rows, int64_t size);
  /// Scratch memory of the queue, and of what a pattern trims.
  void createQueue(KernelBuilder &kb, AttentionStep &step);
  void createTrim(KernelBuilder &kb, Value &columns, Value &panels);

  // AttentionProducts.cpp
  /// target[row, column] = factor * sum over `size` of rows[row, .]
  /// panel[., column], for the queued panels.
  void emitScores(KernelBuilder &kb, const AttentionStep &step,
                  const ScoreProduct &product, Value panels, Value endRow);
  /// The same for one register tile, `vectors` of a panel from `firstVector`.
  void emitScoreTile(KernelBuilder &kb, const AttentionStep &step,
                     const ScoreProduct &product, Value p, Value row,
                     int64_t rows, Value firstVector, int64_t vectors);
  void emitTrimmedScores(KernelBuilder &kb, const AttentionStep &step,
                         const ScoreProduct &product, Value p, Value row,
                         int64_t rows);
  /// target[row, .] = factor[row] target[row, .] +
  ///                  sum over columns of weights[row, column] panel[column, .]
  void emitWeighted(KernelBuilder &kb, const AttentionStep &step, Value weights,
                    Value panelMemory, ArrayRef<int64_t> chunks, Value target,
                    Value factors, Value panels, Value endRow);
  void emitWeightedTile(KernelBuilder &kb, const AttentionStep &step,
                        Value weights, Value panelMemory, Value target,
                        Value factors, Value panels, Value row, int64_t rows,
                        int64_t firstVector, int64_t vectors);
  /// Runs `body` for each register tile of rows below `endRow`, with its first
  /// row and its number of rows.
  void emitRowTiles(KernelBuilder &kb, Value endRow,
                    llvm::function_ref<void(Value, int64_t)> body);
  /// Rounds a vector of weights to bf16 and stores it as pairs; `at` counts
  /// single ones.
  void emitStorePairs(KernelBuilder &kb, Value weights, Value target,
                      ArrayRef<Value> at);
  /// An element, or a pair, of packed rows in all lanes.
  Value emitBroadcast(KernelBuilder &kb, Value rows, Value row, Value column);
  /// acc + lhs * rhs of packed operands.
  Value emitMultiplyAdd(KernelBuilder &kb, Value lhs, Value rhs, Value acc);
  /// Indices of element `element` of panel `panel` of the step's head.
  SmallVector<Value> panelAt(KernelBuilder &kb, const AttentionStep &step,
                             Value panel, Value element);
  Value emitPanel(KernelBuilder &kb, const AttentionStep &step, Value p);

  // AttentionPacking.cpp
  /// Packs `size` elements of the block's rows of `source` times `factor`, and
  /// zeros into the rows that fill up the last register tile.
  void emitPackRows(KernelBuilder &kb, Value source, const AttentionStep &step,
                    Value target, int64_t size, double factor);
  /// The same as pairs of bf16, with the other sign if `negate`.
  void emitPackPairs(KernelBuilder &kb, Value source, const AttentionStep &step,
                     Value target, int64_t size, bool negate);
  /// Packs `size` elements of each column of a panel, transposed.
  void emitPackTransposed(KernelBuilder &kb, const PanelSource &source,
                          Value panels, ValueRange target, int64_t size);
  /// Packs `size` elements of each column of a panel, chunk by chunk.
  void emitPackChunks(KernelBuilder &kb, const PanelSource &source,
                      Value panels, ValueRange target, int64_t size,
                      ArrayRef<int64_t> chunks);

  // AttentionMask.cpp
  /// Calls `body` with the ranges of keys, which may be empty, that row `row`
  /// of the list, the pattern and kv_valid allow of the keys `[begin, end)`, or
  /// of all.
  void
  emitKeyRanges(KernelBuilder &kb, const AttentionOperands &operands,
                const AttentionStep &step, Value row,
                llvm::function_ref<void(KernelBuilder &, Value, Value)> body,
                Value begin = {}, Value end = {});
  /// Queues these keys.
  void emitQueueKeys(KernelBuilder &kb, const AttentionOperands &operands,
                     const AttentionStep &step, Value row,
                     func::FuncOp stepFunc, Value begin = {}, Value end = {});
  /// The band's keys for some queries, as a half-open range.
  std::pair<Value, Value> emitBandRange(KernelBuilder &kb,
                                        const AttentionStep &step,
                                        Value queryBegin, Value queryEnd);
  Value emitContains(KernelBuilder &kb, const AttentionStep &step, Value query,
                     Value key);
  Value emitCovers(KernelBuilder &kb, const AttentionStep &step,
                   Value queryBegin, Value queryEnd, Value keyBegin,
                   Value keyEnd);
  void emitQueueRange(KernelBuilder &kb, const AttentionStep &step, Value begin,
                      Value end, func::FuncOp stepFunc);
  void emitQueueEntry(KernelBuilder &kb, const AttentionStep &step,
                      ValueRange entry, func::FuncOp stepFunc);
  void emitFlush(KernelBuilder &kb, const AttentionStep &step, Value count,
                 func::FuncOp stepFunc);
  /// Runs a step on what is left in the queue.
  void emitFlushRest(KernelBuilder &kb, const AttentionStep &step,
                     func::FuncOp stepFunc);
  Value emitFirstEntry(KernelBuilder &kb, Value idx, ValueRange row,
                       Value numTiles, Value begin);
  /// Columns `[begin, end)` of queued panel `p` that hold keys, and the key of
  /// column 0 unless keys are gathered.
  struct Columns {
    Value begin, end, firstKey;
  };
  /// Rows `[begin, end)` of a block.
  struct Rows {
    Value begin, end;
  };
  Columns emitColumns(KernelBuilder &kb, const AttentionStep &step, Value p);
  Value emitKeyOfColumn(KernelBuilder &kb, const AttentionStep &step,
                        const Columns &columns, Value p, Value column);
  void emitBias(KernelBuilder &kb, const AttentionStep &step, Value panels);
  void emitMask(KernelBuilder &kb, const AttentionStep &step, Value panels);
  void emitTrimmedMask(KernelBuilder &kb, const AttentionStep &step,
                       Value panels);
  void emitRangeMask(KernelBuilder &kb, const AttentionStep &step, Value p,
                     const Columns &columns, const Rows &rows);
  void emitPatternMask(KernelBuilder &kb, const AttentionStep &step, Value p,
                       const Columns &columns, const Rows &rows);
  /// The same for vectors of keys; false if the pattern does not allow it.
  bool emitVectorMask(KernelBuilder &kb, const AttentionStep &step, Value p,
                      const Columns &columns, const Rows &rows);

  // AttentionTrim.cpp
  /// Whether register tiles leave out columns that the pattern or the band
  /// keeps from all of their rows.
  static bool trims(const AttentionStep &step) {
    return static_cast<bool>(step.tilePanels);
  }
  /// Fills in what the register tiles of the block look at in the queued
  /// panels.
  void emitTrim(KernelBuilder &kb, const AttentionStep &step, Value panels);
  /// The columns of panel `p` that the register tile of `row` looks at; those
  /// of an empty range end before they begin.
  Columns emitTileColumns(KernelBuilder &kb, const AttentionStep &step,
                          Value row, Value p);
  /// The first and end panel that the register tile of `row` looks at.
  std::pair<Value, Value> emitTilePanels(KernelBuilder &kb,
                                         const AttentionStep &step, Value row,
                                         Value panels);

  AttentionOpInterface op;
  KernelLibrary &library;
  AttentionPlan plan;
  /// Type of the arithmetic and a vector of it.
  Type compute;
  VectorType vec;
  /// What packed operands are made of, `compute` or a pair of bf16 in an
  /// integer (the first in the low half), and a vector of it.
  Type packed;
  VectorType packedVec;
  int64_t headSize, valueHeadSize;
  PatternAttrInterface pattern;
  /// Whether heads have bands beside the pattern.
  bool hasBands;
  bool hasBias;
  std::string name;
};

/// Whether the innermost dimension of `memref` has a stride of 1.
bool isContiguous(Value memref);

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_ATTENTIONEMITTER_H
