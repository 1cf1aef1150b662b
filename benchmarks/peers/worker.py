# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the attention of one other library on one thread, for cpu.py.

Reads a case as JSON from each line of the input and answers with a line of JSON
that holds the shortest time in seconds, or null where the library has no way
to run the case. A gradient is timed with the forward pass before it. What is
compiled is kept for the next round.
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


class Unsupported(Exception):
    """The library has no way to run the case."""


def only_forward(case):
    if case["direction"] != "forward":
        raise Unsupported("no gradient")


def openvino_call(case):
    only_forward(case)
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

    attention = torch.nn.functional.scaled_dot_product_attention

    def forward():
        with torch.no_grad():
            attention(q, k, v)

    def backward():
        for x in (q, k, v):
            x.requires_grad_()
            x.grad = None
        attention(q, k, v).backward(gradient)

    gradient = torch.ones_like(q)
    return forward if case["direction"] == "forward" else backward


def iree_text(case):
    tensor = f"tensor<{case['heads']}x{case['length']}x{case['size']}x{case['element']}>"
    maps = {"q": "b, m, k", "k": "b, l, k", "v": "b, l, n", "s": "", "o": "b, m, n"}
    maps = [f"affine_map<(b, m, n, k, l) -> ({dims})>" for dims in maps.values()]
    return f"""
func.func @main(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
  %scale = arith.constant {float(case["size"]) ** -0.5} : {case["element"]}
  %init = tensor.empty() : {tensor}
  %o = iree_linalg_ext.attention <{{indexing_maps = [{", ".join(maps)}]}}>
      ins(%q, %k, %v, %scale : {tensor}, {tensor}, {tensor}, {case["element"]})
      outs(%init : {tensor}) {{
    ^bb0(%score: f32):
      iree_linalg_ext.yield %score : f32
  }} -> {tensor}
  return %o : {tensor}
}}
"""


def iree_call(case):
    only_forward(case)
    if case["element"] != "f32":
        raise Unsupported("NumPy has no bf16 to hand over")
    import iree.compiler
    import iree.runtime

    binary = iree.compiler.compile_str(
        iree_text(case),
        target_backends=["llvm-cpu"],
        extra_args=["--iree-llvmcpu-target-cpu=host"],
    )
    # One thread, the caller's.
    config = iree.runtime.Config("local-sync")
    context = iree.runtime.SystemContext(config=config)
    context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, binary))
    main_function = context.modules.module["main"]
    arrays = [iree.runtime.asdevicearray(config.device, a[0]) for a in inputs(case)]
    return lambda: main_function(*arrays)


CALLS = {"openvino": openvino_call, "torch": torch_call, "iree": iree_call}


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
        except Unsupported:
            answer = None
        except Exception as error:
            print(f"{sys.argv[1]}: {error}", file=sys.stderr)
            answer = None
        print(json.dumps({"seconds": answer}), flush=True)


if __name__ == "__main__":
    main()
