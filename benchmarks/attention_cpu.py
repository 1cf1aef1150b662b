#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speed of the generated attention on one core of this machine.

Prints each case as a share of the FMA peak, which a loop of `vector.fma` on
independent accumulators measures between the cases: what else runs on the
machine hits both alike, and the best of all rounds counts. The rate of a
sparse case counts the work that it leaves, so it compares with the dense one.

    ./dev bench attention_cpu --rounds 5 --json attention.json
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Short enough to fall between what else the machine does.
PEAK_STEPS = 2_000_000
PEAK_ACCUMULATORS = 12


@dataclasses.dataclass
class Case:
    name: str
    heads: int
    length: int
    size: int
    element: str = "f32"
    # (query tile, key tile) and the share of the tiles that is listed.
    tile: tuple = None
    density: float = 1.0
    pattern: str = None
    # Positions of the pattern, as a share of all.
    share: float = 1.0
    # Bits of the vectors of the code, if not those of this machine.
    bits: int = None

    def flops(self):
        """Of both products, at the positions that are looked at."""
        dense = 4.0 * self.heads * self.length**2 * self.size
        return dense * self.share * self.density


CASES = [
    Case("dense d64", 4, 4096, 64),
    Case("dense d128", 4, 4096, 128),
    Case("dense d64 bf16", 4, 4096, 64, element="bf16"),
    Case("dense 16k", 1, 16384, 64),
    Case("tiles 64x64, 10 % of 16k", 1, 16384, 64, tile=(64, 64), density=0.1),
    Case("tiles 128x128, 10 % of 16k", 1, 16384, 64, tile=(128, 128), density=0.1),
    Case("tokens 32x1, 10 % of 16k", 1, 16384, 64, tile=(32, 1), density=0.1),
    Case(
        "window of 1639 in 16k",
        1,
        16384,
        64,
        pattern="#dit.window<left = 819, right = 819>",
        share=1639 / 16384 - (819 / 16384) ** 2,
    ),
    Case("causal 16k", 1, 16384, 64, pattern="#dit.causal", share=0.5),
]
SMALL = [Case("dense d64", 1, 256, 64), Case("tiles", 1, 256, 64, tile=(64, 64), density=0.5)]


def tensor(*shape, element):
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def on_device(text, bits):
    """The program with 16 vector registers of `bits` bits, as AVX2 has."""
    if not bits:
        return text
    values = {"vector_bits": bits, "vector_registers": 16, "bf16_dot": 0}
    values = ", ".join(f'"{name}" = {value} : i64' for name, value in values.items())
    spec = f'"CPU" = #dlti.target_device_spec<{values}>'
    attribute = f"dlti.target_system_spec = #dlti.target_system_spec<{spec}>"
    return f"module attributes {{{attribute}}} {{\n{text}}}\n"


def attention_program(case):
    """The module, and the arrays that it takes."""
    rng = np.random.default_rng(0)
    shape = (1, case.heads, case.length, case.size)
    qkv = tensor(*shape, element=case.element)
    arguments = [f"%{n}: {qkv}" for n in "qkv"]
    arrays = [rng.standard_normal(shape).astype(np.float32) for _ in "qkv"]
    if case.element == "bf16":
        arrays = [(a.view(np.uint32) >> 16).astype(np.uint16) for a in arrays]
    mask = f"pattern({case.pattern})" if case.pattern else ""
    if case.tile:
        num, idx = tile_list(case, rng)
        types = [tensor(*a.shape, element="i32") for a in (num, idx)]
        arguments += [f"%num: {types[0]}", f"%idx: {types[1]}"]
        arrays += [num, idx]
        mask += f" tiles(%num, %idx : {types[0]}, {types[1]})"
        mask += f" by [{case.tile[0]}, {case.tile[1]}]"
    scale = float(case.size**-0.5)
    text = f"""
func.func @main({", ".join(arguments)}) -> {qkv} {{
  %init = tensor.empty() : {qkv}
  %o = dit.attention ins(%q, %k, %v : {qkv}, {qkv}, {qkv}) {mask}
      outs(%init : {qkv}) {{scale = {scale!r} : f64}}
  return %o : {qkv}
}}
"""
    return on_device(text, case.bits), arrays


