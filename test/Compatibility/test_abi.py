# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What programs find in the shared libraries, within a minor release."""

import pathlib
import re
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
# What each library may show; the last stand in for functions of compiler-rt.
OWN = {"runtime": r"dit_rt_\w+|__trunc[sd]fbf2", "c-api": r"dit[A-Z]\w+"}


@pytest.mark.parametrize("name", ["runtime", "c-api"])
def test_functions_stay(tools_dir, name):
    file = {"runtime": "libdit_runtime.so", "c-api": "libdit-c.so"}[name]
    listing = subprocess.run(["nm", "-D", "--defined-only", tools_dir.parent / "lib" / file],
                             check=True, capture_output=True, text=True).stdout
    present = {line.split()[-1] for line in listing.splitlines()}
    promised = set((HERE / f"{name}-symbols.txt").read_text().split())
    assert promised and promised <= present
    # A host may carry anything under other names.
    assert not [symbol for symbol in present if not re.fullmatch(OWN[name], symbol)]


@pytest.mark.parametrize("file", ["libdit_runtime.so", "libdit-c.so"])
def test_programs_name_the_minor_release(tools_dir, source_root, file):
    """What was linked with one minor release does not start with another."""
    version = re.search(r"project\(dit VERSION (\d+\.\d+)",
                        (source_root / "CMakeLists.txt").read_text())[1]
    dynamic = subprocess.run(["readelf", "-d", tools_dir.parent / "lib" / file], check=True,
                             capture_output=True, text=True).stdout
    assert f"[{file}.{version}]" in re.search(r"SONAME.*", dynamic)[0]


@pytest.mark.parametrize("standard", ["c11", "c17"])
def test_layout_stays(source_root, standard):
    compiler = shutil.which("clang-22") or shutil.which("cc")
    subprocess.run([compiler, f"-std={standard}", "-fsyntax-only", "-Werror", "-I",
                    source_root / "include", HERE / "runtime-abi.c"], check=True)
