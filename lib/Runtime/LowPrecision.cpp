//===- LowPrecision.cpp - Conversions to bfloat16 -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM calls these where the processor has no instruction, under names that
// compiler libraries define only lately. A definition found elsewhere wins.
//
//===----------------------------------------------------------------------===//

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

template <typename To, typename From>
To bitCast(From value) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  To result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

/// Rounds to nearest, ties to even; NaNs stay NaNs.
__bf16 roundToBFloat16(float value) {
  uint32_t bits = bitCast<uint32_t>(value);
  uint32_t rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  if (std::isnan(value))
    rounded = bits | 0x400000;
  return bitCast<__bf16>(static_cast<uint16_t>(rounded >> 16));
}

/// Rounds such that rounding the result again, to fewer bits, gives what
/// rounding `value` to them at once would: to the neighbor with an odd last
/// bit.
float roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  if (std::isnan(value) || static_cast<double>(nearest) == value ||
      (bitCast<uint32_t>(nearest) & 1))
    return nearest;
  double nearestWide = nearest;
  return std::nextafterf(nearest, value > nearestWide ? INFINITY : -INFINITY);
}

} // namespace

extern "C" __attribute__((weak)) __bf16 __truncsfbf2(float value) {
  return roundToBFloat16(value);
}

extern "C" __attribute__((weak)) __bf16 __truncdfbf2(double value) {
  return roundToBFloat16(roundToOdd(value));
}
