//===- AttentionBranch.h - What runs for one attention alone ----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds the branch of a model that an attention stands for inside a step loop:
// normalisation, projections, attention, output projection.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_ANALYSIS_ATTENTIONBRANCH_H
#define DIT_DIALECT_DIT_ANALYSIS_ATTENTIONBRANCH_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::dit {

/// Ops in the body of a loop that exist for one attention alone and could be
/// left out together if their result were known.
struct AttentionBranch {
  AttentionOp attention;
  /// In program order; all free of effects.
  SmallVector<Operation *> ops;
  /// What the rest of the body uses: the only result of the last op of `ops`.
  Value result;
};

/// Finds branches in the body of one loop.
class AttentionBranchFinder {
public:
  explicit AttentionBranchFinder(scf::ForOp loop) : loop(loop) {}

  /// The branch of `attention`, an op directly in the body; none when more
  /// than one of its results is used.
  ///
  /// After the attention, the branch goes on while the value has a single user
  /// that combines it with nothing but loop-invariant values: up to the output
  /// projection, but not into a gate or a residual. Reshapes at its end stay
  /// outside. Before it, the branch holds every op that only the branch uses.
  std::optional<AttentionBranch> find(AttentionOp attention);

private:
  bool isInvariant(Value value);
  bool isInvariant(Operation *op);
  Operation *findSoleUser(Value value);
  bool canFollow(Operation *user, Value value);

  scf::ForOp loop;
  DenseMap<Operation *, bool> invariant;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_ANALYSIS_ATTENTIONBRANCH_H
