# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Merging, token order and reuse, against the model."""

import hypothesis
import pytest
from hypothesis import strategies as st

import batches
from other_cases import merge_cases, reuse_cases, token_cases


@pytest.mark.parametrize("cases", [merge_cases, token_cases, reuse_cases])
def test_other_ops(run, cases):
    @hypothesis.given(st.lists(cases(), min_size=1, max_size=24))
    def check(batch):
        batches.check(batch, run)

    check()
