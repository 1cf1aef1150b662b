# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exported transformers through the whole compiler, beside PyTorch's output.

`export.py` wrote the models; the cpu target raises their attentions first, the
reference target runs a module that was raised before, so that both compare
what raising made of the model with what PyTorch computed.
"""

import pathlib
import subprocess

import pytest

INPUTS = pathlib.Path(__file__).resolve().parent / "Inputs"
MODELS = sorted(path.name for path in INPUTS.iterdir() if path.is_dir())
# Largest error relative to the largest value of the output.
TOLERANCES = {"f32": 1e-4, "bf16": 3e-2}


def arrays(model, kind):
    """The files `kind`0.npy, `kind`1.npy, ... of a model."""
    count = len(list((INPUTS / model).glob(f"{kind}[0-9]*.npy")))
    return ",".join(str(INPUTS / model / f"{kind}{i}.npy") for i in range(count))


def compare(tools_dir, module, model, target):
    element = "bf16" if model.endswith("bf16") else "f32"
    done = subprocess.run(
        [
            tools_dir / "dit-run",
            module,
            f"--target={target}",
            f"--inputs={arrays(model, 'in')}",
            f"--expect={arrays(model, 'out')}",
            f"--tolerance={TOLERANCES[element]}",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "max rel error" in done.stdout


@pytest.mark.parametrize("model", MODELS)
def test_cpu(tools_dir, model):
    compare(tools_dir, INPUTS / model / "model.mlirbc", model, "cpu")


@pytest.mark.parametrize("model", MODELS)
def test_raised_reference(tools_dir, tmp_path, model):
    raised = tmp_path / "raised.mlirbc"
    subprocess.run(
        [
            tools_dir / "dit-opt",
            INPUTS / model / "model.mlirbc",
            "--dit-raise-attention",
            "--emit-bytecode",
            "-o",
            raised,
        ],
        check=True,
    )
    compare(tools_dir, raised, model, "reference")
