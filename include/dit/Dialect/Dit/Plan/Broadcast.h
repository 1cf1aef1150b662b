//===- Broadcast.h - Schedules of attention broadcast -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pyramid attention broadcast (arXiv 2408.12588): branches that compute once in
// a period, while the timestep lies in a window.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_BROADCAST_H
#define DIT_DIALECT_DIT_PLAN_BROADCAST_H

#include "dit/Dialect/Dit/Plan/Plan.h"

namespace mlir::dit {

/// Computes at every `period`-th step of the sampler, counted from its first,
/// while `lower < timestep < upper`, and at all steps outside. A computed value
/// is kept wherever it was computed.
struct BroadcastRule {
  int64_t period = 1;
  double lower = 0.0;
  double upper = 0.0;

  bool isInside(double timestep) const {
    return lower < timestep && timestep < upper;
  }
  bool reuses(int64_t step, double timestep) const {
    return step % period != 0 && isInside(timestep);
  }

  /// Makes `branch` share where the rule reuses.
  void apply(ArrayRef<double> timesteps, BranchPlan &branch) const;

  /// The rule that reuses exactly at the steps of `reused`, with the smallest
  /// period and then the widest window; none if there is none. `timesteps`
  /// descend.
  static std::optional<BroadcastRule> find(ArrayRef<double> timesteps,
                                           ArrayRef<bool> reused);
};

/// Computes at the step of `timestep` and reuses at the next `skip` steps.
struct BroadcastKey {
  double timestep = 0.0;
  int64_t skip = 0;

  /// The step whose timestep is the key, or has it for its integer part.
  std::optional<int64_t> findStep(ArrayRef<double> timesteps) const;
  /// The timesteps around the key, for a message.
  std::string describeNearest(ArrayRef<double> timesteps) const;

  /// Makes `branch` share at the steps that reuse, of which none is a step of
  /// `keySteps`.
  void apply(ArrayRef<double> timesteps, ArrayRef<int64_t> keySteps,
             BranchPlan &branch) const;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_BROADCAST_H
