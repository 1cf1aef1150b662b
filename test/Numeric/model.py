# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the ops of dit mean, in plain NumPy and double precision.

Written from the descriptions of the ops, independently of every lowering, and
for small extents only: loops where they say most clearly what is meant.
"""

import dataclasses
import math

import numpy as np

# ===-----------------------------------------------------------------------===#
# Grids and patterns
# ===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Grid:
    frames: int
    height: int
    width: int
    text: int = 0
    text_first: bool = False

    @property
    def tokens(self):
        return self.frames * self.height * self.width + self.text

    @property
    def video_begin(self):
        return self.text if self.text_first else 0

    def point(self, token):
        """(frame, y, x) of a token, None for text."""
        video = token - self.video_begin
        if not 0 <= video < self.frames * self.height * self.width:
            return None
        frame, rest = divmod(video, self.height * self.width)
        return (frame, *divmod(rest, self.width))

    def __str__(self):
        text = f", text = {self.text}" if self.text else ""
        first = ", text_first" if self.text_first else ""
        return f"#dit.grid<{self.frames}x{self.height}x{self.width}{text}{first}>"


class Pattern:
    """A set of (query, key) positions."""

    def allows(self, query, key, queries, keys):
        raise NotImplementedError

    def mask(self, queries, keys):
        return np.array(
            [
                [self.allows(i, j, queries, keys) for j in range(keys)]
                for i in range(queries)
            ],
            dtype=bool,
        ).reshape(queries, keys)


@dataclasses.dataclass(frozen=True)
class Causal(Pattern):
    offset: int = 0

    def allows(self, query, key, queries, keys):
        return key <= query + self.offset

    def __str__(self):
        return f"#dit.causal<offset = {self.offset}>"


@dataclasses.dataclass(frozen=True)
class Window(Pattern):
    left: int
    right: int

    def allows(self, query, key, queries, keys):
        return (self.left < 0 or query - self.left <= key) and (
            self.right < 0 or key <= query + self.right
        )

    def __str__(self):
        return f"#dit.window<left = {self.left}, right = {self.right}>"


@dataclasses.dataclass(frozen=True)
class GridWindow(Pattern):
    grid: Grid
    distances: tuple

    def allows(self, query, key, queries, keys):
        a, b = self.grid.point(query), self.grid.point(key)
        if a is None or b is None:
            return True
        return all(
            distance < 0 or abs(x - y) <= distance
            for x, y, distance in zip(a, b, self.distances)
        )

    def __str__(self):
        return f"#dit.grid_window<{self.grid}, {' x '.join(map(str, self.distances))}>"


@dataclasses.dataclass(frozen=True)
class Arrow(Pattern):
    width: int
    text: int
    text_first: bool

    def is_text(self, token, length):
        return token < self.text if self.text_first else token >= length - self.text

    def allows(self, query, key, queries, keys):
        return (
            self.is_text(query, queries)
            or self.is_text(key, keys)
            or abs(query - key) <= self.width
        )

    def __str__(self):
        first = ", text_first" if self.text_first else ""
        return f"#dit.arrow<width = {self.width}, text = {self.text}{first}>"


@dataclasses.dataclass(frozen=True)
class FrameCausal(Pattern):
    grid: Grid

    def allows(self, query, key, queries, keys):
        a, b = self.grid.point(query), self.grid.point(key)
        return a is None or b is None or b[0] <= a[0]

    def __str__(self):
        return f"#dit.frame_causal<{self.grid}>"


@dataclasses.dataclass(frozen=True)
class And(Pattern):
    patterns: tuple

    def mask(self, queries, keys):
        return np.all([p.mask(queries, keys) for p in self.patterns], axis=0)

    def __str__(self):
        return f"#dit.and<{', '.join(map(str, self.patterns))}>"


@dataclasses.dataclass(frozen=True)
class Or(Pattern):
    patterns: tuple

    def mask(self, queries, keys):
        return np.any([p.mask(queries, keys) for p in self.patterns], axis=0)

    def __str__(self):
        return f"#dit.or<{', '.join(map(str, self.patterns))}>"


@dataclasses.dataclass(frozen=True)
class Tiled(Pattern):
    pattern: Pattern
    q: int
    kv: int

    def mask(self, queries, keys):
        inner = self.pattern.mask(queries, keys)
        outer = np.zeros_like(inner)
        for i in range(0, queries, self.q):
            for j in range(0, keys, self.kv):
                tile = slice(i, i + self.q), slice(j, j + self.kv)
                outer[tile] = inner[tile].any()
        return outer

    def __str__(self):
        return f"#dit.tiled<{self.pattern}, {self.q} x {self.kv}>"


# ===-----------------------------------------------------------------------===#
# Attention
# ===-----------------------------------------------------------------------===#


def listed_mask(num, idx, tile, batch, heads, queries, keys):
    """Positions `[B, H, Sq, Skv]` in the tiles that a tile list names."""
    mask = np.zeros((batch, heads, queries, keys), dtype=bool)
    for b, h, i in np.ndindex(batch, heads, queries):
        row = (b if num.shape[0] > 1 else 0, h if num.shape[1] > 1 else 0, i // tile[0])
        for t in idx[row][: num[row]]:
            mask[b, h, i, t * tile[1] : (t + 1) * tile[1]] = True
    return mask


def scores(q, k, scale, bias=None, mask=None, arithmetic=np.float64):
    """Scores of `[B, Hq, Sq, Skv]`; operands are `[B, H, S, D]`."""
    group = q.shape[1] // k.shape[1] if k.shape[1] else 1
    keys = np.repeat(k, group, axis=1).astype(arithmetic)
    s = np.einsum("bhid,bhjd->bhij", q.astype(arithmetic), keys) * arithmetic(scale)
    if bias is not None:
        s = s + bias.astype(arithmetic)
    if mask is not None:
        s = np.where(mask, s, arithmetic(-np.inf))
    return s


def softmax_values(s, v, p_type=None):
    """Output and log-sum-exp of scores `s`; the weights rounded to `p_type`."""
    arithmetic = s.dtype.type
    group = s.shape[1] // v.shape[1] if v.shape[1] else 1
    values = np.repeat(v, group, axis=1).astype(arithmetic)
    with np.errstate(all="ignore"):
        maximum = s.max(axis=-1, keepdims=True, initial=-np.inf)
        shift = np.where(maximum == -np.inf, arithmetic(0), maximum)
        p = np.exp(s - shift)
        total = p.sum(axis=-1)
        if p_type is not None:
            p = p.astype(p_type).astype(arithmetic)
        # Keys without weight take no part, whatever they hold.
        o = np.einsum("bhij,bhjd->bhid", p, values) / total[..., None]
        o = np.where(total[..., None] == 0, arithmetic(0), o)
        lse = shift[..., 0] + np.log(total)
    return o, lse


def attention(q, k, v, scale, bias=None, mask=None):
    """(output, log-sum-exp) in double precision."""
    return softmax_values(scores(q, k, scale, bias, mask), v.astype(np.float64))


def naive_attention(q, k, v, scale, bias=None, mask=None):
    """The plain computation in the op's own arithmetic, its weights rounded to
    the input type and nothing else: what errors are measured by."""
    arithmetic = np.float64 if q.dtype == np.float64 else np.float32
    s = scores(q, k, scale, bias, mask, arithmetic)
    return softmax_values(s, v, p_type=q.dtype)


def attention_backward(
    q, k, v, o, lse, do, scale, bias=None, mask=None, arithmetic=np.float64, p_type=None
):
    """(dq, dk, dv), with the weights and the gradients of the scores rounded to
    `p_type`."""
    group = q.shape[1] // k.shape[1] if k.shape[1] else 1

    def rounded(x):
        return x if p_type is None else x.astype(p_type).astype(arithmetic)

    def ungrouped(x):
        return x.reshape(x.shape[0], k.shape[1], group, *x.shape[2:]).sum(axis=2)

    s = scores(q, k, scale, bias, mask, arithmetic)
    q, o, do, lse = (x.astype(arithmetic) for x in (q, o, do, lse))
    keys, values = (np.repeat(x, group, axis=1).astype(arithmetic) for x in (k, v))
    with np.errstate(all="ignore"):
        row = lse[..., None]
        p = np.where(row == -np.inf, arithmetic(0), np.exp(s - row))
        delta = (do * o).sum(axis=-1, keepdims=True)
        ds = p * (np.einsum("bhid,bhjd->bhij", do, values) - delta)
    p, ds = rounded(p), rounded(ds)
    factor = arithmetic(scale)
    dq = factor * np.einsum("bhij,bhjd->bhid", ds, keys)
    dk = factor * ungrouped(np.einsum("bhij,bhid->bhjd", ds, q))
    dv = ungrouped(np.einsum("bhij,bhid->bhjd", p, do))
    return dq, dk, dv


def attention_merge(o1, lse1, o2, lse2):
    with np.errstate(all="ignore"):
        lse = np.logaddexp(lse1.astype(np.float64), lse2.astype(np.float64))
        weights = [
            np.where(lse == -np.inf, 0.0, np.exp(side.astype(np.float64) - lse))
            for side in (lse1, lse2)
        ]
    o = sum(w[..., None] * side.astype(np.float64) for w, side in zip(weights, (o1, o2)))
    return o, lse


# ===-----------------------------------------------------------------------===#
# Scores of tiles and their selection
# ===-----------------------------------------------------------------------===#


def proxies(tokens, tile, proxy):
    """What stands for each tile of `tokens` `[B, H, S, r]`."""
    tokens = tokens.astype(np.float64)
    length = tokens.shape[2]
    tiles = []
    for begin in range(0, length, tile):
        if proxy == "center":
            tiles.append(tokens[:, :, min(begin + tile // 2, length - 1)])
        elif proxy == "first":
            tiles.append(tokens[:, :, begin])
        else:
            tiles.append(tokens[:, :, begin : begin + tile].mean(axis=2))
    empty = np.zeros((*tokens.shape[:2], 0, tokens.shape[3]))
    return np.stack(tiles, axis=2) if tiles else empty


def low_rank_score(q, k, tile, proxy, scale):
    keys = proxies(k, tile[1], proxy)
    group = q.shape[1] // max(k.shape[1], 1)
    return scale * np.einsum(
        "bhar,bhcr->bhac", proxies(q, tile[0], proxy), np.repeat(keys, group, axis=1)
    )


def priority(row, kept):
    """The tiles of a row of scores in the order in which they are selected."""
    row = np.where(np.isnan(row), -np.inf, row)
    # Kept tiles are all alike, above the highest score.
    return sorted(range(len(row)), key=lambda c: (0, 0, c) if kept[c] else (1, -row[c], c))


def mass_numbers(row, mass, tolerance):
    """The numbers of highest scores whose softmax may be the first to reach
    `mass`, with sums known to `tolerance`."""
    row = np.sort(np.where(np.isnan(row), -np.inf, row).astype(np.float64))[::-1]
    if not len(row) or row[0] == -np.inf:
        return {0}
    with np.errstate(invalid="ignore"):
        weights = np.where(row == row[0], 1.0, np.exp(row - row[0]))
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    wanted = mass * sums[-1]
    slack = tolerance * sums[-1]
    reached = [n for n in range(len(sums)) if sums[n] >= wanted - slack]
    surely = [n for n in range(len(sums)) if sums[n] >= wanted + slack]
    last = surely[0] if surely else len(row)
    # No sum below zero tiles: a share of zero wants none.
    return {0} if mass == 0 else {n for n in reached if n <= last}


def topk_numbers(row, head, count=None, fraction=None, mass=None, tolerance=0.0):
    """The numbers of tiles that a row may get, before `keep` and the capacity."""
    if count is not None:
        return {int(count[head if len(count) > 1 else 0])}
    if fraction is not None:
        return {math.ceil(fraction * len(row))}
    return mass_numbers(row, mass, tolerance)


def topk_row(row, number, kept, capacity):
    """The ascending tiles of a row that gets `number`."""
    number = min(max(number, int(np.sum(kept))), capacity)
    return sorted(priority(row, kept)[: max(number, 0)])


# ===-----------------------------------------------------------------------===#
# Tile lists and token order
# ===-----------------------------------------------------------------------===#


def list_rows(num, idx):
    """A tile list as an array of tuples."""
    rows = np.empty(num.shape, dtype=object)
    for row in np.ndindex(num.shape):
        rows[row] = tuple(int(t) for t in idx[row][: num[row]])
    return rows


def tiles_union(rows1, rows2, capacity):
    shape = np.broadcast_shapes(rows1.shape, rows2.shape)
    result = np.empty(shape, dtype=object)
    first, second = np.broadcast_to(rows1, shape), np.broadcast_to(rows2, shape)
    for row in np.ndindex(shape):
        result[row] = tuple(sorted({*first[row], *second[row]})[:capacity])
    return result


def tiles_slice(rows, offsets, shape):
    result = np.empty(shape, dtype=object)
    for row in np.ndindex(shape):
        source = [
            0 if dim < 2 and rows.shape[dim] == 1 else row[dim] + offsets[dim]
            for dim in range(3)
        ]
        result[row] = rows[tuple(source)]
    return result


def tiles_transpose(rows, key_tiles, capacity):
    batch, heads, queries = rows.shape
    result = np.empty((batch, heads, key_tiles), dtype=object)
    for b, h, c in np.ndindex(result.shape):
        lookers = [a for a in range(queries) if c in rows[b, h, a]]
        result[b, h, c] = tuple(lookers[:capacity])
    return result


def grouped_order(grid, cube):
    """For each place of the grouped order, the token that stands there."""

    def key(token):
        point = grid.point(token)
        return tuple(x // c for x, c in zip(point, cube)) + point

    video = [t for t in range(grid.tokens) if grid.point(t) is not None]
    grouped = iter(sorted(video, key=key))
    return [t if grid.point(t) is None else next(grouped) for t in range(grid.tokens)]


def computes(schedule, step):
    return not 0 <= step < len(schedule) or schedule[step] == "1"
