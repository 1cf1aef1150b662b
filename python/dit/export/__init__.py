# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a model of PyTorch to files that dit compiles.

In a process that has torch and torch-mlir::

    import dit, torch
    files = dit.export(model, (x, t), out="model", grid=dit.export.Grid(8, 16, 16))
    program = dit.compile(files.module, parameters=files.parameters)
    torch.testing.assert_close(program(x, t), model(x, t))

From the command line, which makes an environment with these packages where
there is none::

    python -m dit.export path/to/transformer --out model
    python -m dit.export mymodel:build --out model --check

Three files come out: ``model.mlirbc``, the program on ``linalg``, whose
locations are the names of the model's parts; ``model.safetensors``, its weights;
and ``model.sites.json``, names, kinds, layers and grids of its attentions and MLPs for
``--dit-annotate-sites``.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

from dit.export._sites import Grid, find_sites
from dit.export._types import Exported

__all__ = ["Exported", "Grid", "export", "find_sites"]

#: Tensors of at least this many bytes become parameters.
PARAMETER_BYTES = 1024


def export(module: Any, example_inputs: Sequence[Any] | Mapping[str, Any], *,
           out: str = "model", grid: Grid | None = None,
           dynamic: Mapping[str | int, Mapping[int, Any]] | None = None,
           name: str = "main", parameter_bytes: int = PARAMETER_BYTES,
           fixed: Mapping[str, Any] | None = None) -> Exported:
    """Exports a module of PyTorch; see the text of this module.

    Args:
        module: a ``torch.nn.Module``, in the mode (``eval()``) that is wanted.
        example_inputs: tensors with which to trace it, in order or by the names
            of the arguments of ``forward``.
        out: where the files go: ``<out>.mlirbc`` and so on.
        grid: where the video's tokens lie in time and space, and how many tokens
            of text are beside them. Without it the sites get names and layers.
        dynamic: extents to leave open, by input (name or number) and dimension:
            ``{"x": {0: "batch"}}``. Equal names are equal extents; a
            ``torch.export.Dim`` gives bounds.
        name: of the function.
        parameter_bytes: tensors of fewer bytes stay in the program.
        fixed: further arguments of ``forward``, by name.

    Raises:
        ArgumentError: torch or torch-mlir cannot be imported, or an argument
            does not fit.
    """
    from dit.export import _torch

    return _torch.export(module, example_inputs, out=out, grid=grid, dynamic=dynamic or {},
                         name=name, parameter_bytes=parameter_bytes, fixed=fixed or {})


class _CallableModule(types.ModuleType):
    """Lets `dit.export` be the function and hold the rest."""

    def __call__(self, *args: Any, **named: Any) -> Exported:
        return export(*args, **named)


sys.modules[__name__].__class__ = _CallableModule
