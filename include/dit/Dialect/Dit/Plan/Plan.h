//===- Plan.h - What each branch does at each step --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan as a plain value, of which `dit.plan` is the printed form.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_PLAN_H
#define DIT_DIALECT_DIT_PLAN_PLAN_H

#include "dit/Dialect/Dit/Plan/SiteList.h"

namespace mlir::dit {

/// The number of modes, of all heads at all steps, that a branch has at most,
/// as for the attribute that holds them.
constexpr int64_t kMaxModesOfBranch = int64_t(1) << 20;

/// The modes of one branch.
struct BranchPlan {
  std::string site;
  BranchKind kind = BranchKind::Self;
  std::optional<int64_t> layer;
  int64_t heads = 1;
  CachePoint cache = CachePoint::AfterProjection;
  GridAttr grid;
  /// Queries and keys that top-k selects of, and to which masks are rounded out
  /// if `rounded`; may be empty.
  SmallVector<int64_t, 2> tile;
  bool rounded = false;
  /// For each step, a mode for each head.
  SmallVector<Mode, 0> modes;

  /// A branch of `site` that is full at each of `steps`.
  static BranchPlan getFull(const Site &site, int64_t steps);

  ModeTable getTable() const { return {heads, modes}; }
  /// Sets the mode of all heads at `step`.
  void setStep(int64_t step, const Mode &mode);
  /// The steps at which all heads share.
  int64_t countSharedSteps() const;
  /// Whether each head is full at each step.
  bool isFull() const;
  /// Whether the branch can have `mode` at some step.
  bool canHave(const Mode &mode) const;
  /// The first mode that the branch cannot have.
  std::optional<ModeFault> findFault() const;
};

/// What each branch does at each step; branches that it does not name are full.
class Plan {
public:
  Plan() = default;
  explicit Plan(ArrayRef<double> timesteps) : timesteps(timesteps) {}

  /// A plan under which each of `sites` is full.
  static Plan getFull(const SiteList &sites, ArrayRef<double> timesteps);
  static Plan get(PlanOp op);

  /// Makes the op; the plan has no fault.
  PlanOp create(OpBuilder &builder, Location loc, StringRef name) const;

  ArrayRef<double> getTimesteps() const { return timesteps; }
  int64_t getNumSteps() const { return timesteps.size(); }
  StringRef getFingerprint() const { return fingerprint; }
  void setFingerprint(StringRef value) { fingerprint = value.str(); }
  ArrayRef<BranchPlan> getBranches() const { return branches; }
  MutableArrayRef<BranchPlan> getBranches() { return branches; }
  void add(BranchPlan branch) { branches.push_back(std::move(branch)); }
  const BranchPlan *lookup(StringRef site) const;

  /// The plan in the order of `sites`, with those that it leaves out full.
  Plan getCompleted(const SiteList &sites) const;

  /// The plan for a sampler of `steps`: each step is the one of this plan whose
  /// timestep is nearest to it in `timesteps`, or which has its place if these
  /// are not known. What would reuse a value that no step before it computes is
  /// full.
  Plan getRemapped(int64_t steps, ArrayRef<double> timesteps) const;

  /// Why the branch is none of `sites`, empty if it is one.
  static std::string findMismatch(const BranchPlan &branch,
                                  const SiteList &sites);
  /// Why the plan is not for a program of `sites`, empty if it is.
  std::string findMismatch(const SiteList &sites) const;

private:
  SmallVector<double> timesteps;
  std::string fingerprint;
  std::vector<BranchPlan> branches;
};

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_PLAN_H
