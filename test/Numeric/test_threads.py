# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The number of threads, and which of them does what, is not in the results.

Heads differ in work from half of the tiles to a fiftieth, so that threads take
chunks in another order each time.
"""

import numpy as np
import pytest

import programs
import runner

HEADS, LENGTH, SIZE = 6, 640, 32
THREADS = (1, 2, 4)


class Builder:
    """A program with operands that its ops share."""

    def __init__(self, element, key_heads=HEADS):
        self.rng = np.random.default_rng(7)
        self.element = programs.FLOATS[element]
        self.program = programs.Program()
        self.key_heads = key_heads

    def tensor(self, *shape, element=None):
        array = self.rng.standard_normal(shape).astype(element or self.element)
        return self.program.parameter(array)

    def operands(self):
        """q, k and v."""
        return [self.tensor(2, heads, LENGTH, SIZE)
                for heads in (HEADS, self.key_heads, self.key_heads)]

    def lists(self, tile):
        """Tile lists with 0.50 to 0.98 of each head left out."""
        rows, columns = (-(-LENGTH // extent) for extent in tile)
        num = np.zeros((2, HEADS, rows), np.int32)
        for head, sparsity in enumerate(np.linspace(0.50, 0.98, HEADS)):
            num[:, head] = max(1, round((1 - sparsity) * columns))
        idx = np.argsort(self.rng.random((2, HEADS, rows, columns)))
        for index in np.ndindex(num.shape):
            idx[index][: num[index]].sort()
        return [self.program.parameter(a.astype(np.int32)) for a in (num, idx)]

    def attention(self, mask="", tile=None):
        """Adds an attention with its LSE; returns the operands and results."""
        q, k, v = self.operands()
        if tile:
            num, idx = self.lists(tile)
            mask += (f" tiles({num}, {idx} : {num.type}, {idx.type})"
                     f" by [{tile[0]}, {tile[1]}]")
        inits = [self.tensor(2, HEADS, LENGTH, SIZE),
                 self.tensor(2, HEADS, LENGTH, element=np.float32)]
        results = self.program.op(f"dit.attention {programs.ins(q, k, v)} {mask}",
                                  inits, "{scale = 0.18 : f64}")
        return [q, k, v, *(self.program.results[i] for i in results)], mask

    def backward(self, mask="", tile=None):
        """Adds the gradients of an attention that it adds too."""
        operands, mask = self.attention(mask, tile)
        operands.append(self.tensor(2, HEADS, LENGTH, SIZE))
        inits = [self.tensor(2, heads, LENGTH, SIZE)
                 for heads in (HEADS, self.key_heads, self.key_heads)]
        self.program.op(f"dit.attention_backward {programs.ins(*operands)} {mask}",
                        inits, "{scale = 0.18 : f64}")

    def selection(self):
        """Scores, their tile list, and the attention over it."""
        low_rank = [self.tensor(2, HEADS, LENGTH, 16) for _ in "qk"]
        rows, columns = LENGTH // 32, LENGTH // 16
        scores = self.tensor(2, HEADS, rows, columns, element=np.float32)
        [i] = self.program.op(
            f"dit.low_rank_score {programs.ins(*low_rank)} by [32, 16] proxy <mean>",
            [scores], "{scale = 0.25 : f64}")
        scores = self.program.results[i]
        lists = [self.program.parameter(np.zeros(shape, np.int32))
                 for shape in ((2, HEADS, rows), (2, HEADS, rows, columns))]
        self.program.op(f"dit.topk_mask {programs.ins(scores)} fraction(0.2)", lists)
        self.program.op(f"dit.topk_mask {programs.ins(scores)} mass(0.6)", lists)

    def layer(self):
        """What surrounds attentions: a product, a norm's sums, an activation."""
        x, w = self.tensor(LENGTH, 128), self.tensor(128, 256)
        y = self.tensor(LENGTH, 256)
        [i] = self.program.op(f"linalg.matmul {programs.ins(x, w)}", [y])
        self.program.lines[-1] += f" -> {y.type}"
        product = self.program.results[i]
        text = f"  %act = math.tanh {product} : {y.type}"
        self.program.raw(text, [programs.Value("%act", y.type)])


def forward(builder):
    builder.attention()
    builder.attention("pattern(#dit.causal)")
    builder.attention("pattern(#dit.window<left = 70, right = 33>)")


def sparse(builder):
    builder.attention(tile=(64, 64))
    builder.attention(tile=(32, 1))
    builder.attention("pattern(#dit.causal)", tile=(128, 32))


def backward(builder):
    builder.backward("pattern(#dit.causal)")
    builder.backward(tile=(64, 64))


CASES = {
    "forward f32": (forward, "f32", HEADS),
    "forward bf16, grouped heads": (forward, "bf16", 2),
    "sparse f32": (sparse, "f32", HEADS),
    "sparse bf16, grouped heads": (sparse, "bf16", 3),
    "backward f32": (backward, "f32", HEADS),
    "backward bf16, grouped heads": (backward, "bf16", 2),
    "selection f32": (Builder.selection, "f32", HEADS),
    "layer f32": (Builder.layer, "f32", HEADS),
}


@pytest.mark.parametrize("name", CASES)
def test_threads_do_not_change_a_bit(tools_dir, tmp_path, name):
    build, element, key_heads = CASES[name]
    builder = Builder(element, key_heads)
    build(builder)
    results = []
    for threads in THREADS:
        options = [f"--threads={threads}", f"--cache-dir={tmp_path}", "--repeat=3"]
        results.append(runner.run(builder.program, "cpu", tools_dir, options))
    for threads, others in zip(THREADS[1:], results[1:]):
        for i, (first, other) in enumerate(zip(results[0], others)):
            assert first.tobytes() == other.tobytes(), (
                f"result {i} differs between 1 and {threads} threads")
