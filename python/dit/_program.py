# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

import numpy as np

from dit import _arrays, _native
from dit._errors import ArgumentError
from dit._module import Module, Source
from dit._signature import Signature, TensorSpec

Path = Union[str, "os.PathLike[str]"]
Parameters = Union[Path, Sequence[Path], Mapping[str, Any]]


class Entry:
    """A compiled function; call it on arrays.

    Attributes:
        name: the name in MLIR.
        inputs, results: what it takes and gives, as :class:`TensorSpec`.
        c_name: the name of the C function.
        workspace_size: bytes of scratch memory of one call; -1 if they
            depend on the extents of inputs.
    """

    def __init__(self, program: Program, record: tuple[Any, ...]) -> None:
        self._program = program
        self.name: str = record[0]
        self.signature = Signature.of(record)
        self.inputs = self.signature.inputs
        self.results = self.signature.results
        self.c_name: str = record[3]
        self.workspace_size: int = record[4]

    def __call__(self, *inputs: Any, out: Any = None, threads: int | None = None,
                 **named: Any) -> Any:
        """Computes the results: one array, or a tuple unless there is one.

        Args:
            inputs, named: arrays of NumPy, or tensors of any framework with
                DLPack, in the memory of the CPU and of the very element types
                and extents; strides as they come. Numbers are taken for scalars.
            out: arrays to write the results to, in the form in which they are
                returned; by default they are new, and of the framework of the
                first input that is not NumPy's (PyTorch, JAX, or another with the
                array API).
            threads: of this call alone.
        """
        values = self._order(inputs, named)
        buffers = [_arrays.to_buffer(value, spec, f"{self.name}: input '{spec.name}'")
                   for value, spec in zip(values, self.inputs)]
        if out is not None:
            given = list(out) if isinstance(out, (tuple, list)) else [out]
            if len(given) != len(self.results):
                raise ArgumentError(f"{self.name}: out: expected {len(self.results)} arrays, "
                                    f"got {len(given)}")
            self._invoke(buffers, [
                _arrays.to_output(array, spec, f"{self.name}: result '{spec.name}'")
                for array, spec in zip(given, self.results)], threads)
            return out
        created = [_arrays.new_output(spec) for spec in self.results]
        self._invoke(buffers, [buffer for _, buffer in created], threads)
        results = _arrays.convert_results(
            [_arrays.take_output(buffer, spec) if array is None else array
             for (array, buffer), spec in zip(created, self.results)], values)
        return results[0] if len(results) == 1 else tuple(results)

    def profile(self, *inputs: Any, threads: int | None = None,
                **named: Any) -> tuple[dict[str, Any], Any]:
        """Calls a function that the pass ``dit-instrument-profile`` rewrote.

        Args:
            inputs, named, threads: as for a call.

        Returns:
            What a profile file (docs/Spec.md) holds, for ``Module.run`` with
            ``dit-import-profile`` or a planner once it is in a file; and the
            other results, in the form in which a call returns its results.
        """
        names = [spec.name for spec in self.results]
        if not {"profile_values", "profile_layout"} <= set(names):
            raise ArgumentError(f"{self.name}: expected the results 'profile_values' and "
                                "'profile_layout'; the pass dit-instrument-profile adds them")
        found = dict(zip(names, self(*inputs, threads=threads, **named)))
        measured = profile(np.asarray(found.pop("profile_values")),
                           np.asarray(found.pop("profile_layout")))
        rest = tuple(found.values())
        return measured, rest[0] if len(rest) == 1 else rest

    def _order(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        """Inputs in the order of the signature."""
        values = list(inputs)
        names = [spec.name for spec in self.inputs]
        for name in names[len(values):]:
            if name in named:
                values.append(named.pop(name))
        if named or len(values) != len(names):
            raise ArgumentError(f"{self.name}: expected the inputs {', '.join(names) or 'none'};"
                                f" got {len(values)} of them"
                                + (f", and {', '.join(named)}" if named else ""))
        return values

    def _invoke(self, inputs: list[_native.Buffer], results: list[_native.Buffer],
                threads: int | None) -> None:
        if threads is None:
            threads = self._program.threads
        self._program._native.invoke(self.name, inputs, results, threads or 0)

    def __repr__(self) -> str:
        return f"Entry({self.name}{self.signature})"


class Program:
    """Machine code for this processor, made by :func:`compile`.

    ``program[name]`` is an :class:`Entry`; ``program(x, y)`` calls the only one.
    Programs may be called from several threads at once.
    """

    def __init__(self, native: _native.Program, threads: int | None = None) -> None:
        self._native = native
        self.threads = threads
        self.entries = {record[0]: Entry(self, record) for record in native.entries()}
        #: Weights that come from outside.
        self.parameters = tuple(map(TensorSpec.of, native.parameters()))
        # Arrays that parameters point into.
        self._bound: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Entry:
        if name in self.entries:
            return self.entries[name]
        raise KeyError(f"no entry '{name}'; the program has {', '.join(self.entries)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __call__(self, *inputs: Any, out: Any = None, threads: int | None = None,
                 **named: Any) -> Any:
        """Calls the only entry; see :meth:`Entry.__call__`."""
        return self._only_entry()(*inputs, out=out, threads=threads, **named)

    def profile(self, *inputs: Any, threads: int | None = None,
                **named: Any) -> tuple[dict[str, Any], Any]:
        """Calls the only entry and returns what it measured; see
        :meth:`Entry.profile`."""
        return self._only_entry().profile(*inputs, threads=threads, **named)

    def _only_entry(self) -> Entry:
        if len(self.entries) != 1:
            raise ArgumentError("the program has several entries: name one of "
                                f"{', '.join(self.entries)}, as program[name](...)")
        return next(iter(self.entries.values()))

    def load_parameters(self, parameters: Parameters) -> None:
        """Gives parameters their values: from safetensors files, which are
        mapped, or from arrays by name. Nothing is copied."""
        if isinstance(parameters, Mapping):
            specs = {spec.name: spec for spec in self.parameters}
            for name, value in parameters.items():
                if name not in specs:
                    raise ArgumentError(f"no parameter '{name}'; the program has "
                                        f"{', '.join(specs) or 'none'}")
                buffer = _arrays.to_buffer(value, specs[name], f"parameter '{name}'")
                self._native.bind_parameter(name, buffer)
                self._bound[name] = buffer
            return
        paths = [parameters] if isinstance(parameters, (str, os.PathLike)) else parameters
        for path in paths:
            self._native.load_parameters(os.fspath(path))

    @property
    def object_code(self) -> bytes:
        """A relocatable object (ELF), to link with ``libdit_runtime``."""
        return self._native.artifact(_native.ARTIFACT_OBJECT)

    @property
    def header(self) -> str:
        """The C header of :attr:`object_code`."""
        return self._native.artifact(_native.ARTIFACT_HEADER).decode()

    @property
    def llvm_ir(self) -> str:
        """LLVM IR, if ``compile`` was told to keep it."""
        return self._native.artifact(_native.ARTIFACT_LLVM_IR).decode()

    @property
    def ptx(self) -> str:
        """Code for NVIDIA's GPUs; UnsupportedError for targets without."""
        return self._native.artifact(_native.ARTIFACT_PTX).decode()

    def write_shared_library(self, path: Path, runtime_dir: Path | None = None) -> None:
        """Links the program to a shared library for C programs.

        Args:
            path: the file to write.
            runtime_dir: where ``libdit_runtime.so`` is; by default beside dit's
                own library.
        """
        self._native.write_shared_library(
            os.fspath(path), None if runtime_dir is None else os.fspath(runtime_dir))

    def __repr__(self) -> str:
        entries = "; ".join(f"{name}: {entry.signature}"
                            for name, entry in self.entries.items())
        return f"Program({entries})"


def profile(values: np.ndarray[Any, Any], layout: np.ndarray[Any, Any]) -> dict[str, Any]:
    """What a program under ``dit-instrument-profile`` measured, as a profile file
    (docs/Spec.md) holds it.

    Args:
        values, layout: its results ``profile_values`` and ``profile_layout``.
    """
    if values.dtype != np.float64 or layout.dtype != np.int8:
        raise ArgumentError("profile: expected values of f64 and a layout of i8, got "
                            f"{values.dtype} and {layout.dtype}")
    text = _native.format_profile(values.tobytes(), layout.tobytes())
    content: dict[str, Any] = json.loads(text)
    return content


def compile(module: Module | Source, *, target: str = "cpu",
            entries: str | Sequence[str] | None = None, threads: int | None = None,
            parameters: Parameters | None = None, options: str = "", opt_level: int = 3,
            keep_llvm_ir: bool = False, c_name: str = "",
            cache: bool | Path = True) -> Program:
    """Compiles functions of a module for this machine.

    Args:
        module: a :class:`Module`, which stays as it is, or what
            :meth:`Module.parse` takes.
        target: ``"cpu"``, fast code for this processor, or ``"reference"``, the
            meaning of every operation as plain loops.
        entries: the functions; by default ``main``, or the only public one.
        threads: of later calls; by default as :func:`set_num_threads` says.
        parameters: see :meth:`Program.load_parameters`. All have to be there.
        options: of the target's pipeline, as ``"parallel=false"``.
        opt_level: of LLVM, 0 to 3.
        keep_llvm_ir: whether :attr:`Program.llvm_ir` is wanted.
        c_name: the name of the C function, if there is one entry.
        cache: whether to look for the program among those compiled earlier, and
            keep it; a path names another folder than the user's.

    Raises:
        CompileError: the module cannot be compiled.
        UnsupportedError: this build of dit has no such target.
    """
    if not isinstance(module, Module):
        module = Module.parse(module)
    names = [entries] if isinstance(entries, str) else list(entries or [])
    folder = (os.fspath(cache) if not isinstance(cache, bool) else "" if cache else None)
    program = Program(module._native.compile(target, names, options, opt_level, keep_llvm_ir,
                                             c_name, folder), threads)
    if parameters is not None:
        program.load_parameters(parameters)
        program._native.check_parameters()
    return program
