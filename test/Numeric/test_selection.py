# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ops that score and select tiles, against the double-precision model."""

import hypothesis
import pytest
from hypothesis import strategies as st

import batches
from selection_cases import list_cases, score_cases, topk_cases


@pytest.mark.parametrize("cases", [topk_cases, list_cases, score_cases])
def test_selection(run, cases):
    @hypothesis.given(st.lists(cases(), min_size=1, max_size=24))
    def check(batch):
        batches.check(batch, run)

    check()