def tile_list(case, rng):
    """As many random tiles in each row as the density says."""
    rows, columns = (-(-case.length // extent) for extent in case.tile)
    count = round(case.density * columns)
    idx = np.argsort(rng.random((1, case.heads, rows, columns)))[..., :count]
    idx = np.sort(idx).astype(np.int32)
    return np.full(idx.shape[:-1], count, np.int32), idx


def peak_program(lanes):
    """A loop of independent products and sums in registers."""
    vector = f"vector<{lanes}xf32>"
    names = [f"%a{i}" for i in range(PEAK_ACCUMULATORS)]
    inits = ", ".join(f"{n} = %zero" for n in names)
    types = ", ".join([vector] * PEAK_ACCUMULATORS)
    body = "\n".join(
        f"    %b{i} = vector.fma %x, %y, {n} : {vector}" for i, n in enumerate(names)
    )
    results = ", ".join(f"%b{i}" for i in range(PEAK_ACCUMULATORS))
    sums = "\n".join(
        f"  %s{i + 1} = arith.addf %s{i}, %r#{i} : {vector}"
        for i in range(PEAK_ACCUMULATORS)
    )
    return f"""
func.func @main(%in: tensor<2xf32>) -> tensor<f32> {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %steps = arith.constant {PEAK_STEPS} : index
  %zero = arith.constant dense<0.0> : {vector}
  %e0 = tensor.extract %in[%c0] : tensor<2xf32>
  %e1 = tensor.extract %in[%c1] : tensor<2xf32>
  %x = vector.broadcast %e0 : f32 to {vector}
  %y = vector.broadcast %e1 : f32 to {vector}
  %r:{PEAK_ACCUMULATORS} = scf.for %i = %c0 to %steps step %c1
      iter_args({inits}) -> ({types}) {{
{body}
    scf.yield {results} : {types}
  }}
  %s0 = arith.constant dense<0.0> : {vector}
{sums}
  %sum = vector.reduction <add>, %s{PEAK_ACCUMULATORS} : {vector} into f32
  %o = tensor.from_elements %sum : tensor<f32>
  return %o : tensor<f32>
}}
"""


def run(program, arrays, repeat, dit_run, folder):
    """The shortest time of `repeat` calls on one thread, in seconds."""
    folder = pathlib.Path(folder)
    (folder / "program.mlir").write_text(program)
    files = []
    for i, array in enumerate(arrays):
        files.append(str(folder / f"in{i}.npy"))
        np.save(files[-1], array)
    subprocess.run(
        [
            dit_run,
            folder / "program.mlir",
            f"--inputs={','.join(files)}",
            "--target=cpu",
            "--no-cache",
            "--threads=1",
            f"--repeat={repeat}",
            f"--json={folder / 'report.json'}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return json.loads((folder / "report.json").read_text())["time_s"]["min"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dit-run", default=ROOT / "build" / "bin" / "dit-run")
    parser.add_argument("--rounds", type=int, default=3, help="of all cases")
    parser.add_argument("--repeat", type=int, default=3, help="calls in a round")
    parser.add_argument("--lanes", type=int, default=16, help="of the peak's f32 vectors")
    parser.add_argument("--small", action="store_true", help="two tiny cases")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    args = parser.parse_args()

    cases = SMALL if args.small else CASES
    seconds = {case.name: float("inf") for case in cases}
    peak = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(args.rounds):
            for case in cases:
                loop = run(
                    peak_program(args.lanes),
                    [np.array([0.999, 1e-3], np.float32)],
                    20,
                    args.dit_run,
                    folder,
                )
                flops = 2.0 * args.lanes * PEAK_ACCUMULATORS * PEAK_STEPS
                peak = max(peak, flops / loop)
                program, arrays = attention_program(case)
                time = run(program, arrays, args.repeat, args.dit_run, folder)
                seconds[case.name] = min(seconds[case.name], time)
    report(cases, seconds, peak, args.json)


def report(cases, seconds, peak, path):
    print(f"FMA peak of one core, f32: {peak / 1e9:.1f} GFLOP/s")
    rows = []
    for case in cases:
        rate = case.flops() / seconds[case.name]
        rows.append(
            {
                "case": case.name,
                "seconds": seconds[case.name],
                "gflops": rate / 1e9,
                "share_of_peak": rate / peak,
            }
        )
        print(
            f"{case.name:28} {seconds[case.name] * 1e3:9.2f} ms "
            f"{rate / 1e9:7.1f} GFLOP/s {rate / peak:6.1%} of peak"
        )
    if path:
        path.write_text(json.dumps({"peak_gflops": peak / 1e9, "cases": rows}, indent=1))


if __name__ == "__main__":
    main()
