# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays of NumPy, tensors of PyTorch and of whoever speaks DLPack, as buffers.

Nothing is copied on the way in or out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from dit import _native
from dit._errors import ArgumentError
from dit._signature import TensorSpec

_NUMPY_DTYPES: dict[str, np.dtype[Any]] = {
    "bool": np.dtype(np.bool_), "i8": np.dtype(np.int8), "i16": np.dtype(np.int16),
    "i32": np.dtype(np.int32), "i64": np.dtype(np.int64), "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16), "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
}
_DTYPES = {dtype: name for name, dtype in _NUMPY_DTYPES.items()}
# Integers have no sign in MLIR.
_DTYPES |= {np.dtype(f"uint{8 << i}"): f"i{8 << i}" for i in range(4)}


# Of DLPack's device types, the memory that dit reads, and what others are called.
_DLPACK_CPU = 1
_DLPACK_DEVICES = {2: "CUDA", 3: "CUDA's pinned host", 7: "Vulkan", 8: "Metal", 10: "ROCm",
                   13: "CUDA's managed memory", 14: "oneAPI"}


def to_numpy_dtype(dtype: str) -> np.dtype[Any]:
    """NumPy's name for an element type of dit."""
    return _NUMPY_DTYPES[dtype]


def is_torch(value: Any) -> bool:
    """Whether `value` is a tensor of PyTorch, without importing it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_jax(value: Any) -> bool:
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def _from_numpy(array: np.ndarray[Any, Any], what: str) -> _native.Buffer:
    dtype = _DTYPES.get(array.dtype)
    if dtype is None:
        raise ArgumentError(f"{what}: no element type of dit is NumPy's {array.dtype}")
    if not array.flags.aligned or any(s % array.itemsize for s in array.strides):
        raise ArgumentError(f"{what}: elements are not at multiples of their size; pass a "
                            "copy (np.ascontiguousarray)")
    strides = [stride // array.itemsize for stride in array.strides]
    return _native.Buffer(array.__array_interface__["data"][0], dtype, list(array.shape),
                          strides, array)


def _from_dlpack(value: Any, what: str, writable: bool) -> _native.Buffer:
    if is_torch(value):
        value = value.detach()
        if value.device.type != "cpu":
            raise ArgumentError(f"{what}: the tensor is on {value.device}; expected one "
                                "in the memory of the CPU: pass x.cpu()")
    elif hasattr(value, "__dlpack_device__"):
        device = int(value.__dlpack_device__()[0])
        if device != _DLPACK_CPU:
            name = _DLPACK_DEVICES.get(device, f"DLPack's device type {device}")
            raise ArgumentError(f"{what}: the tensor is in the memory of {name}; expected one "
                                "in the memory of the CPU")
    try:
        return _native.Buffer.from_dlpack(value, writable)
    except (TypeError, BufferError) as error:
        raise ArgumentError(f"{what}: a {type(value).__name__} that DLPack cannot pass "
                            f"on{' to be written' if writable else ''}") from error


def to_buffer(value: Any, spec: TensorSpec, what: str) -> _native.Buffer:
    """The memory of an input. Numbers are taken where a scalar is expected."""
    if isinstance(value, (bool, int, float)) and not spec.shape:
        try:
            value = np.array(value, spec.numpy_dtype)
        except (OverflowError, ValueError) as error:
            raise ArgumentError(f"{what}: {error}") from error
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        buffer = _from_numpy(value, what)
    elif hasattr(value, "__dlpack__"):
        buffer = _from_dlpack(value, what, writable=False)
    else:
        raise ArgumentError(f"{what}: expected an array of NumPy or a tensor with __dlpack__, "
                            f"got {type(value).__name__}")
    _check_type(buffer, spec, what)
    return buffer


def _check_type(buffer: _native.Buffer, spec: TensorSpec, what: str) -> None:
    if buffer.dtype != spec.dtype:
        raise ArgumentError(f"{what}: expected element type {spec.dtype}, got {buffer.dtype}; "
                            "dit converts nothing")


def to_output(value: Any, spec: TensorSpec, what: str) -> _native.Buffer:
    """The memory of a result that the caller gives."""
    if isinstance(value, np.ndarray):
        if not value.flags.writeable:
            raise ArgumentError(f"{what}: the array is read-only")
        buffer = _from_numpy(value, what)
    elif _is_jax(value):
        raise ArgumentError(f"{what}: arrays of JAX never change; take the result instead")
    elif hasattr(value, "__dlpack__"):
        buffer = _from_dlpack(value, what, writable=True)
    else:
        raise ArgumentError(f"{what}: expected an array of NumPy or a tensor with __dlpack__, "
                            f"got {type(value).__name__}")
    _check_type(buffer, spec, what)
    return buffer


def new_output(spec: TensorSpec) -> tuple[np.ndarray[Any, Any] | None, _native.Buffer]:
    """A new array for a result and its buffer; no array where its extents are
    not known before."""
    shape = tuple(size for size in spec.shape if size is not None)
    if len(shape) < len(spec.shape):
        return None, _native.Buffer.missing(spec.dtype, len(spec.shape))
    array = np.empty(shape, spec.numpy_dtype)
    return array, _from_numpy(array, spec.name)


def take_output(buffer: _native.Buffer, spec: TensorSpec) -> np.ndarray[Any, Any]:
    """The array of a result that the library allocated."""
    array: np.ndarray[Any, Any] = buffer.take_data().view(spec.numpy_dtype)
    return array.reshape(buffer.shape)


def convert_results(arrays: list[np.ndarray[Any, Any]], inputs: Sequence[Any]) -> list[Any]:
    """The same memory in the framework of the inputs: tensors of PyTorch, or
    what the array API of another framework makes of it."""
    for value in inputs:
        if is_torch(value):
            return [_to_torch(array) for array in arrays]
        if not isinstance(value, (np.ndarray, np.generic)) and hasattr(
                value, "__array_namespace__"):
            namespace = value.__array_namespace__()
            return [_to_namespace(array, namespace) for array in arrays]
    return list(arrays)


def _to_torch(array: np.ndarray[Any, Any]) -> Any:
    torch = sys.modules["torch"]
    if array.dtype == _NUMPY_DTYPES["bf16"]:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _to_namespace(array: np.ndarray[Any, Any], namespace: Any) -> Any:
    # NumPy's own DLPack does not know the type of ml_dtypes.
    if array.dtype == _NUMPY_DTYPES["bf16"]:
        return namespace.from_dlpack(array.view(np.int16)).view(namespace.bfloat16)
    return namespace.from_dlpack(array)
