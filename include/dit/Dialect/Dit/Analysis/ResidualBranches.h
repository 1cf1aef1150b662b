//===- ResidualBranches.h - The branches of a residual stream ---*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds the branches of a transformer in a flat function, as exporters write
// them: a value x of the stream goes on as x + branch(x), for attention and MLP
// alike. Streams that one attention mixes have one branch in common.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_ANALYSIS_RESIDUALBRANCHES_H
#define DIT_DIALECT_DIT_ANALYSIS_RESIDUALBRANCHES_H

#include "dit/Dialect/Dit/IR/Dit.h"

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace mlir::dit {

/// Where a branch joins a stream.
struct BranchJoin {
  /// The addition.
  Operation *addition;
  /// Its operands: the stream, and what the branch adds to it.
  Value stream;
  Value added;
  /// The multiplication by a value that does not depend on the stream, just
  /// before the addition; null if there is none.
  Operation *gate = nullptr;
  /// The factor of the gate that does depend on it, or `added` without a gate.
  Value ungated;
};

/// A branch that could be left out if what it adds were known.
struct ResidualBranch {
  BranchKind kind = BranchKind::Self;
  /// The attention of the branch; null in an MLP.
  AttentionOp attention;
  /// How many blocks of the model lie before that of the branch.
  int64_t layer = 0;
  SmallVector<BranchJoin> joins;
  /// What runs for the branch alone, gates included, in program order.
  SmallVector<Operation *> ops;
};

/// An addition to a stream that is no branch.
struct UnknownJoin {
  BranchJoin join;
  StringRef reason;
};

/// The branches below an op, in the order of their first additions.
class ResidualBranchAnalysis {
public:
  explicit ResidualBranchAnalysis(Operation *root);

  ArrayRef<ResidualBranch> getBranches() const { return branches; }
  ArrayRef<UnknownJoin> getUnknown() const { return unknown; }
  /// Attentions that are in no branch.
  ArrayRef<AttentionOp> getLoose() const { return loose; }

  /// Writes an object with the arrays `branches`, `unknown` and `loose`.
  void writeJSON(llvm::json::OStream &json) const;

private:
  std::vector<ResidualBranch> branches;
  SmallVector<UnknownJoin> unknown;
  SmallVector<AttentionOp> loose;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_ANALYSIS_RESIDUALBRANCHES_H
