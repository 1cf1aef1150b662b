//===- Matrix.cpp - Matrix instructions of a warp -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ldmatrix, stmatrix and mma.sync with the fragments of the PTX ISA ("Matrix
// Fragments for mma.m16n8k16"): lane l has row l / 4 and the columns from
// 2 * (l % 4) of each 8 x 8 part.
//
//===----------------------------------------------------------------------===//

#include "Cta.h"

#include <cstring>
#include <utility>

using namespace dit_emu;

static constexpr uint32_t kAllLanes = 0xffffffff;
static constexpr unsigned kRowBytes = 16;

/// Operations with `.aligned` need the whole warp.
static void checkLanes(Cta &cta, const char *what, uint32_t lanes,
                       const char *place) {
  if (lanes != kAllLanes)
    cta.fail(place, format("%s without lanes 0x%08x, which have ended or never "
                           "were",
                           what, ~lanes));
}

//===----------------------------------------------------------------------===//
// Matrices in shared memory
//===----------------------------------------------------------------------===//

namespace {
struct MatrixAccess {
  char *row;
  int32_t count;
  bool transposed;
  uint32_t *registers;
};
} // namespace

/// The two elements of matrix `m` that are in a register of `lane`.
template <typename Fn>
static void forEachElement(Cta &cta, unsigned warp, unsigned lane, unsigned m,
                           bool transposed, Fn fn) {
  for (unsigned half = 0; half < 2; ++half) {
    unsigned row = lane / 4, column = lane % 4 * 2 + half;
    if (transposed)
      std::swap(row, column);
    char *begin = cta.operandsOf<MatrixAccess>(warp, 8 * m + row).row;
    fn(half, begin + 2 * column);
  }
}

/// Checks and notes the accesses to the rows of all matrices.
static void accessRows(Cta &cta, unsigned warp, bool write, const char *what,
                       const char *place) {
  SharedMemory &shared = cta.shared();
  unsigned rows = 8 * cta.operandsOf<MatrixAccess>(warp, 0).count;
  for (unsigned lane = 0; lane < rows; ++lane) {
    const char *row = cta.operandsOf<MatrixAccess>(warp, lane).row;
    unsigned offset = shared.offsetOf(row);
    if (!shared.contains(row) || offset + kRowBytes > shared.size())
      cta.fail(place, format("out of bounds: %s of 16 bytes at byte %lld of a "
                             "shared memory of %u bytes, by lane %u",
                             what, (long long)(row - shared.data()),
                             shared.size(), lane));
    if (offset % kRowBytes != 0)
      cta.fail(place, format("%s at byte %u of shared memory, by lane %u: "
                             "expected a multiple of 16",
                             what, offset, lane));
    unsigned thread = warp * kWarpLanes + lane;
    cta.checkRace(place, what,
                  write ? shared.write(thread, offset, kRowBytes, place)
                        : shared.read(thread, offset, kRowBytes, place));
  }
}

static void executeLoad(Cta &cta, unsigned warp, uint32_t lanes,
                        const char *place) {
  checkLanes(cta, "ldmatrix", lanes, place);
  accessRows(cta, warp, /*write=*/false, "ldmatrix", place);
  ++getCounters().ldmatrix;
  for (unsigned lane = 0; lane < kWarpLanes; ++lane) {
    auto &op = cta.operandsOf<MatrixAccess>(warp, lane);
    for (int32_t m = 0; m < op.count; ++m)
      forEachElement(cta, warp, lane, m, op.transposed,
                     [&](unsigned half, const char *element) {
                       std::memcpy(reinterpret_cast<char *>(op.registers + m) +
                                       2 * half,
                                   element, 2);
                     });
  }
}

