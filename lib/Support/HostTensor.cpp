//===- HostTensor.cpp - Tensors in host memory ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Storage, element access and comparison of host tensors.
//
//===----------------------------------------------------------------------===//

#include "dit/Support/HostTensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::dit;

HostTensor::HostTensor(dit_rt_dtype dtype, llvm::ArrayRef<int64_t> shape)
    : dtype(dtype), shape(shape) {
  size_t bytes = llvm::alignTo(std::max<int64_t>(getNumBytes(), 1), 64);
  memory.reset(std::aligned_alloc(64, bytes));
  if (memory)
    std::memset(memory.get(), 0, bytes);
}

llvm::Expected<HostTensor> HostTensor::allocate(dit_rt_dtype dtype,
                                                llvm::ArrayRef<int64_t> shape) {
  // All extents, to be able to count in 64 bits whatever their order.
  int64_t bytes = dit_rt_dtype_size(dtype);
  bool overflows = false;
  for (int64_t size : shape)
    overflows |= llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes);
  HostTensor tensor;
  if (!overflows && bytes < int64_t(1) << 62)
    tensor = HostTensor(dtype, shape);
  if (!tensor.memory)
    return llvm::createStringError("no memory for " +
                                   formatTensorType(dtype, shape));
  return tensor;
}

HostTensor HostTensor::adopt(dit_rt_dtype dtype, llvm::ArrayRef<int64_t> shape,
                             void *data) {
  HostTensor tensor;
  tensor.dtype = dtype;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.memory.reset(data);
  return tensor;
}

int64_t HostTensor::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

template <typename T>
static T load(const char *data, int64_t index) {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

static double halfToDouble(uint16_t bits) {
  llvm::APFloat value(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits));
  return value.convertToDouble();
}

double HostTensor::getAsDouble(int64_t index) const {
  switch (dtype) {
  case DIT_RT_BOOL:
    return load<uint8_t>(data(), index) != 0;
  case DIT_RT_I8:
    return load<int8_t>(data(), index);
  case DIT_RT_I16:
    return load<int16_t>(data(), index);
  case DIT_RT_I32:
    return load<int32_t>(data(), index);
  case DIT_RT_I64:
    return static_cast<double>(load<int64_t>(data(), index));
  case DIT_RT_F16:
    return halfToDouble(load<uint16_t>(data(), index));
  case DIT_RT_BF16:
    return llvm::bit_cast<float>(uint32_t(load<uint16_t>(data(), index)) << 16);
  case DIT_RT_F32:
    return load<float>(data(), index);
  case DIT_RT_F64:
    return load<double>(data(), index);
  }
  llvm_unreachable("no such element type");
}

void HostTensor::setDType(dit_rt_dtype newType) {
  assert(dit_rt_dtype_size(newType) == dit_rt_dtype_size(dtype));
  dtype = newType;
}

dit_buffer HostTensor::getBuffer() {
  return {memory.get(), dtype, static_cast<int32_t>(shape.size()), shape.data(),
          /*strides=*/nullptr};
}

std::string mlir::dit::formatTensorType(int32_t dtype,
                                        llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (int64_t size : shape) {
    if (size < 0)
      os << "?x";
    else
      os << size << 'x';
  }
  os << dit_rt_dtype_name(dtype);
  return text;
}

TensorDifference mlir::dit::compare(const HostTensor &result,
                                    const HostTensor &expected) {
  assert(result.getShape() == expected.getShape() && "shapes must be equal");
  TensorDifference difference;
  double maxExpected = 0;
  for (int64_t i = 0, e = result.getNumElements(); i < e; ++i) {
    double a = result.getAsDouble(i), b = expected.getAsDouble(i);
    if (std::isnan(a) || std::isnan(b)) {
      difference.unexpectedNaNs += std::isnan(a) && !std::isnan(b);
      difference.missingNaNs += std::isnan(b) && !std::isnan(a);
      continue;
    }
    if (std::isfinite(b))
      maxExpected = std::max(maxExpected, std::abs(b));
    if (a != b)
      difference.maxAbs = std::max(difference.maxAbs, std::abs(a - b));
  }
  if (difference.maxAbs > 0)
    difference.maxRel = maxExpected > 0
                            ? difference.maxAbs / maxExpected
                            : std::numeric_limits<double>::infinity();
  return difference;
}

int64_t mlir::dit::countNaNs(const HostTensor &tensor) {
  int64_t count = 0;
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    count += std::isnan(tensor.getAsDouble(i));
  return count;
}
