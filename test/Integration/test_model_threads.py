# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models give the same bits on any number of threads."""

import subprocess

import numpy as np


def test_model_on_threads(source_root, tools_dir, tmp_path):
    example = source_root / "examples" / "wan-mini"
    rng = np.random.default_rng(0)
    inputs = []
    for i, shape in enumerate([(2, 3, 8, 32, 32), (2,), (2, 4, 32)]):
        inputs.append(str(tmp_path / f"in{i}.npy"))
        np.save(inputs[-1], rng.standard_normal(shape).astype(np.float32))
    outputs = []
    for threads in (1, 2, 4):
        outputs.append(tmp_path / f"out{threads}.npy")
        done = subprocess.run(
            [tools_dir / "dit-run", example / "denoise.mlirbc",
             f"--inputs={','.join(inputs)}", f"--outputs={outputs[-1]}",
             f"--threads={threads}", f"--cache-dir={tmp_path / 'cache'}"],
            check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    first = outputs[0].read_bytes()
    assert all(path.read_bytes() == first for path in outputs[1:])
