# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tiny configurations of the transformers in diffusers."""

import torch

MODELS = {}


def model(function):
    MODELS[function.__name__.replace("_", "-")] = function
    return function
