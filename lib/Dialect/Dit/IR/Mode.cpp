//===- Mode.cpp - How a head of a branch runs at a step -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/Mode.h"
#include "dit/Dialect/Dit/IR/Dit.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Mode
//===----------------------------------------------------------------------===//

Mode Mode::share(int64_t source) {
  Mode mode;
  mode.kind = ModeKind::Share;
  mode.source = source;
  return mode;
}

Mode Mode::window(int64_t width) {
  Mode mode;
  mode.kind = ModeKind::Window;
  mode.width[0] = width;
  return mode;
}

Mode Mode::arrow(int64_t width) {
  Mode mode = window(width);
  mode.kind = ModeKind::Arrow;
  return mode;
}

/// All that makes a mode, with a total order of the amount's values.
static auto asTuple(const Mode &mode) {
  return std::make_tuple(mode.kind, mode.part, mode.inGrid, mode.byPlace,
                         mode.residual, mode.ofMass, mode.width[0],
                         mode.width[1], mode.width[2],
                         llvm::bit_cast<uint64_t>(mode.amount), mode.source);
}

bool Mode::operator==(const Mode &other) const {
  return asTuple(*this) == asTuple(other);
}

llvm::hash_code mlir::dit::hash_value(const Mode &mode) {
  return llvm::hash_value(asTuple(mode));
}

std::string mlir::dit::formatNumber(double value) {
  char text[32];
  for (int digits = 6; digits <= 17; ++digits) {
    snprintf(text, sizeof(text), "%.*g", digits, value);
    if (strtod(text, nullptr) == value)
      break;
  }
  // The assembly wants a point in a number with an exponent.
  std::string number = text;
  size_t exponent = number.find('e');
  if (exponent != std::string::npos && number.find('.') == std::string::npos)
    number.insert(exponent, ".0");
  return number;
}

void mlir::dit::printMode(raw_ostream &os, const Mode &mode, int64_t latest) {
  auto printSource = [&] {
    if (mode.source != Mode::kLatest && mode.source != latest)
      os << "(" << mode.source << ")";
  };
  switch (mode.kind) {
  case ModeKind::Full:
    os << "full";
    break;
  case ModeKind::Share:
    os << "share";
    printSource();
    break;
  case ModeKind::TopK:
    os << "topk(" << (mode.ofMass ? "mass " : "") << formatNumber(mode.amount)
       << ")";
    break;
  case ModeKind::Window:
  case ModeKind::Arrow:
    os << (mode.kind == ModeKind::Window ? "window(" : "arrow(");
    llvm::interleave(
        ArrayRef<int64_t>(mode.width).take_front(mode.inGrid ? 3 : 1), os,
        " x ");
    os << (mode.byPlace ? ", by_place)" : ")");
    break;
  }
  if (mode.residual) {
    os << " residual";
    printSource();
  }
  if (mode.part != BatchPart::All)
    os << " half(" << (mode.part == BatchPart::First ? "first" : "second")
       << ")";
}

//===----------------------------------------------------------------------===//
// ModeTable
//===----------------------------------------------------------------------===//

bool Mode::isSourceOf(const Mode &user) const {
  if (!user.residual)
    return computes();
  return kind == ModeKind::Full && !residual &&
         (part == BatchPart::All || !user.addsHalf());
}

int64_t ModeTable::findLatest(int64_t step, int64_t head,
                              const Mode &user) const {
  auto isSource = [&](const Mode &mode) { return mode.isSourceOf(user); };
  for (int64_t at = step - 1; at >= 0; --at)
    if (user.addsHalf() ? llvm::all_of(getStep(at), isSource)
                        : isSource(get(at, head)))
      return at;
  return Mode::kLatest;
}

