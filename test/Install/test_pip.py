# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`pip install .` in a bare checkout, and what it installs, outside of it."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
INPUTS = pathlib.Path(__file__).resolve().parents[1]

PROGRAM = """
import dit, json, numpy, pathlib, subprocess
assert "site-packages" in dit.__file__, dit.__file__
module = dit.Module.parse('''
  func.func @f(%q: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
    %o = dit.attention ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>,
        tensor<1x2x8x4xf32>) outs(%q : tensor<1x2x8x4xf32>) {scale = 0.5 : f64, site = "a"}
    return %o : tensor<1x2x8x4xf32>
  }''')
again = dit.Module.parse(module.to_bytecode())
program = dit.compile(again, cache=False)
x = numpy.ones((1, 2, 8, 4), numpy.float32)
assert abs(program(x) - x).max() < 1e-6
try:
    dit.Module.parse(pathlib.Path("fault.mlirbc"))
except dit.CompileError as error:
    assert "the bytecode is damaged" in str(error)
program.write_shared_library("libf.so")
listing = subprocess.run(["ldd", "libf.so"], check=True, capture_output=True, text=True)
assert "libdit_runtime.so.0.1 => /" in listing.stdout, listing.stdout
print("ok")
"""


def run(*command, **arguments):
    return subprocess.run([str(part) for part in command], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **arguments)


@pytest.fixture(scope="module")
def folder(tools_dir):
    """An empty folder; always the same, so that ccache knows its paths."""
    folder = tools_dir.parent / "test" / "Pip"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def checkout(source_root, folder):
    """What git has, and nothing that was built or ignored."""
    listing = run("git", "ls-files", "-z", cwd=source_root).stdout
    for name in filter(None, listing.split("\0")):
        if (source_root / name).is_file():
            target = folder / "checkout" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source_root / name, target)
    return folder / "checkout"


@pytest.fixture(scope="module")
def python(folder):
    """The interpreter of an empty environment."""
    run(sys.executable, "-m", "venv", folder / "venv")
    return folder / "venv" / "bin" / "python"


def pip_install(python, checkout, *options):
    """The command as a user gives it; ccache spares the second run of this test the
    minutes of the compiler."""
    environment = dict(os.environ, CCACHE_BASEDIR=str(checkout), CCACHE_NOHASHDIR="1",
                       CCACHE_SLOPPINESS="pch_defines,time_macros,include_file_mtime,"
                       "include_file_ctime", CMAKE_C_COMPILER_LAUNCHER="ccache",
                       CMAKE_CXX_COMPILER_LAUNCHER="ccache")
    return run(python, "-m", "pip", "install", "--disable-pip-version-check", ".", *options,
               cwd=checkout, env=environment)


def test_without_llvm(python, checkout):
    result = pip_install(python, checkout,
                         "--config-settings=cmake.define.CMAKE_DISABLE_FIND_PACKAGE_MLIR=ON")
    assert result.returncode != 0
    text = " ".join(result.stdout.split())
    assert "dit needs LLVM and MLIR 22.1, and no package MLIR was found" in text
    assert "libmlir-22-dev" in text


def test_install(python, checkout, folder):
    result = pip_install(python, checkout)
    assert result.returncode == 0, result.stdout[-4000:]
    outside = folder / "outside"
    outside.mkdir()
    shutil.copy(INPUTS / "CAPI" / "Inputs" / "fault.mlirbc", outside)
    result = run(python, "-I", "-c", PROGRAM, cwd=outside)
    assert result.stdout == "ok\n", result.stdout
    # The command, where there is no torch, and no environment to make one in.
    result = run(python, "-m", "dit.export", "--help", cwd=outside)
    assert result.returncode == 0 and "python -m dit.export wan/transformer" in result.stdout
    result = run(python, "-m", "dit.export", "m:f", "--venv", "none", cwd=outside)
    assert result.returncode == 1 and "no environment in none" in result.stdout
    venv = os.environ.get("DIT_EXPORT_VENV")
    if venv:
        build = INPUTS / "Python" / "Inputs" / "export_models.py"
        shutil.copy(build, outside)
        result = run(python, "-m", "dit.export", "export_models:build", "--venv", venv,
                     "--out", "net", "--check", cwd=outside)
        assert result.returncode == 0, result.stdout[-4000:]
        assert "largest difference to PyTorch" in result.stdout
