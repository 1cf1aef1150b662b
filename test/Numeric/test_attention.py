# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.attention against the double-precision model."""

import hypothesis
import pytest
from hypothesis import strategies as st

import batches
import programs
from attention_cases import attention_cases


@pytest.mark.parametrize("element", programs.FLOATS)
def test_attention(run, element):
    @hypothesis.given(st.lists(attention_cases((element,)), min_size=1, max_size=16))
    def check(cases):
        batches.check(cases, run)

    check()
