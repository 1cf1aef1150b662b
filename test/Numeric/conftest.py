# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Profiles of the generated tests, and what runs their programs."""

import functools

import hypothesis
import pytest

import runner

TARGETS = ["reference", "cpu"]


def pytest_configure(config):
    common = {
        "deadline": None,
        "derandomize": True,
        "database": None,
        "print_blob": False,
        # A failure names its case; to shrink whole programs takes too long.
        "phases": [hypothesis.Phase.explicit, hypothesis.Phase.generate],
        "suppress_health_check": list(hypothesis.HealthCheck),
    }
    hypothesis.settings.register_profile("normal", max_examples=8, **common)
    hypothesis.settings.register_profile("slow", max_examples=150, **common)
    slow = config.getoption("--slow", default=False)
    hypothesis.settings.load_profile("slow" if slow else "normal")


@pytest.fixture(scope="session", params=TARGETS)
def run(request, tools_dir):
    """Compiles and runs a program for each target in turn."""
    return functools.partial(runner.run, target=request.param, tools=tools_dir)
