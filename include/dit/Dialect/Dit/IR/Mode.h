//===- Mode.h - How a head of a branch runs at a step -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Modes as plain values, and what makes a table of them sound. A table holds
// the modes of one branch, the heads of the first step first.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_MODE_H
#define DIT_DIALECT_DIT_IR_MODE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Hashing.h"

#include <array>
#include <optional>
#include <string>

namespace mlir::dit {

enum class BranchKind : uint32_t;
enum class CachePoint : uint32_t;
class GridAttr;

/// What a head does at a step.
enum class ModeKind : uint8_t {
  /// All positions.
  Full,
  /// Positions near the query.
  Window,
  /// A window over video tokens, with text seen by all.
  Arrow,
  /// The key tiles with the highest scores.
  TopK,
  /// Nothing: an earlier step's value stands.
  Share,
};

/// For which half of the batch, the two halves of classifier-free guidance, a
/// head computes; the result stands for both.
enum class BatchPart : uint8_t { All, First, Second };

/// How one head of a branch runs at one step.
struct Mode {
  /// Widths and offsets are at most this, so that sums stay inside 64 bits.
  static constexpr int64_t kMaxWidth = int64_t(1) << 40;
  /// A source that is the latest step that can be one.
  static constexpr int64_t kLatest = -1;

  ModeKind kind = ModeKind::Full;
  BatchPart part = BatchPart::All;
  /// Whether a window has three half-widths, along the axes of the grid.
  bool inGrid = false;
  /// Whether tokens are ordered by place, then frame, for a width along the
  /// sequence.
  bool byPlace = false;
  /// Whether what step `source` gave in full, minus what it gave under this
  /// mode, is added.
  bool residual = false;
  /// Whether `amount` is a share of the softmax mass, not of the tiles.
  bool ofMass = false;
  /// The half-width, or the three.
  std::array<int64_t, 3> width = {0, 0, 0};
  double amount = 0.0;
  /// The step whose value is shared, or whose residual is added.
  int64_t source = kLatest;

  static Mode full() { return {}; }
  static Mode share(int64_t source = kLatest);
  static Mode window(int64_t width);
  static Mode arrow(int64_t width);

  bool computes() const { return kind != ModeKind::Share; }
  bool hasSource() const { return kind == ModeKind::Share || residual; }
  /// Whether it computes a half and adds to the other one how far the halves
  /// were apart.
  bool addsHalf() const { return residual && kind == ModeKind::Full; }
  /// Whether `user` can take a value of a step in this mode.
  bool isSourceOf(const Mode &user) const;
  bool operator==(const Mode &other) const;
  bool operator!=(const Mode &other) const { return !(*this == other); }
};

llvm::hash_code hash_value(const Mode &mode);

/// `value` with the fewest digits that give it back, in a form that the
/// assembly reads as an integer or a number with a point.
std::string formatNumber(double value);

/// Writes `mode` as the assembly does; a source that is `latest`, or
/// `Mode::kLatest`, goes without saying.
void printMode(raw_ostream &os, const Mode &mode,
               int64_t latest = Mode::kLatest);

/// The modes of a branch, step by step and in a step head by head.
class ModeTable {
public:
  ModeTable(int64_t heads, ArrayRef<Mode> modes) : heads(heads), modes(modes) {}

  int64_t getNumHeads() const { return heads; }
  int64_t getNumSteps() const { return modes.size() / heads; }
  ArrayRef<Mode> getStep(int64_t step) const {
    return modes.slice(step * heads, heads);
  }
  const Mode &get(int64_t step, int64_t head) const {
    return modes[step * heads + head];
  }
  /// The latest step before `step` of which `head` can take a value in mode
  /// `user`; `Mode::kLatest` if there is none.
  int64_t findLatest(int64_t step, int64_t head, const Mode &user) const;

private:
  int64_t heads;
  ArrayRef<Mode> modes;
};

/// Replaces each source that is `Mode::kLatest` by the step that it means, if
/// there is one: a share takes the value of the latest step that computes, a
/// residual that of the latest one that is full, for all of the batch if it is
/// one of a half.
void resolveSources(int64_t heads, MutableArrayRef<Mode> modes);

/// What is wrong with a mode of a table.
struct ModeFault {
  int64_t step;
  int64_t head;
  std::string text;
  /// "step 3, head 1: ..."
  std::string describe() const;
};

/// The largest numbers of heads and steps of a table.
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxSteps = 65536;

/// What is wrong with `mode` alone, empty if nothing is.
std::string findModeFault(const Mode &mode);

/// The first mode of `table` whose numbers or sources are wrong.
std::optional<ModeFault> findTableFault(const ModeTable &table);

/// The first mode of `table` that a branch with these properties cannot have.
/// `grid` and `tile` may be missing.
std::optional<ModeFault> findBranchFault(const ModeTable &table,
                                         BranchKind kind, CachePoint cache,
                                         GridAttr grid, ArrayRef<int64_t> tile);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_IR_MODE_H
