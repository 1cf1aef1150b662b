# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Samples under many plans by one compiled program.

The denoiser becomes a step function that is told the mode of every branch at run
time (``--dit-apply-plan=step-by-branch``): the "steps" of the plan that it is
compiled under are no steps of a sampler, but a menu of modes, of which each
branch is given one. The loop over the steps is here, and remembers the values of
the last sample after each step, so that the next sample only runs the steps from
the first that differs on.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dit._errors import ArgumentError
from dit._program import compile
from dit.sample import Model, Settings
from dit.sample._model import Array, quote
from dit.sample._solvers import TIME_SCALE, Step, tabulate

#: A mode of a table file, without the step that it takes a value of.
Mode = Any


def key_of(mode: Mode) -> str:
    """The mode as text, whatever its source."""
    if isinstance(mode, str):
        mode = {"mode": mode}
    if not isinstance(mode, Mapping):
        raise ArgumentError("plan: expected one mode for all heads of a branch")
    return json.dumps({key: value for key, value in mode.items()
                       if key != "from" and value is not False}, sort_keys=True)


def can_have(kind: str, mode: Mode) -> bool:
    """Whether a kind of branch is tried under a mode: frames are too few for
    masks."""
    masked = isinstance(mode, Mapping) and mode["mode"] not in ("full", "share")
    return not (masked and kind in ("mlp", "cross", "temporal"))


FULL, SHARE = key_of("full"), key_of("share")
#: Half of the batch, and the other half by how far it was from this one.
ADDED_HALF: Mode = {"mode": "full", "residual": True, "half": "first"}


@dataclasses.dataclass
class Trial:
    """What a plan did to samples: their mean squared errors."""

    plan: dict[str, Any] | None
    errors: list[float]


@dataclasses.dataclass
class _Memory:
    """The values after each step of the last sample from one noise."""

    keys: list[Any]
    values: list[tuple[Array, Array, list[Array]]]


class Evaluator:
    """Runs samplers of a model under plans of modes in ``modes``."""

    def __init__(self, model: Model, modes: Sequence[Mode] = (ADDED_HALF,), *,
                 guidance: float = 2.0, threads: int | None = None) -> None:
        self.model, self.guidance, self.threads = model, guidance, threads
        self._menu: list[Mode] = ["full", {"mode": "share", "from": 0}]
        self._index = {FULL: 0, SHARE: 1}
        for mode in modes:
            mode = {"mode": mode} if isinstance(mode, str) else dict(mode)
            self._index[key_of(mode)] = len(self._menu)
            if mode.get("residual"):
                mode["from"] = 0
            # What it computes has to be kept as well as what is full.
            self._menu += [mode, {"mode": "share", "from": len(self._menu)}]
        self._memory: dict[tuple[int, int | None], _Memory] = {}
        self._compile()

    def _compile(self) -> None:
        module = self.model.build_denoiser()
        module.run("dit-outline-branches")
        # A plan of nothing lists all branches.
        listing = module.clone().import_plan({"timesteps": [0], "branches": []}).export_plan()
        self.kinds = {branch["site"]: branch["kind"] for branch in listing["branches"]}
        self.sites = list(self.kinds)
        branches = [{"site": site, "modes": self._menu_of(kind)}
                    for site, kind in self.kinds.items()]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "menu.json")
            path.write_text(json.dumps({
                "timesteps": [float(len(self._menu) - i) for i in range(len(self._menu))],
                "branches": branches}))
            module.run(f"dit-import-plan{{file={quote(path)}}},"
                       "dit-apply-plan{form=table step-by-branch}")
        program = compile(module, entries=[self.model.denoiser, "init_states"])
        self._step = program[self.model.denoiser]
        initial = program["init_states"]()
        self._initial = list(initial) if isinstance(initial, tuple) else [initial]

    def _menu_of(self, kind: str) -> list[Mode]:
        """The menu of a branch; what it cannot have is replaced by full."""
        return [mode if can_have(kind, mode) else "full" for mode in self._menu]

    def choose(self, plan: Mapping[str, Any] | None, steps: int) -> Array:
        """For each step and branch the mode of a plan as its place in the menu."""
        chosen = np.zeros((steps, len(self.sites)), np.int64)
        for branch in (plan or {"branches": []})["branches"]:
            if branch["site"] not in self.sites:
                raise ArgumentError(f"plan: no branch '{branch['site']}'")
            column = self.sites.index(branch["site"])
            if len(branch["modes"]) != steps:
                raise ArgumentError(f"plan: expected {steps} modes of '{branch['site']}', got "
                                    f"{len(branch['modes'])}")
            for step, mode in enumerate(branch["modes"]):
                key = key_of(mode)
                if key not in self._index:
                    raise ArgumentError(f"plan: the mode {key} of '{branch['site']}' is not among "
                                        "those to try")
                chosen[step, column] = self._index[key]
        return chosen

    @property
    def initial(self) -> list[Array]:
        """The states before the first step."""
        return self._initial

    def get_place(self, mode: Mode) -> int:
        """The place of a mode in the menu."""
        return self._index[key_of(mode)]

    def denoise(self, x: Array, u: float, clip: int, row: Array, states: Sequence[Array]
                ) -> tuple[Array, list[Array]]:
        """The velocities with and without the text, and the new states."""
        texts = self.model.texts[[clip, len(self.model.texts) - 1]]
        v, *after = self._step(np.concatenate([x, x]), np.full(2, TIME_SCALE * u, np.float32),
                               texts, row, *states, threads=self.threads)
        return v, after

    def guide(self, step: Step, x: Array, v: Array, past: Array) -> tuple[Array, Array]:
        """Guidance, and a step of the solver."""
        v = v[1:] + np.float32(self.guidance) * (v[:1] - v[1:])
        return (np.asarray(step.x_x * x + step.x_v * v + step.x_p * past, np.float32),
                np.asarray(step.past_x * x + step.past_v * v, np.float32))

    def sample(self, settings: Settings, plan: Mapping[str, Any] | None, clip: int,
               seed: int | None) -> Array:
        """A sample; what the last one of this clip and seed has in common with it
        is not computed again."""
        places = settings.places
        chosen = self.choose(plan, len(places))
        steps = tabulate(settings.solver, places)
        memory = self._memory.setdefault((clip, seed), _Memory([], []))
        keys = [(u, step, row.tobytes()) for u, step, row in zip(places, steps, chosen)]
        same = 0
        while same < min(len(keys), len(memory.keys)) and keys[same] == memory.keys[same]:
            same += 1
        del memory.keys[same:], memory.values[same:]
        x = self.model.get_noise(clip, seed)
        past, states = np.zeros_like(x), self._initial
        if same:
            x, past, states = memory.values[-1]
        for key, u, step, row in list(zip(keys, places, steps, chosen))[same:]:
            v, states = self.denoise(x, u, clip, row, states)
            x, past = self.guide(step, x, v, past)
            memory.keys.append(key)
            memory.values.append((x, past, states))
        return x
