# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.attention against the double-precision model."""

import hypothesis
import numpy as np
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


@pytest.mark.parametrize("element", programs.FLOATS)
def test_attention_with_non_finite_operands(run, element):
    """NaN in listed keys reaches the rows that look there, and no others."""
    rng = np.random.default_rng(5)
    queries, keys, size = 40, 150, 8
    q, k, v = (
        rng.standard_normal((1, 1, length, size)).astype(programs.FLOATS[element])
        for length in (queries, keys, keys)
    )
    # Tile lists of 8 x 10: query tile a looks at key tiles a and a + 5.
    num = np.full((1, 1, 5), 2, np.int32)
    idx = np.array([[[[a, a + 5] for a in range(5)]]], np.int32)
    k[0, 0, 17, 3] = np.nan
    v[0, 0, 64, 2] = np.nan
    v[0, 0, 145] = np.nan
    program = programs.Program()
    values = [program.parameter(x) for x in (q, k, v)]
    tiles = [program.parameter(x) for x in (num, idx)]
    init = program.parameter(np.zeros_like(q))
    program.op(
        f"dit.attention {programs.ins(*values)} tiles({programs.join(tiles)} : "
        f"{programs.types(tiles)}) by [8, 10]",
        [init],
        "{scale = 0.5 : f64}",
    )
    (output,) = run(program)
    expected = np.zeros(q.shape, dtype=bool)
    # Key 17 is in tile 1 of query tile 1, key 64 in tile 6 of the same, and
    # key 145 in tile 14 of none.
    expected[0, 0, 8:16] = True
    assert (np.isnan(output.astype(np.float32)) == expected).all()


def test_attention_with_nan_in_values(run):
    """NaN in v stays in its column."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, 1, 130, 8)).astype(np.float32)
    v = x.copy()
    v[0, 0, 100, 2] = np.nan
    program = programs.Program()
    values = [program.parameter(a) for a in (x, x, v)]
    init = program.parameter(np.zeros_like(x))
    program.op(
        f"dit.attention {programs.ins(*values)}", [init], "{scale = 0.5 : f64}"
    )
    (output,) = run(program)
    assert np.isnan(output[..., 2]).all()
    assert np.isfinite(np.delete(output, 2, axis=-1)).all()
