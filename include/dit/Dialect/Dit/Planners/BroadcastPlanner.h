//===- BroadcastPlanner.h - Periods and windows from a profile --*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Chooses the periods and windows of pyramid attention broadcast (arXiv
// 2408.12588), one rule for each kind of branch.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_BROADCASTPLANNER_H
#define DIT_DIALECT_DIT_PLANNERS_BROADCASTPLANNER_H

#include "dit/Dialect/Dit/Plan/Broadcast.h"
#include "dit/Dialect/Dit/Planners/LossTable.h"
#include "dit/Dialect/Dit/Planners/TimeTable.h"

namespace mlir::dit {

/// The rule of one kind, and what it is predicted to do.
struct PlannedRule {
  BranchKind kind;
  BroadcastRule rule;
  /// Steps that reuse.
  int64_t reused = 0;
  double cost = 0.0;
  double loss = 0.0;
};

struct BroadcastOptions {
  CachePoint cache = CachePoint::AfterProjection;
  /// Kinds to plan for; all if empty.
  SmallVector<BranchKind> kinds;
  int64_t maxPeriod = 8;
};

/// The rules of least cost whose loss is at most `maxLoss`, in the order of the
/// kinds in `sites`; none if it is negative. All periods and windows are looked
/// at whose shares were measured.
std::optional<std::vector<PlannedRule>>
chooseRules(const SiteList &sites, const LossTable &losses,
            const TimeTable &times, ArrayRef<double> timesteps, double maxLoss,
            const BroadcastOptions &options);

/// The plan in which the branches of each kind follow its rule.
Plan applyRules(const SiteList &sites, ArrayRef<double> timesteps,
                ArrayRef<PlannedRule> rules, CachePoint cache);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_BROADCASTPLANNER_H
