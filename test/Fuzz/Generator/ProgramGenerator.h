//===- ProgramGenerator.h - Random valid programs ---------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs that the verifiers must accept, every pass must take, and every
// target must run with the same result: all ops of dit, with patterns, element
// types, dimension orders, tile lists, grouped heads, reuse in loops, small and
// odd shapes, and extents that are known or not.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_GENERATOR_PROGRAMGENERATOR_H
#define DIT_TEST_FUZZ_GENERATOR_PROGRAMGENERATOR_H

#include "Choices.h"

#include "llvm/ADT/SmallVector.h"

#include <string>

namespace mlir::dit {

/// An argument of `main`, and what to call it with.
struct GeneratedInput {
  std::string element;
  llvm::SmallVector<int64_t> shape;
  /// Integers lie in [lowest, limit]; floats are multiples of 1/8 in [-2, 2],
  /// so that sums of their products are exact and ties are ties on every
  /// target.
  int64_t limit = 0;
  int64_t lowest = 0;
};

struct GeneratedResult {
  std::string element;
  /// Relative to the largest expected value.
  double tolerance = 0;
  /// Whether targets have to agree: not where rounding can decide which tiles
  /// are selected.
  bool comparable = true;
};

struct GeneratedProgram {
  /// A module with the function `main`.
  std::string text;
  llvm::SmallVector<GeneratedInput> inputs;
  llvm::SmallVector<GeneratedResult> results;
};

/// The program that `choices` describe.
GeneratedProgram generateProgram(Choices &choices);

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_GENERATOR_PROGRAMGENERATOR_H
