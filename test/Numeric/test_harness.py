# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The comparison has to notice wrong results, or the other tests mean nothing."""

import dataclasses

import numpy as np
import pytest

import batches
import bounds
import model
import programs
import runner
from attention_cases import AttentionCase, Bias, Tiles
from other_cases import MergeCase, ReuseCase, TokenCase
from selection_cases import ListCase, ScoreCase, TopkCase

CASE = AttentionCase(
    type="f32",
    batch=2,
    kv_heads=2,
    group=2,
    queries=19,
    keys=21,
    head_size=16,
    value_size=8,
    orders=("bshd", "bhsd", "hbsd", "bshd"),
    dynamic="k",
    pattern=model.Window(4, 7),
    bias=Bias(full=(2, 3), type="f32", kind="infinite rows"),
    tiles=Tiles((4, 3), True, True, 0.6, 0, False),
    kv_valid=True,
    lse=True,
    magnitude=1.0,
    scale=0.25,
    seed=9,
)


def case_of(element):
    bias = dataclasses.replace(CASE.bias, type=programs.accumulator(element))
    return dataclasses.replace(CASE, type=element, bias=bias)


@pytest.mark.parametrize("element", programs.FLOATS)
def test_a_wrong_op_is_noticed(run, element):
    """The results of one op, taken for those of a slightly different one."""
    case = case_of(element)
    (results,) = batches.run_cases([case], run)
    case.check(results)
    mutations = [
        {"scale": 0.26},
        {"pattern": model.Window(4, 8)},
        {"pattern": None},
        {"tiles": None},
        {"bias": None},
        {"kv_valid": False},
        {"half_widths": (-1, -1, -1, -1)},
        {"orders": ("bshd", "bhsd", "hbsd", "sbhd")},
    ]
    for mutation in mutations:
        with pytest.raises(bounds.Mismatch):
            dataclasses.replace(case, **mutation).check(results)


def test_a_wrong_band_is_noticed(run):
    arrow = model.Arrow(0, 2, False)
    case = dataclasses.replace(CASE, pattern=arrow, half_widths=(1, -1, 0, 3))
    (results,) = batches.run_cases([case], run)
    case.check(results)
    for widths in (None, (2, -1, 0, 3), (1, 4, 0, 3), (1, -1, 2, 3), (0, -1, 0, 3)):
        with pytest.raises(bounds.Mismatch):
            dataclasses.replace(case, half_widths=widths).check(results)


@pytest.mark.parametrize("element", programs.FLOATS)
def test_a_wrong_element_is_noticed(run, element):
    case = case_of(element)
    ((output, lse),) = batches.run_cases([case], run)
    step = 5e-12 if element == "f64" else 2e-5 if element == "f32" else 0.05
    finite = tuple(np.argwhere(np.isfinite(lse))[0])
    empty = tuple(np.argwhere(lse == -np.inf)[0])
    b, h, i = finite
    off = output.astype(np.float64)
    off[b, i, h, 0] += step * max(1.0, abs(off[b, i, h, 0]))
    wrong_lse = lse.copy()
    wrong_lse[finite] += 1e-4
    not_empty = lse.copy()
    not_empty[empty] = -1e30
    missing = output.copy()
    missing[b, i, h] = np.nan
    for results in (
        (off.astype(output.dtype), lse),
        (output, wrong_lse),
        (output, not_empty),
        (missing, lse),
    ):
        with pytest.raises(bounds.Mismatch):
            case.check(results)


def test_a_program_that_does_not_verify_is_an_error(run):
    program = programs.Program()
    CASE.emit(program)
    program.lines = [line.replace("window<left = 4", "window<left = -9") for line in program.lines]
    with pytest.raises(runner.RunError, match="expected widths"):
        run(program)


TOPK = TopkCase(
    type="f32",
    shape=(2, 3, 5, 20),
    by="count",
    amount=0.5,
    per_head=True,
    keep=model.Window(0, 0),
    capacity=20,
    scores="ties",
    dynamic=False,
    seed=3,
)
LIST = ListCase(
    op="union",
    shape=(2, 3, 5),
    columns=12,
    densities=(0.4, 0.4),
    single=((False, True), (True, False)),
    cut=2,
    spare=1,
    dynamic=True,
    seed=3,
)
SCORE = ScoreCase("f32", 2, 1, 2, 17, 22, 8, (4, 8), "center", 0.5, False, 3)
MERGE = MergeCase("f32", (2, 2, 5, 8), 0.3, False, 3)
TOKENS = TokenCase("group", "f32", model.Grid(3, 4, 5, 2), (2, 2, 2), (2,), (3,), False, 3)
REUSE = ReuseCase("100110", 0, 8, True)


@pytest.mark.parametrize(
    ("case", "mutations"),
    [
        (TOPK, [{"keep": None}, {"by": "fraction"}, {"by": "mass"}, {"capacity": 6}]),
        (LIST, [{"cut": 6}, {"seed": 4}]),
        (dataclasses.replace(LIST, op="transpose"), [{"cut": 4}, {"seed": 4}]),
        (SCORE, [{"proxy": "first"}, {"proxy": "mean"}, {"scale": 0.50001}]),
        (MERGE, [{"seed": 4}, {"empty": 0.0}]),
        (TOKENS, [{"cube": (2, 2, 3)}, {"op": "ungroup"}]),
        (REUSE, [{"schedule": "100111"}, {"begin": 1}, {"otherwise": False}]),
    ],
)
def test_another_wrong_op_is_noticed(run, case, mutations):
    (results,) = batches.run_cases([case], run)
    case.check(results)
    for mutation in mutations:
        with pytest.raises(bounds.Mismatch):
            dataclasses.replace(case, **mutation).check(results)
