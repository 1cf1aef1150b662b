# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A random search for the placement of steps, under a plan or dense.

A pattern has a letter for each step: 1 computes all, 0 the half of the batch with
the text, the other half by its residual. Steps move at random from the best known
places; a move that raises the least PSNR of the samples is kept. Every try goes
into a file, which shows what was looked at.
"""

import json
import time

import numpy as np

from dit import sample, tune
from dit.tune._evaluate import ADDED_HALF

#: How far steps move at once, and how close they may come.
SPREAD, CLOSEST, LAST = 0.03, 0.02, 0.05


def make_plan(sites, pattern, places):
    """A pattern as a table file."""
    modes = ["full" if letter == "1" else ADDED_HALF for letter in pattern]
    return {"timesteps": [1000.0 * u for u in places],
            "branches": [{"site": site, "modes": modes} for site in sites]}


class Search:
    """The search for one pattern of a model."""

    def __init__(self, model, pattern, references, threads, evaluator=None):
        self.evaluator = evaluator or tune.Evaluator(model, threads=threads)
        self.pattern, self.references = pattern, references

    def score(self, places, enough):
        """The least PSNR of the samples; it ends once one is below `enough`."""
        settings = sample.Settings(timesteps=tuple(1000.0 * u for u in places), solver="adams")
        plan = make_plan(self.evaluator.sites, self.pattern, places)
        least = np.inf
        for (clip, seed), wanted in self.references.items():
            got = self.evaluator.sample(settings, plan, clip, seed)
            least = min(least, sample.psnr(got, wanted))
            if least < enough:
                break
        return float(least)

    def run(self, start, seconds, log):
        """The best places after so many seconds, and their score."""
        rng = np.random.default_rng(1)
        best, places = self.score(start, 0), list(start)
        log.append({"psnr": round(best, 3), "places": [round(u, 6) for u in places]})
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            move = rng.normal(0, SPREAD, len(places))
            if rng.random() < 0.5:
                alone = rng.integers(1, len(places))
                move = np.where(np.arange(len(places)) == alone, 1.5 * move, 0)
            move[0] = 0
            tried = [round(float(u + d), 6) for u, d in zip(places, move)]
            if tried[-1] < LAST or any(b > a - CLOSEST for a, b in zip(tried, tried[1:])):
                continue
            least = self.score(tried, best)
            log.append({"psnr": round(least, 3), "places": tried})
            if least > best:
                best, places = least, tried
        return places, best
