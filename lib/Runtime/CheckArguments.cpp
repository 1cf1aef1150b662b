//===- CheckArguments.cpp - Arguments against signatures ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compares the buffers of a call with what the function was compiled for. Every
// text names the function, the argument, what was expected and what came.
//
//===----------------------------------------------------------------------===//

#include "Invocation.h"

using namespace dit_rt;

int64_t dit_rt::numElements(int32_t rank, const int64_t *sizes) {
  int64_t count = 1;
  for (int32_t i = 0; i < rank; ++i)
    count *= sizes[i];
  return count;
}

/// Strides of dimensions with at most one index do not matter.
bool dit_rt::isRowMajor(const dit_buffer &buffer) {
  if (!buffer.strides)
    return true;
  int64_t stride = 1;
  for (int32_t i = buffer.rank - 1; i >= 0; --i) {
    if (buffer.sizes[i] > 1 && buffer.strides[i] != stride)
      return false;
    stride *= buffer.sizes[i];
  }
  return true;
}

bool dit_rt::hasDynamicSize(const dit_rt_arg_spec &spec) {
  for (int32_t i = 0; i < spec.rank; ++i)
    if (spec.sizes[i] < 0)
      return true;
  return false;
}

int32_t Invocation::checkSizes(int32_t i) const {
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer &buffer = *args[i];
  // A result that the runtime is to allocate has no extents yet.
  if (isDynamicResult(i) && !buffer.data)
    return DIT_RT_OK;
  for (int32_t dim = 0; dim < spec.rank; ++dim) {
    int64_t got = buffer.sizes[dim];
    if (spec.sizes[dim] >= 0 && got != spec.sizes[dim])
      return fail(DIT_RT_SHAPE_MISMATCH,
                  "%s: %s '%s': expected extent %lld in dimension %d, got %lld",
                  entry.name, role(i), spec.name, (long long)spec.sizes[dim],
                  dim, (long long)got);
    if (got < 0)
      return fail(DIT_RT_SHAPE_MISMATCH,
                  "%s: %s '%s': negative extent %lld in dimension %d",
                  entry.name, role(i), spec.name, (long long)got, dim);
  }
  return DIT_RT_OK;
}

int32_t Invocation::checkType(int32_t i) const {
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer *buffer = args[i];
  if (!buffer)
    return fail(DIT_RT_INVALID_ARGUMENT, "%s: %s '%s' is a null buffer",
                entry.name, role(i), spec.name);
  if (buffer->dtype != spec.dtype)
    return fail(DIT_RT_INVALID_ARGUMENT,
                "%s: %s '%s': expected element type %s, got %s", entry.name,
                role(i), spec.name, dit_rt_dtype_name(spec.dtype),
                dit_rt_dtype_name(buffer->dtype));
  if (buffer->rank != spec.rank)
    return fail(DIT_RT_INVALID_ARGUMENT,
                "%s: %s '%s': expected rank %d, got %d", entry.name, role(i),
                spec.name, spec.rank, buffer->rank);
  if (spec.rank > 0 && !buffer->sizes)
    return fail(DIT_RT_INVALID_ARGUMENT, "%s: %s '%s' has no sizes", entry.name,
                role(i), spec.name);
  return checkSizes(i);
}

int32_t Invocation::check(int32_t i) const {
  if (int32_t status = checkType(i))
    return status;
  const dit_rt_arg_spec &spec = entry.args[i];
  const dit_buffer *buffer = args[i];
  if (!buffer->data && !isDynamicResult(i) &&
      numElements(spec.rank, buffer->sizes) != 0)
    return fail(DIT_RT_INVALID_ARGUMENT, "%s: %s '%s' has no data", entry.name,
                role(i), spec.name);
  return DIT_RT_OK;
}

int32_t Invocation::checkInputs() const {
  for (int32_t i = 0; i < entry.num_inputs; ++i)
    if (int32_t status = check(i))
      return status;
  return DIT_RT_OK;
}

int32_t Invocation::checkExtents() const {
  for (int32_t i = 0; i < entry.num_inputs; ++i)
    if (int32_t status = checkType(i))
      return status;
  return DIT_RT_OK;
}

int32_t Invocation::checkResults() const {
  for (int32_t i = entry.num_inputs; i < numArgs(); ++i)
    if (int32_t status = check(i))
      return status;
  return DIT_RT_OK;
}

int32_t Invocation::checkParameters() const {
  for (int64_t i = 0; i < entry.num_parameters; ++i)
    if (!*entry.parameters[i].slot)
      return fail(DIT_RT_UNBOUND_PARAMETER,
                  "%s: parameter '%s' has no data; bind it with "
                  "dit_rt_bind_parameter",
                  entry.name, entry.parameters[i].name);
  return DIT_RT_OK;
}
