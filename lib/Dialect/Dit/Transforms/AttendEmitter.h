//===- AttendEmitter.h - The attention of a branch at a step ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes out the first stage of a branch where heads run in modes of their own.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_ATTENDEMITTER_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_ATTENDEMITTER_H

#include "dit/Dialect/Dit/Plan/CachePlan.h"
#include "dit/Dialect/Dit/Transforms/RegionSlicer.h"

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

/// Neighbouring heads that one attention can do.
struct HeadRun {
  int64_t begin = 0;
  SmallVector<Mode> modes;
  /// The slot of the residual that is added; -1 for none.
  int64_t load = -1;

  int64_t size() const { return modes.size(); }
  BatchPart getPart() const { return modes.front().part; }
};

/// Splits the heads that have a mode into runs. With `bands` false, a run has
/// one mode.
SmallVector<HeadRun>
findHeadRuns(ArrayRef<std::pair<std::optional<Mode>, int64_t>> heads,
             GridAttr grid, bool bands);

/// The part of `type` along dimension `dim` that is half `part`.
TensorPart getHalf(RankedTensorType type, int64_t dim, BatchPart part);

/// A tensor with halves `first` and `second` along dimension `dim`.
Value joinHalves(OpBuilder &builder, Location loc, Value first, Value second,
                 int64_t dim);

/// Puts `value`, that of a half, into both halves of a tensor.
Value duplicateHalf(OpBuilder &builder, Location loc, Value value, int64_t dim);

/// The dimension of the heads, and of the batch, in the output of `op`; none if
/// there is none.
std::optional<int64_t> getHeadDim(AttentionOp op);
std::optional<int64_t> getBatchDim(AttentionOp op);

/// Heads `[begin, begin + size)` of `value`, an output of `op`.
Value extractHeads(OpBuilder &builder, AttentionOp op, Value value,
                   int64_t begin, int64_t size);
/// `target` with the heads from `begin` on replaced by `value`.
Value insertHeads(OpBuilder &builder, AttentionOp op, Value value, Value target,
                  int64_t begin);

class AttendEmitter {
public:
  /// With `part`, the whole stage is of that half of the batch.
  AttendEmitter(AttentionOp op, const BranchPlan &plan, BatchPart part,
                const IRMapping &copies)
      : op(op), plan(plan), part(part), slicer(*op->getBlock(), copies) {}

  SmallVector<HeadRun>
  getRuns(ArrayRef<std::pair<std::optional<Mode>, int64_t>> heads) const;

  /// Whether the keys of each run are heads of their own.
  static bool isAligned(AttentionOp op, ArrayRef<HeadRun> runs);

  /// Asks for what `runs` need; then `prepare` computes that.
  void demand(ArrayRef<HeadRun> runs);
  void prepare(RewriterBase &rewriter);

  /// A tensor for the output; nothing is in it.
  Value createInit(OpBuilder &builder);
  /// `target` with the heads of `runs` computed into it. `residuals` has the
  /// values of the slots that runs read.
  Value emit(RewriterBase &rewriter, ArrayRef<HeadRun> runs, Value target,
             ArrayRef<Value> residuals);

private:
  /// The operands that are cut: with the dimensions of batch and heads, and
  /// whether the heads are those of the keys.
  struct CutOperand {
    OpOperand *operand;
    std::optional<int64_t> batch, heads;
    bool ofKeys;
  };
  SmallVector<CutOperand> getCutOperands();
  TensorPart getPart(const CutOperand &operand, const HeadRun &run);
  BatchPart getPartOf(const HeadRun &run) const;
  Value emitRun(RewriterBase &rewriter, const HeadRun &run, Value target,
                ArrayRef<Value> residuals);
  Value emitAttention(RewriterBase &rewriter, const HeadRun &run, Value init);
  void setMask(OpBuilder &builder, AttentionOp attention, const HeadRun &run);

  AttentionOp op;
  const BranchPlan &plan;
  BatchPart part;
  RegionSlicer slicer;
};

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_ATTENDEMITTER_H
