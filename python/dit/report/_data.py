# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Profiles and plans as the page needs them: read, and checked."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
from typing import Any

from dit._errors import ArgumentError, FileError


@dataclasses.dataclass(frozen=True)
class Measured:
    """A quantity of a site: numbers by step, head and age."""

    site: str
    metric: str
    mass: float | None
    mode: Any
    values: list[list[list[float]]]

    def get(self, step: int, head: int | None = None, age: int = 1) -> float:
        """One number; without a head, the mean over them."""
        heads = self.values[step]
        if head is not None:
            return heads[head][age - 1]
        return sum(ages[age - 1] for ages in heads) / len(heads)


@dataclasses.dataclass(frozen=True)
class Profile:
    """What was measured, in the order of the file."""

    timesteps: list[float]
    measured: list[Measured]
    trials: list[dict[str, Any]]

    @property
    def sites(self) -> list[str]:
        """Names, in the order in which they come."""
        return list(dict.fromkeys(entry.site for entry in self.measured))

    def find(self, metric: str, site: str | None = None, mode: Any = None) -> list[Measured]:
        """The quantities of a metric (and a site, and a mode)."""
        return [entry for entry in self.measured
                if entry.metric == metric and site in (None, entry.site)
                and (mode is None or entry.mode == mode)]


@dataclasses.dataclass(frozen=True)
class Branch:
    """What a plan has for one site: modes by step and head, as strings or
    objects."""

    site: str
    kind: str
    modes: list[list[Any]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """A table of modes."""

    timesteps: list[float]
    branches: list[Branch]


def _load(path: pathlib.Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise FileError(f"{path}: no JSON: {error}") from error
    if not isinstance(content, dict):
        raise FileError(f"{path}: expected an object")
    return content


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _timesteps(path: pathlib.Path, content: dict[str, Any]) -> list[float]:
    times = content.get("timesteps")
    if not isinstance(times, list) or not times or not all(map(_is_number, times)):
        raise FileError(f"{path}: timesteps: expected an array of numbers")
    return [float(time) for time in times]


def _nest(place: str, values: Any, steps: int) -> list[list[list[float]]]:
    """Values of any of the three forms of a file, by step, head and age."""
    if not isinstance(values, list) or len(values) != steps:
        raise FileError(f"{place}: expected an entry for each of the {steps} steps")
    nested = []
    for step in values:
        heads = step if isinstance(step, list) else [step]
        nested.append([head if isinstance(head, list) else [head] for head in heads])
        if not heads or not all(ages and all(map(_is_number, ages)) for ages in nested[-1]):
            raise FileError(f"{place}: expected finite numbers")
    form = [list(map(len, heads)) for heads in nested]
    if form.count(form[0]) != len(form):
        raise FileError(f"{place}: expected as many numbers at each step")
    return nested


def read_profile(path: pathlib.Path) -> Profile:
    """A profile file (docs/Spec.md)."""
    content = _load(path)
    times = _timesteps(path, content)
    entries = content.get("measured")
    if not isinstance(entries, list):
        raise FileError(f"{path}: measured: expected an array")
    measured = []
    for index, entry in enumerate(entries):
        place = f"{path}: measured[{index}]"
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str)
                                                  for key in ("site", "metric")):
            raise FileError(f"{place}: expected an object with site and metric")
        measured.append(Measured(entry["site"], entry["metric"], entry.get("at"),
                                 entry.get("mode"),
                                 _nest(f"{place}.values", entry.get("values"), len(times))))
    if not measured:
        raise FileError(f"{path}: measured: expected at least one quantity")
    return Profile(times, measured, content.get("trials") or [])


def parse_plan(path: pathlib.Path, content: dict[str, Any]) -> Plan:
    """A plan as a table (docs/Spec.md, "Plan files")."""
    branches = content.get("branches")
    if not isinstance(branches, list):
        raise FileError(f"{path}: expected a plan as a table, with branches; --model says the "
                        "sites that other forms are for")
    times = _timesteps(path, content)
    parsed = []
    for index, branch in enumerate(branches):
        place = f"{path}: branches[{index}]"
        if not isinstance(branch, dict) or not isinstance(branch.get("site"), str):
            raise FileError(f"{place}: expected an object with a site")
        modes = branch.get("modes")
        if not isinstance(modes, list) or len(modes) != len(times):
            raise FileError(f"{place}.modes: expected one for each of the {len(times)} steps")
        table = [step if isinstance(step, list) else [step] for step in modes]
        for mode in (mode for heads in table for mode in heads):
            if not isinstance(mode, str) and not (isinstance(mode, dict)
                                                  and isinstance(mode.get("mode"), str)):
                raise FileError(f"{place}.modes: expected names or objects with mode, got "
                                f"{json.dumps(mode)}")
        parsed.append(Branch(branch["site"], branch.get("kind", "self"), table))
    return Plan(times, parsed)


def read_plan(path: pathlib.Path) -> Plan:
    """The same from a file."""
    return parse_plan(path, _load(path))


def check(profile: Profile, plan: Plan) -> None:
    """Raises unless the plan is for the steps and sites of the profile."""
    if len(plan.timesteps) != len(profile.timesteps):
        raise ArgumentError(f"expected a plan for the {len(profile.timesteps)} steps of the "
                            f"profile, got {len(plan.timesteps)}")
    missing = [branch.site for branch in plan.branches if branch.site not in profile.sites]
    if missing:
        raise ArgumentError(f"expected a plan for the sites of the profile, which has no "
                            f"'{missing[0]}'")
