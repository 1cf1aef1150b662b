# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `python -m dit.export`."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import subprocess
import sys

from dit._errors import ArgumentError, Error
from dit.export import Grid, _venv, export

_DESCRIPTION = """\
Exports a model of PyTorch to files that dit compiles: MODEL.mlirbc, its weights
in MODEL.safetensors, and names, kinds and grids of its attentions in
MODEL.sites.json, for --dit-annotate-sites.
"""

_EPILOG = """\
examples:
  python -m dit.export wan/transformer --out wan --frames 8 --height 32 --width 32 --check
  python -m dit.export mymodel:build --out mine --grid 8,16,16
  dit-run wan.mlirbc --parameters wan.safetensors --inputs x.npy,t.npy,text.npy
  dit-opt wan.mlirbc --dit-raise-attention --dit-annotate-sites=file=wan.sites.json -o named.mlir

mymodel.py has to be importable from here, and build() returns (module, example
inputs). Where torch and torch-mlir are not installed, they are installed once
into an environment of their own.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dit.export", description=_DESCRIPTION, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a folder of diffusers (config.json, and weights if it has "
                        "any), or module:function")
    parser.add_argument("--out", default="model", help="path of the files without their ending")
    parser.add_argument("--name", default="main", help="name of the function")
    parser.add_argument("--grid", metavar="F,H,W[,TEXT[,first]]",
                        help="tokens of the video in time and space, and of text beside or, with "
                        "`first`, before them; known families say it themselves")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=2x3x8[:DTYPE]",
                        help="an example input for a folder, in place of or besides the known")
    parser.add_argument("--dynamic", action="append", default=[], metavar="NAME:DIM=LABEL",
                        help="an extent to leave open; equal labels are equal extents")
    for name, text in (("batch", "of the example"), ("frames", "of the latent video"),
                       ("height", "of the latent video"), ("width", "of the latent video"),
                       ("text", "tokens of text")):
        parser.add_argument(f"--{name}", type=int, help=text)
    parser.add_argument("--check", action="store_true",
                        help="compile the export and compare it with PyTorch")
    parser.add_argument("--tolerance", type=float, default=1e-3,
                        help="what --check lets pass, relative to the largest value")
    parser.add_argument("--venv", type=pathlib.Path,
                        help="an environment to use; default: $DIT_EXPORT_VENV, else one that "
                        "is made")
    return parser


def _parse_grid(text: str | None) -> Grid | None:
    if text is None:
        return None
    parts = text.split(",")
    text_first = parts[-1] == "first"
    try:
        numbers = [int(part) for part in parts[:-1 if text_first else None]]
    except ValueError:
        numbers = []
    if len(numbers) not in (3, 4):
        raise ArgumentError(f"--grid: expected F,H,W, F,H,W,TEXT or F,H,W,TEXT,first, got '{text}'")
    frames, height, width, *rest = numbers
    return Grid(frames, height, width, rest[0] if rest else 0, text_first)


def _parse_dynamic(texts: list[str]) -> dict[str | int, dict[int, str]]:
    dynamic: dict[str | int, dict[int, str]] = {}
    for text in texts:
        place, _, label = text.partition("=")
        name, _, dimension = place.rpartition(":")
        if not name or not label.isidentifier() or not dimension.isdigit():
            raise ArgumentError(f"--dynamic: expected NAME:DIM=LABEL, got '{text}'")
        dynamic.setdefault(name, {})[int(dimension)] = label
    return dynamic


def _export(options: argparse.Namespace, grid: Grid | None,
            dynamic: dict[str | int, dict[int, str]]) -> None:
    from dit.export import _models

    sizes = _models.Sizes()
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(sizes)
             if getattr(options, field.name) is not None}
    model = _models.load(options.model, dataclasses.replace(sizes, **given), options.input)
    exported = export(model.module, model.inputs, out=options.out, name=options.name,
                      grid=grid or model.grid, fixed=model.fixed, dynamic=dynamic)
    print(exported)
    if options.check:
        from dit.export import _torch

        error = _torch.check(exported, model.module, model.inputs, model.fixed)
        print(f"largest difference to PyTorch: {error:.2e} of the largest value")
        if not error <= options.tolerance:
            raise Error(f"--check: {error:.2e} is above the tolerance {options.tolerance:.2e}")


def main(arguments: list[str]) -> int:
    """Runs the command here, or in an environment that can."""
    options = _parser().parse_args(arguments)
    try:
        grid, dynamic = _parse_grid(options.grid), _parse_dynamic(options.dynamic)
        if options.venv or not _venv.is_here():
            python = _venv.prepare(options.venv)
            if python.absolute() != pathlib.Path(sys.executable).absolute():
                return _venv.rerun(python, arguments)
        _export(options, grid, dynamic)
        return 0
    except (Error, FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"dit.export: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
