# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How far a result may be from the double-precision model.

The rule for attention: at most twice the error of the naive computation with
its weights rounded to the input type, plus one rounding of the output. Sums in
a lucky order can be exact, so the naive computation is done in several orders,
and counts for no less than a few roundings of the arithmetic type.
"""

import ml_dtypes
import numpy as np


class Mismatch(AssertionError):
    """A result outside its bound."""


def check_same_special(got, expected, what):
    """NaN and infinities have to stand in the same places."""
    for name, test in (
        ("NaN", np.isnan),
        ("+inf", lambda x: x == np.inf),
        ("-inf", lambda x: x == -np.inf),
    ):
        if (test(got) != test(expected)).any():
            place = tuple(np.argwhere(test(got) != test(expected))[0])
            raise Mismatch(
                f"{what}: expected {expected[place]} at {place}, got {got[place]} ({name})"
            )


def check_close(got, expected, bound, what):
    """`got` within `bound` (a number or an array) of `expected`."""
    if got.shape != expected.shape:
        raise Mismatch(f"{what}: expected shape {expected.shape}, got {got.shape}")
    got = got.astype(np.float64)
    check_same_special(got, expected, what)
    finite = np.isfinite(expected)
    error = np.zeros(got.shape)
    error[finite] = np.abs(got - np.where(finite, expected, 0))[finite]
    excess = error - bound
    if got.size and excess.max() > 0:
        place = np.unravel_index(excess.argmax(), got.shape)
        limit = np.broadcast_to(bound, got.shape)[place]
        raise Mismatch(
            f"{what}: expected {expected[place]} at {tuple(map(int, place))}, got "
            f"{got[place]}: off by {error[place]:.3g}, allowed {limit:.3g}"
        )


def output_rounding(expected, element):
    """The error of rounding `expected` to `element` once."""
    info = ml_dtypes.finfo(element)
    magnitude = np.abs(np.where(np.isfinite(expected), expected, 0.0))
    return float(info.eps) / 2 * magnitude + float(info.smallest_subnormal)


def check_attention(got, got_lse, expected, naives, spread, values):
    """`naives` are naive outputs, `spread` is the largest score and `values`
    the largest |v|."""
    element = got.dtype
    if element == np.float64:
        bound, lse_bound = 1e-12 * max(1.0, values), 1e-12
    else:
        naive_error = 0.0
        for naive in naives:
            finite = np.isfinite(naive) & np.isfinite(expected[0])
            error = np.abs(naive.astype(np.float64) - expected[0])
            naive_error = max(naive_error, error[finite].max(initial=0.0))
        least = float(np.finfo(np.float32).eps) * (1 + spread / 4) * values
        bound = 2 * max(naive_error, least) + output_rounding(expected[0], element)
        lse_bound = 1e-5
    check_close(got, expected[0], bound, "output")
    if got_lse is not None:
        finite = np.where(np.isfinite(expected[1]), np.abs(expected[1]), 0)
        check_close(got_lse, expected[1], lse_bound * np.maximum(1, finite), "lse")
