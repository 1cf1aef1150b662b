#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a second thread gains, when heads differ in work.

Heads leave out from 0.50 to 0.98 of their tiles; the case "last" has the work
of all in the last head, where a loop over heads would leave all threads but one
idle. One and more threads run in turn, so that what else the machine does hits
both alike; the best of all rounds counts. A machine with as many other busy
processes as cores shows nothing but them: see the load in the first line, and
run with a real-time priority there.

    ./dev bench threads_cpu --rounds 10
    chrt -f 1 ./dev bench threads_cpu
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
TILE = 64

# Shares of the tiles that are left out, head by head.
CASES = {
    "dense": [0.0] * 8,
    "skewed, most work first": np.linspace(0.50, 0.98, 8),
    "skewed, most work last": np.linspace(0.98, 0.50, 8),
    "all work in the last head": [1.0] * 7 + [0.0],
}


def program(heads, length, size):
    qkv = f"tensor<1x{heads}x{length}x{size}xf32>"
    rows = length // TILE
    num, idx = (f"tensor<1x{heads}x{rows}{extra}xi32>" for extra in ("", f"x{rows}"))
    return f"""
func.func @main(%q: {qkv}, %k: {qkv}, %v: {qkv}, %num: {num}, %idx: {idx}) -> {qkv} {{
  %init = tensor.empty() : {qkv}
  %o = dit.attention ins(%q, %k, %v : {qkv}, {qkv}, {qkv})
      tiles(%num, %idx : {num}, {idx}) by [{TILE}, {TILE}]
      outs(%init : {qkv}) {{scale = 0.125 : f64}}
  return %o : {qkv}
}}
"""


def tile_list(sparsities, length, rng):
    rows = length // TILE
    num = np.zeros((1, len(sparsities), rows), np.int32)
    idx = np.zeros((*num.shape, rows), np.int32)
    for head, sparsity in enumerate(sparsities):
        count = round((1 - sparsity) * rows)
        num[:, head] = count
        for row in range(rows):
            idx[0, head, row, :count] = np.sort(rng.permutation(rows)[:count])
    return num, idx


def seconds(dit_run, repeat, folder, case, threads):
    files = [str(folder / "qkv.npy")] * 3
    files += [str(folder / f"{case}-{name}.npy") for name in ("num", "idx")]
    report = folder / "report.json"
    subprocess.run(
        [dit_run, folder / "program.mlir", f"--inputs={','.join(files)}",
         f"--threads={threads}", f"--repeat={repeat}",
         f"--cache-dir={folder / 'cache'}", f"--json={report}"],
        check=True, stdout=subprocess.DEVNULL)
    return json.loads(report.read_text())["time_s"]["min"]


def prepare(folder, length, size):
    """Writes the program and its inputs."""
    rng = np.random.default_rng(0)
    (folder / "program.mlir").write_text(program(8, length, size))
    shape = (1, 8, length, size)
    np.save(folder / "qkv.npy", rng.standard_normal(shape).astype(np.float32))
    for i, sparsities in enumerate(CASES.values()):
        for name, array in zip(("num", "idx"), tile_list(sparsities, length, rng)):
            np.save(folder / f"{i}-{name}.npy", array)


def measure(dit_run, length, size, threads, repeat, rounds=1):
    """The shortest time of each (case, number of threads)."""
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prepare(folder, length, size)
        for _ in range(rounds):
            for i, case in enumerate(CASES):
                for n in threads:
                    time = seconds(dit_run, repeat, folder, i, n)
                    best[case, n] = min(time, best.get((case, n), float("inf")))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    build = pathlib.Path(os.environ.get("DIT_BUILD_DIR", ROOT / "build"))
    parser.add_argument("--dit-run", default=build / "bin" / "dit-run")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3, help="calls in a round")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    args = parser.parse_args()

    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    best = measure(args.dit_run, args.length, args.size, [1, args.threads],
                   args.repeat, args.rounds)
    rows = []
    print(f"{'':28}{'1 thread':>12}{f'{args.threads} threads':>12}{'speed-up':>10}")
    for case in CASES:
        one, more = best[case, 1], best[case, args.threads]
        print(f"{case:28}{one * 1e3:9.2f} ms{more * 1e3:9.2f} ms{one / more:9.2f}x")
        rows.append({"case": case, "threads": args.threads, "one_s": one,
                     "more_s": more, "speed_up": one / more})
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
