# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit and PyTorch in one process: two LLVMs, two OpenMPs, one memory.

usage: beside_torch.py dit|torch  (which is imported first)
"""

import sys
import threading

if sys.argv[1] == "dit":
    import dit
    import torch
else:
    import torch
    import dit

TENSOR = "tensor<1x2x256x16xf32>"
ATTENTION = f"""
func.func @main(%q: {TENSOR}, %k: {TENSOR}, %v: {TENSOR}) -> {TENSOR} {{
  %init = tensor.empty() : {TENSOR}
  %o = dit.attention ins(%q, %k, %v : {TENSOR}, {TENSOR}, {TENSOR})
      outs(%init : {TENSOR}) {{scale = 0.25 : f64}}
  return %o : {TENSOR}
}}"""


def twice(dtype, shape="?x3"):
    op = "addf" if dtype[-2] in "13456" and dtype[0] in "bf" else "addi"
    return dit.compile(f"""
      func.func @main(%x: tensor<{shape}x{dtype}>) -> tensor<{shape}x{dtype}> {{
        %0 = arith.{op} %x, %x : tensor<{shape}x{dtype}>
        return %0 : tensor<{shape}x{dtype}>
      }}""", cache=False)


def expect_error(kind, text, function):
    try:
        function()
    except kind as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"no error with '{text}'")


def check_attention(program, seed):
    generator = torch.Generator().manual_seed(seed)
    q, k, v = torch.randn(3, 1, 2, 256, 16, generator=generator)
    got = program(q, k, v)
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert isinstance(got, torch.Tensor) and got.dtype == torch.float32
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


def check_tensors():
    x = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    program = twice("f32")
    for view in (x.T, x.T[::2], x.T.requires_grad_(), x.T.contiguous()):
        torch.testing.assert_close(program(view), 2 * view.detach(), atol=0, rtol=0)
    out = torch.empty(4, 3)
    assert program(x.detach().T, out=out) is out and torch.equal(out, 2 * x.detach().T)
    for dtype, type_ in (("bf16", torch.bfloat16), ("f16", torch.float16),
                         ("i64", torch.int64), ("i8", torch.uint8)):
        for shape in ("?x3", "2x3"):
            y = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=type_)
            got = twice(dtype, shape)(y)
            wanted = 2 * y if type_ != torch.uint8 else (2 * y).view(torch.int8)
            assert got.dtype == wanted.dtype and torch.equal(got, wanted), (dtype, got)
    weights = {"w": torch.tensor([1.0, 2.0])}
    program = dit.compile("""
      ml_program.global private @w(#ml_program.extern<tensor<2xf32>>) : tensor<2xf32>
      func.func @main() -> tensor<2xf32> {
        %w = ml_program.global_load_const @w : tensor<2xf32>
        %0 = arith.addf %w, %w : tensor<2xf32>
        return %0 : tensor<2xf32>
      }""", parameters=weights)
    assert list(program()) == [2, 4]
    expect_error(dit.ArgumentError, "expected element type f32, got f64",
                 lambda: twice("f32")(x.detach().T.double()))
    expect_error(dit.ArgumentError, "pass x.cpu()",
                 lambda: twice("f32")(torch.empty(1, 3, device="meta")))


def main():
    program = dit.compile(ATTENTION, cache=False, threads=2)
    check_attention(program, 0)
    check_tensors()
    # Both at once: torch trains with its threads while dit compiles and runs.
    failures = []

    def run_dit():
        try:
            for seed in range(20):
                check_attention(program, seed)
                if seed % 5 == 0:
                    check_attention(dit.compile(ATTENTION, cache=False), seed)
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    thread = threading.Thread(target=run_dit)
    thread.start()
    layer = torch.nn.Linear(256, 256)
    while thread.is_alive():
        layer(torch.randn(256, 256)).square().mean().backward()
    thread.join()
    assert not failures, failures
    compiled = torch.linalg.svdvals(torch.randn(64, 64))
    assert compiled.shape == (64,)
    print("ok", torch.get_num_threads(), dit.get_num_threads())


main()
