# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exports small transformers of diffusers, and hand-written attentions, to linalg.

Each model has random weights, a fixed seed and few dimensions. Beside the
module `model.mlirbc` come its inputs `in<i>.npy`, the output `out0.npy` that
PyTorch computed, and `expect.json` with the number of softmax attentions that
PyTorch executed, so that what the compiler finds is checked against the
framework and not against itself.

    python export.py --list
    python export.py --out DIR [--mlir-opt PATH] [NAME...]

The packages are those of requirements.txt; they are heavy, so they have a
virtual environment of their own and no test needs them.
"""

import argparse
import json
import os
import subprocess
import sys
import traceback

import ml_dtypes
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from attention_styles import STYLES
from diffusers_models import MODELS


class CountSoftmaxAttention(TorchDispatchMode):
    """Counts the softmax operations, fused into an attention or alone."""

    NAMES = ("_softmax", "_safe_softmax", "_scaled_dot_product", "_native_multi_head_attention")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.split("::")[1]
        if name.startswith(self.NAMES):
            self.count += 1
        return func(*args, **(kwargs or {}))


class FirstTensor(torch.nn.Module):
    """Calls a model with fixed keyword arguments and returns its sample."""

    def __init__(self, model, names, fixed):
        super().__init__()
        self.model, self.names, self.fixed = model, names, fixed

    def forward(self, *args):
        result = self.model(**dict(zip(self.names, args)), **self.fixed, return_dict=False)
        while isinstance(result, (tuple, list)):
            result = result[0]
        return result


def to_numpy(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def build(name):
    """The module, its inputs, its dynamic dimensions and how it was specified."""
    torch.manual_seed(0)
    spec = (MODELS | STYLES)[name]()
    module = spec["module"].eval()
    # Random biases and gates: zero-initialised layers would hide the attention.
    for parameter in module.parameters():
        if parameter.dim() <= 1 or not parameter.abs().max():
            torch.nn.init.normal_(parameter, std=0.05, mean=float(parameter.detach().float().mean()))
    dynamic = spec.get("dynamic")
    if "inputs" in spec:
        if dynamic:
            dynamic = tuple(dynamic.get(name) for name in spec["inputs"])
        module = FirstTensor(module, list(spec["inputs"]), spec.get("fixed", {}))
        args = tuple(spec["inputs"].values())
    else:
        args = spec["args"]
    if spec.get("dtype"):
        module = module.to(spec["dtype"])
        args = tuple(a.to(spec["dtype"]) if a.is_floating_point() else a for a in args)
    for part in module.modules():
        part._non_persistent_buffers_set.clear()
    return module, args, dynamic, spec


def export(name, out, mlir_opt):
    from torch_mlir import fx

    module, args, dynamic, spec = build(name)
    counter = CountSoftmaxAttention()
    with torch.no_grad(), counter:
        result = module(*args)
    with torch.no_grad():
        if dynamic:
            program = torch.export.export(module, args, dynamic_shapes=(dynamic,), strict=False)
            mlir = fx.export_and_import(program, output_type="linalg-on-tensors", func_name="main")
        else:
            mlir = fx.export_and_import(module, *args, output_type="linalg-on-tensors", func_name="main")
    # What is written without a softmax operation, or is one and no attention,
    # says so itself.
    attentions = spec.get("attentions", counter.count - spec.get("other_softmaxes", 0))
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    subprocess.run([mlir_opt, "-", "--canonicalize", "--emit-bytecode", "-o", os.path.join(folder, "model.mlirbc")],
                   input=str(mlir).encode(), check=True)
    for i, arg in enumerate(args):
        np.save(os.path.join(folder, f"in{i}.npy"), to_numpy(arg))
    np.save(os.path.join(folder, "out0.npy"), to_numpy(result))
    with open(os.path.join(folder, "expect.json"), "w") as file:
        json.dump({"attentions": attentions}, file)
        file.write("\n")
    return attentions


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="models to export; all by default")
    parser.add_argument("--out", default=".", help="folder that gets one folder per model")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--mlir-opt", default="mlir-opt-22", help="the mlir-opt that writes bytecode")
    options = parser.parse_args()
    if options.list:
        print("\n".join(MODELS | STYLES))
        return 0
    failures = 0
    for name in options.names or list(MODELS | STYLES):
        try:
            print(f"{name}: {export(name, options.out, options.mlir_opt)} attentions", flush=True)
        except Exception as error:  # One model that fails leaves the others to export.
            failures += 1
            if len(options.names) == 1:
                traceback.print_exc()
            print(f"{name}: FAILED {type(error).__name__}: {str(error).strip().splitlines()[:1]}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
