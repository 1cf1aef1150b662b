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
    PYTHONPATH=build/python python export.py --out DIR [NAME...]

It needs the environment that `python -m dit.export` makes; torch is heavy, so no
test needs it.
"""

import argparse
import json
import os
import sys
import traceback

import dit
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


def to_numpy(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def build(name):
    """The module, its inputs by name or in order, and how it was specified."""
    torch.manual_seed(0)
    spec = (MODELS | STYLES)[name]()
    module = spec["module"].eval()
    # Random biases and gates: zero-initialised layers would hide the attention.
    for parameter in module.parameters():
        if parameter.dim() <= 1 or not parameter.abs().max():
            torch.nn.init.normal_(parameter, std=0.05, mean=float(parameter.detach().float().mean()))
    inputs = spec["inputs"] if "inputs" in spec else dict(enumerate(spec["args"]))
    if dtype := spec.get("dtype"):
        module = module.to(dtype)
        inputs = {key: value.to(dtype) if value.is_floating_point() else value for key, value in inputs.items()}
    return module, inputs, spec


def first_tensor(result):
    while isinstance(result, (tuple, list)):
        result = result[0]
    return result


def export(name, out):
    module, inputs, spec = build(name)
    by_name = "inputs" in spec
    fixed = spec.get("fixed", {}) | {"return_dict": False} if by_name else {}
    counter = CountSoftmaxAttention()
    with torch.no_grad(), counter:
        result = module(**inputs, **fixed) if by_name else module(*inputs.values())
    dynamic = spec.get("dynamic") or {}
    # Weights stay inside, so that a model is one file.
    dit.export(module, inputs if by_name else tuple(inputs.values()), out=os.path.join(out, name, "model"), fixed=fixed,
               dynamic=dynamic if isinstance(dynamic, dict) else dict(enumerate(dynamic)), parameter_bytes=1 << 62)
    # What is written without a softmax operation, or is one and no attention,
    # says so itself.
    attentions = spec.get("attentions", counter.count - spec.get("other_softmaxes", 0))
    folder = os.path.join(out, name)
    for i, value in enumerate(inputs.values()):
        np.save(os.path.join(folder, f"in{i}.npy"), to_numpy(value))
    np.save(os.path.join(folder, "out0.npy"), to_numpy(first_tensor(result)))
    with open(os.path.join(folder, "expect.json"), "w") as file:
        json.dump({"attentions": attentions}, file)
        file.write("\n")
    return attentions


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="models to export; all by default")
    parser.add_argument("--out", default=".", help="folder that gets one folder per model")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args()
    if options.list:
        print("\n".join(MODELS | STYLES))
        return 0
    failures = 0
    for name in options.names or list(MODELS | STYLES):
        try:
            print(f"{name}: {export(name, options.out)} attentions", flush=True)
        except Exception as error:  # One model that fails leaves the others to export.
            failures += 1
            if len(options.names) == 1:
                traceback.print_exc()
            print(f"{name}: FAILED {type(error).__name__}: {str(error).strip().splitlines()[:1]}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
