# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What needs PyTorch: run in the environment that `dit.export` uses."""

import os
import pathlib
import subprocess

import pytest

INPUTS = pathlib.Path(__file__).parent / "Inputs"


def run(torch_python, packages, *arguments):
    """Runs a program beside torch, with the package of the build tree."""
    environment = dict(os.environ, PYTHONPATH=str(packages), OMP_NUM_THREADS="2",
                       DIT_CACHE_DIR="")
    result = subprocess.run([torch_python, *map(str, arguments)], env=environment, check=False,
                            capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    return result.stdout


@pytest.mark.parametrize("first", ["dit", "torch"])
def test_in_one_process(torch_python, packages, first):
    assert run(torch_python, packages, INPUTS / "beside_torch.py", first).startswith("ok ")
