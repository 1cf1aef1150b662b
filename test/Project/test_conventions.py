# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conventions of the project that a program can check."""

import re
import shutil
import subprocess

import pytest

LICENSE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
# Longer than this, a library file is split.
MAX_LINES = 1000


def tracked(root, *patterns):
    listing = subprocess.run(["git", "ls-files", "--", *patterns], cwd=root,
                             check=True, capture_output=True, text=True)
    return [root / line for line in listing.stdout.splitlines()
            if (root / line).is_file()]


def test_every_source_names_the_license(source_root):
    sources = tracked(source_root, "*.h", "*.c", "*.cpp", "*.td", "*.py", "dev")
    assert sources
    missing = [str(path.relative_to(source_root)) for path in sources
               if LICENSE not in path.read_text()[:1000]]
    assert not missing


def test_library_files_are_not_huge(source_root):
    sources = tracked(source_root, "lib/*.cpp", "include/*.h", "tools/*.cpp")
    huge = {str(path.relative_to(source_root)): lines for path in sources
            if (lines := path.read_text().count("\n")) > MAX_LINES}
    assert not huge


def test_every_pass_has_a_test_of_its_name(source_root):
    passes = [name for path in tracked(source_root, "include/*.td")
              for name in re.findall(r'Pass<"([a-z0-9-]+)"', path.read_text())]
    tests = {path.stem for path in tracked(source_root, "test/*.mlir")}
    missing = [name for name in passes
               if name not in tests and name.removeprefix("dit-") not in tests]
    assert not missing


def test_no_machine_paths(source_root):
    found = subprocess.run(
        ["git", "grep", "-nIE", r"(^|[^.\w])/(root|home|work)/", "--", ".",
         ":!test/Project"], cwd=source_root, check=False, capture_output=True,
        text=True)
    assert found.stdout == ""


def test_sources_are_formatted(source_root):
    formatter = shutil.which("clang-format-22")
    if not formatter:
        pytest.skip("no clang-format-22")
    sources = tracked(source_root, "*.h", "*.c", "*.cpp")
    result = subprocess.run([formatter, "--dry-run", "--Werror", *sources],
                            check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[:3000]
