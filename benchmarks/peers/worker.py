# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the attention of one other library on one thread, for cpu.py.

Reads a case as JSON from each line of the input and answers with a line of JSON
that holds the shortest time in seconds, or null where the library has no way
to run the case. What is compiled is kept for the next round.
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np


def inputs(case):
    rng = np.random.default_rng(0)
    shape = (1, case["heads"], case["length"], case["size"])
    return [rng.standard_normal(shape).astype(np.float32) for _ in "qkv"]


def openvino_call(case):
    import openvino
    from openvino import opset13

    kind = openvino.Type.bf16 if case["element"] == "bf16" else openvino.Type.f32
    arrays = inputs(case)
    parameters = [opset13.parameter(list(a.shape), kind) for a in arrays]
    attention = opset13.scaled_dot_product_attention(*parameters)
    model = openvino.Model([attention], parameters, "attention")
    compiled = openvino.Core().compile_model(
        model,
        "CPU",
        {
            "INFERENCE_NUM_THREADS": 1,
            "INFERENCE_PRECISION_HINT": "bf16" if case["element"] == "bf16" else "f32",
        },
    )
    request = compiled.create_infer_request()
    for i, array in enumerate(arrays):
        if case["element"] == "bf16":
            bits = (array.view(np.uint32) >> 16).astype(np.uint16)
            tensor = openvino.Tensor(kind, openvino.Shape(list(array.shape)))
            tensor.data.view(np.uint16)[:] = bits
        else:
            tensor = openvino.Tensor(array)
        request.set_input_tensor(i, tensor)
    return request.infer


def torch_call(case):
    import torch

    torch.set_num_threads(1)
    kind = torch.bfloat16 if case["element"] == "bf16" else torch.float32
    q, k, v = (torch.from_numpy(a).to(kind) for a in inputs(case))

    def call():
        with torch.no_grad():
            torch.nn.functional.scaled_dot_product_attention(q, k, v)

    return call


CALLS = {"openvino": openvino_call, "torch": torch_call}


def main():
    make, calls = CALLS[sys.argv[1]], {}
    for line in sys.stdin:
        case = json.loads(line)
        repeat = case.pop("repeat")
        key = json.dumps(case)
        try:
            if key not in calls:
                calls[key] = make(case)
                calls[key]()
            times = []
            for _ in range(repeat):
                begin = time.perf_counter()
                calls[key]()
                times.append(time.perf_counter() - begin)
            answer = min(times)
        except Exception as error:
            print(f"{sys.argv[1]}: {error}", file=sys.stderr)
            answer = None
        print(json.dumps({"seconds": answer}), flush=True)


if __name__ == "__main__":
    main()
