# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the package of the build tree importable."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = pathlib.Path(os.environ.get("DIT_BUILD_DIR", ROOT / "build")) / "python"

sys.path.insert(0, str(PACKAGES))


@pytest.fixture(scope="session")
def packages():
    """The folder to put into PYTHONPATH."""
    return PACKAGES


@pytest.fixture(scope="session")
def torch_python():
    """The interpreter of an environment with torch, torch-mlir and diffusers:
    that of $DIT_EXPORT_VENV. They are large, so no test installs them."""
    venv = os.environ.get("DIT_EXPORT_VENV")
    if not venv:
        pytest.skip("needs PyTorch: set DIT_EXPORT_VENV to the environment that "
                    "`python -m dit.export` made")
    python = pathlib.Path(venv) / "bin" / "python"
    if not python.exists():
        pytest.fail(f"DIT_EXPORT_VENV: no {python}")
    return python
