# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `python -m dit.sample`."""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import sys
from typing import Any

import numpy as np

import dit
from dit._errors import ArgumentError, Error, FileError
from dit.sample import SOLVERS, Model, Settings, psnr, ssim
from dit.sample._model import read_array, read_timesteps
from dit.sample._progress import Progress

_DESCRIPTION = """\
Samples a video from a folder with a denoiser, as examples/wan-mini: the loop over
the steps, guidance and solver are one compiled program with the model.
"""

_EPILOG = """\
examples:
  python -m dit.sample examples/wan-mini --out video.npy --compare examples/wan-mini/sample0.npy
  python -m dit.sample examples/latte-mini --steps 12 --solver dpm++ --clip 2 --seed 7 --out video.npy  python -m dit.sample examples/wan-mini --plan pab.json --out video.npy

where pab.json is, for example,
  {"broadcast": {"full": {"period": 2, "window": [100, 850]}, "cross": {"period": 6, "window": [100, 850]}}}
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dit.sample", description=_DESCRIPTION, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", type=pathlib.Path, metavar="DIR",
        help="holds denoise.mlirbc, text.npy, and if they are needed noise0.npy, ..., sites.json")
    add("--steps", type=int, metavar="N", help="steps of the sampler (default: those of "
        "--timesteps or of the plan, else 30)")
    add("--guidance", type=float, default=2.0, metavar="G",
        help="v = v_null + G (v_text - v_null) (default: 2)")
    add("--clip", type=int, default=0, metavar="I", help="row of text.npy (default: 0)")
    add("--seed", type=int, metavar="S", help="start from random numbers, not from noise<I>.npy")
    add("--solver", default="euler", choices=list(SOLVERS),
        help="euler, or of second order: adams (Adams-Bashforth), dpm++ (DPM-Solver++ 2M)")
    add("--shift", type=float, default=1.0, metavar="S",
        help="steps nearer to the noise above 1 (default: 1, even steps)")
    add("--timesteps", metavar="T,T,...", help="the timesteps, from 1000 at most downward")
    add("--plan", type=pathlib.Path, metavar="FILE",
        help="what each branch of the model does at each step (docs/Spec.md, Plan files)")
    add("--remap", action="store_true", help="fit a plan for other steps to these")
    add("--form", default="table", choices=["table", "steps"],
        help="with a plan: one body for all steps (default), or one for each that differs")
    add("--out", type=pathlib.Path, metavar="FILE", help="where the sample goes, as .npy")
    add("--profile", type=pathlib.Path, metavar="FILE",
        help="measure every branch at every step, and write the profile there, as JSON")
    add("--work", type=pathlib.Path, metavar="FILE",
        help="count the operations of every branch while it runs, and write them there, as JSON")
    add("--compare", type=pathlib.Path, metavar="FILE", help="a sample to measure the distance to")
    add("--tolerance", type=float, metavar="X",
        help="fail if a value differs from --compare by more")
    add("--threads", type=int, metavar="N", help="threads (default: all processors)")
    add("--repeat", type=int, default=1, metavar="N", help="sample so often; the best time counts")
    add("--target", default="cpu", choices=["cpu", "reference"], help="see dit.compile")
    add("--no-cache", action="store_true", help="compile anew and keep nothing")
    add("--json", action="store_true", help="print what is reported as JSON")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    timesteps = None
    if options.timesteps is not None:
        try:
            timesteps = tuple(map(float, options.timesteps.split(",")))
        except ValueError:
            raise ArgumentError("--timesteps: expected numbers separated by commas, got "
                                f"'{options.timesteps}'") from None
        if options.steps not in (None, len(timesteps)):
            raise ArgumentError(f"--steps: expected {len(timesteps)}, as many as --timesteps has, "
                                f"got {options.steps}")
        if options.shift != 1:
            raise ArgumentError("--shift: expected no shift of given --timesteps")
    # A plan knows the steps that it is for.
    if options.plan is not None and timesteps is options.steps is None and options.shift == 1:
        timesteps = read_timesteps(options.plan)
    steps = 30 if options.steps is None else options.steps
    return Settings(steps, options.guidance, options.solver, options.shift, timesteps,
                    options.plan, options.remap, options.form)


def _check(options: argparse.Namespace) -> None:
    """What costs nothing to find out before the work."""
    if options.repeat < 1:
        raise ArgumentError(f"--repeat: expected at least 1, got {options.repeat}")
    if options.threads is not None and options.threads < 1:
        raise ArgumentError(f"--threads: expected at least 1, got {options.threads}")
    if options.profile is not None and options.plan is not None:
        raise ArgumentError("--profile: expected no --plan: the dense sampler is profiled")
    if options.tolerance is not None and options.compare is None:
        raise ArgumentError("--tolerance: expected --compare beside it")
    if options.profile is not None and options.work is not None:
        raise ArgumentError("--work: expected no --profile beside it")
    for name in ("out", "profile", "work"):
        path = getattr(options, name)
        if path is not None and not path.absolute().parent.is_dir():
            raise FileError(f"--{name}: {path.parent}: no such folder")


def _compare(sample: np.ndarray[Any, Any], path: pathlib.Path,
             wanted: np.ndarray[Any, Any]) -> dict[str, Any]:
    if wanted.shape != sample.shape:
        raise ArgumentError(f"--compare: {path}: expected the extents {list(sample.shape)}, "
                            f"got {list(wanted.shape)}")
    decibels = psnr(sample, wanted)
    return {"max_abs_error": float(np.abs(sample - wanted).max()),
            "psnr_db": None if math.isinf(decibels) else decibels, "ssim": ssim(sample, wanted)}


def _write(path: pathlib.Path, sample: np.ndarray[Any, Any]) -> None:
    try:
        with path.open("wb") as file:
            np.save(file, sample)
    except OSError as error:
        raise FileError(f"--out: {path}: {error.strerror}") from error


def _print(report: dict[str, Any]) -> None:
    print(f"{report['folder']}: {report['steps']} steps ({report['solver']}), guidance "
          f"{report['guidance']:g}, clip {report['clip']}"
          f"{', plan ' + report['plan'] if report['plan'] else ''}: ready in "
          f"{report['compile_time_s']:.2f} s, sampled in {report['time_s']:.3f} s "
          f"on {report['threads']} threads")
    if "max_abs_error" in report:
        decibels = report["psnr_db"]
        print(f"difference: at most {report['max_abs_error']:.2e}; PSNR "
              f"{'infinite' if decibels is None else f'{decibels:.2f} dB'}, "
              f"SSIM {report['ssim']:.4f}")
    if "total" in report:
        print("operations: " + ", ".join(f"{kind} {flops * 1e-9:.3f} GFLOP"
                                         for kind, flops in report["total"].items()))
    for path in filter(None, (report["out"], report["profile"], report["work"])):
        print(f"wrote {path}")


def _measure(options: argparse.Namespace, settings: Settings
             ) -> tuple[np.ndarray[Any, Any], float, list[float], dict[str, Any]]:
    """Samples while it measures: the sample, times, and what to report of it."""
    model = Model(options.folder)
    counts = options.profile is None
    name, path = ("work", options.work) if counts else ("profile", options.profile)
    with Progress(f"{'counting' if counts else 'profiling'} {settings.num_steps} "
                  "steps") as running:
        measured, sample = (model.count if counts else model.profile)(
            settings, options.clip, options.seed, threads=options.threads,
            target=options.target, cache=not options.no_cache)
    try:
        path.write_text(json.dumps(measured, indent=1 if counts else None))
    except OSError as error:
        raise FileError(f"--{name}: {path}: {error.strerror}") from error
    return sample, 0.0, [running.seconds], {"total": measured["total"]} if counts else {}


def _run(options: argparse.Namespace, settings: Settings
         ) -> tuple[np.ndarray[Any, Any], float, list[float], dict[str, Any]]:
    """The sample, the seconds until it could be made, and those of each run."""
    with Progress("reading, transforming and compiling") as compiling:
        model = Model(options.folder)
        noise = model.get_noise(options.clip, options.seed)
        sampler = model.compile(settings, target=options.target, cache=not options.no_cache)
    seconds = []
    for _ in range(options.repeat):
        with Progress(f"sampling in {settings.num_steps} steps") as running:
            sample = sampler.run(options.clip, noise, threads=options.threads)
        seconds.append(running.seconds)
    return sample, compiling.seconds, seconds, {}


def _sample(options: argparse.Namespace) -> None:
    _check(options)
    settings = _settings(options)
    wanted = None if options.compare is None else read_array(options.compare)
    measures = options.profile is not None or options.work is not None
    sample, ready, seconds, found = (_measure if measures else _run)(options, settings)
    report = {"folder": str(options.folder), "steps": settings.num_steps,
              "solver": settings.solver, "guidance": settings.guidance, "clip": options.clip,
              "seed": options.seed, "plan": None if options.plan is None else str(options.plan),
              "threads": options.threads or dit.get_num_threads(),
              "compile_time_s": ready, "time_s": min(seconds),
              "out": None if options.out is None else str(options.out),
              "profile": None if options.profile is None else str(options.profile),
              "work": None if options.work is None else str(options.work), **found}
    if not np.isfinite(sample).all():
        raise Error("the sample holds values that are not finite")
    if options.out is not None:
        _write(options.out, sample)
    if wanted is not None:
        report |= _compare(sample, options.compare, wanted)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    if options.tolerance is not None and not report["max_abs_error"] <= options.tolerance:
        raise Error(f"--compare: {options.compare}: the sample differs by "
                    f"{report['max_abs_error']:.2e}, more than {options.tolerance:.2e}")


def main(arguments: list[str]) -> int:
    """Runs the command; what is wrong is one line."""
    options = _parser().parse_args(arguments)
    try:
        _sample(options)
        return 0
    except Error as error:
        lines = [str(entry) for entry in getattr(error, "diagnostics", [])
                 if entry.severity.name == "ERROR"][:1] or [str(error)]
        print(f"dit.sample: {lines[0].splitlines()[0]}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
