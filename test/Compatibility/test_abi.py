# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What programs find in the shared libraries, within a minor release."""

import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.parametrize("name", ["runtime", "c-api"])
def test_functions_stay(tools_dir, name):
    file = {"runtime": "libdit_runtime.so", "c-api": "libdit-c.so"}[name]
    listing = subprocess.run(["nm", "-D", "--defined-only", tools_dir.parent / "lib" / file],
                             check=True, capture_output=True, text=True).stdout
    present = {line.split()[-1] for line in listing.splitlines()}
    promised = set((HERE / f"{name}-symbols.txt").read_text().split())
    assert promised and promised <= present


@pytest.mark.parametrize("standard", ["c11", "c17"])
def test_layout_stays(source_root, standard):
    compiler = shutil.which("clang-22") or shutil.which("cc")
    subprocess.run([compiler, f"-std={standard}", "-fsyntax-only", "-Werror", "-I",
                    source_root / "include", HERE / "runtime-abi.c"], check=True)
