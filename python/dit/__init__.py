# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit: a compiler for the attention of diffusion transformers.

Read a module, transform it, compile it, call it on arrays:

>>> import dit, numpy as np
>>> module = dit.Module.parse('''
... func.func @layer(%q: tensor<1x2x64x16xf32>, %k: tensor<1x2x64x16xf32>,
...                  %v: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
...   %init = tensor.empty() : tensor<1x2x64x16xf32>
...   %o = dit.attention ins(%q, %k, %v : tensor<1x2x64x16xf32>,
...       tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
...       outs(%init : tensor<1x2x64x16xf32>)
...       {scale = 0.25 : f64, site = "blocks.0.attn1"}
...   return %o : tensor<1x2x64x16xf32>
... }''')
>>> program = dit.compile(module)
>>> program.entries
{'layer': Entry(layer(arg0: f32[1, 2, 64, 16], arg1: f32[1, 2, 64, 16], arg2: f32[1, 2, 64, 16]) -> (result0: f32[1, 2, 64, 16]))}
>>> q, k, v = np.random.rand(3, 1, 2, 64, 16).astype(np.float32)
>>> o = program(q, k, v)
>>> o.shape, o.dtype
((1, 2, 64, 16), dtype('float32'))

The same against the meaning of the operations, as plain loops:

>>> meaning = dit.compile(module, target="reference")
>>> np.allclose(o, meaning(q, k, v), atol=1e-5)
True

Inputs are read, and results written, where they are; strides are taken as they
come, and ``out`` saves the allocation:

>>> program(q.transpose(0, 1, 3, 2).copy().transpose(0, 1, 3, 2), k, v, out=o) is o
True

Tensors of PyTorch and arrays of JAX go in and come out; so do those of any
framework with DLPack and the array API. Element types are never converted:

>>> program(q.astype(np.float64), k, v)
Traceback (most recent call last):
    ...
dit._errors.ArgumentError: layer: input 'arg0': expected element type f32, got f64; dit converts nothing

What attentions are there, and what do they cost?

>>> print(module.attention_report())                 # doctest: +ELLIPSIS
site                         kind     batch heads queries    keys  size    kept ...
blocks.0.attn1               -            1     2      64      64    16 100.0 % ...
1 attentions, 0.001 of 0.001 GFLOP
<BLANKLINE>

A module that is wrong raises an error with everything that was reported:

>>> try:
...     dit.Module.parse("func.func @f() -> f32 {\\n  return\\n}", name="f.mlir")
... except dit.CompileError as error:
...     print(error.diagnostics[0])
f.mlir:2:3: error: 'func.return' op has 0 operands, but enclosing function (@f) returns 1

Weights stay outside of large programs and come from safetensors files:
``dit.compile("model.mlirbc", parameters="model.safetensors")``. To make such
files of a model of PyTorch, see ``help(dit.export)``.
"""

from dit import export
from dit._errors import (ArgumentError, CompileError, Diagnostic, Error, FileError, RunError,
                         Severity, UnsupportedError)
from dit._module import Module
from dit._native import LLVM_VERSION, VERSION as __version__, get_num_threads, set_num_threads
from dit._program import Entry, Program, compile, profile
from dit._signature import Signature, TensorSpec

__all__ = ["ArgumentError", "CompileError", "Diagnostic", "Entry", "Error", "FileError",
           "LLVM_VERSION", "Module", "Program", "RunError", "Severity", "Signature",
           "TensorSpec", "UnsupportedError", "compile", "export", "get_num_threads", "profile",
           "set_num_threads"]