void mlir::dit::resolveSources(int64_t heads, MutableArrayRef<Mode> modes) {
  SmallVector<int64_t> computed(heads, Mode::kLatest);
  SmallVector<int64_t> full(heads, Mode::kLatest);
  // The latest step at which all heads are full for all of the batch.
  int64_t whole = Mode::kLatest;
  int64_t numSteps = modes.size() / heads;
  for (int64_t step = 0; step < numSteps; ++step) {
    MutableArrayRef<Mode> of = modes.slice(step * heads, heads);
    for (auto [head, mode] : llvm::enumerate(of)) {
      if (mode.hasSource() && mode.source == Mode::kLatest)
        mode.source = !mode.residual    ? computed[head]
                      : mode.addsHalf() ? whole
                                        : full[head];
      if (mode.computes())
        computed[head] = step;
      if (mode.kind == ModeKind::Full && !mode.residual)
        full[head] = step;
    }
    if (llvm::all_of(of, [](const Mode &mode) { return mode == Mode::full(); }))
      whole = step;
  }
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string ModeFault::describe() const {
  return llvm::formatv("step {0}, head {1}: {2}", step, head, text);
}

std::string mlir::dit::findModeFault(const Mode &mode) {
  bool isMask = mode.kind == ModeKind::Window || mode.kind == ModeKind::Arrow;
  // modes_c3
  for (int64_t width : mode.width)
    if (width < 0 || width > Mode::kMaxWidth)
      return llvm::formatv("expected a half-width between 0 and 2^40, got {0}",
                           width);
  // modes_c4
  if (mode.kind == ModeKind::TopK && !(mode.amount > 0.0 && mode.amount <= 1.0))
    return llvm::formatv("expected a share above 0 and at most 1, got {0}",
                         formatNumber(mode.amount));
  // modes_c5
  if (mode.residual && !isMask &&
      !(mode.addsHalf() && mode.part != BatchPart::All))
    return "expected a residual of a window, an arrow, or a half in full";
  // modes_c6
  if (mode.part != BatchPart::All && !mode.computes())
    return "expected no half of a share, which takes both";
  return "";
}

/// What is wrong with the source of a mode at `step`, if it has one.
static std::string findSourceFault(const ModeTable &table, int64_t step,
                                   int64_t head) {
  const Mode &mode = table.get(step, head);
  if (!mode.hasSource())
    return "";
  // modes_c7
  if (mode.source < 0)
    return mode.residual ? "expected a full step before a residual"
                         : "expected a step that computes before a share";
  if (mode.source >= step)
    return llvm::formatv("expected an earlier step to reuse, got step {0}",
                         mode.source);
  const Mode &source = table.get(mode.source, head);
  // modes_c8
  if (!mode.residual && !source.computes())
    return llvm::formatv(
        "expected a share of a step that computes; step {0} shares too",
        mode.source);
  // modes_c9
  if (mode.residual && !source.isSourceOf(mode))
    return llvm::formatv(
        "expected the residual of a full step; step {0} is not full{1}",
        mode.source, mode.addsHalf() ? " for all of the batch" : "");
  return "";
}

std::optional<ModeFault> mlir::dit::findTableFault(const ModeTable &table) {
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    for (int64_t head = 0; head < table.getNumHeads(); ++head) {
      std::string text = findModeFault(table.get(step, head));
      if (text.empty())
        text = findSourceFault(table, step, head);
      if (!text.empty())
        return ModeFault{step, head, text};
    }
  return std::nullopt;
}

/// What is wrong with a mask on tokens that lie on `grid`.
static std::string findGridFault(const Mode &mode, GridAttr grid) {
  if (mode.kind != ModeKind::Window && mode.kind != ModeKind::Arrow)
    return "";
  // planned_c6
  if (!grid)
    return mode.inGrid || mode.byPlace
               ? "expected the grid of a mask along its axes"
               : "";
  // planned_c7
  std::array<int64_t, 3> extents = {grid.getFrames(), grid.getHeight(),
                                    grid.getWidth()};
  if (!mode.inGrid)
    extents = {grid.getNumVideoTokens(), 1, 1};
  for (auto [width, extent] : llvm::zip_equal(mode.width, extents))
    if (width >= extent)
      return llvm::formatv(
          "expected a half-width that fits the grid, below {0}, got {1}",
          extent, width);
  return "";
}

/// What is wrong with a mode of a branch of `kind`.
static std::string findKindFault(const Mode &mode, BranchKind kind,
                                 ArrayRef<int64_t> tile) {
  // planned_c4
  if (kind == BranchKind::MLP && mode.kind != ModeKind::Full &&
      mode.kind != ModeKind::Share)
    return "expected the mode full or share of an mlp, which has no mask";
  // planned_c8
  if (mode.kind == ModeKind::TopK && tile.empty())
    return "expected the tile of which top-k selects";
  return "";
}

/// What is wrong with the residual of a half, which is that of what a branch
/// adds.
static std::string findHalfFault(const Mode &mode, const Mode &first,
                                 CachePoint cache) {
  // planned_c11
  if (mode.addsHalf() && cache == CachePoint::BeforeProjection)
    return "expected the cache after the projection for the residual of a half";
  if (mode.addsHalf() != first.addsHalf() || (mode.addsHalf() && mode != first))
    return "expected the residual of a half of all heads or none";
  return "";
}

/// What is wrong with `mode` beside the one of the first head. A projection
/// mixes the heads, so after it there is one value for all.
static std::string findMixingFault(const Mode &mode, const Mode &first) {
  // planned_c5
  if (mode.computes() != first.computes())
    return "expected the cache before the projection where some heads share "
           "and others compute";
  if (!mode.computes() && mode.source != first.source)
    return "expected the cache before the projection where heads share "
           "different steps";
  return "";
}

std::optional<ModeFault> mlir::dit::findBranchFault(const ModeTable &table,
                                                    BranchKind kind,
                                                    CachePoint cache,
                                                    GridAttr grid,
                                                    ArrayRef<int64_t> tile) {
  for (int64_t step = 0; step < table.getNumSteps(); ++step)
    for (int64_t head = 0; head < table.getNumHeads(); ++head) {
      const Mode &mode = table.get(step, head);
      std::string text = findKindFault(mode, kind, tile);
      if (text.empty())
        text = findGridFault(mode, grid);
      if (text.empty())
        text = findHalfFault(mode, table.get(step, 0), cache);
      if (text.empty() && cache != CachePoint::BeforeProjection)
        text = findMixingFault(mode, table.get(step, 0));
      if (!text.empty())
        return ModeFault{step, head, text};
    }
  return std::nullopt;
}
