# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.attention_pair against the double-precision model."""

import dataclasses

import hypothesis
import pytest
from hypothesis import strategies as st

import batches
import model
import programs
from pair_cases import PairCase, pair_cases
from test_lengths import make_case


@pytest.mark.parametrize("element", programs.FLOATS)
def test_pair(run, element):
    @hypothesis.given(st.lists(pair_cases((element,)), min_size=1, max_size=16))
    def check(cases):
        batches.check(cases, run)

    check()


@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_windows_of_several_steps(run, element):
    """Windows that reach over some of the steps of a block, and heads of
    several widths, one of them without limit and one skipped."""
    dense = dataclasses.replace(make_case(element, 700, 64, "dense"), lse=False)
    window = model.Window(150, 300)
    shared = dataclasses.replace(
        dense, kv_heads=2, group=2, half_widths=(-1, 33, 0, 400)
    )
    cases = [PairCase(dense, window, "bhsd"), PairCase(shared, None, "bshd")]
    batches.check(cases, run)
