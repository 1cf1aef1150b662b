# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.attention_backward against the double-precision model, and that and the
op against differences of dit.attention's model."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import batches
import model
import programs
import runner
from attention_cases import canonical
from backward_cases import backward_cases


@pytest.mark.parametrize("element", programs.FLOATS)
def test_attention_backward(run, element):
    @hypothesis.given(st.lists(backward_cases((element,)), min_size=1, max_size=12))
    def check(cases):
        batches.check(cases, run)

    check()


def loss(case, operands, do):
    """A function of q, k and v whose gradient the op gives for `do`."""
    q, k, v, bias, tiles, valid = operands
    o, _ = model.attention(
        *(q, k, v, case.scale, bias, case.mask(tiles, valid)),
    )
    return (o * do).sum()


def is_smooth(case):
    """A bias so large that q and k drown in it has steps, not slopes."""
    return case.forward.bias is None or "lowest" not in case.forward.bias.kind


def test_gradient_by_differences(run):
    """The op in f64 along random directions of q, k and v."""

    @hypothesis.settings(max_examples=3)
    @hypothesis.given(
        st.lists(backward_cases(("f64",)).filter(is_smooth), min_size=4, max_size=12)
    )
    def check(cases):
        for case, results in zip(cases, batches.run_cases(cases, run)):
            check_directions(case, results)

    check()


def check_directions(case, results):
    *operands, bias, tiles, valid = case.inputs()
    do = operands[5]
    analytic = model.attention_backward(
        *operands, case.forward.scale, bias, case.forward.mask(tiles, valid)
    )
    rng = np.random.default_rng(case.forward.seed + 4)
    step = 1e-5
    for i in range(3):
        direction = rng.standard_normal(operands[i].shape)
        sides = []
        for sign in (1, -1):
            moved = list(operands[:3])
            moved[i] = moved[i] + sign * step * direction
            sides.append(loss(case.forward, (*moved, bias, tiles, valid), do))
        difference = (sides[0] - sides[1]) / (2 * step)
        got = canonical(results[i], case.orders[5 + i])
        # The error of the difference grows with the terms of the sum.
        scale = 1 + np.abs(got * direction).sum()
        for gradient in (got, analytic[i]):
            assert abs((gradient * direction).sum() - difference) < 1e-6 * scale, case


def test_rows_without_weights(run):
    """A row of LSE -inf adds nothing, whatever its o is; NaN that nothing may
    look at does not spread."""
    rng = np.random.default_rng(7)
    shape = (1, 1, 70, 16)
    q, k, v, o, do = (rng.standard_normal(shape).astype(np.float32) for _ in range(5))
    lse = rng.standard_normal(shape[:3]).astype(np.float32) + 8
    lse[0, 0, 5:20] = -np.inf
    mask = np.tril(np.ones((1, 1, 70, 70), dtype=bool))
    expected = model.attention_backward(q, k, v, o, lse, do, 0.25, None, mask)
    program = programs.Program()
    values = [program.parameter(x) for x in (q, k, v, o, lse, do)]
    inits = [program.parameter(np.full_like(q, np.nan)) for _ in range(3)]
    program.op(
        f"dit.attention_backward {programs.ins(*values)} pattern(#dit.causal)",
        inits,
        "{scale = 0.25 : f64}",
    )
    results = run(program)
    for got, want in zip(results, expected):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    assert (results[0][0, 0, 5:20] == 0).all()


def test_same_bits_for_any_number_of_threads(tools_dir):
    """Parts of the keys depend on the shape, and are summed in order."""
    rng = np.random.default_rng(9)
    shape = (1, 2, 500, 32)
    q, k, v, o, do = (rng.standard_normal(shape).astype(np.float32) for _ in range(5))
    lse = rng.standard_normal(shape[:3]).astype(np.float32) + 8
    program = programs.Program()
    values = [program.parameter(x) for x in (q, k, v, o, lse, do)]
    inits = [program.parameter(np.zeros_like(q)) for _ in range(3)]
    program.op(
        f"dit.attention_backward {programs.ins(*values)}",
        inits,
        "{scale = 0.25 : f64}",
    )
    results = [
        runner.run(program, "cpu", tools_dir, [f"--threads={threads}"])
        for threads in (1, 2, 4)
    ]
    for other in results[1:]:
        for one, many in zip(results[0], other):
            assert one.tobytes() == many.tobytes()
