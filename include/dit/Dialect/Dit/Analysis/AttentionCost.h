//===- AttentionCost.h - Work of an attention -------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts the floating-point operations of attentions: of the full score matrix,
// of what patterns and tile lists keep of it, and of what runs when loops
// repeat it and reuse skips steps.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_ANALYSIS_ATTENTIONCOST_H
#define DIT_DIALECT_DIT_ANALYSIS_ATTENTIONCOST_H

#include "dit/Dialect/Dit/IR/Dit.h"

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace mlir::dit {

/// How often an op runs for one run of the function around it.
struct ExecutionCount {
  /// Iterations of the loops around the op.
  int64_t steps = 1;
  /// Those of them in which it runs; the others reuse, or run something else.
  int64_t executed = 1;
  /// Whether both numbers are known; where they are not, a loop counts once
  /// and a condition holds.
  bool exact = true;
};

/// Counts the runs of `op` by the constant bounds of the `scf.for` loops and
/// the schedules of the `dit.reuse` and `scf.if` ops around it.
ExecutionCount countExecutions(Operation *op);

/// The work of one attention. A multiplication and an addition are two
/// operations; the softmax is not counted. Numbers stay within 64 bits: more
/// work than that counts as the largest of them.
class AttentionCost {
public:
  /// The cost of `op`, none when an extent of it is dynamic or it has more than
  /// 2^20 heads.
  static std::optional<AttentionCost> get(AttentionOp op);

  AttentionOp getOp() const { return op; }
  ExecutionCount getExecutions() const { return executions; }

  /// QK^T and PV of all positions, once.
  int64_t getDenseFlops() const;
  /// The same of the positions that pattern and tile list keep.
  int64_t getKeptFlops() const;
  /// Scores from which the tile list was selected.
  int64_t getSelectionFlops() const { return selectionFlops; }
  /// The work of all steps without patterns, tile lists and reuse.
  int64_t getDenseFlopsOfAllSteps() const;
  /// The work that is done, and the part of it that is not selection.
  int64_t getExecutedFlops() const;
  int64_t getExecutedKeptFlops() const;

  /// For each query head, the share of score positions that is kept.
  ArrayRef<double> getKeptShare() const { return keptShare; }
  /// Whether the kept share is known from the program. It is an upper bound
  /// where tiles are chosen by their mass or come from elsewhere, and an
  /// estimate where a pattern and a tile list meet or a long pattern is counted
  /// in some of its rows.
  bool isExact() const { return sharesExact && executions.exact; }

  void writeJSON(llvm::json::OStream &json) const;

private:
  explicit AttentionCost(AttentionOp op) : op(op) {}
  void applyPattern();
  void applyTiles();
  double getKeptPositions() const;
  int64_t getFlopsOfPositions(double positions) const;

  AttentionOp op;
  ExecutionCount executions;
  SmallVector<double> keptShare;
  int64_t selectionFlops = 0;
  bool sharesExact = true;
};

/// The share of `shape` that `pattern` holds; none if counting it takes too
/// long. A long pattern is counted in some rows only, and then not `exact`.
std::optional<double> getShareOfPattern(PatternAttrInterface pattern,
                                        PatternShape shape, bool &exact);

/// The attentions below an op, in program order.
class AttentionCostAnalysis {
public:
  explicit AttentionCostAnalysis(Operation *root);

  ArrayRef<AttentionCost> getCosts() const { return costs; }
  /// Attentions of dynamic extents, which have no cost.
  ArrayRef<AttentionOp> getUnknown() const { return unknown; }

  /// Writes an object with the array `sites` and the object `total`.
  void writeJSON(llvm::json::OStream &json) const;
  /// Writes a table for people, one line for each attention.
  void print(raw_ostream &os) const;

private:
  SmallVector<AttentionCost> costs;
  SmallVector<AttentionOp> unknown;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_ANALYSIS_ATTENTIONCOST_H
