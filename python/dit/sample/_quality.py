# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How near one sample is to another. Values are taken to lie in [-1, 1]."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
PEAK = 2.0


def psnr(a: Array, b: Array) -> float:
    """The peak signal-to-noise ratio in dB, for a peak of 2."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return math.inf if error == 0 else 10 * math.log10(PEAK ** 2 / error)


def _blur(images: Array) -> Array:
    """A Gaussian of sigma 1.5 over 11 x 11 pixels, where it fits."""
    taps = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5 ** 2))
    taps /= taps.sum()
    for axis in (-2, -1):
        windows = np.lib.stride_tricks.sliding_window_view(images, len(taps), axis=axis)
        images = windows @ taps
    return images


def ssim(a: Array, b: Array) -> float:
    """The structural similarity of the last two dimensions, a mean over the
    others; NaN for images below 11 x 11."""
    if min(a.shape[-2:], default=0) < 11:
        return math.nan
    a, b = a.astype(np.float64), b.astype(np.float64)
    low, high = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean_a, mean_b = _blur(a), _blur(b)
    var_a, var_b = _blur(a * a) - mean_a ** 2, _blur(b * b) - mean_b ** 2
    both = _blur(a * b) - mean_a * mean_b
    return float(np.mean((2 * mean_a * mean_b + low) * (2 * both + high)
                         / ((mean_a ** 2 + mean_b ** 2 + low) * (var_a + var_b + high))))
