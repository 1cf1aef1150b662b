# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a program by `dit-run` on arrays of its own."""

import pathlib
import subprocess
import tempfile

import numpy as np

import programs

# Most of the time goes into optimizing code that runs once. What is optimized
# of the reference are upstream's loops, so it is left as it is; fast kernels
# are tested as they are used.
OPT_LEVELS = {"reference": 0, "cpu": 3}


class RunError(AssertionError):
    """The program could not be compiled or run."""


def run(program, target, tools, options=()):
    """The results of `main` on `target`, as arrays."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source = folder / "program.mlir"
        source.write_text(program.text())
        inputs, outputs = [], []
        for i, array in enumerate(program.inputs):
            inputs.append(str(folder / f"in{i}.npy"))
            np.save(inputs[-1], array)
        for i in range(len(program.results)):
            outputs.append(str(folder / f"out{i}.npy"))
        done = subprocess.run(
            [
                tools / "dit-run",
                source,
                f"--target={target}",
                f"--opt-level={OPT_LEVELS[target]}",
                f"--inputs={','.join(inputs)}",
                f"--outputs={','.join(outputs)}",
                *options,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        # A NaN in a result is an error to dit-run, but may be right here.
        if done.returncode and "elements are NaN" not in done.stderr:
            raise RunError(f"{done.stderr[-2000:]}\n{program.text()}")
        return [
            read(path, result.type) for path, result in zip(outputs, program.results)
        ]


def read(path, text):
    array = np.load(path)
    # NumPy knows bf16 as two raw bytes.
    return array.view(programs.BF16) if text.endswith("bf16>") else array
