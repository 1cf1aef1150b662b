# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The examples in pages and in examples/embedding run, from the build tree."""

import os
import re
import subprocess
import sys

import pytest


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def python(source_root, tools_dir):
    """Runs Python with the package of the build tree."""
    packages = tools_dir.parent / "python"
    if not (packages / "dit").exists():
        pytest.skip("the Python package was left out: CMake found no nanobind")

    def run(*arguments):
        result = subprocess.run([sys.executable, *arguments], cwd=source_root, check=False,
                                env=dict(os.environ, PYTHONPATH=str(packages)),
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout
    return run


def run_c(source, tools_dir, source_root, folder):
    library = tools_dir.parent / "lib"
    program = folder / "program"
    subprocess.run(["clang-22", "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror",
                    f"-I{source_root / 'include'}", source, f"-L{library}", "-ldit-c",
                    f"-Wl,-rpath,{library}", "-o", program], check=True)
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def test_c_on_the_page(source_root, tools_dir, tmp_path):
    (text,) = blocks(source_root / "docs" / "Embedding.md", "c")
    (tmp_path / "page.c").write_text(text)
    assert run_c(tmp_path / "page.c", tools_dir, source_root, tmp_path) == "2 4 6 8\n"


def test_c_example(source_root, tools_dir, tmp_path):
    out = run_c(source_root / "examples" / "embedding" / "c" / "attention.c", tools_dir,
                source_root, tmp_path)
    assert "blocks.0.attn1" in out and "o[0] = 3.0000, o[2047] = 3.0000" in out


@pytest.mark.parametrize("page", ["docs/Embedding.md", "README.md"])
def test_python_on_the_pages(source_root, python, page):
    texts = blocks(source_root / page, "python")
    assert texts
    python("-c", "\n".join(texts))


def test_python_example(source_root, python):
    out = python(source_root / "examples" / "embedding" / "python" / "attention.py")
    assert "32 of 32 key tiles" in out and "mean difference 0.0%" in out
