# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Canonical forms of an attention compute what the original does.

Attentions are drawn with transposes and unit reshapes around them, patterns,
and operands that change nothing; the canonical form is run beside the original
on the reference target.
"""

import random
import subprocess

import numpy as np
import pytest

EXTENTS = {"b": 2, "h": 4, "q": 24, "k": 20, "d": 8}
GRID = "#dit.grid<2x3x3, text = 6>"
SQUARE_PATTERNS = [
    f"#dit.or<#dit.grid_window<{GRID}, 0 x 1 x 1>, #dit.causal<offset = -9>>",
    f"#dit.and<#dit.frame_causal<{GRID}>, #dit.and<#dit.arrow<width = 4, text = 6>, #dit.window<left = 23, right = 23>>>",
    f"#dit.tiled<#dit.and<#dit.grid_window<{GRID}, -1 x 2 x 2>>, 4 x 4>",
]
PATTERNS = [
    None,
    "#dit.window<left = 99, right = 99>",
    "#dit.and<#dit.causal, #dit.and<#dit.window<left = 5, right = -1>, #dit.causal>>",
    "#dit.or<#dit.or<#dit.causal<offset = -4>, #dit.window<left = 0, right = 0>>, #dit.causal<offset = -4>>",
    "#dit.tiled<#dit.tiled<#dit.causal, 1 x 1>, 4 x 3>",
]


def tensor(shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


class Drawing:
    """A function with one attention, drawn from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.arguments = []
        self.extents = dict(EXTENTS)
        if self.random.random() < 0.4:
            self.extents["b"] = 1
        if self.random.random() < 0.3:
            self.extents["h"] = 1
        if self.random.random() < 0.5:
            self.extents["k"] = self.extents["q"]

    def fresh(self):
        return f"%v{len(self.lines)}"

    def emit(self, text):
        self.lines.append(f"  {text}")

    def shape(self, letters, length):
        return [self.extents[length if letter == "s" else letter]
                for letter in letters]

    def draw_order(self):
        letters = [x for x in "bhsd" if x in "sd" or self.extents[x] > 1
                   or self.random.random() < 0.6]
        self.random.shuffle(letters)
        return "".join(letters)

    def transpose(self, value, letters, length):
        """A transpose of `value` into another drawn order."""
        permutation = list(range(len(letters)))
        self.random.shuffle(permutation)
        result = "".join(letters[i] for i in permutation)
        empty, out = self.fresh(), None
        target = tensor(self.shape(result, length))
        self.emit(f"{empty} = tensor.empty() : {target}")
        out = self.fresh()
        self.emit(f"{out} = linalg.transpose ins({value} : "
                  f"{tensor(self.shape(letters, length))}) outs({empty} : "
                  f"{target}) permutation = {permutation}")
        return out, result

    def unit_reshape(self, value, letters, length):
        """Drops or adds a unit batch or head dimension."""
        present = [x for x in "bh" if self.extents[x] == 1 and x in letters]
        absent = [x for x in "bh" if self.extents[x] == 1 and x not in letters]
        if not present and not absent or len(letters) < 2:
            return value, letters
        letter = self.random.choice(present + absent)
        small = letters.replace(letter, "")
        at = (letters.index(letter) if letter in letters
              else self.random.randrange(len(small) + 1))
        large = small[:at] + letter + small[at:]
        # The unit dimension goes with a neighbour.
        with_next = at < len(small) and (at == 0 or self.random.random() < 0.5)
        first = at if with_next else at - 1
        groups, dim = [], 0
        for index in range(len(small)):
            width = 2 if index == first else 1
            groups.append(list(range(dim, dim + width)))
            dim += width
        types = {x: tensor(self.shape(x, length)) for x in (small, large)}
        out = self.fresh()
        if letter in letters:
            self.emit(f"{out} = tensor.collapse_shape {value} {groups} : "
                      f"{types[large]} into {types[small]}")
            return out, small
        self.emit(f"{out} = tensor.expand_shape {value} {groups} output_shape "
                  f"{self.shape(large, length)} : {types[small]} into {types[large]}")
        return out, large

    def wander(self, value, letters, length):
        for _ in range(self.random.randrange(4)):
            step = self.random.choice([self.transpose, self.unit_reshape])
            value, letters = step(value, letters, length)
        return value, letters

    def draw_operand(self, name, length):
        letters = self.draw_order()
        self.arguments.append((f"%{name}", self.shape(letters, length)))
        return self.wander(f"%{name}", letters, length)

    def draw_extras(self):
        """Operands that change nothing, and a pattern."""
        e, extras = self.extents, ""
        if self.random.random() < 0.3:
            bias = tensor([1, 1, e["q"], e["k"]])
            self.emit(f"%bias = arith.constant dense<0.0> : {bias}")
            extras += f" bias(%bias : {bias})"
        square = SQUARE_PATTERNS if e["q"] == e["k"] else []
        if pattern := self.random.choice(PATTERNS + square):
            extras += f" pattern({pattern})"
        if self.random.random() < 0.3:
            valid = f"tensor<{e['b']}xi32>"
            self.emit(f"%valid = arith.constant dense<{e['k']}> : {valid}")
            extras += f" kv_valid(%valid : {valid})"
        return extras

    def module(self):
        operands = [self.draw_operand(*x) for x in (("q", "q"), ("k", "k"), ("v", "k"))]
        extras = self.draw_extras()
        order = self.draw_order()
        output = tensor(self.shape(order, "q"))
        lse = tensor([self.extents[x] for x in "bhq"])
        self.emit(f"%init = tensor.empty() : {output}")
        self.emit(f"%init_lse = tensor.empty() : {lse}")
        types = [tensor(self.shape(letters, length))
                 for (_, letters), length in zip(operands, "qkk")]
        orders = ", ".join(
            f"{name}_order = #dit.order<{letters}>" for name, letters in
            zip("qkvo", [x[1] for x in operands] + [order]))
        self.emit(f"%o:2 = dit.attention ins({', '.join(x[0] for x in operands)}"
                  f" : {', '.join(types)}){extras} outs(%init, %init_lse : "
                  f"{output}, {lse}) {{scale = 0.35 : f64, {orders}}}")
        result, letters = self.wander("%o#0", order, "q")
        results = [(result, tensor(self.shape(letters, "q")))]
        if self.random.random() < 0.5:
            results.append(("%o#1", lse))
        values, result_types = zip(*results)
        arguments = ", ".join(f"{name}: {tensor(shape)}"
                              for name, shape in self.arguments)
        body = "\n".join(self.lines)
        return (f"func.func @main({arguments}) -> ({', '.join(result_types)}) {{\n"
                f"{body}\n  return {', '.join(values)} : "
                f"{', '.join(result_types)}\n}}\n"), len(results)


