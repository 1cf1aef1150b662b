//===- Buffer.cpp - Arrays for Python -------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Buffers of NumPy's arrays and of DLPack's tensors; nothing is copied.
//
//===----------------------------------------------------------------------===//

#include "Buffer.h"

#include "Errors.h"

namespace dit_python {

/// The number of the type that dit calls `name`, or of none.
static int32_t getDTypeNumber(const std::string &name) {
  for (int32_t dtype = DIT_RT_BOOL; dtype <= DIT_RT_F64; ++dtype)
    if (name == ditDTypeGetName(dtype))
      return dtype;
  raise({DIT_ERROR_INVALID_ARGUMENT, "no element type '" + name + "'"}, {});
}

static int32_t getDTypeNumber(nb::dlpack::dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  auto code = static_cast<Code>(dtype.code);
  bool isInteger = code == Code::Int || code == Code::UInt;
  if (dtype.lanes == 1) {
    if (code == Code::Bool && dtype.bits == 8)
      return DIT_RT_BOOL;
    if (code == Code::Bfloat && dtype.bits == 16)
      return DIT_RT_BF16;
    for (int32_t number : {DIT_RT_I8, DIT_RT_I16, DIT_RT_I32, DIT_RT_I64})
      if (isInteger && dtype.bits == 8 * ditDTypeGetSize(number))
        return number;
    for (int32_t number : {DIT_RT_F16, DIT_RT_F32, DIT_RT_F64})
      if (code == Code::Float && dtype.bits == 8 * ditDTypeGetSize(number))
        return number;
  }
  raise(
      {DIT_ERROR_INVALID_ARGUMENT, "no element type of dit has DLPack's code " +
                                       std::to_string(dtype.code) + " with " +
                                       std::to_string(dtype.bits) + " bits"},
      {});
}

void Buffer::setSizes(std::vector<int64_t> newSizes,
                      std::optional<std::vector<int64_t>> newStrides) {
  sizes = std::move(newSizes);
  buffer.rank = static_cast<int32_t>(sizes.size());
  buffer.sizes = sizes.data();
  if (!newStrides)
    return;
  strides = std::move(*newStrides);
  buffer.strides = strides.data();
}

Buffer::Buffer(uintptr_t data, const std::string &dtype,
               std::vector<int64_t> newSizes,
               std::optional<std::vector<int64_t>> newStrides, nb::object owner)
    : owner(std::move(owner)) {
  buffer.data = reinterpret_cast<void *>(data);
  buffer.dtype = getDTypeNumber(dtype);
  setSizes(std::move(newSizes), std::move(newStrides));
}

Buffer::Buffer(nb::ndarray<nb::ro> newArray) : array(std::move(newArray)) {
  if (array.device_type() != nb::device::cpu::value)
    raise({DIT_ERROR_INVALID_ARGUMENT,
           "the tensor is not in the memory of the CPU"},
          {});
  buffer.data = const_cast<void *>(array.data());
  buffer.dtype = getDTypeNumber(array.dtype());
  std::vector<int64_t> newSizes, newStrides;
  for (size_t i = 0; i < array.ndim(); ++i) {
    newSizes.push_back(static_cast<int64_t>(array.shape(i)));
    newStrides.push_back(array.stride(i));
  }
  setSizes(std::move(newSizes), std::move(newStrides));
}

std::unique_ptr<Buffer> Buffer::fromDLPack(nb::handle tensor, bool writable) {
  // Without nb::ro, nanobind takes only what may be written.
  nb::ndarray<> any;
  nb::ndarray<nb::ro> readable;
  if (writable ? nb::try_cast(tensor, any) : nb::try_cast(tensor, readable))
    return std::make_unique<Buffer>(writable ? nb::ndarray<nb::ro>(any)
                                             : readable);
  throw nb::type_error("not a tensor that DLPack can pass on");
}

std::unique_ptr<Buffer> Buffer::makeMissing(const std::string &dtype,
                                            int rank) {
  auto result = std::make_unique<Buffer>(0, dtype, std::vector<int64_t>(rank),
                                         std::nullopt, nb::none());
  result->allocated = true;
  return result;
}

nb::object Buffer::takeData() {
  size_t bytes = ditDTypeGetSize(buffer.dtype);
  for (int64_t size : sizes)
    bytes *= size;
  void *data = buffer.data;
  buffer.data = nullptr;
  nb::capsule free(data, [](void *data) noexcept {
    dit_buffer buffer = {};
    buffer.data = data;
    ditBufferFree(&buffer);
  });
  return nb::cast(nb::ndarray<nb::numpy, uint8_t>(data, {bytes}, free));
}

nb::tuple Buffer::getShape() const {
  nb::list shape;
  for (int64_t size : sizes)
    shape.append(size);
  return nb::tuple(shape);
}

} // namespace dit_python
