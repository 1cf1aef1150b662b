# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU kernels at lengths around and far beyond a block, for each type and
kind of mask, against the double-precision model."""

import functools

import pytest

import batches
import model
import runner
from attention_cases import AttentionCase, Tiles
from backward_cases import NAMES, BackwardCase

LENGTHS = [1, 15, 64, 65, 1000]
MASKS = {
    "dense": {},
    "causal": {"pattern": model.Causal()},
    "window": {"pattern": model.Window(40, 25)},
    "tiles": {"tiles": Tiles((64, 64), True, True, 0.4, 0, False)},
    "ragged tiles": {"tiles": Tiles((96, 48), True, False, 0.4, 0, False)},
    "tokens": {"tiles": Tiles((32, 1), True, True, 0.2, 0, False)},
}


def make_case(element, length, size, mask):
    """Two query heads for one key head, tokens before heads."""
    options = {"pattern": None, "tiles": None} | MASKS[mask]
    return AttentionCase(
        type=element,
        batch=1,
        kv_heads=1,
        group=2,
        queries=length,
        keys=length,
        head_size=size,
        value_size=size,
        orders=("bshd",) * 4,
        dynamic="",
        bias=None,
        kv_valid=False,
        lse=True,
        magnitude=1.0,
        scale=size**-0.5,
        seed=length + size,
        **options,
    )


@pytest.fixture(name="run", scope="module")
def run_cpu(tools_dir):
    return functools.partial(runner.run, target="cpu", tools=tools_dir)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_lengths(run, element, mask):
    cases = [make_case(element, length, 64, mask) for length in LENGTHS]
    batches.check(cases, run)


@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_lengths_of_gradients(run, element):
    cases = [
        BackwardCase(make_case(element, length, 64, mask), ("bshd",) * len(NAMES))
        for length in (1, 65, 500)
        for mask in MASKS
    ]
    batches.check(cases, run)


@pytest.mark.parametrize("element", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("size", [16, 40, 96, 128, 256])
def test_head_sizes(run, element, size):
    forward = [make_case(element, length, size, "dense") for length in (65, 200)]
    gradient = BackwardCase(make_case(element, 65, size, "causal"), ("bshd",) * len(NAMES))
    batches.check([*forward, gradient], run)


@pytest.mark.slow
@pytest.mark.parametrize("element", ["f32", "bf16"])
def test_4096(run, element):
    cases = [make_case(element, 4096, 64, mask) for mask in ("dense", "tiles", "tokens")]
    batches.check(cases, run)
