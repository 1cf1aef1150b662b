#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All CPU kernels on one core, as ratios: of the machine's peak, of the dense
kernel, of peers. README.md beside this file says how to read them.

    ./dev bench cpu --json cpu.json --chart cpu.svg
    ./dev bench cpu --peers

Every round runs each case once, with the peak measured before it and the peers
after it, so that what else runs on the machine hits all alike; the shortest
time of all rounds counts, and each case is called once to warm up. `--peers`
installs the pinned packages of peers/requirements.txt from PyPI into a venv of
their own.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import attention_cpu
import numpy as np
import threads_cpu
from attention_cpu import Case, on_device, tensor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
# Products of a forward pass and of its gradient; each is 2 S^2 D operations.
PRODUCTS = {"forward": 2, "backward": 5}
# A full attention and one under a window, in one pass.
PAIRS = ["pair d64 f32", "pair d64 bf16"]


@dataclasses.dataclass
class Run:
    """A case in one direction, and what its rate is compared with."""

    name: str
    case: Case
    direction: str = "forward"
    # Share of the peak to reach, or share of the rate of run `dense`.
    target: float = None
    dense: str = None
    peers: bool = False

    def flops(self):
        return self.case.flops() / 2 * PRODUCTS[self.direction]

    def peak_factor(self):
        """A dot product of pairs of bf16 does two multiply-adds of f32."""
        return 2 if self.case.element == "bf16" else 1


def window(length, width):
    """A window whose positions are counted exactly at both ends."""
    side = width // 2
    positions = length * (2 * side + 1) - side * (side + 1)
    pattern = f"#dit.window<left = {side}, right = {side}>"
    return {"pattern": pattern, "share": positions / length**2}


def grid_window(length, sides):
    """A window in space and time on about `length` tokens in frames of 32 x 30
    places, its positions counted exactly; -1 does not limit."""
    extents = (round(length / 960), 32, 30)
    share = 1.0
    for extent, side in zip(extents, sides):
        if side >= 0:
            side = min(side, extent - 1)
            share *= (extent * (2 * side + 1) - side * (side + 1)) / extent**2
    grid, widths = "x".join(map(str, extents)), " x ".join(map(str, sides))
    pattern = f"#dit.grid_window<#dit.grid<{grid}>, {widths}>"
    return {"length": math.prod(extents), "pattern": pattern, "share": share}


