# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times a model of diffusers in PyTorch, for models_cpu.py.

    python model_worker.py FOLDER THREADS

FOLDER holds `config.json`, `weights.safetensors` and the inputs. Each line of
the input is JSON, {"mode": "eager" or "compile", "repeat": N}; the answer is a
line of JSON with the seconds of each call. The first call of a mode is not
timed: it compiles.
"""

import json
import pathlib
import sys
import time

import diffusers
import numpy as np
import torch
from safetensors.torch import load_file

# Exports name their configuration but not their class.
CLASSES = {"wan": "WanTransformer3DModel", "latte": "LatteTransformer3DModel"}


def load_model(folder):
    settings = json.loads((folder / "config.json").read_text())
    name = settings.get("_class_name") or CLASSES[folder.name.split("-")[0]]
    model = getattr(diffusers, name).from_config(settings)
    missing, unexpected = model.load_state_dict(
        load_file(folder / "weights.safetensors"), strict=False
    )
    if missing or unexpected:
        raise SystemExit(f"{folder}: weights lack {missing}, or name too much: {unexpected}")
    return model.eval()


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    paths = sorted(folder.glob("in*.npy"), key=lambda path: int(path.stem[2:]))
    names = ["hidden_states", "timestep", "encoder_hidden_states"]
    inputs = dict(zip(names, [torch.from_numpy(np.load(path)) for path in paths], strict=True))
    model = load_model(folder)
    calls = {"eager": model, "compile": torch.compile(model)}
    warm = set()
    for line in sys.stdin:
        request = json.loads(line)
        call = calls[request["mode"]]
        seconds = []
        with torch.no_grad():
            if request["mode"] not in warm:
                call(**inputs, return_dict=False)
                warm.add(request["mode"])
            for _ in range(request["repeat"]):
                begin = time.perf_counter()
                call(**inputs, return_dict=False)
                seconds.append(time.perf_counter() - begin)
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
