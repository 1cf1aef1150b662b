# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `python -m dit.tune`."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from dit._errors import ArgumentError, Error, FileError
from dit.sample import SOLVERS, Model, Settings
from dit.tune import Options, search
from dit.tune._evaluate import ADDED_HALF

_DESCRIPTION = """\
Searches for the fastest plan of a model, as examples/wan-mini, whose samples stay
near the dense ones: it profiles the model at each number of steps, tries plans,
and asks --dit-plan-auto, until a plan holds for all samples that were tried.
"""

_EPILOG = """\
examples:
  python -m dit.tune examples/wan-mini --min-psnr 30 --steps 5 6 --shift 2 --out plan.json
  python -m dit.sample examples/wan-mini --plan plan.json --solver adams --out video.npy
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dit.tune", description=_DESCRIPTION,
                                     epilog=_EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", type=pathlib.Path, metavar="DIR", help="as for dit.sample")
    add("--out", type=pathlib.Path, required=True, metavar="FILE", help="where the plan goes")
    add("--min-psnr", type=float, default=30.0, metavar="DB",
        help="how near to the dense sample, in each sample (default: 30)")
    add("--max-loss", type=float, metavar="DB",
        help="instead of --min-psnr: below the dense sampler in the same steps")
    add("--kinds", nargs="+", metavar="KIND",
        help="kinds of branches to plan for: full, spatial, temporal, cross, mlp (default: all)")
    add("--no-share", action="store_true", help="never share a branch")
    add("--margin", type=float, default=0.0, metavar="DB",
        help="how much more to ask of the planner, for samples that are not tried (default: 0)")
    add("--steps", type=int, nargs="+", default=[5, 6, 8], metavar="N",
        help="numbers of steps to choose from (default: 5 6 8)")
    add("--shift", type=float, nargs="+", default=[1.5, 2.0], metavar="S",
        help="shifts of the steps to choose from (default: 1.5 2)")
    add("--solver", nargs="+", default=["adams"], choices=list(SOLVERS),
        help="solvers to choose from (default: adams)")
    add("--reference-steps", type=int, default=30, metavar="N",
        help="steps of the dense sampler to stay near to (default: 30)")
    add("--clips", type=int, nargs="+", metavar="I", help="clips to try on (default: all)")
    add("--seeds", type=int, nargs="+", metavar="S",
        help="seeds to try on (default: the noise of the folder)")
    add("--mode", action="append", metavar="JSON",
        help="a mode to choose from besides full and share, as in a plan file (default: half of "
             "the batch with a residual)")
    add("--rounds", type=int, default=6, metavar="N", help="plans to try for each (default: 6)")
    add("--threads", type=int, metavar="N", help="threads (default: all processors)")
    return parser


def _modes(texts: list[str] | None) -> list[object]:
    if texts is None:
        return [ADDED_HALF]
    try:
        return [json.loads(text) for text in texts]
    except ValueError as error:
        raise ArgumentError(f"--mode: expected a mode as JSON: {error}") from error


def _tune(options: argparse.Namespace) -> None:
    if not options.out.absolute().parent.is_dir():
        raise FileError(f"--out: {options.out.parent}: no such folder")
    model = Model(options.folder)
    clips = range(model.clips) if options.clips is None else options.clips
    wanted = Options(
        candidates=[Settings(steps, solver=solver, shift=shift) for steps in options.steps
                    for solver in options.solver for shift in options.shift],
        samples=[(clip, seed) for seed in options.seeds or [None] for clip in clips],
        min_psnr=options.min_psnr, max_loss=options.max_loss, kinds=options.kinds,
        share=not options.no_share, margin=options.margin, modes=_modes(options.mode),
        reference=Settings(options.reference_steps), rounds=options.rounds,
        threads=options.threads)
    found = search(model, wanted, lambda text: print(text, file=sys.stderr, flush=True))
    if found is None:
        raise Error(f"no plan keeps to {options.min_psnr:g} dB; allow more steps or less")
    options.out.write_text(json.dumps(found.plan))
    print(f"{options.out}: {len(found.settings.places)} steps ({found.settings.solver}), "
          f"at least {min(found.psnr):.2f} dB")


def main(arguments: list[str]) -> int:
    """Runs the command; what is wrong is one line."""
    options = _parser().parse_args(arguments)
    try:
        _tune(options)
        return 0
    except Error as error:
        print(f"dit.tune: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
