//===- PatternGenerator.h - Random patterns ---------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes, as text, that fit the lengths they are made for.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_GENERATOR_PATTERNGENERATOR_H
#define DIT_TEST_FUZZ_GENERATOR_PATTERNGENERATOR_H

#include "Choices.h"

#include <string>

namespace mlir::dit {

class PatternGenerator {
public:
  explicit PatternGenerator(Choices &choices) : choices(choices) {}

  /// A pattern over `queries` by `keys`, of at most `depth` combinations.
  std::string generate(int64_t queries, int64_t keys, unsigned depth = 2);

  /// A grid of `tokens` tokens.
  std::string generateGrid(int64_t tokens) {
    return "#dit.grid" + generateGridBody(tokens);
  }
  /// The same without the name of the attribute.
  std::string generateGridBody(int64_t tokens);

private:
  std::string generateSimple(int64_t queries, int64_t keys);
  std::string generateOnGrid(int64_t tokens);
  std::string distance(int64_t extent);

  Choices &choices;
};

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_GENERATOR_PATTERNGENERATOR_H
