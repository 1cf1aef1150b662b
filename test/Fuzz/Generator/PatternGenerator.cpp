//===- PatternGenerator.cpp - Random patterns -----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternGenerator.h"

#include <algorithm>

using namespace mlir::dit;

/// A divisor of `number`.
static int64_t chooseDivisor(Choices &choices, int64_t number) {
  int64_t divisor = choices.between(1, std::min<int64_t>(number, 8));
  while (number % divisor != 0)
    --divisor;
  return divisor;
}

std::string PatternGenerator::generateGridBody(int64_t tokens) {
  int64_t text = choices.between(0, std::min<int64_t>(tokens - 1, 3));
  int64_t video = tokens - text;
  int64_t frames = chooseDivisor(choices, video);
  int64_t height = chooseDivisor(choices, video / frames);
  std::string result = "<" + std::to_string(frames) + "x" +
                       std::to_string(height) + "x" +
                       std::to_string(video / frames / height);
  if (text)
    result += ", text = " + std::to_string(text);
  if (text && choices.once(2))
    result += ", text_first";
  return result + ">";
}

/// A width around the sizes at which something changes.
std::string PatternGenerator::distance(int64_t extent) {
  if (choices.once(5))
    return "-1";
  if (choices.once(9))
    return "1099511627776";
  return std::to_string(choices.between(0, extent + 1));
}

std::string PatternGenerator::generateOnGrid(int64_t tokens) {
  if (choices.once(2))
    return "#dit.frame_causal<" + generateGrid(tokens) + ">";
  return "#dit.grid_window<" + generateGrid(tokens) + ", " + distance(3) +
         " x " + distance(3) + " x " + distance(4) + ">";
}

std::string PatternGenerator::generateSimple(int64_t queries, int64_t keys) {
  switch (choices.below(queries == keys ? 4 : 3)) {
  case 0:
    if (choices.once(2))
      return "#dit.causal";
    return "#dit.causal<offset = " +
           std::to_string(choices.between(-queries - 1, keys + 1)) + ">";
  case 1:
    return "#dit.window<left = " + distance(keys) +
           ", right = " + distance(keys) + ">";
  case 2: {
    int64_t text =
        choices.between(0, std::min<int64_t>({queries, keys, int64_t(4)}));
    return "#dit.arrow<width = " +
           std::to_string(choices.between(0, keys + 1)) +
           ", text = " + std::to_string(text) +
           (choices.once(2) ? ", text_first>" : ">");
  }
  default:
    return generateOnGrid(queries);
  }
}

std::string PatternGenerator::generate(int64_t queries, int64_t keys,
                                       unsigned depth) {
  uint64_t kind = depth ? choices.below(6) : 5;
  if (kind > 2)
    return generateSimple(queries, keys);
  std::string first = generate(queries, keys, depth - 1);
  if (kind == 2)
    return "#dit.tiled<" + first + ", " +
           std::to_string(choices.between(1, queries + 1)) + " x " +
           std::to_string(choices.between(1, keys + 1)) + ">";
  std::string result = (kind ? "#dit.or<" : "#dit.and<") + first;
  if (!choices.once(4))
    result += ", " + generate(queries, keys, depth - 1);
  return result + ">";
}
