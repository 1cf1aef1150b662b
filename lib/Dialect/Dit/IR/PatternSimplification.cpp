//===- PatternSimplification.cpp - Simpler forms of a pattern -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds patterns that hold everything and flattens combinations. What comes
// out holds the same positions of the given shape.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/PatternCost.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit;

/// Patterns of more intervals are not enumerated row by row.
static constexpr int64_t kMaxEnumeratedSteps = int64_t(1) << 24;

static int64_t addSaturating(int64_t lhs, int64_t rhs) {
  int64_t sum;
  return llvm::AddOverflow(lhs, rhs, sum) ? std::numeric_limits<int64_t>::max()
                                          : sum;
}

static int64_t multiplySaturating(int64_t lhs, int64_t rhs) {
  int64_t product;
  return llvm::MulOverflow(lhs, rhs, product)
             ? std::numeric_limits<int64_t>::max()
             : product;
}

/// Places within `distance` of one of `extent`.
static int64_t countNear(int64_t distance, int64_t extent) {
  return distance < 0 ? extent : std::min(2 * distance + 1, extent);
}

int64_t mlir::dit::countIntervalSteps(PatternAttrInterface pattern,
                                      PatternShape shape) {
  auto sumOf = [&](ArrayRef<PatternAttrInterface> parts) {
    int64_t sum = 1;
    for (PatternAttrInterface part : parts)
      sum = addSaturating(sum, countIntervalSteps(part, shape));
    return sum;
  };
  return TypeSwitch<Attribute, int64_t>(pattern)
      .Case([&](GridWindowAttr window) {
        GridAttr grid = window.getGrid();
        return 1 + countNear(window.getFrames(), grid.getFrames()) *
                       countNear(window.getHeight(), grid.getHeight());
      })
      .Case([&](AndAttr both) {
        // Each part meets what the ones before it left.
        int64_t product = 1;
        for (PatternAttrInterface part : both.getPatterns())
          product =
              multiplySaturating(product, countIntervalSteps(part, shape));
        return addSaturating(product, sumOf(both.getPatterns()));
      })
      .Case([&](OrAttr either) { return sumOf(either.getPatterns()); })
      .Case([&](TiledAttr tiled) {
        return multiplySaturating(
            std::min(tiled.getQ(), std::max<int64_t>(shape.q, 1)),
            countIntervalSteps(tiled.getPattern(), shape));
      })
      .Default([](Attribute) { return 2; });
}

/// Whether `pattern` holds everything, from its parameters alone. A false
/// leaves the question open.
static bool isFullByParameters(PatternAttrInterface pattern,
                               PatternShape shape) {
  auto isFull = [&](PatternAttrInterface part) {
    return isFullPattern(part, shape);
  };
  auto reaches = [](int64_t distance, int64_t extent) {
    return distance < 0 || distance >= extent - 1;
  };
  return TypeSwitch<Attribute, bool>(pattern)
      .Case([&](WindowAttr window) {
        return window.getLeft() < 0 && window.getRight() < 0;
      })
      .Case([&](GridWindowAttr window) {
        GridAttr grid = window.getGrid();
        return reaches(window.getFrames(), grid.getFrames()) &&
               reaches(window.getHeight(), grid.getHeight()) &&
               reaches(window.getWidth(), grid.getWidth());
      })
      .Case([&](FrameCausalAttr causal) {
        return causal.getGrid().getFrames() == 1;
      })
      .Case([&](AndAttr both) {
        return llvm::all_of(both.getPatterns(), isFull);
      })
      .Case([&](OrAttr either) {
        return llvm::any_of(either.getPatterns(), isFull);
      })
      .Case([&](TiledAttr tiled) { return isFull(tiled.getPattern()); })
      .Default([](Attribute) { return false; });
}

bool mlir::dit::isFullPattern(PatternAttrInterface pattern,
                              PatternShape shape) {
  if (isFullByParameters(pattern, shape))
    return true;
  if (ShapedType::isDynamic(shape.q) || ShapedType::isDynamic(shape.kv))
    return false;
  if (shape.q == 0 || shape.kv == 0)
    return true;
  return multiplySaturating(shape.q, countIntervalSteps(pattern, shape)) <=
             kMaxEnumeratedSteps &&
         pattern.classifyTile(0, shape.q, 0, shape.kv, shape) ==
             TileClass::Full;
}

/// The distinct operands of `pattern` and of the same combination nested in
/// it, in simplest form.
template <typename CombinationAttr>
static llvm::SetVector<PatternAttrInterface> flatten(CombinationAttr pattern,
                                                     PatternShape shape) {
  llvm::SetVector<PatternAttrInterface> parts;
  for (PatternAttrInterface part : pattern.getPatterns()) {
    PatternAttrInterface simple = simplifyPattern(part, shape);
    if (!simple)
      continue;
    if (auto nested = dyn_cast<CombinationAttr>(simple))
      parts.insert_range(nested.getPatterns());
    else
      parts.insert(simple);
  }
  return parts;
}

/// `pattern` over the parts that are left of it.
template <typename CombinationAttr>
static PatternAttrInterface combine(CombinationAttr pattern,
                                    PatternShape shape) {
  llvm::SetVector<PatternAttrInterface> parts = flatten(pattern, shape);
  if (parts.size() == 1)
    return parts.front();
  return CombinationAttr::get(pattern.getContext(), parts.getArrayRef());
}

PatternAttrInterface mlir::dit::simplifyPattern(PatternAttrInterface pattern,
                                                PatternShape shape) {
  if (isFullPattern(pattern, shape))
    return {};
  // No operand of a union that is not full is full; an intersection that is
  // not full has an operand that is not full either.
  return TypeSwitch<Attribute, PatternAttrInterface>(pattern)
      .Case<AndAttr, OrAttr>(
          [&](auto combination) { return combine(combination, shape); })
      .Case([&](TiledAttr tiled) -> PatternAttrInterface {
        if (tiled.getQ() == 1 && tiled.getKv() == 1)
          return simplifyPattern(tiled.getPattern(), shape);
        PatternAttrInterface inner = simplifyPattern(tiled.getPattern(), shape);
        return TiledAttr::get(tiled.getContext(), inner, tiled.getQ(),
                              tiled.getKv());
      })
      .Default([&](Attribute) { return pattern; });
}
