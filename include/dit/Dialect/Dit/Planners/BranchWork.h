//===- BranchWork.h - What a branch computes in full ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The extents and the work of the branches of a program, for what a plan leaves
// of them.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_BRANCHWORK_H
#define DIT_DIALECT_DIT_PLANNERS_BRANCHWORK_H

#include "dit/Dialect/Dit/Plan/Plan.h"

namespace mlir::dit {

/// One run of a branch in full. A multiplication and an addition are two
/// operations; the softmax, norms and elementwise work are not counted.
struct BranchWork {
  Site site;
  MLIRContext *context = nullptr;
  /// Of the attention; an MLP has none of them.
  int64_t batch = 1;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t headSize = 0;
  int64_t valueHeadSize = 0;
  /// What the attention is masked by already.
  PatternAttrInterface pattern;
  /// Contractions up to the attention, and all of an MLP.
  int64_t inputFlops = 0;
  /// Contractions after the attention.
  int64_t outputFlops = 0;
  /// Whether all extents are static.
  bool isKnown = true;

  /// Operations of a score position, for one head and the whole batch.
  int64_t getFlopsOfPosition() const {
    return 2 * batch * (headSize + valueHeadSize);
  }
};

/// The work of the sites below `root`, in the order of `SiteList::collect`. The
/// projections of an attention are those of its residual branch.
std::vector<BranchWork> collectBranchWork(Operation *root);

/// The positions that a mode keeps of those of one head.
struct KeptPositions {
  int64_t count = 0;
  /// Whether the count is known; else it is an estimate or an upper bound.
  bool isExact = true;
};
KeptPositions countPositions(const BranchWork &work, const BranchPlan &branch,
                             const Mode &mode);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_BRANCHWORK_H
