# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What functions take and give."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """An input, a result or a parameter.

    ``dtype`` is one of bool, i8, i16, i32, i64, f16, bf16, f32 and f64; an
    extent of ``None`` is chosen at run time.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def is_static(self) -> bool:
        """Whether all extents are known."""
        return None not in self.shape

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The element type in NumPy; bf16 is that of ml_dtypes."""
        from dit._arrays import to_numpy_dtype

        return to_numpy_dtype(self.dtype)

    def __str__(self) -> str:
        extents = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name}: {self.dtype}[{extents}]"

    @classmethod
    def of(cls, record: tuple[str, str, tuple[int, ...]]) -> TensorSpec:
        name, dtype, sizes = record
        return cls(name, dtype, tuple(None if size < 0 else size for size in sizes))


@dataclasses.dataclass(frozen=True)
class Signature:
    """Inputs and results of a function."""

    inputs: tuple[TensorSpec, ...]
    results: tuple[TensorSpec, ...]

    def __str__(self) -> str:
        inputs, results = (", ".join(map(str, specs))
                           for specs in (self.inputs, self.results))
        return f"({inputs}) -> ({results})"

    @classmethod
    def of(cls, record: tuple[Any, ...]) -> Signature:
        return cls(tuple(map(TensorSpec.of, record[1])),
                   tuple(map(TensorSpec.of, record[2])))
