# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search for a plan: profiles, trials, the planner, and what it promised."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dit._errors import ArgumentError
from dit.sample import Model, Settings
from dit.sample._model import Array, quote
from dit.sample._quality import PEAK
from dit.sample._solvers import TIME_SCALE
from dit.tune._evaluate import ADDED_HALF, FULL, SHARE, Evaluator, Mode, Trial, key_of

#: The calibrating plans change one kind of branch by one mode, at every second
#: step from the second on.
_PERIOD = 2


@dataclasses.dataclass(frozen=True)
class Options:
    """What to search.

    ``candidates`` are the steps and solvers to choose from. A sample has to come
    within ``min_psnr`` decibels of that of ``reference`` for each of ``samples``,
    pairs of a clip and a seed (None: its file); or, with ``max_loss``, within so
    many decibels less than the dense sampler in the same steps. Plans are asked
    of the planner for ``margin`` decibels more. ``rounds`` is how often a plan
    that fails, or holds with room, is tried again. Branches of other ``kinds``
    stay full.
    """

    candidates: Sequence[Settings]
    samples: Sequence[tuple[int, int | None]]
    min_psnr: float = 30.0
    max_loss: float | None = None
    margin: float = 0.0
    kinds: Sequence[str] | None = None
    share: bool = True
    modes: Sequence[Mode] = (ADDED_HALF,)
    reference: Settings = dataclasses.field(default_factory=Settings)
    rounds: int = 6
    threads: int | None = None


@dataclasses.dataclass
class Result:
    """A plan that holds, and what is known of it."""

    settings: Settings
    plan: dict[str, Any]
    psnr: list[float]
    predicted_seconds: float


class _Candidate:
    """Steps to choose from, with what was measured of them."""

    def __init__(self, settings: Settings, dense: Trial) -> None:
        self.settings, self.dense = settings, dense
        self.timesteps = [TIME_SCALE * u for u in settings.places]
        self.profile: dict[str, Any] = {}
        self.trials: list[Trial] = []


def to_psnr(error: float) -> float:
    """Decibels of a mean squared error."""
    return float(10 * np.log10(PEAK ** 2 / error)) if error > 0 else float("inf")


def estimate_seconds(profile: dict[str, Any], plan: dict[str, Any]) -> float:
    """What the plan takes by the times of the profile: a mode of half the batch
    is half of its branch."""
    seconds = {entry["site"]: entry["values"] for entry in profile["measured"]
               if entry["metric"] == "seconds" and "mode" not in entry}
    total = 0.0
    modes = {branch["site"]: branch["modes"] for branch in plan["branches"]}
    for site, values in seconds.items():
        for step, value in enumerate(values):
            key = key_of(modes[site][step]) if site in modes else FULL
            total += 0.0 if key == SHARE else value / 2 if '"half"' in key else value
    return total


