# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels for other CPUs than this one, against the double-precision model.

The module's description of the CPU says how wide vectors are, how many there
are and which instructions there are none of; this machine runs the result.
"""

import functools

import hypothesis
import pytest
from hypothesis import strategies as st

import batches
import runner
from attention_cases import attention_cases
from backward_cases import backward_cases
from pair_cases import pair_cases
from selection_cases import score_cases, scored_topk_cases, topk_cases
from test_lengths import LENGTHS, MASKS, make_case


@pytest.fixture(name="run", scope="module", params=runner.DEVICES)
def run_device(request, tools_dir):
    return functools.partial(
        runner.run, target="cpu", tools=tools_dir, device=request.param
    )


@pytest.mark.parametrize(
    "cases",
    [
        attention_cases,
        pair_cases,
        backward_cases,
        score_cases,
        scored_topk_cases,
        topk_cases,
    ],
)
def test_cases(run, cases):
    @hypothesis.settings(max_examples=2)
    @hypothesis.given(st.lists(cases(), min_size=6, max_size=12))
    def check(batch):
        batches.check(batch, run)

    check()


@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_lengths(run, element):
    cases = [make_case(element, length, 64, mask) for mask in MASKS for length in LENGTHS[1:4]]
    batches.check(cases, run)
