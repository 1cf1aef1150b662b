# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Many cases in one program."""

import bounds
import programs


def run_cases(cases, run):
    """The results of each case."""
    program = programs.Program()
    places = [case.emit(program) for case in cases]
    results = run(program)
    return [[results[i] for i in place] for place in places]


def check(cases, run):
    """Fails with every case whose results are wrong."""
    failures = []
    for case, results in zip(cases, run_cases(cases, run)):
        try:
            case.check(results)
        except bounds.Mismatch as mismatch:
            failures.append(f"{mismatch}\n  in {case}")
    assert not failures, "\n".join(failures)