def sparse_runs(direction, length, target, tokens_target):
    """Dense and 90 % sparse of one length."""
    dense = f"{direction} {length}"
    tiles = {"density": 0.1}

    def run(name, goal, **mask):
        case = Case(name, 1, mask.pop("length", length), 64, **mask)
        return Run(f"{dense} {name}", case, direction, goal, dense)

    return [
        Run(dense, Case(dense, 1, length, 64), direction),
        run("tiles 64x64", target, tile=(64, 64), **tiles),
        run("tiles 128x128", target, tile=(128, 128), **tiles),
        run("tokens 32x1", tokens_target, tile=(32, 1), **tiles),
        run("window", target, **window(length, length // 10)),
        run("grid window", None, **grid_window(length, (2, 8, 8))),
        run("grid window of rows", None, **grid_window(length, (2, 8, -1))),
        run("causal", target, pattern="#dit.causal", share=(1 + 1 / length) / 2),
    ]


def make_runs(length, sparse_length, long_length):
    def dense(size, element, direction, target, peers=False, bits=None):
        name = f"{direction} d{size} {element}"
        if bits:
            name += f", vectors of {bits} bits"
        case = Case(name, 4, length, size, element=element, bits=bits)
        return Run(name, case, direction, target, peers=peers)

    runs = [
        dense(64, "f32", "forward", 0.85, peers=True),
        dense(128, "f32", "forward", 0.90, peers=True),
        dense(64, "bf16", "forward", 0.68, peers=True),
        dense(128, "bf16", "forward", 0.72, peers=True),
        dense(64, "f32", "backward", 0.65, peers=True),
        dense(128, "f32", "backward", 0.65, peers=True),
        dense(64, "bf16", "backward", 0.50, peers=True),
        dense(128, "bf16", "backward", 0.50, peers=True),
        dense(64, "f32", "forward", None, bits=256),
        dense(128, "f32", "forward", None, bits=256),
        dense(64, "f32", "backward", None, bits=256),
    ]
    runs += sparse_runs("forward", sparse_length, 0.95, 0.70)
    runs += sparse_runs("backward", sparse_length // 2, 0.90, None)
    if long_length:
        runs += sparse_runs("forward", long_length, 0.95, 0.70)
    return runs


# ===-----------------------------------------------------------------------===#
# Programs
# ===-----------------------------------------------------------------------===#


def backward_program(case):
    """The module of a gradient, and the arrays that it takes."""
    rng = np.random.default_rng(0)
    shape = (1, case.heads, case.length, case.size)
    operand = tensor(*shape, element=case.element)
    lse = tensor(*shape[:3], element="f32")
    arrays = [rng.standard_normal(shape).astype(np.float32) for _ in range(5)]
    if case.element == "bf16":
        arrays = [(a.view(np.uint32) >> 16).astype(np.uint16) for a in arrays]
    # About what a row of independent scores of variance 1 gives.
    row = np.full(shape[:3], math.log(case.length * case.density) + 0.5, np.float32)
    arrays.insert(4, row)
    names = ["q", "k", "v", "o", "lse", "do"]
    types = [operand] * 4 + [lse, operand]
    arguments = [f"%{n}: {t}" for n, t in zip(names, types)]
    mask = f"pattern({case.pattern})" if case.pattern else ""
    if case.tile:
        num, idx = attention_cpu.tile_list(case, rng)
        lists = [tensor(*a.shape, element="i32") for a in (num, idx)]
        arguments += [f"%num: {lists[0]}", f"%idx: {lists[1]}"]
        arrays += [num, idx]
        mask += f" tiles(%num, %idx : {lists[0]}, {lists[1]})"
        mask += f" by [{case.tile[0]}, {case.tile[1]}]"
    three = ", ".join([operand] * 3)
    scale = float(case.size**-0.5)
    text = f"""
func.func @main({", ".join(arguments)}) -> ({three}) {{
  %init = tensor.empty() : {operand}
  %r:3 = dit.attention_backward ins({", ".join("%" + n for n in names)} : {", ".join(types)}) {mask}
      outs(%init, %init, %init : {three}) {{scale = {scale!r} : f64}}
  return %r#0, %r#1, %r#2 : {three}
}}
"""
    return on_device(text, case.bits), arrays


def pair_programs(length, size, element):
    """A residual's full step, full and under a window of 1/8 of the tokens per
    side: as a pair, and as two calls."""
    masks = ["", f"pattern(#dit.window<left = {length // 8}, right = {length // 8}>)"]
    cases = [Case("", 4, length, size, element=element) for _ in masks]
    for case, mask in zip(cases, masks):
        case.pattern = mask[len("pattern(") : -1] or None
    full, window = map(attention_cpu.attention_program, cases)
    text, arrays = full
    operand = tensor(1, 4, length, size, element=element)
    pair = text.replace(f"-> {operand} {{", f"-> ({operand}, {operand}) {{")
    pair = pair.replace("%o = dit.attention ", "%o, %w = dit.attention_pair ")
    pair = pair.replace(
        f"outs(%init : {operand})",
        masks[1].replace("pattern", "within") + f" outs(%init, %init : {operand}, {operand})",
    )
    pair = pair.replace(f"return %o : {operand}", f"return %o, %w : {operand}, {operand}")
    return {"pair": (pair, arrays), "full": full, "window": window}


def selection_program(length, sparsity):
    """Low-rank scores of query groups of 32 and their top-k by count."""
    rng = np.random.default_rng(0)
    low = tensor(1, 1, length, 16, element="f32")
    groups, count = length // 32, round((1 - sparsity) * length)
    scores = tensor(1, 1, groups, length, element="f32")
    num = tensor(1, 1, groups, element="i32")
    idx = tensor(1, 1, groups, count, element="i32")
    return (
        f"""
func.func @main(%q: {low}, %k: {low}) -> ({num}, {idx}) {{
  %s0 = tensor.empty() : {scores}
  %s = dit.low_rank_score ins(%q, %k : {low}, {low}) by [32, 1] proxy <center> outs(%s0 : {scores})
  %n0 = tensor.empty() : {num}
  %i0 = tensor.empty() : {idx}
  %num, %idx = dit.topk_mask ins(%s : {scores}) fraction({count / length!r}) outs(%n0, %i0 : {num}, {idx})
  return %num, %idx : {num}, {idx}
}}
""",
        [rng.standard_normal((1, 1, length, 16)).astype(np.float32) for _ in "qk"],
    )


# ===-----------------------------------------------------------------------===#
# Peers
# ===-----------------------------------------------------------------------===#


class Peer:
    """A process that times the attention of another library."""

    def __init__(self, name, python):
        self.name = name
        self.process = subprocess.Popen(
            [python, HERE / "peers" / "worker.py", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def time(self, case, direction, repeat):
        """The shortest of `repeat` calls in seconds; None if it cannot. A
        gradient is timed with the forward pass that it belongs to."""
        request = {
            "direction": direction,
            "heads": case.heads,
            "length": case.length,
            "size": case.size,
            "element": case.element,
            "repeat": repeat,
        }
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())["seconds"]
        except (BrokenPipeError, json.JSONDecodeError):
            return None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start_peers(names):
    """Peers in a venv of their own, made on first use."""
    venv = ROOT / ".venv-peers"
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    lines = (HERE / "peers" / "requirements.txt").read_text().splitlines()
    for name in names:
        wanted = [line for line in lines if line.startswith(name)]
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "numpy", *wanted], check=True
        )
    return [Peer(name, python) for name in names]


# ===-----------------------------------------------------------------------===#
# Measuring
# ===-----------------------------------------------------------------------===#


class Clock:
    """Shortest times by name."""

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.seconds = {}

    def keep(self, name, seconds):
        if seconds is not None:
            self.seconds[name] = min(seconds, self.seconds.get(name, math.inf))

    def run(self, name, program, arrays, repeat=None):
        repeat = repeat or self.args.repeat
        tool, folder = self.args.dit_run, self.folder
        self.keep(name, attention_cpu.run(program, arrays, repeat, tool, folder))

    def peak(self):
        """Multiply-adds of f32 of one core."""
        inputs = [np.array([0.999, 1e-3], np.float32)]
        program = attention_cpu.peak_program(self.args.lanes)
        self.run("peak", program, inputs, repeat=20)

    def peak_rate(self):
        operations = 2.0 * self.args.lanes * attention_cpu.PEAK_ACCUMULATORS
        return operations * attention_cpu.PEAK_STEPS / self.seconds["peak"]


def measure(args, runs, clock, peers):
    selection = selection_program(args.selection, 0.92)
    tokens = Case("tokens", 1, args.selection, 64, tile=(32, 1), density=0.08)
    pairs = {
        name: pair_programs(args.pair, 64, name.split()[-1])
        for name in PAIRS
        if not args.only or args.only in name
    }
    for _ in range(args.rounds):
        clock.peak()
        for run in runs:
            clock.peak()
            make = (
                attention_cpu.attention_program
                if run.direction == "forward"
                else backward_program
            )
            clock.run(run.name, *make(run.case))
            if run.peers:
                for peer in peers:
                    seconds = peer.time(run.case, run.direction, args.repeat)
                    clock.keep(f"{peer.name}: {run.name}", seconds)
        for name, programs in pairs.items():
            for part, program in programs.items():
                clock.run(f"{name}: {part}", *program)
        if not args.only or args.only in "selection":
            clock.run("selection", *selection)
            clock.run("selected attention", *attention_cpu.attention_program(tokens))
        if not args.only or args.only in "threads":
            measure_threads(args, clock)


def measure_threads(args, clock):
    """A second thread, when the work of the heads differs."""
    times = threads_cpu.measure(
        args.dit_run, 512 if args.small else 4096, 64, [1, 2], args.repeat
    )
    for (name, threads), seconds in times.items():
        clock.keep(f"threads: {name}: {threads}", seconds)


def make_rows(runs, clock, peers):
    """What is reported: (name, ratio, of what, target, seconds, GFLOP/s)."""
    rows = []
    rates = {run.name: run.flops() / clock.seconds[run.name] for run in runs}

    def add(name, ratio, of, target=None, seconds=None, rate=None):
        rows.append(
            {
                "case": name,
                "ratio": ratio,
                "of": of,
                "target": target,
                "seconds": seconds,
                "gflops": rate and rate / 1e9,
            }
        )

    peak = clock.peak_rate()
    for run in runs:
        if run.dense:
            base, of = rates[run.dense], f"{run.direction} dense rate"
        else:
            base, of = peak * run.peak_factor(), f"{run.case.element} peak"
        seconds = clock.seconds[run.name]
        add(run.name, rates[run.name] / base, of, run.target, seconds, rates[run.name])
    for peer in peers:
        for run in runs:
            theirs = clock.seconds.get(f"{peer.name}: {run.name}")
            if not run.peers or not theirs:
                continue
            ours, name, goal = clock.seconds[run.name], run.name, None
            if run.direction == "forward":
                goal = 1.15 if run.case.element == "bf16" else 1.1
            else:
                forward = run.name.replace("backward", "forward")
                if forward not in clock.seconds:
                    continue
                ours, name = ours + clock.seconds[forward], f"forward + {run.name}"
            add(name, theirs / ours, f"{peer.name}'s speed", goal, theirs)
    for name in PAIRS:
        pair, full, window = (
            clock.seconds.get(f"{name}: {part}") for part in ("pair", "full", "window")
        )
        if pair:
            add(name, pair / (full + window), "the time of two", None, pair)
            add(f"{name}, beside the full one", pair / full, "its time", None, pair)
    if "selection" in clock.seconds:
        seconds = clock.seconds["selection"]
        ratio = seconds / clock.seconds["selected attention"]
        add("selection 92 % sparse (at most)", ratio, "attention's time", 0.15, seconds)
    for name in threads_cpu.CASES:
        one = clock.seconds.get(f"threads: {name}: 1")
        if one:
            two = clock.seconds[f"threads: {name}: 2"]
            add(f"2 threads, {name}", one / two, "one thread's speed", 1.9, two)
    return rows


def report(rows, peak):
    print(f"FMA peak of one core, f32: {peak / 1e9:.1f} GFLOP/s; bf16 counts twice that")
    for row in rows:
        goal = f"(to reach {row['target']:.2f})" if row["target"] else ""
        rate = f"{row['gflops']:7.1f} GFLOP/s" if row["gflops"] else ""
        print(
            f"{row['ratio']:6.2f} of {row['of']:22} {goal:16} {row['case']:30}"
            f"{row['seconds'] * 1e3:9.2f} ms {rate}"
        )


def draw(rows, path):
    """Bars of the ratios, with a mark where each is to reach."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 0.28 * len(rows) + 1))
    places = range(len(rows))
    axes.barh(places, [row["ratio"] for row in rows], color="#4878a8")
    for place, row in zip(places, rows):
        if row["target"]:
            axes.plot([row["target"]] * 2, [place - 0.4, place + 0.4], color="#c04020")
    axes.set_yticks(places, [f"{row['case']}, of {row['of']}" for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("ratio; the line is what is to be reached")
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dit-run", default=ROOT / "build" / "bin" / "dit-run")
    parser.add_argument("--rounds", type=int, default=3, help="of all cases")
    parser.add_argument("--repeat", type=int, default=3, help="calls in a round")
    parser.add_argument("--lanes", type=int, default=16, help="of the peak's f32 vectors")
    parser.add_argument("--small", action="store_true", help="short lengths, to try it out")
    parser.add_argument("--long", action="store_true", help="sparse cases of 65536 tokens too")
    parser.add_argument(
        "--only", help='cases whose name holds this; "selection" and "threads" are two'
    )
    parser.add_argument("--peers", action="store_true", help="beside other libraries")
    parser.add_argument("--peer", action="append", help="only this peer (may be repeated)")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    parser.add_argument("--chart", type=pathlib.Path, help="draw the ratios there")
    args = parser.parse_args()

    args.selection = 2048 if args.small else 65536
    args.pair = 512 if args.small else 4096
    long_length = 2048 if args.small else 65536
    lengths = (256, 1024) if args.small else (4096, 16384)
    runs = make_runs(*lengths, long_length if args.long else None)
    if args.only:
        runs = [r for r in runs if args.only in r.name or any(
            args.only in s.name and s.dense == r.name for s in runs)]
    names = args.peer or ["openvino", "torch", "iree"]
    peers = start_peers(names) if args.peers or args.peer else []
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(args, folder)
        measure(args, runs, clock, peers)
    for peer in peers:
        peer.close()
    rows = make_rows(runs, clock, peers)
    report(rows, clock.peak_rate())
    if args.json:
        figures = {"peak_gflops": clock.peak_rate() / 1e9, "rows": rows}
        args.json.write_text(json.dumps(figures, indent=1))
    if args.chart:
        draw(rows, args.chart)


if __name__ == "__main__":
    main()
