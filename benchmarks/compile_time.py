#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How long programs take to compile, phase by phase, and to come from the cache.

Each program is compiled `--rounds` times without the cache, and taken as often
from a cache of its own. A phase's figure is the shortest of all rounds. `cpu` is
the processor time that compiling takes, which a busy machine distorts less: that
of a process without the cache less that of one with. `start` is how long the
latter takes from its start to the first result, without the run itself.

    ./dev bench compile_time --passes
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
PHASES = ["load", "lower", "translate", "optimize", "codegen", "link"]


def kernel(length, size, element, mask=""):
    """One attention, with 4 heads, on tensors of its own."""
    qkv = f"tensor<1x4x{length}x{size}x{element}>"
    return f"""
func.func @main(%q: {qkv}, %k: {qkv}, %v: {qkv}) -> {qkv} {{
  %init = tensor.empty() : {qkv}
  %o = dit.attention ins(%q, %k, %v : {qkv}, {qkv}, {qkv}) {mask}
      outs(%init : {qkv}) {{scale = 0.125 : f64}}
  return %o : {qkv}
}}
"""


KERNELS = {
    "attention d64 f32": kernel(256, 64, "f32"),
    "attention d128 bf16": kernel(256, 128, "bf16"),
    "attention d64 f32, window": kernel(
        256, 64, "f32", "pattern(#dit.window<left = 31, right = 31>)"
    ),
}
MODELS = {"wan-mini denoise": ROOT / "examples" / "wan-mini" / "denoise.mlirbc"}
DTYPES = {"f32": np.float32, "f64": np.float64, "bf16": np.uint16, "f16": np.float16,
          "i64": np.int64, "i32": np.int32, "i1": np.bool_}


def make_inputs(args, module, folder):
    """Files of ones for the arguments of the module's only function."""
    listed = subprocess.run([args.dit_run, module, "--list-entries"],
                            check=True, capture_output=True, text=True).stdout
    arguments = listed.splitlines()[0].split("->")[0]
    files = []
    for i, (shape, element) in enumerate(re.findall(r"tensor<((?:\d+x)*)(\w+)>", arguments)):
        extents = [int(n) for n in shape.split("x") if n]
        files.append(str(folder / f"in{i}.npy"))
        np.save(files[-1], np.ones(extents, DTYPES[element]))
    return ",".join(files)


def compile_once(args, module, inputs, options):
    """The report, and the seconds by the clock, without the run of the program,
    and of the processor, with it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run([args.dit_run, module, "--inputs", inputs, "--threads", "1",
                        "--json", report.name, *options],
                       check=True, capture_output=True)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.load(open(report.name))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result, wall - result["time_s"]["min"], cpu


def measure(args, name, module, folder):
    inputs = make_inputs(args, module, folder)
    row = {"name": name, "phases_s": dict.fromkeys(PHASES, float("inf")),
           "start_s": float("inf")}
    cpu_without = cpu_with = float("inf")
    cache = ["--cache-dir", str(folder / "cache")]
    compile_once(args, module, inputs, cache)
    for _ in range(args.rounds):
        report, _, cpu = compile_once(args, module, inputs, ["--no-cache"])
        for phase, seconds in report["compile_phases_s"].items():
            row["phases_s"][phase] = min(row["phases_s"][phase], seconds)
        cpu_without = min(cpu_without, cpu)
        report, wall, cpu = compile_once(args, module, inputs, cache)
        assert report["cache"] == "hit", report
        cpu_with = min(cpu_with, cpu)
        row["start_s"] = min(row["start_s"], wall)
    row["cpu_s"] = cpu_without - cpu_with
    row["total_s"] = sum(row["phases_s"].values())
    return row


def print_passes(args, module):
    """What MLIR's passes take, the largest first."""
    timing = subprocess.run(
        [args.dit_run.parent / "dit-opt", module, "--mlir-disable-threading",
         "--verify-each=false", "--mlir-timing", "--mlir-timing-display=list",
         "--pass-pipeline=builtin.module(dit-to-cpu)", "-o", os.devnull],
        check=True, capture_output=True, text=True).stderr
    for line in timing.splitlines()[5:17]:
        print("   ", line)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    build = pathlib.Path(os.environ.get("DIT_BUILD_DIR", ROOT / "build"))
    parser.add_argument("--dit-run", type=pathlib.Path, default=build / "bin" / "dit-run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passes", action="store_true",
                        help="print the time of MLIR's passes too")
    parser.add_argument("--model", type=pathlib.Path, action="append", default=[],
                        help="another module with one function on static shapes")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    args = parser.parse_args()

    header = "".join(f"{phase:>10}" for phase in PHASES)
    print(f"{'milliseconds':28}{header}{'total':>10}{'cpu':>8}{'start':>8}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        modules = dict(MODELS, **{str(path): path for path in args.model})
        for i, (name, text) in enumerate(KERNELS.items()):
            modules[name] = folder / f"kernel{i}.mlir"
            modules[name].write_text(text)
        for name, module in modules.items():
            row = measure(args, name, module, folder)
            rows.append(row)
            cells = "".join(f"{row['phases_s'][phase] * 1e3:10.1f}" for phase in PHASES)
            print(f"{name[-27:]:28}{cells}{row['total_s'] * 1e3:10.1f}"
                  f"{row['cpu_s'] * 1e3:8.0f}{row['start_s'] * 1e3:8.0f}", flush=True)
            if args.passes:
                print_passes(args, module)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
