#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times compiled models beside PyTorch in eager mode.

    python benchmarks/models_cpu.py --models DIR [--threads 1,2] [NAME...]

DIR holds a folder per model: a `.mlirbc` module, inputs `in<i>.npy` and the
output `out0.npy`. Models with `weights.safetensors` and `config.json` are also
run in PyTorch, for which this needs torch, diffusers and safetensors; without
them, or without torch, that column stays empty.

Prints one line per model and thread count: the fastest of the runs of each
side in milliseconds, their ratio, the relative error and the time to compile.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def inputs_of(folder):
    return sorted(folder.glob("in*.npy"), key=lambda path: int(path.stem[2:]))


def run_dit(args, folder, module, threads):
    """The report of dit-run on one model."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        entry = "denoise" if module.stem == "denoise" else "main"
        subprocess.run(
            [args.dit_run, module, "--entry", entry, "--target", "cpu", "--no-cache",
             "--inputs", ",".join(map(str, inputs_of(folder))),
             "--expect", folder / "out0.npy", "--tolerance", "3e-2",
             "--threads", str(threads), "--repeat", str(args.repeat), "--json", report.name],
            check=True, capture_output=True)
        return json.load(open(report.name))


def load_torch_model(folder):
    """The model in PyTorch, or None where it cannot be built."""
    config = folder / "config.json"
    weights = folder / "weights.safetensors"
    if not config.exists() or not weights.exists():
        return None
    try:
        import diffusers
        from safetensors.torch import load_file
    except ImportError:
        return None
    settings = json.load(open(config))
    name = settings.get("_class_name") or {
        "wan": "WanTransformer3DModel", "latte": "LatteTransformer3DModel",
    }[folder.name.split("-")[0]]
    model = getattr(diffusers, name).from_config(settings)
    model.load_state_dict(load_file(weights), strict=False)
    return model.eval()


def time_torch(model, folder, threads, repeat):
    import numpy as np
    import torch
    torch.set_num_threads(threads)
    hidden, step, text = [torch.from_numpy(np.load(path)) for path in inputs_of(folder)]
    best = float("inf")
    with torch.no_grad():
        for _ in range(repeat + 1):
            start = time.perf_counter()
            model(hidden_states=hidden, timestep=step, encoder_hidden_states=text, return_dict=False)
            best = min(best, time.perf_counter() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=pathlib.Path, required=True)
    parser.add_argument("--dit-run", default=ROOT / "build" / "bin" / "dit-run")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    print(f"{'model':16} threads   dit ms  torch ms  dit/torch  rel error  compile s")
    for folder in sorted(path for path in args.models.iterdir() if path.is_dir()):
        modules = sorted(folder.glob("*.mlirbc"))
        if not modules or (args.names and folder.name not in args.names):
            continue
        torch_model = load_torch_model(folder)
        for threads in map(int, args.threads.split(",")):
            report = run_dit(args, folder, modules[0], threads)
            mine = report["time_s"]["min"] * 1e3
            compile_s = report["compile_time_s"]
            line = f"{folder.name:16} {threads:7} {mine:8.2f}"
            if torch_model is None:
                line += f"  {'':8}  {'':9}"
            else:
                theirs = time_torch(torch_model, folder, threads, args.repeat) * 1e3
                line += f"  {theirs:8.2f}  {mine / theirs:9.2f}"
            print(line + f"  {report['max_rel_error']:9.1e}  {compile_s:9.1f}", flush=True)


if __name__ == "__main__":
    main()
