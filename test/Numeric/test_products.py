# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products of matrices with a bias and what follows, against NumPy in double
precision: the kernels begin their sums as the bias."""

import numpy as np
import pytest

import programs
import runner

# Few rows and many, columns with and without gaps in panels, one k and more.
SHAPES = [(1, 32, 7), (5, 31, 16), (16, 64, 3), (17, 48, 33), (64, 5, 8), (72, 131, 40),
          (96, 64, 1), (256, 96, 64)]
# The order in which a body adds, and what else it does.
TAILS = {
    "bias": "%s = arith.addf %p, %q : {0}\n    linalg.yield %s : {0}",
    "swapped": "%s = arith.addf %q, %p : {0}\n    linalg.yield %s : {0}",
    "twice": """%s = arith.addf %p, %q : {0}
    %t = math.tanh %s : {0}
    %u = arith.addf %t, %q : {0}
    linalg.yield %u : {0}""",
    "other": """%t = math.tanh %p : {0}
    %s = arith.addf %t, %q : {0}
    linalg.yield %s : {0}""",
}


def evaluate(tail, x, w, b):
    product = x @ w
    return {
        "bias": lambda: product + b,
        "swapped": lambda: product + b,
        "twice": lambda: np.tanh(product + b) + b,
        "other": lambda: np.tanh(product) + b,
    }[tail]()


class Builder:
    def __init__(self, element, constant):
        self.program = programs.Program()
        self.element, self.constant = element, constant
        self.random = np.random.default_rng(7)
        self.cases = []
        self.lines = []

    def matrix(self, *shape):
        return self.random.standard_normal(shape).astype(programs.FLOATS[self.element])

    def operand(self, array, name):
        """An argument, or a constant that is written out."""
        if not self.constant:
            return self.program.parameter(array).name
        kind = programs.tensor_type(array)
        self.lines.append(f'  {name} = arith.constant dense<"0x{array.tobytes().hex()}"> : {kind}')
        return name

    def add(self, tail, rows, columns, depth, batches=1):
        """A product with its tail, on [batches, rows / batches, columns]."""
        i, e = len(self.cases), self.element
        x, w, b = self.matrix(rows, depth), self.matrix(depth, columns), self.matrix(columns)
        tx, tw, tb = map(programs.tensor_type, (x, w, b))
        flat = f"tensor<{rows}x{columns}x{e}>"
        shape = f"tensor<{batches}x{rows // batches}x{columns}x{e}>"
        px = self.program.parameter(x)
        pw, pb = self.operand(w, f"%w{i}"), self.operand(b, f"%b{i}")
        maps = ", ".join(f"affine_map<(i, j, k) -> ({r})>" for r in ("i, j, k", "k", "i, j, k"))
        self.lines.append(f"""
  %z{i} = arith.constant 0.0 : {e}
  %e{i} = tensor.empty() : {flat}
  %f{i} = linalg.fill ins(%z{i} : {e}) outs(%e{i} : {flat}) -> {flat}
  %m{i} = linalg.matmul ins({px}, {pw} : {tx}, {tw}) outs(%f{i} : {flat}) -> {flat}
  %x{i} = tensor.expand_shape %m{i} [[0, 1], [2]] output_shape
    [{batches}, {rows // batches}, {columns}] : {flat} into {shape}
  %o{i} = tensor.empty() : {shape}
  %y{i} = linalg.generic {{indexing_maps = [{maps}],
      iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%x{i}, {pb} : {shape}, {tb}) outs(%o{i} : {shape}) {{
  ^bb0(%p: {e}, %q: {e}, %old: {e}):
    {TAILS[tail].format(e)}
  }} -> {shape}""")
        self.program.raw("\n".join(self.lines), [programs.Value(f"%y{i}", shape)])
        self.lines = []
        self.cases.append((tail, x, w, b))


@pytest.mark.parametrize("device", [None, *runner.DEVICES])
@pytest.mark.parametrize("constant", [False, True], ids=["argument", "constant"])
@pytest.mark.parametrize("element", ["f32", "f64"])
def test_products_with_a_bias(tools_dir, element, constant, device):
    builder = Builder(element, constant)
    for index, (rows, columns, depth) in enumerate(SHAPES):
        builder.add(list(TAILS)[index % len(TAILS)], rows, columns, depth)
        builder.add("bias", rows, columns, depth, batches=2 if rows % 2 == 0 else 1)
    epsilon = np.finfo(programs.FLOATS[element]).eps
    for target in ["reference", "cpu"]:
        results = runner.run(builder.program, target, tools_dir, device=device)
        for (tail, x, w, b), got in zip(builder.cases, results, strict=True):
            x, w, b = (a.astype(np.longdouble) for a in (x, w, b))
            wanted = evaluate(tail, x, w, b).reshape(got.shape)
            # Each sum rounds once for each term; tanh is good to some ulps.
            terms = np.abs(x) @ np.abs(w) + np.abs(b)
            bound = (epsilon * ((x.shape[1] + 2) * terms + 8)).reshape(got.shape)
            assert (np.abs(got - wanted) <= bound).all(), (target, tail, x.shape, w.shape)
