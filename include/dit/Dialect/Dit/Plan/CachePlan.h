//===- CachePlan.h - Which values a branch keeps, and for how long *- C++
//-*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a plan asks of one branch, step by step: what each head computes, which
// kept values it reads, and which values are kept. A value is kept from the
// step that computes it to the last one that reads it, and only if one does;
// values whose times do not overlap share a slot.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_CACHEPLAN_H
#define DIT_DIALECT_DIT_PLAN_CACHEPLAN_H

#include "dit/Dialect/Dit/Plan/Plan.h"

namespace mlir::dit {

/// A place for a value of all heads.
struct CacheSlot {
  /// Whether it holds what a residual adds; else what a share takes.
  bool residual = false;
  /// Whether it holds how far the halves of the batch are apart, after the
  /// projection.
  bool halves = false;
  /// For each step, whether a later step reads what it holds after the step.
  SmallVector<bool> liveAfter;
};

/// What one head does at a step.
struct HeadStep {
  /// The mode, without its source.
  Mode mode;
  /// The slot that a share or a residual reads; -1 for none.
  int64_t load = -1;

  bool operator==(const HeadStep &other) const {
    return mode == other.mode && load == other.load;
  }
};

/// What becomes of a slot at a step.
struct SlotUpdate {
  enum Kind {
    /// It stays.
    Keep,
    /// The value of all heads goes into it.
    Replace,
    /// The values of `heads` go into it, and the others stay.
    Merge
  };
  Kind kind = Keep;
  /// The heads of a residual and the masks that they keep it under, or those
  /// that a merge is of.
  SmallVector<std::pair<int64_t, Mode>> heads;

  bool operator==(const SlotUpdate &other) const {
    return kind == other.kind && heads == other.heads;
  }
};

/// What a branch does at a step. Steps that are equal run the same code.
struct BranchStep {
  SmallVector<HeadStep> heads;
  /// One for each slot.
  SmallVector<SlotUpdate> updates;

  /// Whether no head computes.
  bool isShared() const;
  /// Whether a slot changes.
  bool writes() const;
  /// The half of the batch that all heads compute for; `All` if they differ.
  BatchPart getPart() const;

  bool operator==(const BranchStep &other) const {
    return heads == other.heads && updates == other.updates;
  }
};

/// The slots and steps of a branch, and which steps are equal.
class CachePlan {
public:
  /// `branch` has no fault. With `eager`, steps that compute also put their
  /// output into slots in which nothing lives, so that fewer steps differ.
  explicit CachePlan(const BranchPlan &branch, bool eager = false);

  ArrayRef<CacheSlot> getSlots() const { return slots; }
  int64_t getNumSteps() const { return classOf.size(); }
  /// The distinct steps.
  ArrayRef<BranchStep> getClasses() const { return classes; }
  /// The index of the distinct step that `step` is.
  int64_t getClass(int64_t step) const { return classOf[step]; }
  const BranchStep &getStep(int64_t step) const {
    return classes[classOf[step]];
  }

private:
  /// A value that is kept for one head.
  struct Kept {
    int64_t head;
    int64_t producer;
    /// The last step that reads it.
    int64_t lastUse;
    /// The mask under which it is a residual.
    std::optional<Mode> mask;
    int64_t slot = -1;
  };

  void collect(const BranchPlan &branch);
  void assignSlots();
  const Kept *lookup(int64_t head, int64_t producer,
                     const std::optional<Mode> &mask) const;
  BranchStep makeStep(const BranchPlan &branch, int64_t step, bool eager) const;
  SlotUpdate makeUpdate(const BranchStep &made, int64_t slot, int64_t step,
                        bool byHead, bool eager) const;

  std::vector<Kept> kept;
  std::vector<CacheSlot> slots;
  std::vector<BranchStep> classes;
  SmallVector<int64_t> classOf;
};

/// Steps `[begin, begin + period)`, repeated.
struct StepRun {
  int64_t begin = 0;
  int64_t period = 1;
  int64_t repeats = 1;

  bool operator==(const StepRun &other) const {
    return begin == other.begin && period == other.period &&
           repeats == other.repeats;
  }
};

/// Splits a sequence into runs that repeat a period, so that few steps are
/// written out: of `classes`, one number for each step, equal for equal steps.
SmallVector<StepRun> findStepRuns(ArrayRef<int64_t> classes);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_CACHEPLAN_H
