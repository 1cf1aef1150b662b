#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs lit, the GTest programs and pytest, and sums them up in one line.

Each part streams its own output; results are read from the machine-readable
reports that the three runners write, so a part that crashes or reports nothing
counts as a failure.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import sanitizers

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What runs on a build under sanitizers beside lit and GTest.
SANITIZED_TESTS = [ROOT / "test" / "Numeric" / "test_attention.py",
                   ROOT / "test" / "Numeric" / "test_others.py"]
LLVM_TOOLS = pathlib.Path("/usr/lib/llvm-22/bin")


@dataclasses.dataclass
class Part:
    """What one runner did."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list = dataclasses.field(default_factory=list)

    def fail(self, what):
        self.failed += 1
        self.failures.append(what)


def junit_results(part, path, returncode):
    """Adds the results of a JUnit report to `part`."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        part.fail(f"{part.name}: no report ({error})")
        return
    for case in root.iter("testcase"):
        tags = {child.tag for child in case}
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        if tags & {"failure", "error"}:
            part.fail(name)
        elif "skipped" in tags:
            part.skipped += 1
        else:
            part.passed += 1
    if returncode and not part.failed:
        part.fail(f"{part.name}: exit code {returncode}")


def run_lit(args, reports):
    part = Part("lit")
    report = reports / "lit.xml"
    report.unlink(missing_ok=True)
    command = [LLVM_TOOLS / "lit", "-s", "-v", f"-j{args.jobs}",
               f"--xunit-xml-output={report}", args.build_dir / "test"]
    if args.keyword:
        command.append(f"--filter={args.keyword}")
    if args.verify_roundtrip:
        command.append("--param=verify_roundtrip=1")
    code = subprocess.run(command, check=False).returncode
    if args.keyword and code == 2 and not report.exists():
        return part  # nothing matched
    junit_results(part, report, code)
    return part


def run_gtest(args, reports):
    part = Part("gtest")
    programs = sorted(path for path in (args.build_dir / "test" / "Unit").rglob("*")
                      if path.is_file() and os.access(path, os.X_OK)
                      and path.suffix == "")
    for program in programs:
        report = reports / f"gtest-{program.name}.json"
        report.unlink(missing_ok=True)
        command = [program, f"--gtest_output=json:{report}", "--gtest_brief=1"]
        if args.keyword:
            command.append(f"--gtest_filter=*{args.keyword}*")
        code = subprocess.run(command, check=False).returncode
        try:
            suites = json.loads(report.read_text())["testsuites"]
        except (OSError, ValueError) as error:
            part.fail(f"{program.name}: no report ({error})")
            continue
        before = part.failed
        for suite in suites:
            for case in suite["testsuite"]:
                name = f"{program.name}:{suite['name']}.{case['name']}"
                if case.get("failures"):
                    part.fail(name)
                elif case.get("result") == "SKIPPED":
                    part.skipped += 1
                else:
                    part.passed += 1
        if code and part.failed == before:
            part.fail(f"{program.name}: exit code {code}")
    return part


def run_pytest(args, reports):
    part = Part("pytest")
    report = reports / "pytest.xml"
    report.unlink(missing_ok=True)
    tests = [ROOT / "test"] if args.sanitizer is None else SANITIZED_TESTS
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(args.jobs),
               f"--junitxml={report}", "--durations=5", *tests]
    if args.slow:
        command.append("--slow")
    if args.keyword:
        command += ["-k", args.keyword]
    environment = dict(os.environ, DIT_BUILD_DIR=str(args.build_dir))
    code = subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode
    if code == 5 and args.keyword:
        return part  # nothing matched
    junit_results(part, report, code)
    return part


def main():
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    # The first three are for ./dev, which knows what it did before.
    for name, kind in (("build-dir", pathlib.Path), ("setup-seconds", float),
                       ("build-seconds", float)):
        parser.add_argument(f"--{name}", type=kind, default=0, help=argparse.SUPPRESS,
                            required=kind is pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                        help="tests at a time (default: number of processors)")
    parser.add_argument("--slow", action="store_true", help="add the long sweeps")
    parser.add_argument("-k", dest="keyword", help="only tests whose name holds this")
    parser.add_argument("--verify-roundtrip", action="store_true",
                        help="give every dit-opt of the lit tests --verify-roundtrip")
    # What `./dev test asan` and `./dev test tsan` give.
    parser.add_argument("--sanitizer", choices=["asan", "tsan"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.sanitizer:
        os.environ.update(sanitizers.get_environment())
    reports = args.build_dir / "test-reports"
    reports.mkdir(parents=True, exist_ok=True)
    # Tests compile what they test, and leave the user's cache alone.
    os.environ["DIT_CACHE_DIR"] = ""

    parts = []
    runners = [("lit", run_lit), ("gtest", run_gtest), ("pytest", run_pytest)]
    if args.sanitizer == "tsan":
        runners = [("gtest", run_gtest)]
    for title, runner in runners:
        print(f"==> Running {title}", flush=True)
        start = time.monotonic()
        part = runner(args, reports)
        part.seconds = time.monotonic() - start
        parts.append(part)

    failures = [name for part in parts for name in part.failures]
    if failures:
        print("\nFailed:")
        for name in failures:
            print(f"  {name}")
    print(f"\n{'part':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>10}")
    print(f"{'setup':<10}{'':>25}{args.setup_seconds:>9.0f}s")
    print(f"{'build':<10}{'':>25}{args.build_seconds:>9.0f}s")
    for part in parts:
        print(f"{part.name:<10}{part.passed:>8}{part.failed:>8}{part.skipped:>9}"
              f"{part.seconds:>9.0f}s")
    passed = sum(part.passed for part in parts)
    failed = sum(part.failed for part in parts)
    if passed + failed == 0:
        print("no test ran", file=sys.stderr)
        return 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
