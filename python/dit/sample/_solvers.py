# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Solvers of the sampling equation, as tables of coefficients.

A model trained by flow matching gives the velocity v of x at u, where x is noise
at u = 1 and the sample at u = 0. All solvers here are linear in what they know,
so that one loop runs them all: at step i

    x      <- x_x[i] x + x_v[i] v + x_p[i] past
    past   <- past_x[i] x + past_v[i] v

with the x from before the step. `dit-build-sampler` has the same numbers in its
programs; these are for loops in Python, as those of dit.tune.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from dit._errors import ArgumentError

#: What the model takes as time at u = 1.
TIME_SCALE = 1000.0


@dataclasses.dataclass(frozen=True)
class Step:
    """The coefficients of one step."""

    x_x: float = 1.0
    x_v: float = 0.0
    x_p: float = 0.0
    past_x: float = 0.0
    past_v: float = 0.0


def place(steps: int, shift: float = 1.0) -> list[float]:
    """Where the steps start, u from 1 downward: `1 - i / steps`, drawn towards 1
    by a shift above 1 as in diffusers."""
    if steps < 1:
        raise ArgumentError(f"steps: expected at least 1, got {steps}")
    if not shift > 0 or math.isinf(shift):
        raise ArgumentError(f"shift: expected a positive number, got {shift:g}")
    even = (1 - i / steps for i in range(steps))
    return [u if shift == 1 else shift * u / (1 + (shift - 1) * u) for u in even]


def from_timesteps(timesteps: Sequence[float]) -> list[float]:
    """The same for given timesteps, which have to fall."""
    for i, t in enumerate(timesteps):
        before = timesteps[i - 1] if i else TIME_SCALE
        if not (0 < t <= before and (i == 0 or t < before)):
            raise ArgumentError(f"timesteps: expected falling numbers from {TIME_SCALE:g} at most "
                                f"to above 0, got {t:g} at step {i}")
    if not timesteps:
        raise ArgumentError("timesteps: expected at least one")
    return [t / TIME_SCALE for t in timesteps]


def _euler(u: float, to: float, before: float | None) -> Step:
    return Step(x_v=to - u)


def _adams(u: float, to: float, before: float | None) -> Step:
    """Adams and Bashforth's method of second order; the past is a velocity."""
    if before is None:
        return Step(x_v=to - u, past_v=1)
    half = (to - u) ** 2 / (2 * (u - before))
    return Step(x_v=to - u + half, x_p=-half, past_v=1)


def _dpm(u: float, to: float, before: float | None) -> Step:
    """DPM-Solver++(2M) (arXiv 2211.01095) for alpha = 1 - u and sigma = u; the
    past is a prediction of the sample, x - u v. Of first order where the
    logarithm of alpha / sigma is infinite: first, second and last step."""
    if before is None or before >= 1 or to <= 0:
        return Step(x_v=to - u, past_x=1, past_v=-u)

    def log_snr(at: float) -> float:
        return math.log((1 - at) / at)

    ahead = (log_snr(to) - log_snr(u)) / (log_snr(u) - log_snr(before)) / 2
    weight = 1 - to / u
    return Step(x_x=to / u + weight * (1 + ahead), x_v=-weight * (1 + ahead) * u,
                x_p=-weight * ahead, past_x=1, past_v=-u)


#: Name, and whether something of the step before is carried along.
SOLVERS = {"euler": (_euler, False), "adams": (_adams, True), "dpm++": (_dpm, True)}


def has_past(solver: str) -> bool:
    """Whether a solver carries something from step to step besides x."""
    return SOLVERS[solver][1]


def tabulate(solver: str, places: Sequence[float]) -> list[Step]:
    """The coefficients of every step."""
    if solver not in SOLVERS:
        raise ArgumentError(f"solver: expected one of {', '.join(SOLVERS)}, got '{solver}'")
    step, _ = SOLVERS[solver]
    return [step(u, places[i + 1] if i + 1 < len(places) else 0.0, places[i - 1] if i else None)
            for i, u in enumerate(places)]
