# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MLIR modules."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Union

from dit import _native
from dit._errors import ArgumentError, Diagnostic, FileError, convert
from dit._signature import Signature

Source = Union[str, bytes, "os.PathLike[str]"]


def _is_path(source: Source) -> bool:
    if isinstance(source, bytes):
        return False
    return not isinstance(source, str) or (
        "\n" not in source and source.endswith((".mlir", ".mlirbc")))


# In the order of the C API's enumerations.
_PLAN_FORMATS = ("table", "diffusers", "xdit")
_BATCH_PARTS = (None, "first", "second")


def _read_plan(plan: Mapping[str, Any] | str | os.PathLike[str]) -> tuple[str, str]:
    """A name for messages, and JSON."""
    if isinstance(plan, Mapping):
        return "-", json.dumps(plan)
    if isinstance(plan, str) and plan.lstrip().startswith("{"):
        return "-", plan
    path = pathlib.Path(plan)
    try:
        return str(path), path.read_text()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error


class Module:
    """An MLIR module: all dialects and passes of MLIR and dit work on it.

    Made by :meth:`parse`. ``str(module)`` is its text. A module may be used
    from several threads; calls on it wait for each other.
    """

    def __init__(self, native: _native.Module) -> None:
        self._native = native
        self._diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def parse(cls, source: Source, *, name: str = "-", remarks: str | None = None,
              trusted: bool = False) -> Module:
        """Reads a module.

        Args:
            source: MLIR as text or bytecode (``bytes``), or a path: a
                ``pathlib.Path``, or a string that ends in ``.mlir`` or
                ``.mlirbc``.
            name: what stands for the file in the locations of a text.
            remarks: a regular expression over pass names; remarks of these
                passes are then in :attr:`diagnostics`.
            trusted: damaged bytecode and some half-written text crash MLIR, so
                another process reads them first, which takes a tenth of a
                second; not if this is set, for what a program wrote.

        Raises:
            CompileError: the module is not valid.
            FileError: the file cannot be read.
        """
        return cls(_parse(source, name, None, remarks, trusted))

    def run(self, pipeline: str) -> Module:
        """Runs passes, as ``dit-opt --pass-pipeline`` does, and returns the
        module itself. If a pass fails, the module is as it was before.

        >>> import dit
        >>> module = dit.Module.parse("func.func @f(%x: f32) { return }")
        >>> module.run("canonicalize,cse").run("builtin.module(symbol-dce)")
        Module(f: (arg0: f32[]) -> ())
        """
        self._diagnostics = convert(self._native.run(pipeline))
        return self

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Warnings and remarks of the last :meth:`run`."""
        return list(self._diagnostics)

    def link(self, library: Module | Source) -> Module:
        """Moves everything from another module, or file, into this one, where
        functions that are only declared become defined. Returns the module."""
        own = isinstance(library, Module)
        source = library.to_bytecode() if isinstance(library, Module) else library
        self._native.link(_parse(source, "-", self._native, None, own))
        return self

    def verify(self) -> None:
        """Raises CompileError unless the module is valid."""
        self._native.verify()

    def clone(self) -> Module:
        """A copy."""
        return Module(self._native.clone())

    def to_text(self, *, elide: int | None = None, locations: bool = False,
                generic: bool = False) -> str:
        """The module as text.

        Args:
            elide: constants of more elements are shown as ``__elided__``.
            locations: write a location behind each operation.
            generic: write operations in MLIR's generic form.
        """
        if elide is not None and elide < 0:
            raise ArgumentError(f"elide: expected at least 0, got {elide}")
        return self._native.print(-1 if elide is None else elide,
                                  2 if locations else 0, generic).decode()

    def to_bytecode(self) -> bytes:
        """The module as bytecode."""
        return self._native.write_bytecode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the module: as bytecode if the name ends in ``.mlirbc``, else
        as text."""
        path = pathlib.Path(path)
        path.write_bytes(self.to_bytecode() if path.suffix == ".mlirbc"
                         else self.to_text().encode())

    @property
    def entries(self) -> dict[str, Signature]:
        """Signatures of the public functions that can be compiled."""
        return {entry[0]: Signature.of(entry) for entry in self._native.entries()}

    def attention_report(self) -> str:
        """A table of the attentions (ops of dit) and what they cost."""
        return self._native.report_attention(False).decode()

    @property
    def sites(self) -> list[dict[str, Any]]:
        """The attentions (ops of dit) and what they cost, as
        ``--dit-report-attention`` lists them; of those with dynamic extents only
        the ``site``."""
        report = json.loads(self._native.report_attention(True))
        return [*report["sites"], *({"site": name} for name in report["unknown"])]

    @property
    def branches(self) -> dict[str, Any]:
        """The residual branches of a model whose attentions were raised, as
        ``--dit-report-branches`` lists them: ``branches``, ``unknown`` additions
        and ``loose`` attentions."""
        report: dict[str, Any] = json.loads(self._native.report_branches())
        return report

    def import_plan(self, plan: Mapping[str, Any] | str | os.PathLike[str], *,
                    name: str = "plan", timesteps: Sequence[float] = (), steps: int = 0,
                    window: int = 64, conditional: str | None = None) -> Module:
        """Makes a ``dit.plan`` for the sites of the module; returns the module.

        >>> import dit
        >>> module = dit.Module.parse('''
        ... func.func @f(%q: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
        ...   %o = dit.attention ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>,
        ...       tensor<1x2x8x4xf32>) outs(%q : tensor<1x2x8x4xf32>)
        ...       {scale = 0.5 : f64, site = "blocks.0.attn1", kind = #dit.kind<spatial>}
        ...   return %o : tensor<1x2x8x4xf32>
        ... }''')
        >>> rules = {"broadcast": {"spatial": {"period": 2, "window": [100, 850]}}}
        >>> module.import_plan(rules, steps=4).export_plan()["branches"][0]["modes"]
        ['full', 'share', 'full', 'share']

        Args:
            plan: in any of the formats of :meth:`export_plan`, or rules of
                attention broadcast: an object, its JSON, or a path.
            name: the symbol of the plan.
            timesteps, steps: the timesteps of the sampler, if the plan has none,
                or their number n, which stands for 1000 (n - i) / n.
            window: half-width, in tokens, of the windows of xDiT's methods.
            conditional: ``"first"`` or ``"second"``, the half of the batch that
                computes for both where xDiT's methods share it.

        Raises:
            ArgumentError: the plan is malformed or does not fit the sites.
        """
        if conditional not in _BATCH_PARTS:
            raise ArgumentError("conditional: expected None, 'first' or 'second', got "
                                f"{conditional!r}")
        file_name, text = _read_plan(plan)
        self._diagnostics = convert(self._native.import_plan(
            text, file_name, name, list(timesteps), steps, window,
            _BATCH_PARTS.index(conditional)))
        return self

    def export_plan(self, name: str = "", *, format: str = "table") -> dict[str, Any]:
        """A ``dit.plan`` of the module as an object for JSON.

        Args:
            name: which plan; not needed if there is one.
            format: ``"table"``, which says all that a plan can; ``"diffusers"``,
                the arguments of a PyramidAttentionBroadcastConfig; or ``"xdit"``,
                the methods of each block and step.

        Raises:
            ArgumentError: there is no such plan, or the format cannot say it.
        """
        if format not in _PLAN_FORMATS:
            raise ArgumentError(f"format: expected {' or '.join(_PLAN_FORMATS)}, got {format!r}")
        plan: dict[str, Any] = json.loads(
            self._native.export_plan(name, _PLAN_FORMATS.index(format)))
        return plan

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        entries = "; ".join(f"{name}: {signature}"
                            for name, signature in self.entries.items())
        return f"Module({entries})"


def _parse(source: Source, name: str, sibling: _native.Module | None,
           remarks: str | None, trusted: bool) -> _native.Module:
    if not isinstance(source, (str, bytes, os.PathLike)):
        raise ArgumentError("expected MLIR as str or bytes, or a path, got "
                            f"{type(source).__name__}")
    if _is_path(source):
        return _native.Module.parse_file(os.fspath(source), sibling, remarks, trusted)  # type: ignore[arg-type]
    data = source if isinstance(source, bytes) else str(source).encode()
    return _native.Module.parse(data, name, sibling, remarks, trusted)
