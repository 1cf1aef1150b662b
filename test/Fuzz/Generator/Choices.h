//===- Choices.h - A source of decisions ------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the generator of programs decides by: the bytes of a fuzzer, so that a
// changed byte changes one decision, or a random sequence from a seed.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_GENERATOR_CHOICES_H
#define DIT_TEST_FUZZ_GENERATOR_CHOICES_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>

namespace mlir::dit {

class Choices {
public:
  /// Decides by `bytes`; everything is 0 when they are used up.
  explicit Choices(llvm::ArrayRef<uint8_t> bytes) : bytes(bytes) {}
  explicit Choices(uint64_t seed) : random(seed) {}

  /// A number in [0, bound), for a bound from 1 to 2^16.
  uint64_t below(uint64_t bound) {
    if (random)
      return (*random)() % bound;
    if (bound == 1)
      return 0;
    uint64_t value = takeByte();
    if (bound > 256)
      value = value << 8 | takeByte();
    return value % bound;
  }

  /// A number in [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(high - low + 1));
  }

  /// True once in `n` times.
  bool once(uint64_t n) { return below(n) == n - 1; }

  template <typename T>
  T oneOf(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }

private:
  uint8_t takeByte() {
    if (bytes.empty())
      return 0;
    uint8_t byte = bytes.front();
    bytes = bytes.drop_front();
    return byte;
  }

  llvm::ArrayRef<uint8_t> bytes;
  std::optional<std::mt19937_64> random;
};

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_GENERATOR_CHOICES_H
