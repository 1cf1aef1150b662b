# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `python -m dit.report`."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import Any

from dit._errors import Error, FileError
from dit.report import _data, _page

_DESCRIPTION = """\
Turns a profile, and a plan if there is one, into one page of HTML that needs nothing else:
modes by step, layer and head, sparsity, differences between steps, memory, time.
"""

_EPILOG = """\
examples:
  python -m dit.sample examples/wan-mini --profile profile.json
  python -m dit.report profile.json --out profile.html
  python -m dit.sample examples/wan-mini --plan pab.json --json > run.json
  python -m dit.report profile.json pab.json --model examples/wan-mini --run run.json --out plan.html
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dit.report", description=_DESCRIPTION, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("profile", type=pathlib.Path, help="a profile file, as of dit.sample --profile")
    add("plan", type=pathlib.Path, nargs="?", help="a plan for its steps; without --model a table")
    add("-o", "--out", type=pathlib.Path, default="report.html", metavar="FILE",
        help="the page (default: report.html)")
    add("--model", type=pathlib.Path, metavar="DIR",
        help="the folder of the model: any form of plan, and memory in bytes")
    add("--run", type=pathlib.Path, action="append", default=[], metavar="FILE",
        help="what dit.sample --json said of a run, dense or under the plan")
    add("--title", help="of the page")
    return parser


def _read_run(path: pathlib.Path) -> dict[str, Any]:
    content = _data._load(path)
    seconds = content.get("time_s")
    if not _data._is_number(seconds):
        raise FileError(f"{path}: expected what dit.sample --json prints, with time_s")
    return {"plan": content.get("plan"), "seconds": seconds}


def _expand(options: argparse.Namespace, profile: _data.Profile
            ) -> tuple[_data.Plan, dict[str, Any] | None]:
    """The plan as a table, and its caches if the model is known."""
    if options.model is None:
        return _data.read_plan(options.plan), None
    from dit.sample import Model, Settings

    model = Model(options.model)
    settings = Settings(timesteps=tuple(profile.timesteps), plan=options.plan)
    return (_data.parse_plan(options.plan, model.read_plan(settings)),
            model.report_caches(settings))


def _report(options: argparse.Namespace) -> None:
    profile = _data.read_profile(options.profile)
    runs = list(map(_read_run, options.run))
    plan, caches = None, None
    if options.plan is not None:
        plan, caches = _expand(options, profile)
        _data.check(profile, plan)
    name = options.plan or options.profile
    page = _page.write(options.title or f"{name.stem}: {len(profile.timesteps)} steps", profile,
                       plan, caches, runs)
    try:
        options.out.write_text(page)
    except OSError as error:
        raise FileError(f"--out: {options.out}: {error.strerror}") from error
    print(f"wrote {options.out}")


def main(arguments: list[str]) -> int:
    """Runs the command; what is wrong is one line."""
    options = _parser().parse_args(arguments)
    try:
        _report(options)
        return 0
    except Error as error:
        print(f"dit.report: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
