# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of dit.attention: their generator, their text, and what they mean."""

import dataclasses
import itertools

import numpy as np
from hypothesis import strategies as st

import bounds
import model
import programs

ORDERS = {
    rank: ["".join(p) for p in itertools.permutations(letters)]
    for rank, letters in ((4, "bhsd"), (3, "bsd"), (-3, "hsd"), (2, "sd"))
}


def orders(batch, heads):
    """The dimension orders that an operand of these extents may have."""
    choices = list(ORDERS[4])
    if heads == 1:
        choices += ORDERS[3]
    if batch == 1:
        choices += ORDERS[-3]
    if batch == heads == 1:
        choices += ORDERS[2]
    return choices


def stored(array, order):
    """`array` `[B, H, S, D]` as an operand of dimension order `order`."""
    missing = tuple(d for d, letter in enumerate("bhsd") if letter not in order)
    present = [letter for letter in "bhsd" if letter in order]
    return array.squeeze(missing).transpose([present.index(c) for c in order])


def canonical(array, order):
    """The inverse of `stored`."""
    present = [letter for letter in "bhsd" if letter in order]
    array = array.transpose([order.index(c) for c in present])
    missing = tuple(d for d, letter in enumerate("bhsd") if letter not in order)
    return np.expand_dims(array, missing)


@dataclasses.dataclass(frozen=True)
class Bias:
    """A bias with the dimensions in `full` not broadcast."""

    full: tuple
    type: str
    kind: str


@dataclasses.dataclass(frozen=True)
class Tiles:
    tile: tuple
    full_batch: bool
    full_heads: bool
    density: float
    spare: int
    dynamic: bool


