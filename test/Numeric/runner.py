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

# CPUs that are not this one, as far as kernels are concerned: what they look
# like depends on these values, and this machine runs it.
DEVICES = {
    "avx2": {
        "vector_bits": 256,
        "vector_registers": 16,
        "bf16_dot": 0,
        "vector_compress": 0,
    },
    "neon": {
        "vector_bits": 128,
        "vector_registers": 32,
        "bf16_dot": 0,
        "vector_compress": 0,
    },
}


def on_device(text, device):
    """The program `text` with the description of a CPU."""
    values = ", ".join(f'"{k}" = {v} : i64' for k, v in DEVICES[device].items())
    spec = f'"CPU" = #dlti.target_device_spec<{values}>'
    return (
        f"module attributes {{dlti.target_system_spec = "
        f"#dlti.target_system_spec<{spec}>}} {{\n{text}}}\n"
    )


class RunError(AssertionError):
    """The program could not be compiled or run."""


def run(program, target, tools, options=(), device=None):
    """The results of `main` on `target`, as arrays; kernels are those of
    `device` or of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source = folder / "program.mlir"
        text = program.text()
        source.write_text(on_device(text, device) if device else text)
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
