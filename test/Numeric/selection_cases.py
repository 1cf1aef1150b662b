# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of the ops that score and select tiles: their generators, their text,
and what they mean."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

import bounds
import model
import programs
from attention_cases import grids, patterns


def unknown(rng, rank, dynamic):
    """Some dimensions of a tensor, to be left unknown."""
    return [d for d in range(rank) if dynamic and rng.random() < 0.7]


def check_rows(num, idx, rows, before, what):
    """The list (`num`, `idx`) holds exactly `rows`, and past them `before`."""
    if num.shape != rows.shape or idx.shape != before.shape:
        raise bounds.Mismatch(f"{what}: expected {rows.shape} rows, got {num.shape}")
    for row in np.ndindex(rows.shape):
        got = tuple(int(t) for t in idx[row][: num[row]])
        if got != rows[row]:
            raise bounds.Mismatch(
                f"{what}: expected tiles {rows[row]} in row {row}, got {got}"
            )
        if (idx[row][len(got) :] != before[row][len(got) :]).any():
            raise bounds.Mismatch(f"{what}: entries after the last of row {row}")


# ===-----------------------------------------------------------------------===#
# dit.topk_mask
# ===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class TopkCase:
    type: str
    shape: tuple
    by: str
    amount: float
    per_head: bool
    keep: object
    capacity: int
    scores: str
    dynamic: bool
    seed: int

    def inputs(self):
        """(scores, counts, garbage in num, garbage in idx)."""
        rng = np.random.default_rng(self.seed)
        scores = rng.standard_normal(self.shape) * 2
        if self.scores == "ties":
            scores = np.round(scores)
        elif self.scores == "special":
            scores = np.round(scores)
            scores[rng.random(self.shape) < 0.2] = np.nan
            scores[rng.random(self.shape) < 0.2] = -np.inf
            scores[rng.random(self.shape) < 0.05] = np.inf
        elif self.scores == "equal":
            scores[:] = 0.5
        elif self.scores == "ascending":
            scores = np.sort(scores)
        elif self.scores == "outliers":
            scores[rng.random(self.shape) < 0.01] *= 1e30
        elif self.scores == "nothing":
            scores = np.where(rng.random(self.shape) < 0.5, -np.inf, np.nan)
        heads = self.shape[1] if self.per_head else 1
        counts = rng.integers(0, self.shape[3] + 3, heads, dtype=np.int32)
        if self.amount in (0.0, 1.0):
            counts[:] = int(self.amount) * self.shape[3]
        num = programs.garbage(self.shape[:3], np.int32, rng)
        idx = programs.garbage((*self.shape[:3], self.capacity), np.int32, rng)
        return scores.astype(programs.FLOATS[self.type]), counts, num, idx

    def emit(self, program):
        rng = np.random.default_rng(self.seed + 1)
        scores = self.inputs()[0]
        value = program.parameter(scores, unknown(rng, 4, self.dynamic))
        return self.emit_selection(program, rng, value)

    def emit_selection(self, program, rng, value):
        """Adds the op on the scores `value`."""
        _, counts, num, idx = self.inputs()
        text = f"dit.topk_mask {programs.ins(value)}"
        if self.by == "count":
            k = program.parameter(counts, ())
            text += f" count({k} : {k.type})"
        else:
            text += f" {self.by}({self.amount!r})"
        if self.keep is not None:
            text += f" keep({self.keep})"
        inits = [
            program.parameter(x, unknown(rng, x.ndim, self.dynamic))
            for x in (num, idx)
        ]
        return program.op(text, inits)

    def check(self, results):
        self.check_selection(self.inputs()[0], results)

    def check_selection(self, scores, results):
        """The list is what `scores` ask for."""
        _, counts, _, idx_before = self.inputs()
        num, idx = results
        if idx.shape != idx_before.shape:
            raise bounds.Mismatch(
                f"topk: expected a list {idx_before.shape}, got {idx.shape}"
            )
        kept = np.zeros(self.shape[2:], dtype=bool)
        if self.keep is not None:
            kept = self.keep.mask(*self.shape[2:])
        amounts = {"count": counts} if self.by == "count" else {self.by: self.amount}
        for row in np.ndindex(num.shape):
            numbers = model.topk_numbers(
                scores[row], row[1], **amounts, tolerance=1e-5
            )
            allowed = [
                model.topk_row(scores[row], number, kept[row[2]], self.capacity)
                for number in numbers
            ]
            got = [int(t) for t in idx[row][: max(num[row], 0)]]
            if num[row] != len(got) or got not in allowed:
                raise bounds.Mismatch(
                    f"topk: expected one of {allowed} in row {row} of scores "
                    f"{scores[row]}, got {num[row]}: {got}"
                )
            if (idx[row][num[row] :] != idx_before[row][num[row] :]).any():
                raise bounds.Mismatch(f"topk: entries after the last of row {row}")