@dataclasses.dataclass(frozen=True)
class AttentionCase:
    type: str
    batch: int
    kv_heads: int
    group: int
    queries: int
    keys: int
    head_size: int
    value_size: int
    orders: tuple
    dynamic: str
    pattern: object
    bias: object
    tiles: object
    kv_valid: bool
    lse: bool
    magnitude: float
    scale: float
    seed: int
    # For each head; 0 skips it, -1 does not limit it.
    half_widths: tuple = None

    @property
    def heads(self):
        return self.kv_heads * self.group

    # ===-------------------------------------------------------------------===#
    # Inputs
    # ===-------------------------------------------------------------------===#

    def inputs(self):
        """(q, k, v, bias, tile list, kv_valid), operands as `[B, H, S, D]`."""
        rng = np.random.default_rng(self.seed)
        element = programs.FLOATS[self.type]

        def normal(heads, length, size):
            return rng.standard_normal((self.batch, heads, length, size))

        q = normal(self.heads, self.queries, self.head_size) * self.magnitude
        k = normal(self.kv_heads, self.keys, self.head_size)
        v = normal(self.kv_heads, self.keys, self.value_size)
        operands = [x.astype(element) for x in (q, k, v)]
        bias = self.make_bias(rng) if self.bias else None
        tiles = self.make_tiles(rng) if self.tiles else None
        valid = None
        if self.kv_valid:
            valid = rng.integers(0, self.keys + 1, self.batch, dtype=np.int32)
        return (*operands, bias, tiles, valid)

    def make_bias(self, rng):
        extents = (self.batch, self.heads, self.queries, self.keys)
        shape = [n if d in self.bias.full else 1 for d, n in enumerate(extents)]
        element = programs.FLOATS[self.bias.type]
        bias = rng.standard_normal(shape) * 2
        lowest = -float(programs.ml_dtypes.finfo(element).max)
        if self.bias.kind == "infinite":
            bias[rng.random(shape) < 0.4] = -np.inf
        elif self.bias.kind == "infinite rows":
            bias[rng.random(shape[:3]) < 0.6] = -np.inf
        elif self.bias.kind == "lowest":
            bias[rng.random(shape) < 0.4] = lowest
        elif self.bias.kind == "lowest rows":
            bias[rng.random(shape[:3]) < 0.6] = lowest
        return bias.astype(element)

    def make_tiles(self, rng):
        spec = self.tiles
        rows = -(-self.queries // spec.tile[0])
        columns = -(-self.keys // spec.tile[1])
        shape = (
            self.batch if spec.full_batch else 1,
            self.heads if spec.full_heads else 1,
            rows,
        )
        num = np.zeros(shape, np.int32)
        # Entries past the number must not be read.
        idx = np.full((*shape, columns + spec.spare), 2**30, np.int32)
        for row in np.ndindex(shape):
            listed = np.flatnonzero(rng.random(columns) < spec.density)
            num[row] = len(listed)
            idx[row][: len(listed)] = listed
        return num, idx

    def destinations(self):
        """What output and log-sum-exp hold before."""
        rng = np.random.default_rng(self.seed + 4)
        shape = (self.batch, self.heads, self.queries, self.value_size)
        lse = programs.FLOATS[programs.accumulator(self.type)]
        return (
            programs.garbage(shape, programs.FLOATS[self.type], rng),
            programs.garbage(shape[:3], lse, rng),
        )

    # ===-------------------------------------------------------------------===#
    # Text
    # ===-------------------------------------------------------------------===#

    def operand(self, program, rng, array, order, sequence):
        """A parameter for an operand of dimension order `order`."""
        unknown = self.dynamic.replace("s", sequence)
        dims = [
            order.index(c)
            for c, name in (("b", "b"), ("h", "h"), ("s", sequence))
            if name in unknown and c in order and rng.random() < 0.8
        ]
        return program.parameter(stored(array, order), dims)

    def emit_mask(self, program, bias, tiles, valid):
        """The text of the bias and of what says which positions are allowed."""
        text = ""
        if bias is not None:
            dims = [
                d
                for d, name in enumerate("bhqk")
                if name in self.dynamic and d in self.bias.full
            ]
            b = program.parameter(bias, dims)
            text += f" bias({b} : {b.type})"
        if self.pattern is not None:
            text += f" pattern({self.pattern})"
        if tiles is not None:
            dims = range(4) if self.tiles.dynamic else ()
            num, idx = (program.parameter(x, dims) for x in tiles)
            text += (
                f" tiles({num}, {idx} : {num.type}, {idx.type})"
                f" by [{self.tiles.tile[0]}, {self.tiles.tile[1]}]"
            )
        if valid is not None:
            n = program.parameter(valid, (0,) if "b" in self.dynamic else ())
            text += f" kv_valid({n} : {n.type})"
        return text

    def emit(self, program):
        """Adds the op to `program`; returns the positions of its results."""
        q, k, v, bias, tiles, valid = self.inputs()
        rng = np.random.default_rng(self.seed + 1)

        def operand(array, order, sequence):
            return self.operand(program, rng, array, order, sequence)

        values = [
            operand(array, order, sequence)
            for array, order, sequence in zip((q, k, v), self.orders, "qkk")
        ]
        text = f"dit.attention {programs.ins(*values)}"
        text += self.emit_mask(program, bias, tiles, valid)
        if self.half_widths is not None:
            dims = (0,) if "h" in self.dynamic else ()
            w = program.parameter(np.array(self.half_widths, np.int32), dims)
            text += f" half_widths({w} : {w.type})"
        output, lse = self.destinations()
        inits = [operand(output, self.orders[3], "q")]
        if self.lse:
            dims = [d for d, name in enumerate("bhq") if name in self.dynamic]
            inits.append(program.parameter(lse, dims))
        attributes = [f"scale = {self.scale!r} : f64"]
        for name, order in zip("qkvo", self.orders):
            if order != "bhsd":
                attributes.append(f"{name}_order = #dit.order<{order}>")
        return program.op(text, inits, f"{{{', '.join(attributes)}}}")

    # ===-------------------------------------------------------------------===#
    # Meaning
    # ===-------------------------------------------------------------------===#

    def mask(self, tiles, valid):
        """The allowed positions `[B, H, Sq, Skv]`."""
        shape = (self.batch, self.heads, self.queries, self.keys)
        mask = np.ones(shape, dtype=bool)
        if self.half_widths is not None:
            mask &= self.band_mask()
        elif self.pattern is not None:
            mask &= self.pattern.mask(self.queries, self.keys)
        if tiles is not None:
            mask &= model.listed_mask(*tiles, self.tiles.tile, *shape)
        if valid is not None:
            mask &= np.arange(self.keys) < valid[:, None, None, None]
        return mask

    def band_mask(self):
        """The positions `[1, H, Sq, Skv]` of the pattern or a head's band."""
        distance = np.abs(np.arange(self.queries)[:, None] - np.arange(self.keys))
        width = np.array(self.half_widths)[None, :, None, None]
        mask = (distance <= width) | (width < 0)
        if self.pattern is not None:
            mask |= self.pattern.mask(self.queries, self.keys)
        return mask

    def naive_outputs(self, q, k, v, bias, mask):
        """Naive outputs, with the sums over sizes and keys in several orders."""
        rng = np.random.default_rng(self.seed + 2)
        size, key = np.arange(self.head_size), np.arange(self.keys)
        full = (self.batch, self.heads, self.queries, self.keys)
        bias = None if bias is None else np.broadcast_to(bias, full)
        for _ in range(3):
            yield model.naive_attention(
                q[..., size],
                k[:, :, key][..., size],
                v[:, :, key],
                self.scale,
                None if bias is None else bias[..., key],
                mask[..., key],
            )[0]
            size, key = rng.permutation(size), rng.permutation(key)

    def check(self, results):
        q, k, v, bias, tiles, valid = self.inputs()
        mask = self.mask(tiles, valid)
        results = [canonical(results[0], self.orders[3]), *results[1:]]
        computed = np.ones(self.heads, dtype=bool)
        if self.half_widths is not None:
            computed = np.array(self.half_widths) != 0
            for got, before in zip(results, self.destinations()):
                if not np.array_equal(got[:, ~computed], before[:, ~computed], True):
                    raise bounds.Mismatch("a head that is skipped was written")
        results = [x[:, computed] for x in results]
        o, lse = model.attention(q, k, v, self.scale, bias, mask)
        naives = list(self.naive_outputs(q, k, v, bias, mask))
        dots = model.scores(q, k, self.scale)
        bounds.check_attention(
            results[0],
            results[1] if self.lse else None,
            (o[:, computed], lse[:, computed]),
            [naive[:, computed] for naive in naives],
            spread=np.abs(dots).max(initial=0.0),
            values=np.abs(v.astype(np.float64)).max(initial=0.0),
        )


# ===-----------------------------------------------------------------------===#
# Generator
# ===-----------------------------------------------------------------------===#


def grids(draw):
    extents = [draw(st.integers(1, 3)) for _ in range(3)]
    text = draw(st.sampled_from([0, 0, 1, 5]))
    return model.Grid(*extents, text, bool(text) and draw(st.booleans()))


@st.composite
def patterns(draw, queries, keys, grid=None, depth=2):
    """A pattern for these lengths; of a grid's tokens if `grid` is given."""
    kinds = ["causal", "window", "arrow"]
    if grid:
        kinds += ["grid_window", "frame_causal"] * 2
    if depth:
        kinds += ["and", "or", "tiled"]
    kind = draw(st.sampled_from(kinds))
    inner = patterns(queries, keys, grid, depth - 1)
    if kind == "causal":
        return model.Causal(draw(st.integers(-3, max(keys, 1))))
    if kind == "window":
        sides = st.integers(-1, max(queries, keys) // 2)
        return model.Window(draw(sides), draw(sides))
    if kind == "arrow":
        text = draw(st.integers(0, min(queries, keys, 4)))
        return model.Arrow(draw(st.integers(0, 8)), text, draw(st.booleans()))
    if kind == "grid_window":
        distances = tuple(draw(st.integers(-1, 2)) for _ in range(3))
        return model.GridWindow(grid, distances)
    if kind == "frame_causal":
        return model.FrameCausal(grid)
    if kind == "tiled":
        tile = st.sampled_from([1, 2, 3, 4, 8])
        return model.Tiled(draw(inner), draw(tile), draw(tile))
    operands = tuple(draw(st.lists(inner, min_size=1, max_size=3)))
    return model.And(operands) if kind == "and" else model.Or(operands)


# Some reach past a block of queries or keys of any kernel.
LENGTHS = st.one_of(
    st.sampled_from([1, 2, 7, 8, 16, 17, 31, 33]),
    st.integers(0, 70),
    st.integers(65, 300),
)


@st.composite
def half_widths(draw, heads):
    """None, or one for each head."""
    if draw(st.integers(0, 3)):
        return None
    return tuple(draw(st.sampled_from([-1, 0, 1, 5, 40, 300])) for _ in range(heads))


@st.composite
def attention_cases(draw, types=tuple(programs.FLOATS)):
    element = draw(st.sampled_from(types))
    batch = draw(st.sampled_from([1, 1, 2, 3]))
    kv_heads = draw(st.sampled_from([1, 1, 2, 3]))
    group = draw(st.sampled_from([1, 1, 1, 2, 3]))
    grid, pattern = None, None
    queries, keys = draw(LENGTHS), draw(LENGTHS)
    if draw(st.integers(0, 3)) == 0:
        grid = grids(draw)
        queries = keys = grid.tokens
    elif draw(st.booleans()):
        keys = queries
    if grid or draw(st.booleans()):
        pattern = draw(patterns(queries, keys, grid))
    bias = None
    if draw(st.integers(0, 2)) == 0:
        bias = Bias(
            full=draw(st.sampled_from([(0, 1, 2, 3), (2, 3), (3,), (0, 3), (1,), ()])),
            type=draw(st.sampled_from([element, programs.accumulator(element)])),
            kind=draw(
                st.sampled_from(
                    ["normal", "infinite", "infinite rows", "lowest", "lowest rows"]
                )
            ),
        )
    tiles = None
    if draw(st.integers(0, 2)) == 0:
        tiles = Tiles(
            tile=draw(
                st.sampled_from(
                    [(1, 1), (2, 4), (4, 3), (8, 8), (16, 16), (32, 1), (128, 128)]
                )
            ),
            full_batch=draw(st.booleans()),
            full_heads=draw(st.booleans()),
            density=draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])),
            spare=draw(st.sampled_from([0, 0, 3])),
            dynamic=draw(st.booleans()),
        )
    q_orders = st.sampled_from(orders(batch, kv_heads * group))
    k_orders = st.sampled_from(orders(batch, kv_heads))
    plain = draw(st.booleans())
    return AttentionCase(
        type=element,
        batch=batch,
        kv_heads=kv_heads,
        group=group,
        queries=queries,
        keys=keys,
        head_size=draw(st.sampled_from([1, 3, 8, 16, 24, 64])),
        value_size=draw(st.sampled_from([1, 5, 8, 16, 40])),
        orders=("bhsd",) * 4
        if plain
        else tuple(draw(s) for s in (q_orders, k_orders, k_orders, q_orders)),
        dynamic="".join(draw(st.sets(st.sampled_from("bhqk")))),
        pattern=pattern,
        bias=bias,
        tiles=tiles,
        kv_valid=draw(st.integers(0, 3)) == 0,
        lse=draw(st.booleans()),
        magnitude=draw(st.sampled_from([0.5, 1.0, 1.0, 8.0])),
        scale=draw(st.sampled_from([0.125, 0.35, 1.0, -0.5])),
        seed=draw(st.integers(0, 2**16)),
        half_widths=draw(half_widths(kv_heads * group)),
    )