static void executeStore(Cta &cta, unsigned warp, uint32_t lanes,
                         const char *place) {
  checkLanes(cta, "stmatrix", lanes, place);
  accessRows(cta, warp, /*write=*/true, "stmatrix", place);
  ++getCounters().stmatrix;
  for (unsigned lane = 0; lane < kWarpLanes; ++lane) {
    auto &op = cta.operandsOf<MatrixAccess>(warp, lane);
    for (int32_t m = 0; m < op.count; ++m)
      forEachElement(
          cta, warp, lane, m, op.transposed, [&](unsigned half, char *element) {
            std::memcpy(element,
                        reinterpret_cast<char *>(op.registers + m) + 2 * half,
                        2);
          });
  }
}

extern "C" void dit_emu_ldmatrix(const void *row, int32_t count,
                                 bool transposed, uint32_t *registers,
                                 const char *place) {
  MatrixAccess op{static_cast<char *>(const_cast<void *>(row)), count,
                  transposed, registers};
  getCta().collective("ldmatrix", kAllLanes, &op, place, executeLoad);
}

extern "C" void dit_emu_stmatrix(void *row, int32_t count, bool transposed,
                                 const uint32_t *registers, const char *place) {
  MatrixAccess op{static_cast<char *>(row), count, transposed,
                  const_cast<uint32_t *>(registers)};
  getCta().collective("stmatrix", kAllLanes, &op, place, executeStore);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
struct Product {
  int32_t k, type;
  const uint32_t *a, *b;
  const float *c;
  float *d;
};
} // namespace

static float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

static float fromF16(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31, fraction = half & 0x3ff;
  if (exponent == 31)
    return fromBits(sign | 0x7f800000 | fraction << 13);
  if (exponent != 0)
    return fromBits(sign | (exponent + 112) << 23 | fraction << 13);
  float subnormal = float(fraction) * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

/// Both elements of a register.
static void unpack(uint32_t bits, int32_t type, float &low, float &high) {
  if (type == DIT_EMU_BF16) {
    low = fromBits(bits << 16);
    high = fromBits(bits & 0xffff0000);
  } else {
    low = fromF16(bits);
    high = fromF16(bits >> 16);
  }
}

static void executeProduct(Cta &cta, unsigned warp, uint32_t lanes,
                           const char *place) {
  checkLanes(cta, "mma.sync", lanes, place);
  float a[16][16], b[16][8], d[16][8];
  int32_t k = cta.operandsOf<Product>(warp, 0).k;
  for (unsigned lane = 0; lane < kWarpLanes; ++lane) {
    const auto &op = cta.operandsOf<Product>(warp, lane);
    unsigned row = lane / 4, column = lane % 4 * 2;
    for (int32_t i = 0; i < k / 4; ++i) {
      unsigned r = row + 8 * (i & 1), c = column + 8 * (i >> 1);
      unpack(op.a[i], op.type, a[r][c], a[r][c + 1]);
    }
    for (int32_t i = 0; i < k / 8; ++i)
      unpack(op.b[i], op.type, b[column + 8 * i][row],
             b[column + 8 * i + 1][row]);
    for (unsigned i = 0; i < 4; ++i)
      d[row + 8 * (i >> 1)][column + (i & 1)] = op.c[i];
  }
  for (unsigned m = 0; m < 16; ++m)
    for (int32_t i = 0; i < k; ++i)
      for (unsigned n = 0; n < 8; ++n)
        d[m][n] += a[m][i] * b[i][n];
  for (unsigned lane = 0; lane < kWarpLanes; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      cta.operandsOf<Product>(warp, lane).d[i] =
          d[lane / 4 + 8 * (i >> 1)][lane % 4 * 2 + (i & 1)];
  ++getCounters().mma;
  getCounters().mma_flops += 2 * 16 * 8 * k;
}

extern "C" void dit_emu_mma(int32_t k, int32_t type, const uint32_t *a,
                            const uint32_t *b, const float *c, float *d,
                            const char *place) {
  Product op{k, type, a, b, c, d};
  getCta().collective("mma.sync", kAllLanes, &op, place, executeProduct);
}
