# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs of dit ops as text, with their inputs.

A `Program` is one function `main` that holds many independent ops, because
starting the compiler costs more than compiling one op.
"""

import dataclasses

import ml_dtypes
import numpy as np

BF16 = ml_dtypes.bfloat16
FLOATS = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "bf16": BF16,
}
_NAMES = {np.dtype(t): name for name, t in FLOATS.items()} | {
    np.dtype(np.int32): "i32",
}


def accumulator(name):
    return "f64" if name == "f64" else "f32"


@dataclasses.dataclass(frozen=True)
class Value:
    name: str
    type: str

    def __str__(self):
        return self.name


def tensor_type(array, dynamic=()):
    """The type of `array`, with the dimensions in `dynamic` unknown."""
    extents = ["?" if d in dynamic else str(n) for d, n in enumerate(array.shape)]
    return f"tensor<{'x'.join([*extents, _NAMES[array.dtype]])}>"


class Program:
    def __init__(self):
        self.inputs = []
        self.parameters = []
        self.lines = []
        self.results = []

    def parameter(self, array, dynamic=()):
        """A parameter of `main` that receives `array`."""
        value = Value(f"%a{len(self.inputs)}", tensor_type(array, dynamic))
        self.inputs.append(np.ascontiguousarray(array))
        self.parameters.append(value)
        return value

    def op(self, text, inits, attributes=""):
        """Adds a destination-style op; returns the positions of its results
        among those of `main`."""
        first = len(self.results)
        names = [f"%r{first + i}" for i in range(len(inits))]
        outs = f"outs({join(inits)} : {types(inits)})"
        self.lines.append(f"  {', '.join(names)} = {text} {outs} {attributes}")
        self.results += [Value(n, i.type) for n, i in zip(names, inits)]
        return list(range(first, len(self.results)))

    def raw(self, text, results):
        """Adds text that defines `results`; returns their positions."""
        first = len(self.results)
        self.lines.append(text)
        self.results += results
        return list(range(first, len(self.results)))

    def constant_index(self, value):
        name = f"%c{len(self.lines)}"
        self.lines.append(f"  {name} = arith.constant {value} : index")
        return name

    def text(self):
        parameters = ", ".join(f"{p}: {p.type}" for p in self.parameters)
        head = f"func.func @main({parameters}) -> ({types(self.results)}) {{"
        tail = f"  return {join(self.results)} : {types(self.results)}"
        return "\n".join([head, *self.lines, tail, "}", ""])


def join(values):
    return ", ".join(map(str, values))


def types(values):
    return ", ".join(v.type for v in values)


def ins(*values):
    return f"ins({join(values)} : {types(values)})"


def garbage(shape, dtype, rng):
    """What an op finds in its outs and must not let through."""
    if np.dtype(dtype) == np.int32:
        return rng.integers(-(2**30), 2**30, shape, dtype=np.int32)
    return rng.choice([12345.0, -777.0, np.nan], size=shape).astype(dtype)