@st.composite
def topk_cases(draw):
    rows, columns = draw(st.integers(0, 9)), draw(st.integers(0, 40))
    keep = None
    if draw(st.booleans()):
        grid = grids(draw) if draw(st.integers(0, 3)) == 0 else None
        if grid:
            rows = columns = grid.tokens
        keep = draw(patterns(rows, columns, grid, depth=1))
    return TopkCase(
        type=draw(st.sampled_from(["f32", "f64"])),
        shape=(draw(st.integers(1, 2)), draw(st.integers(1, 3)), rows, columns),
        by=draw(st.sampled_from(["count", "fraction", "mass"])),
        amount=draw(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])),
        per_head=draw(st.booleans()),
        keep=keep,
        capacity=draw(st.sampled_from([columns, columns + 2, columns // 2, 0])),
        scores=draw(st.sampled_from(["any", "ties", "special", "equal", "nothing"])),
        dynamic=draw(st.booleans()),
        seed=draw(st.integers(0, 2**16)),
    )


# ===-----------------------------------------------------------------------===#
# Tile lists
# ===-----------------------------------------------------------------------===#


def random_list(rng, shape, columns, density, spare):
    """(num, idx) with ascending entries below `columns`."""
    num = np.zeros(shape, np.int32)
    idx = np.full((*shape, columns + spare), 2**30, np.int32)
    for row in np.ndindex(shape):
        listed = np.flatnonzero(rng.random(columns) < density)
        num[row] = len(listed)
        idx[row][: len(listed)] = listed
    return num, idx


@dataclasses.dataclass(frozen=True)
class ListCase:
    """One of `union`, `slice` and `transpose`."""

    op: str
    shape: tuple
    columns: int
    densities: tuple
    # Per operand, which of batch and head are broadcast from extent 1.
    single: tuple
    cut: int
    spare: int
    dynamic: bool
    seed: int

    def source(self, rng, operand):
        shape = [
            1 if d < 2 and self.single[operand][d] else n
            for d, n in enumerate(self.shape)
        ]
        return random_list(
            rng, tuple(shape), self.columns, self.densities[operand], self.spare
        )

    def offsets(self):
        """Offsets of a slice and the extents of its result."""
        rng = np.random.default_rng(self.seed + 2)
        shape = [
            1 if d < 2 and self.single[0][d] else n for d, n in enumerate(self.shape)
        ]
        begins = [int(rng.integers(0, n + 1)) for n in shape]
        extents = [int(rng.integers(0, n - o + 1)) for n, o in zip(shape, begins)]
        for d in range(2):
            # A dimension that stands for all is kept, whatever the offset.
            if shape[d] == 1:
                begins[d], extents[d] = int(rng.integers(0, 4)), 1
        return begins, extents

    def expected(self):
        """(rows, capacity) of the result."""
        rng = np.random.default_rng(self.seed)
        first = model.list_rows(*self.source(rng, 0))
        if self.op == "union":
            second = model.list_rows(*self.source(rng, 1))
            capacity = max(self.columns - self.cut, 0)
            return model.tiles_union(first, second, capacity), capacity
        if self.op == "slice":
            offsets, extents = self.offsets()
            capacity = self.columns + self.spare
            return model.tiles_slice(first, offsets, tuple(extents)), capacity
        capacity = max(self.shape[2] - self.cut, 0)
        return model.tiles_transpose(first, self.columns, capacity), capacity

    def emit(self, program):
        rng = np.random.default_rng(self.seed)
        free = np.random.default_rng(self.seed + 1)

        def parameter(array):
            return program.parameter(array, unknown(free, array.ndim, self.dynamic))

        first = [parameter(x) for x in self.source(rng, 0)]
        text = f"dit.tiles_{self.op} {programs.ins(*first)}"
        if self.op == "union":
            second = [parameter(x) for x in self.source(rng, 1)]
            text = (
                f"dit.tiles_union ins(({programs.join(first)}), "
                f"({programs.join(second)}) : {programs.types(first + second)})"
            )
        if self.op == "slice":
            names = []
            for offset in self.offsets()[0]:
                names.append(program.constant_index(offset))
            text += f" at({', '.join(names)})"
        return program.op(text, [parameter(x) for x in self.garbage()])

    def garbage(self):
        """What the outs hold."""
        rng = np.random.default_rng(self.seed + 3)
        rows, capacity = self.expected()
        return [
            programs.garbage(shape, np.int32, rng)
            for shape in (rows.shape, (*rows.shape, capacity))
        ]

    def check(self, results):
        check_rows(*results, self.expected()[0], self.garbage()[1], self.op)


@st.composite
def list_cases(draw):
    flags = st.tuples(st.booleans(), st.booleans())
    op = draw(st.sampled_from(["union", "slice", "transpose"]))
    batch, heads = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    single = [draw(flags), draw(flags)]
    if op == "union":
        # Nothing else says what the result's extents are.
        batch = 1 if single[0][0] and single[1][0] else batch
        heads = 1 if single[0][1] and single[1][1] else heads
    return ListCase(
        op=op,
        shape=(batch, heads, draw(st.integers(0, 7))),
        columns=draw(st.integers(0, 20)),
        densities=tuple(draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])) for _ in "ab"),
        single=tuple(single),
        cut=draw(st.sampled_from([0, 0, 3, 30])),
        spare=draw(st.sampled_from([0, 2])),
        dynamic=draw(st.booleans()),
        seed=draw(st.integers(0, 2**16)),
    )


