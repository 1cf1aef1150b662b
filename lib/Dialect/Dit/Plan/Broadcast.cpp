//===- Broadcast.cpp - Schedules of attention broadcast -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Plan/Broadcast.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// BroadcastRule
//===----------------------------------------------------------------------===//

void BroadcastRule::apply(ArrayRef<double> timesteps,
                          BranchPlan &branch) const {
  for (auto [step, timestep] : llvm::enumerate(timesteps))
    if (reuses(step, timestep))
      branch.setStep(step, Mode::share());
  resolveSources(branch.heads, branch.modes);
}

std::optional<BroadcastRule> BroadcastRule::find(ArrayRef<double> timesteps,
                                                 ArrayRef<bool> reused) {
  int64_t steps = timesteps.size();
  const bool *first = llvm::find(reused, true);
  if (first == reused.end())
    return BroadcastRule();
  int64_t begin = first - reused.begin();
  int64_t end = steps;
  while (!reused[end - 1])
    --end;
  for (int64_t period = 2; period <= std::max<int64_t>(2, steps); ++period) {
    auto agrees = [&](int64_t step) {
      return reused[step] == (step % period != 0);
    };
    if (!llvm::all_of(llvm::seq(begin, end), agrees))
      continue;
    // The window takes in what does not reuse by its period alone.
    int64_t from = begin, to = end;
    while (from > 0 && agrees(from - 1))
      --from;
    while (to < steps && agrees(to))
      ++to;
    BroadcastRule rule{period, to < steps ? timesteps[to] : -1.0,
                       from > 0 ? timesteps[from - 1]
                                : std::floor(timesteps[0]) + 1.0};
    // Timesteps that repeat can make a window that no bounds describe.
    if (llvm::all_of(llvm::seq<int64_t>(0, steps), [&](int64_t step) {
          return rule.reuses(step, timesteps[step]) == reused[step];
        }))
      return rule;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// BroadcastKey
//===----------------------------------------------------------------------===//

std::optional<int64_t>
BroadcastKey::findStep(ArrayRef<double> timesteps) const {
  for (auto [step, value] : llvm::enumerate(timesteps))
    if (value == timestep || std::trunc(value) == timestep)
      return step;
  return std::nullopt;
}

std::string BroadcastKey::describeNearest(ArrayRef<double> timesteps) const {
  const double *above = nullptr, *below = nullptr;
  for (const double &value : timesteps) {
    if (value >= timestep && (!above || value < *above))
      above = &value;
    if (value < timestep && (!below || value > *below))
      below = &value;
  }
  SmallVector<std::string> nearest;
  for (const double *value : {above, below})
    if (value)
      nearest.push_back(formatNumber(*value));
  return llvm::join(nearest, " and ");
}

void BroadcastKey::apply(ArrayRef<double> timesteps, ArrayRef<int64_t> keySteps,
                         BranchPlan &branch) const {
  std::optional<int64_t> key = findStep(timesteps);
  if (!key)
    return;
  int64_t end = std::min<int64_t>(*key + skip, timesteps.size() - 1);
  for (int64_t step = *key + 1; step <= end; ++step)
    if (!llvm::is_contained(keySteps, step))
      branch.setStep(step, Mode::share());
  resolveSources(branch.heads, branch.modes);
}
