# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The search of DiTFastAttn (arXiv 2406.08552), on the model itself.

Steps in order, the layers of a step in order, each takes the first strategy whose
loss at the output of the model, at this step, stays below its part of the
threshold. A trial runs one step, from the state that the steps before it left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dit.sample import Settings
from dit.sample._model import Array
from dit.sample._solvers import TIME_SCALE, tabulate
from dit.tune._evaluate import Evaluator, Mode, can_have

#: The kinds of branches that it is about.
_KINDS = ("full", "spatial", "temporal", "self", "joint")


def strategies(window: int) -> list[Mode]:
    """In the order in which they are tried; the last resort is full."""
    masked: Mode = {"mode": "window", "width": window, "residual": True}
    return ["share", masked | {"half": "first"}, masked, {"mode": "full", "half": "first"}]


def measure_loss(got: Array, wanted: Array) -> float:
    """The mean relative difference, each cut at 10."""
    largest = np.maximum(np.abs(got), np.abs(wanted)) + 1e-6
    return float(np.minimum(np.abs(got - wanted) / largest, 10.0).mean())


def plan_greedily(evaluator: Evaluator, settings: Settings, threshold: float, window: int,
                  samples: list[tuple[int, int | None]]) -> dict[str, Any]:
    """A plan for the attentions over tokens of their own, by samples that go
    through the steps side by side."""
    places = settings.places
    layers = [i for i, site in enumerate(evaluator.sites) if evaluator.kinds[site] in _KINDS]
    modes = strategies(window)
    chosen = np.zeros((len(places), len(evaluator.sites)), np.int64)
    runs = []
    for clip, seed in samples:
        x = evaluator.model.get_noise(clip, seed)
        runs.append((clip, x, np.zeros_like(x), evaluator.initial))
    for at, (u, step) in enumerate(zip(places, tabulate(settings.solver, places))):
        def denoise(row: Array) -> list[tuple[Array, list[Array]]]:
            return [evaluator.denoise(x, u, clip, row, states)  # noqa: B023
                    for clip, x, _, states in runs]  # noqa: B023

        wanted = denoise(chosen[at])
        for number, layer in enumerate(layers if at else []):
            for mode in modes:
                if not can_have(evaluator.kinds[evaluator.sites[layer]], mode):
                    continue
                row = chosen[at].copy()
                row[layer] = evaluator.get_place(mode)
                loss = np.mean([measure_loss(got, best)
                                for (got, _), (best, _) in zip(denoise(row), wanted)])
                if loss < threshold * (number + 1) / len(layers):
                    chosen[at] = row
                    break
        outcomes = denoise(chosen[at]) if chosen[at].any() else wanted
        runs = [(clip, *evaluator.guide(step, x, v, past), states)
                for (clip, x, past, _), (v, states) in zip(runs, outcomes)]
    names = ["full", *modes]
    places_of = {evaluator.get_place(mode): mode for mode in names}
    return {"timesteps": [TIME_SCALE * u for u in places],
            "branches": [{"site": evaluator.sites[layer],
                          "modes": [places_of[int(place)] for place in chosen[:, layer]]}
                         for layer in layers]}