# ===-----------------------------------------------------------------------===#
# dit.low_rank_score
# ===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class ScoreCase:
    type: str
    batch: int
    key_heads: int
    group: int
    queries: int
    keys: int
    rank: int
    tile: tuple
    proxy: str
    scale: float
    dynamic: bool
    seed: int

    def inputs(self):
        rng = np.random.default_rng(self.seed)
        shapes = [
            (self.batch, self.key_heads * self.group, self.queries, self.rank),
            (self.batch, self.key_heads, self.keys, self.rank),
        ]
        return [
            rng.standard_normal(shape).astype(programs.FLOATS[self.type])
            for shape in shapes
        ]

    def expected(self):
        return model.low_rank_score(*self.inputs(), self.tile, self.proxy, self.scale)

    def emit(self, program):
        rng = np.random.default_rng(self.seed + 1)
        q, k = (
            program.parameter(x, unknown(rng, 4, self.dynamic)) for x in self.inputs()
        )
        element = programs.FLOATS[programs.accumulator(self.type)]
        scores = programs.garbage(self.expected().shape, element, rng)
        text = (
            f"dit.low_rank_score {programs.ins(q, k)} by "
            f"[{self.tile[0]}, {self.tile[1]}] proxy <{self.proxy}>"
        )
        inits = [program.parameter(scores, unknown(rng, 4, self.dynamic))]
        return program.op(text, inits, f"{{scale = {self.scale!r} : f64}}")

    def check(self, results):
        q, k = (np.abs(x.astype(np.float64)).max(initial=0.0) for x in self.inputs())
        eps = float(np.finfo(results[0].dtype).eps)
        # A rounding for each product and sum, of means and of the product.
        steps = self.rank + max(self.tile)
        bound = eps * steps * q * k * abs(self.scale)
        bounds.check_close(results[0], self.expected(), bound, "score")


@st.composite
def score_cases(draw):
    return ScoreCase(
        type=draw(st.sampled_from(list(programs.FLOATS))),
        batch=draw(st.integers(1, 2)),
        key_heads=draw(st.integers(1, 3)),
        group=draw(st.integers(1, 3)),
        queries=draw(st.integers(0, 40)),
        keys=draw(st.integers(0, 40)),
        rank=draw(st.sampled_from([1, 4, 16])),
        tile=draw(st.sampled_from([(1, 1), (4, 8), (32, 1), (7, 3), (64, 64)])),
        proxy=draw(st.sampled_from(["center", "first", "mean"])),
        scale=draw(st.sampled_from([1.0, 0.25, -2.0])),
        dynamic=draw(st.booleans()),
        seed=draw(st.integers(0, 2**16)),
    )


# ===-----------------------------------------------------------------------===#
# Selection among scores that are made for it
# ===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class ScoredTopkCase:
    """Scores that only the selection reads, and the same as a result."""

    score: ScoreCase
    topk: TopkCase

    def emit(self, program):
        rng = np.random.default_rng(self.topk.seed + 2)
        q, k = (program.parameter(x) for x in self.score.inputs())
        element = programs.FLOATS[programs.accumulator(self.score.type)]
        shape = self.score.expected().shape
        kept = program.parameter(programs.garbage(shape, element, rng))
        text = (
            f"dit.low_rank_score {programs.ins(q, k)} by "
            f"[{self.score.tile[0]}, {self.score.tile[1]}] proxy <{self.score.proxy}>"
        )
        scale = f"{{scale = {self.score.scale!r} : f64}}"
        places = program.op(text, [kept], scale)
        name = f"%scores{len(program.lines)}"
        program.raw(
            f"  {name}_init = tensor.empty() : {kept.type}\n"
            f"  {name} = {text} outs({name}_init : {kept.type}) {scale}",
            [],
        )
        value = programs.Value(name, kept.type)
        return places + self.topk.emit_selection(program, rng, value)

    def check(self, results):
        self.score.check(results[:1])
        self.topk.check_selection(results[0], results[1:])


@st.composite
def scored_topk_cases(draw):
    score = draw(score_cases())
    shape = score.expected().shape
    keep = None
    if draw(st.booleans()):
        keep = draw(patterns(*shape[2:], depth=1))
    topk = dataclasses.replace(
        draw(topk_cases()),
        type=programs.accumulator(score.type),
        shape=shape,
        keep=keep,
        capacity=draw(st.sampled_from([shape[3], shape[3] + 2, shape[3] // 2, 0])),
        dynamic=False,
    )
    return ScoredTopkCase(score, topk)
