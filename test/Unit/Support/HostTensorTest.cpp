//===- HostTensorTest.cpp - Unit tests of host tensors --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Support/HostTensor.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::dit;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

HostTensor make(std::initializer_list<double> values) {
  HostTensor tensor(DIT_RT_F64, {int64_t(values.size())});
  std::memcpy(tensor.data(), values.begin(), values.size() * sizeof(double));
  return tensor;
}

TEST(HostTensor, WidensLowPrecision) {
  HostTensor tensor(DIT_RT_BF16, {2});
  uint16_t bf16[] = {0x3FC0, 0xFF80};
  std::memcpy(tensor.data(), bf16, sizeof(bf16));
  EXPECT_EQ(tensor.getAsDouble(0), 1.5);
  EXPECT_EQ(tensor.getAsDouble(1), -kInf);
  tensor.setDType(DIT_RT_F16);
  uint16_t f16[] = {0x3E00, 0x0001};
  std::memcpy(tensor.data(), f16, sizeof(f16));
  EXPECT_EQ(tensor.getAsDouble(0), 1.5);
  EXPECT_EQ(tensor.getAsDouble(1), std::ldexp(1.0, -24));
}

TEST(HostTensor, FormatsTypes) {
  EXPECT_EQ(formatTensorType(DIT_RT_F32, {2, 3}), "2x3xf32");
  EXPECT_EQ(formatTensorType(DIT_RT_BOOL, {}), "bool");
  EXPECT_EQ(formatTensorType(DIT_RT_BF16, {-1}), "?xbf16");
}

TEST(Compare, RelatesToTheLargestExpectedValue) {
  TensorDifference difference = compare(make({1, 2.5, -4}), make({1, 2, -4}));
  EXPECT_EQ(difference.maxAbs, 0.5);
  EXPECT_EQ(difference.maxRel, 0.125);
}

TEST(Compare, ZeroExpectations) {
  EXPECT_EQ(compare(make({0}), make({0})).maxRel, 0);
  EXPECT_EQ(compare(make({1}), make({0})).maxRel, kInf);
}

TEST(Compare, EqualInfinitiesDoNotDiffer) {
  TensorDifference same = compare(make({-kInf, 2}), make({-kInf, 2}));
  EXPECT_EQ(same.maxAbs, 0);
  EXPECT_EQ(compare(make({kInf, 2}), make({-kInf, 2})).maxAbs, kInf);
  EXPECT_EQ(compare(make({3, 2}), make({kInf, 2})).maxRel, kInf);
}

TEST(Compare, CountsNaNs) {
  TensorDifference difference =
      compare(make({kNaN, kNaN, 1, 1}), make({kNaN, 1, kNaN, 1}));
  EXPECT_EQ(difference.unexpectedNaNs, 1);
  EXPECT_EQ(difference.missingNaNs, 1);
  EXPECT_EQ(difference.maxAbs, 0);
  EXPECT_EQ(countNaNs(make({kNaN, 1, kNaN})), 2);
}

} // namespace
