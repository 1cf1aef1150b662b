# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Options and fixtures that all Python tests share."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="add the long sweeps")


def pytest_configure(config):
    # Tests compile what they test, and leave the user's cache alone.
    os.environ["DIT_CACHE_DIR"] = ""
    config.addinivalue_line("markers", "slow: a long sweep, run with --slow")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="a long sweep; add --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def source_root():
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def tools_dir():
    """Folder of the built tools: $DIT_BUILD_DIR/bin, or build/bin."""
    tools = pathlib.Path(os.environ.get("DIT_BUILD_DIR", ROOT / "build")) / "bin"
    if not (tools / "dit-opt").exists():
        pytest.fail(f"no dit-opt in {tools}; run ./dev build, or set DIT_BUILD_DIR")
    return tools
