//===- ProfileSite.h - What is measured of a branch -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decides which quantities of a branch are measured, and emits the ops that
// measure them.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_DIALECT_DIT_TRANSFORMS_PROFILE_PROFILESITE_H
#define DIT_LIB_DIALECT_DIT_TRANSFORMS_PROFILE_PROFILESITE_H

#include "ProbeBuilder.h"
#include "dit/Dialect/Dit/Plan/Profile.h"

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace mlir::dit {

/// The clock of the runtime.
inline constexpr llvm::StringLiteral kClockFunction = "dit_rt_seconds";

/// What to measure.
struct ProfileRequest {
  int64_t steps = 1;
  SmallVector<double> masses;
  /// Half-widths; none: some for the number of tokens.
  SmallVector<int64_t> windows;
  int64_t ages = 1;
  int64_t queryStride = 1;
};

/// Where the measured values of a site go, and which step it is.
struct ProfileState {
  Value values;
  Value step;
};

/// A branch, or an attention that is in none.
class ProfileSite {
public:
  ProfileSite(Operation *op, const ProfileRequest &request);

  Operation *getOp() const { return op; }
  /// Why nothing is measured, empty if something is.
  StringRef getObstacle() const { return obstacle; }
  /// Why masks and sparsity are not measured, empty if they are or if the
  /// branch has no attention.
  StringRef getMaskObstacle() const { return maskObstacle; }
  /// Adds the quantities to `profile`. Returns the number of values.
  int64_t declare(Profile &profile);
  /// The type of the tensor of all values.
  RankedTensorType getValuesType(Builder &builder) const;
  /// The types of what is kept of earlier steps.
  ArrayRef<RankedTensorType> getHistoryTypes() const { return histories; }

  /// Emits everything, and inlines a branch. Returns what is kept now.
  SmallVector<Value> emit(RewriterBase &rewriter, ProfileState &state,
                          ValueRange history);

private:
  struct Entry {
    Measurement measurement;
    int64_t offset = 0;
  };

  std::string findObstacle();
  void findProbes();
  void choose();
  void chooseMasks();
  void addEntry(Metric metric, int64_t heads, int64_t ages = 1,
                std::optional<Mode> mode = std::nullopt,
                std::optional<double> mass = std::nullopt);
  /// Keeps values of `type` of as many steps; returns the number of the
  /// history.
  int64_t addHistory(RankedTensorType type, int64_t ages);

  /// Puts the ops of the branch in its place, and finds what is measured.
  void inlineBranch(RewriterBase &rewriter);
  void emitDifferences(ImplicitLocOpBuilder &b, ProfileState &state);
  void emitShares(ImplicitLocOpBuilder &b, ProfileState &state);
  void emitMasks(ImplicitLocOpBuilder &b, ProfileState &state);
  void emitSparsity(ImplicitLocOpBuilder &b, ProfileState &state);
  /// Measures `probe` against what history `index` holds, which then takes it.
  void emitAges(ImplicitLocOpBuilder &b, ProfileState &state,
                const Probe &probe, int64_t index, const Mode &mode);
  Value buildMasked(ImplicitLocOpBuilder &b, const Mode &mode);
  void record(ImplicitLocOpBuilder &b, ProfileState &state, Value numbers,
              Metric metric, std::optional<Mode> mode = std::nullopt,
              int64_t age = 1, std::optional<double> mass = std::nullopt);

  Operation *op;
  const ProfileRequest &request;
  AttentionOp attention;
  std::string site;
  std::string obstacle, maskObstacle;
  std::vector<Entry> entries;
  SmallVector<Mode> masks;
  SmallVector<RankedTensorType> histories;
  /// What is kept of the differences of halves, and of residuals of a mask.
  std::optional<int64_t> halvesHistory, maskHistory;
  SmallVector<Value> kept;
  // What is measured: the output head by head, and what the branch adds to its
  // stream before the gate.
  Probe output, added;
  Value deviation;
};

} // namespace mlir::dit

#endif // DIT_LIB_DIALECT_DIT_TRANSFORMS_PROFILE_PROFILESITE_H
