//===- CompressionPlanner.h - The searches of DiTFastAttn -------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plans by DiTFastAttn (arXiv 2406.08552) and its version 2 (arXiv 2503.22796),
// against whatever measures the influence of a candidate.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_COMPRESSIONPLANNER_H
#define DIT_DIALECT_DIT_PLANNERS_COMPRESSIONPLANNER_H

#include "dit/Dialect/Dit/Planners/LossTable.h"
#include "dit/Dialect/Dit/Planners/TimeTable.h"

namespace mlir::dit {

/// Measures candidates. The steps before the one that is asked for are decided,
/// and committed one by one, so that a live evaluator runs each of them once
/// and keeps what it leaves for the next one.
class InfluenceEvaluator {
public:
  virtual ~InfluenceEvaluator();

  /// How far the output of the model at `step` under `plan` is from the one
  /// with this step in full; none if that is not known.
  virtual std::optional<double> getOutputLoss(const Plan &plan,
                                              int64_t step) = 0;
  /// The squared error of `head` of the `branch`-th branch of `plan` in `mode`
  /// at `step`, over its variance in full; the branches before it are decided.
  virtual std::optional<double> getHeadError(const Plan &plan, int64_t step,
                                             int64_t branch, int64_t head,
                                             const Mode &mode) = 0;
  /// All of `step` is decided.
  virtual void commit(const Plan &plan, int64_t step);
};

/// Takes the numbers from a profile: those of a mode do not depend on what
/// other branches do, and the output's losses add up.
class TableEvaluator : public InfluenceEvaluator {
public:
  explicit TableEvaluator(const Profile &profile)
      : outputLosses(profile, Metric::OutputLoss),
        headErrors(profile, Metric::Rse) {}

  std::optional<double> getOutputLoss(const Plan &plan, int64_t step) override;
  std::optional<double> getHeadError(const Plan &plan, int64_t step,
                                     int64_t branch, int64_t head,
                                     const Mode &mode) override;
  const LossTable &getHeadErrors() const { return headErrors; }

private:
  LossTable outputLosses;
  LossTable headErrors;
};

/// What a search decided about one branch at one step.
struct CompressionDecision {
  std::string site;
  int64_t step;
  /// The losses of the candidates that were tried, with their modes; the last
  /// one was taken if `taken`.
  SmallVector<std::pair<Mode, std::optional<double>>> tried;
  bool taken = false;
};

struct CompressionOptions {
  /// The threshold, delta.
  double threshold = 0.1;
  /// Version 1: half-width of the windows; 0 is an eighth of the tokens.
  int64_t window = 0;
  /// Version 1: the half of the batch that stands for both; all is none.
  BatchPart conditional = BatchPart::All;
  /// Version 2: the factor of a head's share of the threshold, c.
  double headFactor = 1.5;
  /// Branches to plan for; those before others are full.
  SmallVector<BranchKind> kinds = {BranchKind::Self, BranchKind::Full,
                                   BranchKind::Spatial, BranchKind::Temporal,
                                   BranchKind::Joint};
};

/// The tokens of the keys of a branch, to size its windows.
using TokenCount = llvm::function_ref<int64_t(StringRef site)>;

/// Version 1: for each step after the first and each layer, the first of share,
/// residual window for half of the batch, residual window, half of the batch
/// whose loss stays below the layer's part of the threshold; else full.
Plan planGreedily(const SiteList &sites, ArrayRef<double> timesteps,
                  InfluenceEvaluator &evaluator, TokenCount countTokens,
                  const CompressionOptions &options,
                  std::vector<CompressionDecision> *decisions = nullptr);

/// Version 2: for each step after the first and each layer, the modes of the
/// heads that save most for a sum of errors below the threshold, of those whose
/// own error stays below their part of it. `candidates` gives the modes of a
/// branch, `save` what one saves of a head at a step.
Plan planByHead(
    const SiteList &sites, ArrayRef<double> timesteps,
    InfluenceEvaluator &evaluator,
    llvm::function_ref<SmallVector<Mode>(const BranchPlan &)> candidates,
    llvm::function_ref<double(const BranchPlan &, int64_t, const Mode &)> save,
    const CompressionOptions &options);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_COMPRESSIONPLANNER_H
