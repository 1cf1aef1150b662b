# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An environment with torch and torch-mlir for those who have none."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

REQUIREMENTS = pathlib.Path(__file__).parent / "requirements.txt"

# Runs the export with this package, which comes after all that the environment
# holds itself.
_BOOTSTRAP = ("import runpy, sys; sys.path.append(sys.argv.pop(1)); "
              "runpy.run_module('dit.export', run_name='__main__', alter_sys=True)")


def is_here() -> bool:
    """Whether this interpreter has what the export needs."""
    return all(importlib.util.find_spec(name) for name in ("torch", "torch_mlir"))


def default_folder() -> pathlib.Path:
    """Where the environment is kept: one for each interpreter and set of
    requirements."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return pathlib.Path(cache) / "dit" / f"export-py{version}-{digest}"


def prepare(folder: pathlib.Path | None) -> pathlib.Path:
    """The interpreter of the environment in `folder`, or of the default one,
    which is made if it is not there."""
    given = folder or (os.environ.get("DIT_EXPORT_VENV") or None)
    place = pathlib.Path(given) if given else default_folder()
    python = place / "bin" / "python"
    if given:
        if not python.exists():
            raise FileNotFoundError(f"no environment in {place}: there is no {python}")
        return python
    complete = place / ".complete"
    if not complete.exists():
        print(f"Installing torch, torch-mlir and diffusers into {place} (once, some minutes)",
              file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "-r", REQUIREMENTS], check=True)
        complete.touch()
    return python


def rerun(python: pathlib.Path, arguments: Sequence[str]) -> int:
    """Runs the export with `arguments` in another environment; its exit code."""
    package_folder = pathlib.Path(__file__).absolute().parents[2]
    return subprocess.run([python, "-c", _BOOTSTRAP, package_folder, *arguments],
                          check=False).returncode
