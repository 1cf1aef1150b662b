#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the fuzz targets one after the other and sorts what they find.

A finding is ours when the stack of the crash holds a frame of our sources, or
when a target itself says what does not hold. Other crashes are upstream's; they
are counted and kept, and do not fail the run.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time

import sanitizers

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = ROOT / "test" / "Fuzz" / "Corpus"
TARGETS = ("arrays", "bytecode", "capi", "options", "parser", "passes", "plans")
MEMORY_MB = 4096
TIMEOUT_S = 25
# An input of this kind takes a compilation or two.
SLOW_TARGETS = {"capi", "passes"}
# These keep a context between inputs. libFuzzer takes what it keeps for a leak, and
# looks for it after every input, which takes longer than the input. Leaks are
# found when a process ends.
CACHING_TARGETS = {"bytecode", "options", "parser", "passes", "plans"}
TEXT_TARGETS = {"options", "parser", "plans"}


@dataclasses.dataclass
class Result:
    """What one target did."""

    target: str
    executions: int = 0
    coverage: int = 0
    seconds: float = 0.0
    ours: dict = dataclasses.field(default_factory=dict)
    upstream: dict = dataclasses.field(default_factory=dict)


def environment():
    return dict(os.environ, **sanitizers.get_environment())


def limits(target):
    timeout = TIMEOUT_S * (4 if target in SLOW_TARGETS else 1)
    return [f"-rss_limit_mb={MEMORY_MB}", "-malloc_limit_mb=2048", f"-timeout={timeout}"]


def fuzz(program, target, seconds, work):
    """Fuzzes for some time, over crashes."""
    corpus, findings = work / "corpus", work / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    command = [program, "-fork=1", "-ignore_crashes=1", "-ignore_ooms=1",
               "-ignore_timeouts=1", f"-max_total_time={seconds}", "-max_len=6000",
               f"-artifact_prefix={findings}/", *limits(target), corpus, SEEDS / target]
    if target in CACHING_TARGETS:
        command.insert(1, "-detect_leaks=0")
    if target in TEXT_TARGETS:
        command.insert(1, f"-dict={SEEDS.parent / 'dit.dict'}")
    log = work / "log.txt"
    start = time.monotonic()
    with log.open("w") as output:
        subprocess.run(command, check=False, stdout=output, stderr=output,
                       env=environment(), cwd=work)
    result = Result(target, seconds=time.monotonic() - start)
    for match in re.finditer(r"^#(\d+): cov: (\d+)", log.read_text(errors="replace"), re.M):
        result.executions = int(match[1])
        result.coverage = max(result.coverage, int(match[2]))
    return result


def replay(program, target, inputs, work):
    """Runs inputs once each; returns the output if that fails."""
    command = [program, *limits(target), f"-artifact_prefix={work}/", "-runs=0", *inputs]
    run = subprocess.run(command, check=False, capture_output=True, env=environment())
    text = (run.stdout + run.stderr).decode(errors="replace")
    return text if run.returncode else None


def describe(text):
    """(is it ours, one line) for the output of a failing input."""
    finding = re.search(r"^finding: (.*)", text, re.M)
    if finding:
        return True, finding[1][:160]
    kind = re.search(r"^(?:SUMMARY|==\d+==ERROR): (.*)", text, re.M)
    error = re.search(r"runtime error: (.*)", text)
    what = (error or kind)[1] if error or kind else "unknown failure"
    what = re.sub(r"\s*\(pc .*|\s+on address .*|\(0x.*", "", what)[:120]
    # The stack of the failure, not those of allocations that follow it.
    stack = re.split(r"\n\n", text[text.find("    #0"):])[0]
    ours = re.findall(rf"{re.escape(str(ROOT))}/(?:build[^/]*/\.\./)?((?:lib|include|tools)/\S+)", stack)
    return bool(ours), f"{what} at {ours[0]}" if ours else what


def sort_findings(program, result, work):
    for path in sorted((work / "findings").iterdir()):
        text = replay(program, result.target, [path], work)
        if text is None:
            continue  # A matter of what ran before, or of load.
        ours, line = describe(text)
        group = result.ours if ours else result.upstream
        group.setdefault(line, []).append(path)


def minimize(program, target, work):
    """Replaces the kept corpus by a smallest one of the same coverage."""
    merged = work / "merged"
    merged.mkdir(exist_ok=True)
    for path in merged.iterdir():
        path.unlink()
    subprocess.run([program, "-merge=1", "-max_len=6000", *limits(target), merged,
                    SEEDS / target, work / "corpus"], check=True, env=environment(),
                   capture_output=True)
    (SEEDS / target).mkdir(parents=True, exist_ok=True)
    for path in (SEEDS / target).iterdir():
        path.unlink()
    for index, path in enumerate(sorted(merged.iterdir(), key=lambda p: p.read_bytes())):
        (SEEDS / target / f"{index:03}").write_bytes(path.read_bytes())


def report(result):
    print(f"{result.target:<10}{result.executions:>10} executions in "
          f"{result.seconds:.0f} s, coverage {result.coverage}, "
          f"{len(result.ours)} findings of ours, {len(result.upstream)} upstream", flush=True)
    for kind, group in (("ours", result.ours), ("upstream", result.upstream)):
        for line, paths in group.items():
            print(f"  {kind}: {line} ({len(paths)} inputs, {paths[0]})", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET",
                        help=f"any of {', '.join(TARGETS)}; all if none")
    parser.add_argument("--build-dir", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)  # for ./dev
    time_limit = parser.add_mutually_exclusive_group()
    time_limit.add_argument("--minutes", type=float, default=1.0,
                            help="time for each target (default 1)")
    time_limit.add_argument("--replay", action="store_true",
                            help="only run the kept corpus")
    parser.add_argument("--minimize", action="store_true",
                        help="add what was found to the kept corpus, minimized")
    args = parser.parse_args()
    unknown = set(args.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    failed = False
    for target in args.targets or TARGETS:
        program = args.build_dir.resolve() / "bin" / "fuzz" / f"fuzz-{target}"
        work = args.build_dir.resolve() / "fuzz" / target
        work.mkdir(parents=True, exist_ok=True)
        if args.replay:
            text = replay(program, target, sorted((SEEDS / target).iterdir()), work)
            print(f"{target:<10}{'FAILED' if text else 'passed'}")
            if text:
                print(text)
            failed |= text is not None
            continue
        result = fuzz(program, target, round(args.minutes * 60), work)
        sort_findings(program, result, work)
        report(result)
        failed |= bool(result.ours)
        if args.minimize:
            minimize(program, target, work)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
