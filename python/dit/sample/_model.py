# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Folders with a denoiser, and the samplers compiled of them."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import tempfile
from typing import Any, Union

import numpy as np

from dit._errors import ArgumentError, FileError
from dit._module import Module
from dit._program import Entry, compile
from dit._signature import Signature
from dit.sample import _solvers

Path = Union[str, "os.PathLike[str]"]
Array = np.ndarray[Any, Any]

#: The function of the sampler.
ENTRY = "sample"


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to sample.

    ``timesteps`` names the steps one by one, from 1000 at most down to above 0;
    otherwise there are ``steps`` of them, evenly or under a ``shift``. ``plan``
    is a file of one of the formats in docs/Spec.md, "Plan files"; with ``remap``
    one for other steps is fitted to these. ``form`` says whether the program has
    one body for all steps (``table``) or one for each that differs (``steps``).
    """

    steps: int = 30
    guidance: float = 2.0
    solver: str = "euler"
    shift: float = 1.0
    timesteps: tuple[float, ...] | None = None
    plan: Path | None = None
    remap: bool = False
    form: str = "table"

    @property
    def places(self) -> list[float]:
        """Where the steps start, from 1 downward."""
        if self.timesteps is not None:
            return _solvers.from_timesteps(self.timesteps)
        return _solvers.place(self.steps, self.shift)

    @property
    def num_steps(self) -> int:
        """How many steps there are."""
        return self.steps if self.timesteps is None else len(self.timesteps)

    def _build(self, denoiser: str) -> str:
        """The pass that puts a denoiser into the loop."""
        options = [f"denoiser={quote(denoiser)}", f"name={ENTRY}",
                   f"guidance={self.guidance}", f"solver={self.solver}"]
        if self.timesteps is None:
            options += [f"steps={self.steps}", f"shift={self.shift}"]
        else:
            options += [f"timesteps={','.join(map(str, self.timesteps))}"]
        return f"dit-build-sampler{{{' '.join(options)}}}"


def quote(path: Path) -> str:
    """A path as the option of a pass."""
    text = os.fspath(path)
    if "'" in text and '"' in text:
        raise ArgumentError(f"{text}: expected a path without both kinds of quotes")
    return f'"{text}"' if "'" in text else f"'{text}'"


def read_array(path: pathlib.Path) -> Array:
    """An array of f32 from a .npy file."""
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise FileError(f"{path}: no array in NumPy's format: {error}") from error
    if not isinstance(array, np.ndarray) or array.dtype != np.float32:
        raise FileError(f"{path}: expected f32, got {getattr(array, 'dtype', 'an archive')}")
    return array


def read_timesteps(plan: Path) -> tuple[float, ...] | None:
    """The timesteps that the file of a plan names, if it does."""
    try:
        content = json.loads(pathlib.Path(plan).read_text())
    except OSError as error:
        raise FileError(f"{plan}: {error.strerror}") from error
    except ValueError:
        return None  # The import says what is wrong, and where.
    timesteps = content.get("timesteps") if isinstance(content, dict) else None
    if not isinstance(timesteps, list) or not timesteps or not all(
            isinstance(t, (int, float)) and not isinstance(t, bool) for t in timesteps):
        return None
    return tuple(map(float, timesteps))


def _check_signature(name: str, signature: Signature) -> None:
    """Raises unless the function is `(x, t, text) -> v` over a batch of two, one
    with a text and one without."""
    def fail(what: str) -> None:
        raise ArgumentError(f"@{name}: expected (x: f32[2, ...], t: f32[2], text: f32[2, tokens, "
                            f"size]) -> (f32 of the extents of x), got {what}")

    specs = (*signature.inputs, *signature.results)
    if len(signature.inputs) != 3 or len(signature.results) != 1:
        fail(str(signature))
    x, t, text, v = specs
    for spec in specs:
        if spec.dtype != "f32" or not spec.is_static or spec.shape[:1] != (2,):
            fail(str(spec))
    if len(x.shape) < 2 or t.shape != (2,) or len(text.shape) != 3 or v.shape != x.shape:
        fail(str(signature))


class Model:
    """A folder with a denoiser.

    It holds ``denoise.mlirbc`` (or ``denoise.mlir``), a function `(x, t, text) ->
    v` over a batch of two, with a text and without one; ``text.npy``, the
    embeddings of all clips, of which the last one is that of no text;
    ``noise0.npy``, ... for each clip, if samples are to start there; and
    ``sites.json``, if attentions are to have other names than they get.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = pathlib.Path(folder)
        self._file = next((path for name in ("denoise.mlirbc", "denoise.mlir")
                           if (path := self.folder / name).is_file()), None)
        if self._file is None:
            raise FileError(f"{self.folder}: no denoise.mlirbc in this folder"
                            if self.folder.is_dir() else f"{self.folder}: no such folder")
        entries = Module.parse(self._file).entries
        names = sorted(entries, key=lambda name: name not in ("denoise", "main"))
        if not names:
            raise FileError(f"{self._file}: no function to call")
        self.denoiser = names[0]
        self.signature = entries[self.denoiser]
        try:
            _check_signature(self.denoiser, self.signature)
        except ArgumentError as error:
            raise FileError(f"{self._file}: {error}") from error
        self.texts = read_array(self.folder / "text.npy")
        wanted = self.signature.inputs[2].shape[1:]
        if self.texts.ndim != 3 or self.texts.shape[1:] != wanted or len(self.texts) < 2:
            raise FileError(f"{self.folder / 'text.npy'}: expected f32[clips + 1, "
                            f"{', '.join(map(str, wanted))}], got "
                            f"f32[{', '.join(map(str, self.texts.shape))}]")

    @property
    def clips(self) -> int:
        """How many texts there are."""
        return len(self.texts) - 1

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The extents of noise and samples."""
        return (1, *(size or 0 for size in self.signature.inputs[0].shape[1:]))

    def get_noise(self, clip: int, seed: int | None = None) -> Array:
        """What a sample starts from: normal numbers of NumPy's default generator
        for a seed, and without one the file `noise<clip>.npy`."""
        self._check_clip(clip)
        if seed is not None:
            if seed < 0:
                raise ArgumentError(f"seed: expected at least 0, got {seed}")
            return np.random.default_rng(seed).standard_normal(self.noise_shape, np.float32)
        path = self.folder / f"noise{clip}.npy"
        if not path.is_file():
            raise FileError(f"{path}: no such file; a seed does without")
        noise = read_array(path)
        if noise.shape != self.noise_shape:
            raise FileError(f"{path}: expected the extents {list(self.noise_shape)}, "
                            f"got {list(noise.shape)}")
        return noise

    def _check_clip(self, clip: int) -> None:
        if not 0 <= clip < self.clips:
            raise ArgumentError(f"clip: expected 0 to {self.clips - 1}, got {clip}")

    def _raising(self) -> list[str]:
        """The passes that find the attentions and name them."""
        sites = self.folder / "sites.json"
        naming = [f"dit-annotate-sites{{file={quote(sites)}}}"] if sites.is_file() else []
        return ["dit-raise-attention", *naming, "canonicalize", "loop-invariant-code-motion"]

    def build_denoiser(self) -> Module:
        """The denoiser alone as a module, with named attentions."""
        assert self._file is not None
        return Module.parse(self._file).run(",".join(self._raising()))

    def build(self, settings: Settings) -> Module:
        """The sampler as one module: loop and denoiser, with named
        attentions, under the plan."""
        if settings.solver not in _solvers.SOLVERS:
            raise ArgumentError(f"solver: expected one of {', '.join(_solvers.SOLVERS)}, got "
                                f"'{settings.solver}'")
        if settings.num_steps < 1:
            raise ArgumentError(f"steps: expected at least 1, got {settings.num_steps}")
        assert self._file is not None
        module = Module.parse(self._file)
        module.run(",".join([settings._build(self.denoiser), "inline", "symbol-dce",
                             *self._raising()]))
        if settings.plan is not None:
            self._import(module, settings)
            module.run(f"dit-apply-plan{{form={settings.form} "
                       f"remap={'true' if settings.remap else 'false'}}}")
        return module

    @staticmethod
    def _import(module: Module, settings: Settings) -> None:
        """Outlines the branches and reads the plan for them. The loop of the sampler
        knows the timesteps."""
        assert settings.plan is not None
        module.run(f"dit-outline-branches,dit-import-plan{{file={quote(settings.plan)}}}")

    def read_plan(self, settings: Settings) -> dict[str, Any]:
        """The plan as a table, as ``--dit-export-plan`` writes it."""
        module = self.build(dataclasses.replace(settings, plan=None))
        self._import(module, settings)
        plan: dict[str, Any] = module.export_plan()
        return plan

    def report_caches(self, settings: Settings) -> dict[str, Any]:
        """What the plan keeps from step to step, as ``dit-report-caches`` says."""
        module = self.build(dataclasses.replace(settings, plan=None))
        self._import(module, settings)
        return self._report(module, "dit-report-caches")

    def compile(self, settings: Settings, **options: Any) -> Sampler:
        """The sampler as machine code; `options` are those of ``dit.compile``."""
        return Sampler(self, settings, self.build(settings), **options)

    def profile(self, settings: Settings, clip: int = 0, seed: int | None = None, *,
                measure: str = "masses=0.9", threads: int | None = None,
                **options: Any) -> tuple[dict[str, Any], Array]:
        """Samples densely, and measures every branch at every step.

        Args:
            measure: options of ``dit-instrument-profile``.
            options: of ``dit.compile``.

        Returns:
            What a profile file (docs/Spec.md) holds, and the sample.
        """
        module = self.build(settings).run(
            f"dit-outline-branches,dit-instrument-profile{{{measure}}}")
        sampler = Sampler(self, settings, module, **options)
        return sampler.entry.profile(*sampler.get_inputs(clip, self.get_noise(clip, seed)),
                                     threads=threads)

    def count(self, settings: Settings, clip: int = 0, seed: int | None = None, *,
              threads: int | None = None, **options: Any) -> tuple[dict[str, Any], Array]:
        """Samples, and counts the operations of each branch while it runs.

        Args:
            options: of ``dit.compile``.

        Returns:
            What ``--dit-report-work`` writes, with the numbers of this run, and
            the sample.
        """
        module = self.build(settings).run("dit-instrument-work")
        sampler = Sampler(self, settings, module, **options)
        inputs = sampler.get_inputs(clip, self.get_noise(clip, seed))
        video, values, layout = sampler.entry(*inputs, threads=threads)
        total = dict.fromkeys(("attention", "selection", "projection"), 0)
        work = json.loads(layout.tobytes())
        for entry, (runs, flops) in zip(work, values.tolist(), strict=True):
            entry |= {"runs": runs, "flops": flops}
            total[entry["kind"]] += flops
        return {"work": work, "total": total}, video

    def report_work(self, settings: Settings) -> dict[str, Any]:
        """The same by analysis, as ``--dit-report-work`` writes it."""
        return self._report(self.build(settings), "dit-report-work")

    @staticmethod
    def _report(module: Module, report: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "report.json")
            module.run(f"{report}{{file={quote(path)}}}")
            content: dict[str, Any] = json.loads(path.read_text())
        return content


class Sampler:
    """A compiled sampler; call it to sample."""

    def __init__(self, model: Model, settings: Settings, module: Module,
                 **options: Any) -> None:
        self.model = model
        self.settings = settings
        self.entry: Entry = compile(module, entries=ENTRY, **options)[ENTRY]

    def __call__(self, clip: int = 0, seed: int | None = None, *,
                 threads: int | None = None) -> Array:
        """A sample of a clip's text."""
        return self.run(clip, self.model.get_noise(clip, seed), threads=threads)

    def run(self, clip: int, noise: Array, *, threads: int | None = None) -> Array:
        """The same from given noise."""
        sample: Array = self.entry(*self.get_inputs(clip, noise), threads=threads)
        return sample

    def get_inputs(self, clip: int, noise: Array) -> tuple[Array, Array]:
        """What the program takes."""
        self.model._check_clip(clip)
        texts = self.model.texts
        return noise, texts[[clip, -1]]
