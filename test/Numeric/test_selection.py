# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ops that score and select tiles, against the double-precision model."""

import dataclasses
import functools

import hypothesis
import pytest
from hypothesis import strategies as st

import batches
import model
import runner
from selection_cases import (
    ScoreCase,
    ScoredTopkCase,
    TopkCase,
    list_cases,
    score_cases,
    scored_topk_cases,
    topk_cases,
)


@pytest.mark.parametrize(
    "cases", [topk_cases, list_cases, score_cases, scored_topk_cases]
)
def test_selection(run, cases):
    @hypothesis.given(st.lists(cases(), min_size=1, max_size=24))
    def check(batch):
        batches.check(batch, run)

    check()


def long_row(element, scores, **options):
    """Rows that the kernel samples before it counts them."""
    options = {"by": "fraction", "amount": 0.08, "keep": None, "capacity": 3000} | options
    return TopkCase(
        type=element,
        shape=(1, 2, 2, 9001),
        per_head=True,
        scores=scores,
        dynamic=False,
        seed=7,
        **options,
    )


@pytest.mark.parametrize("device", [None, "avx2"])
@pytest.mark.parametrize("element", ["f32", "f64"])
def test_long_rows(tools_dir, element, device):
    kinds = ["any", "ties", "special", "equal", "nothing", "ascending", "outliers"]
    cases = [long_row(element, kind) for kind in kinds]
    cases += [long_row(element, "any", amount=a) for a in (0.0, 0.0001, 0.5, 1.0)]
    cases += [
        long_row(element, "any", by="count", amount=0.5, capacity=9001),
        long_row(element, "ties", keep=model.Window(40, 900), amount=0.2),
        long_row(element, "ties", keep=model.Window(40, 900), capacity=500),
        long_row(element, "any", by="mass", amount=0.5),
    ]
    batches.check(
        cases,
        functools.partial(runner.run, target="cpu", tools=tools_dir, device=device),
    )


@pytest.mark.parametrize("device", [None, "avx2"])
@pytest.mark.parametrize("options", [{}, {"by": "count"}, {"by": "mass", "amount": 0.5}])
def test_long_scored_rows(tools_dir, options, device):
    """Rows of several register tiles, more of them than there are slots."""
    score = ScoreCase(
        type="f32",
        batch=1,
        key_heads=1,
        group=2,
        queries=32 * 220,
        keys=5001,
        rank=16,
        tile=(32, 1),
        proxy="center",
        scale=1.0,
        dynamic=False,
        seed=3,
    )
    topk = dataclasses.replace(
        long_row("f32", "any", **options), shape=score.expected().shape, capacity=5001
    )
    batches.check(
        [ScoredTopkCase(score, topk)],
        functools.partial(runner.run, target="cpu", tools=tools_dir, device=device),
    )
