# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sampling: a whole generation as one compiled program.

The command ``python -m dit.sample FOLDER --out sample.npy`` does it for a folder
as ``examples/wan-mini``; in Python it is

    from dit import sample

    model = sample.Model("examples/wan-mini")
    sampler = model.compile(sample.Settings(steps=30, guidance=2.0))
    video = sampler(clip=0, seed=7)

The denoiser runs on a batch of two, with the clip's text and with none, and the
loop over the steps, guidance and solver are part of the program.
"""

from dit.sample._model import Model, Sampler, Settings
from dit.sample._quality import psnr, ssim
from dit.sample._solvers import SOLVERS

__all__ = ["SOLVERS", "Model", "Sampler", "Settings", "psnr", "ssim"]
