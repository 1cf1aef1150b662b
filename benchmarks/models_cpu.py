#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times compiled models, and with --peers the same models in PyTorch.

    ./dev bench models_cpu --models DIR [--threads 1,2] [NAME...]
    ./dev bench models_cpu --models DIR --peers wan-mini latte-mini

DIR holds a folder per model: a `.mlirbc` module, inputs `in<i>.npy` and the
output `out0.npy`. With --peers, models with `weights.safetensors` and
`config.json` are built in diffusers, too, and run in PyTorch as they are and
through torch.compile; what that needs is installed from PyPI into .venv-peers,
or is taken from a Python that --peer-python names.

Every round runs a few calls of each side in turn, so that what else runs on the
machine hits all alike. Prints the fastest and the median call of all rounds in
milliseconds and what the others take in relation to dit.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEER_PACKAGES = ["torch", "diffusers", "safetensors", "transformers"]
MODES = ["eager", "compile"]


def inputs_of(folder):
    return sorted(folder.glob("in*.npy"), key=lambda path: int(path.stem[2:]))


class Dit:
    """The compiled model, run by dit-run. Rounds share what was compiled."""

    name = "dit"

    def __init__(self, args, folder, threads, cache):
        module = next(iter(sorted(folder.glob("*.mlirbc"))))
        entry = "denoise" if module.stem == "denoise" else "main"
        self.cache = cache
        self.command = [
            args.dit_run, module, "--entry", entry, "--cache-dir", cache,
            "--inputs", ",".join(map(str, inputs_of(folder))),
            "--expect", folder / "out0.npy", "--tolerance", "3e-2",
            "--threads", str(threads),
        ]  # fmt: skip
        self.error = None

    def run(self, repeat):
        report = pathlib.Path(self.cache) / "report.json"
        subprocess.run(
            [*self.command, "--repeat", str(repeat), "--json", report],
            check=True,
            capture_output=True,
        )
        result = json.loads(report.read_text())
        self.error = result["max_rel_error"]
        return [result["time_s"]["min"], result["time_s"]["median"]]


class Torch:
    """One of the modes of a process of model_worker.py."""

    def __init__(self, process, mode):
        self.process = process
        self.mode = mode
        self.name = f"torch {mode}"

    def run(self, repeat):
        self.process.stdin.write(json.dumps({"mode": self.mode, "repeat": repeat}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name}: the worker has ended")
        seconds = json.loads(answer)["seconds"]
        return [min(seconds), statistics.median(seconds)]


def peer_python(args):
    """A Python with PyTorch, in a venv of its own that is made on first use."""
    if args.peer_python:
        return args.peer_python
    venv = ROOT / ".venv-peers"
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    wanted = (HERE / "peers" / "requirements.txt").read_text().splitlines()
    pins = [line for line in wanted if line.split("==")[0] in PEER_PACKAGES]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "numpy", *pins], check=True)
    return python


def measure(args, folder, threads, cache):
    """The sides that took part, and the shortest and the median call of each."""
    dit = Dit(args, folder, threads, cache)
    sides, worker = [dit], None
    if args.peers and (folder / "weights.safetensors").exists():
        worker = subprocess.Popen(
            [peer_python(args), HERE / "peers" / "model_worker.py", folder, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        sides += [Torch(worker, mode) for mode in MODES]
    for side in sides:
        side.run(1)
    times = {side.name: [] for side in sides}
    for _ in range(args.rounds):
        for side in sides:
            times[side.name].append(side.run(args.repeat))
    if worker:
        worker.stdin.close()
        worker.wait()
    rows = {}
    for name, rounds in times.items():
        fastest, medians = zip(*rounds)
        rows[name] = {"min_s": min(fastest), "median_s": statistics.median(medians)}
    return rows, dit.error


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--dit-run", default=ROOT / "build" / "bin" / "dit-run")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=5, help="calls in a round")
    parser.add_argument("--peers", action="store_true", help="beside PyTorch")
    parser.add_argument("--peer-python", help="a Python that has PyTorch and diffusers")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    figures = []
    print(f"{'model':16} threads  {'':14} fastest ms  median ms  of dit's time")
    for folder in sorted(path for path in args.models.iterdir() if path.is_dir()):
        if not list(folder.glob("*.mlirbc")) or (args.names and folder.name not in args.names):
            continue
        for threads in map(int, args.threads.split(",")):
            with tempfile.TemporaryDirectory() as cache:
                rows, error = measure(args, folder, threads, cache)
            mine = rows["dit"]["min_s"]
            for name, row in rows.items():
                ratio = f"{row['min_s'] / mine:13.2f}" if name != "dit" else f"error {error:7.1e}"
                print(
                    f"{folder.name:16} {threads:7}  {name:14} {row['min_s'] * 1e3:10.2f}"
                    f" {row['median_s'] * 1e3:10.2f}  {ratio}",
                    flush=True,
                )
            figures.append({"model": folder.name, "threads": threads, "error": error, **rows})
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