class Search:
    """One search; ``run`` does it."""

    def __init__(self, model: Model, options: Options,
                 say: Callable[[str], None] = lambda text: None) -> None:
        if not options.samples or not options.candidates:
            raise ArgumentError("tune: expected a sample and a number of steps to try")
        self.model, self.options, self.say = model, options, say
        self.evaluator = Evaluator(model, options.modes, threads=options.threads)
        self.kinds = self.evaluator.kinds
        self._references: dict[tuple[int, int | None], Array] = {}

    def try_plan(self, settings: Settings, plan: dict[str, Any] | None) -> Trial:
        """The errors of all samples under a plan."""
        errors = []
        for clip, seed in self.options.samples:
            got = self.evaluator.sample(settings, plan, clip, seed)
            error = got.astype(np.float64) - self.get_reference(clip, seed)
            errors.append(float(np.mean(error ** 2)))
        return Trial(plan, errors)

    def get_reference(self, clip: int, seed: int | None) -> Array:
        """What the dense sampler makes of the noise."""
        key = (clip, seed)
        if key not in self._references:
            self.say(f"dense sample of clip {clip}")
            self._references[key] = self.evaluator.sample(self.options.reference, None, *key)
        return self._references[key]

    def find_candidates(self) -> list[_Candidate]:
        """Those whose dense samples keep to the bound, the fewest steps first."""
        found = []
        for settings in self.options.candidates:
            trial = self.try_plan(settings, None)
            least = to_psnr(max(trial.errors))
            self.say(f"{len(settings.places)} steps ({settings.solver}), dense: {least:.2f} dB")
            if self.options.max_loss is not None or least >= self.options.min_psnr:
                found.append(_Candidate(settings, trial))
        return sorted(found, key=lambda candidate: len(candidate.timesteps))

    def calibrate(self, candidate: _Candidate) -> None:
        """Profiles a candidate, and tries plans that change one kind of branch."""
        clip, seed = self.options.samples[0]
        candidate.profile, _ = self.model.profile(
            candidate.settings, clip, seed, measure="", threads=self.options.threads)
        for mode in self._modes():
            for kind in sorted(set(self.kinds.values())):
                if (not self._is_planned(kind)
                        or key_of(mode) not in self._measured_modes(candidate, kind)):
                    continue
                plan = self.make_plan(candidate, kind, mode)
                trial = self.try_plan(candidate.settings, plan)
                candidate.trials.append(trial)
                self.say(f"{len(candidate.timesteps)} steps, {kind} {key_of(mode)}: "
                         f"{to_psnr(max(trial.errors)):.2f} dB")

    def _modes(self) -> list[Mode]:
        return [*(["share"] if self.options.share else []), *self.options.modes]

    def _is_planned(self, kind: str) -> bool:
        return self.options.kinds is None or kind in self.options.kinds

    def get_bound(self, candidate: _Candidate) -> float:
        """What samples have to keep to, in decibels."""
        if self.options.max_loss is None:
            return self.options.min_psnr
        return to_psnr(max(candidate.dense.errors)) - self.options.max_loss

    def _measured_modes(self, candidate: _Candidate, kind: str) -> set[str]:
        return {key_of(entry["mode"]) for entry in candidate.profile["measured"]
                if entry["metric"] == "rse" and self.kinds[entry["site"]] == kind}

    def make_plan(self, candidate: _Candidate, kind: str, mode: Mode) -> dict[str, Any]:
        """A kind of branch under a mode at every second step."""
        modes = [mode if step % _PERIOD else "full" for step in range(len(candidate.timesteps))]
        return {"timesteps": candidate.timesteps,
                "branches": [{"site": site, "modes": modes}
                             for site, other in self.kinds.items() if other == kind]}

    def ask(self, candidate: _Candidate, min_psnr: float) -> dict[str, Any] | None:
        """The planner's best plan for the steps of a candidate."""
        wanted = set(map(key_of, self._modes()))
        measured = [entry for entry in candidate.profile["measured"]
                    if entry["metric"] == "seconds"
                    or (entry["metric"] == "rse" and key_of(entry["mode"]) in wanted
                        and self._is_planned(self.kinds[entry["site"]]))]
        trials: list[dict[str, Any]] = [{"errors": candidate.dense.errors}]
        module = self.model.build(candidate.settings).run("dit-outline-branches")
        with tempfile.TemporaryDirectory() as folder:
            for number, trial in enumerate(candidate.trials):
                path = pathlib.Path(folder, f"trial{number}.json")
                path.write_text(json.dumps(trial.plan))
                module.run(f"dit-import-plan{{file={quote(path)} name=trial{number}}}")
                trials.append({"plan": f"trial{number}", "errors": trial.errors})
            path = pathlib.Path(folder, "profile.json")
            path.write_text(json.dumps({"timesteps": candidate.timesteps, "measured": measured,
                                        "trials": trials}))
            module.run(f"dit-import-profile{{file={quote(path)}}}")
        try:
            module.run(f"dit-plan-auto{{min-psnr={min_psnr} metric=rse by-head=false}}")
        except Exception as error:  # There may be no plan that keeps to the bound.
            self.say(str(error).splitlines()[0])
            return None
        return module.export_plan("plan")

    def run(self) -> Result | None:
        """The fastest plan that holds in all samples, if any does."""
        best: Result | None = None
        for candidate in self.find_candidates():
            self.calibrate(candidate)
            bound = self.get_bound(candidate)
            asked = bound + self.options.margin
            for _ in range(self.options.rounds):
                plan = self.ask(candidate, asked)
                if plan is None or any(trial.plan == plan for trial in candidate.trials):
                    break
                trial = self.try_plan(candidate.settings, plan)
                psnr = [to_psnr(error) for error in trial.errors]
                seconds = estimate_seconds(candidate.profile, plan)
                self.say(f"{len(candidate.timesteps)} steps, planned {1000 * seconds:.0f} ms: "
                         f"{min(psnr):.2f} dB")
                candidate.trials.append(trial)
                if min(psnr) >= bound and (best is None or seconds < best.predicted_seconds):
                    best = Result(candidate.settings, plan, psnr, seconds)
        return best


def search(model: Model, options: Options,
           say: Callable[[str], None] = lambda text: None) -> Result | None:
    """The fastest plan that the search finds, or None if no steps keep to the
    bound."""
    return Search(model, options, say).run()
