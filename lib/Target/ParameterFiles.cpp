//===- ParameterFiles.cpp - Weights of programs from files ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Looks tensors up by the names of a program's parameters.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/ParameterFiles.h"

#include <cstring>

using namespace llvm;
using namespace mlir::dit;

static std::string formatType(const dit_rt_parameter &parameter) {
  return formatTensorType(static_cast<dit_rt_dtype>(parameter.dtype),
                          ArrayRef(parameter.sizes, parameter.rank));
}

static Error missing(StringRef name, const std::string &type) {
  return createStringError("no tensor '" + Twine(name) +
                           "'; the program needs it as " + type);
}

/// Fails if `view` does not fit a parameter `name` of this type.
static Error checkType(const TensorView &view, StringRef name, int32_t dtype,
                       ArrayRef<int64_t> shape) {
  if (view.dtype == dtype && ArrayRef(view.shape) == shape)
    return Error::success();
  return createStringError(
      "tensor '" + Twine(name) + "': expected " +
      formatTensorType(static_cast<dit_rt_dtype>(dtype), shape) + ", got " +
      formatTensorType(view.dtype, view.shape));
}

Error ParameterFiles::open(StringRef path) {
  Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  if (!file)
    return file.takeError();
  files.push_back(std::move(*file));
  return Error::success();
}

const TensorView *ParameterFiles::lookup(StringRef name) const {
  for (const SafetensorsFile &file : files)
    if (const TensorView *view = file.lookup(name))
      return view;
  return nullptr;
}

char *ParameterFiles::getAlignedData(const TensorView &view) {
  // Programs only read their weights.
  char *data = const_cast<char *>(view.data);
  if (reinterpret_cast<uintptr_t>(data) % dit_rt_dtype_size(view.dtype) == 0)
    return data;
  copies.push_back(std::make_unique<HostTensor>(view.dtype, view.shape));
  HostTensor &copy = *copies.back();
  std::memcpy(copy.data(), data, copy.getNumBytes());
  return copy.data();
}

Expected<int64_t> ParameterFiles::bind(const dit_rt_entry &entry) {
  int64_t numBound = 0;
  for (const dit_rt_parameter &parameter :
       ArrayRef(entry.parameters, entry.num_parameters)) {
    const TensorView *view = lookup(parameter.name);
    if (!view)
      continue;
    if (Error error = checkType(*view, parameter.name, parameter.dtype,
                                ArrayRef(parameter.sizes, parameter.rank)))
      return std::move(error);
    SmallVector<int64_t> sizes(view->shape);
    dit_buffer buffer = {getAlignedData(*view), view->dtype,
                         static_cast<int32_t>(sizes.size()), sizes.data(),
                         /*strides=*/nullptr};
    if (dit_rt_bind_parameter(&entry, parameter.name, &buffer) != DIT_RT_OK)
      return createStringError(dit_rt_last_error());
    ++numBound;
  }
  return numBound;
}

Expected<const TensorView *>
ParameterFiles::find(StringRef name, dit_rt_dtype dtype,
                     ArrayRef<int64_t> shape) const {
  const TensorView *view = lookup(name);
  if (!view)
    return missing(name, formatTensorType(dtype, shape));
  if (Error error = checkType(*view, name, dtype, shape))
    return std::move(error);
  return view;
}

Error ParameterFiles::checkBound(const dit_rt_entry &entry) {
  for (const dit_rt_parameter &parameter :
       ArrayRef(entry.parameters, entry.num_parameters))
    if (!*parameter.slot)
      return missing(parameter.name, formatType(parameter));
  return Error::success();
}