def run(tools_dir, module, inputs, outputs):
    subprocess.run(
        [tools_dir / "dit-run", module, "--entry", "main", "--target",
         "reference", "--inputs", ",".join(map(str, inputs)), "--outputs",
         ",".join(map(str, outputs))], check=True, capture_output=True)
    return [np.load(path) for path in outputs]


def check(tools_dir, folder, seed):
    drawing = Drawing(seed)
    text, num_results = drawing.module()
    original, canonical = folder / "original.mlir", folder / "canonical.mlir"
    original.write_text(text)
    subprocess.run([tools_dir / "dit-opt", original, "-canonicalize", "-o",
                    canonical], check=True)
    generator = np.random.default_rng(seed)
    inputs = []
    for name, shape in drawing.arguments:
        inputs.append(folder / f"{name[1:]}.npy")
        np.save(inputs[-1], generator.standard_normal(shape).astype(np.float32))
    results = [run(tools_dir, module, inputs,
                   [folder / f"{module.stem}{i}.npy" for i in range(num_results)])
               for module in (original, canonical)]
    for before, after in zip(*results):
        assert before.shape == after.shape
        np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6)
    return canonical.read_text()


def test_canonical_forms(tools_dir, tmp_path):
    folded = 0
    for seed in range(8):
        text = check(tools_dir, tmp_path, seed)
        folded += "linalg.transpose" not in text
    # Otherwise the drawn functions would not reach what they are drawn for.
    assert folded >= 4


@pytest.mark.slow
def test_many_canonical_forms(tools_dir, tmp_path):
    for seed in range(100, 500):
        check(tools_dir, tmp_path, seed)
