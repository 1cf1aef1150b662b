# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of dit.attention_backward: those of dit.attention and a gradient of the
output."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

import bounds
import model
import programs
from attention_cases import AttentionCase, attention_cases, canonical, orders

# The operands with a dimension order, in the order of the op.
NAMES = ("q", "k", "v", "o", "do", "dq", "dk", "dv")


@dataclasses.dataclass(frozen=True)
class BackwardCase:
    forward: AttentionCase
    # One for each of NAMES.
    orders: tuple

    def inputs(self):
        """q, k, v, o, lse, do, bias, tile list, kv_valid."""
        case = self.forward
        q, k, v, bias, tiles, valid = case.inputs()
        mask = case.mask(tiles, valid)
        o, lse = model.attention(q, k, v, case.scale, bias, mask)
        rng = np.random.default_rng(case.seed + 3)
        do = rng.standard_normal(o.shape)
        accumulator = programs.FLOATS[programs.accumulator(case.type)]
        return (
            *(q, k, v, o.astype(q.dtype), lse.astype(accumulator)),
            *(do.astype(q.dtype), bias, tiles, valid),
        )

    def emit(self, program):
        """Adds the op to `program`; returns the positions of its results."""
        case = self.forward
        q, k, v, o, lse, do, bias, tiles, valid = self.inputs()
        rng = np.random.default_rng(case.seed + 1)
        order = dict(zip(NAMES, self.orders))

        def operand(array, name):
            sequence = "q" if name[-1] in "qo" else "k"
            return case.operand(program, rng, array, order[name], sequence)

        values = [operand(x, name) for x, name in zip((q, k, v, o), "qkvo")]
        dims = [d for d, name in enumerate("bhq") if name in case.dynamic]
        values += [program.parameter(lse, dims), operand(do, "do")]
        text = f"dit.attention_backward {programs.ins(*values)}"
        text += case.emit_mask(program, bias, tiles, valid)
        inits = [
            operand(programs.garbage(x.shape, x.dtype, rng), name)
            for x, name in ((q, "dq"), (k, "dk"), (v, "dv"))
        ]
        attributes = [f"scale = {case.scale!r} : f64"]
        attributes += [
            f"{name}_order = #dit.order<{letters}>"
            for name, letters in order.items()
            if letters != "bhsd"
        ]
        return program.op(text, inits, f"{{{', '.join(attributes)}}}")

    def naive_gradients(self, operands, bias, mask):
        """Naive gradients, with the sums in several orders."""
        q, k, v, o, lse, do = operands
        case = self.forward
        rng = np.random.default_rng(case.seed + 2)
        arithmetic = np.float64 if q.dtype == np.float64 else np.float32
        full = mask.shape
        bias = None if bias is None else np.broadcast_to(bias, full)
        query, key = np.arange(case.queries), np.arange(case.keys)
        for _ in range(3):
            grid = np.ix_(range(full[0]), range(full[1]), query, key)
            dq, dk, dv = model.attention_backward(
                *(q[:, :, query], k[:, :, key], v[:, :, key], o[:, :, query]),
                *(lse[:, :, query], do[:, :, query], case.scale),
                *(None if bias is None else bias[grid], mask[grid], arithmetic),
                p_type=q.dtype,
            )
            queries, keys = np.argsort(query), np.argsort(key)
            yield dq[:, :, queries], dk[:, :, keys], dv[:, :, keys]
            query, key = rng.permutation(query), rng.permutation(key)

    def magnitudes(self, operands, bias, mask):
        """What the gradients would be if nothing cancelled."""
        q, k, v, o, lse, do = (x.astype(np.float64) for x in operands)
        case = self.forward
        s = model.scores(q, k, case.scale, bias, mask)
        group = case.group
        with np.errstate(all="ignore"):
            p = np.where(lse[..., None] == -np.inf, 0.0, np.exp(s - lse[..., None]))
        values, keys = (np.repeat(np.abs(x), group, axis=1) for x in (v, k))
        ds = np.einsum("bhid,bhjd->bhij", np.abs(do), values)
        ds = p * (ds + np.abs(do * o).sum(axis=-1, keepdims=True)) * abs(case.scale)

        def ungrouped(x):
            return x.reshape(x.shape[0], case.kv_heads, group, *x.shape[2:]).sum(axis=2)

        return (
            np.einsum("bhij,bhjd->bhid", ds, keys),
            ungrouped(np.einsum("bhij,bhid->bhjd", ds, np.abs(q))),
            ungrouped(np.einsum("bhij,bhid->bhjd", p, np.abs(do))),
        )

    def check(self, results):
        *operands, bias, tiles, valid = self.inputs()
        case = self.forward
        mask = case.mask(tiles, valid)
        # What judges results of double precision must itself be more exact.
        exact = np.longdouble if operands[0].dtype == np.float64 else np.float64
        expected = model.attention_backward(*operands, case.scale, bias, mask, exact)
        naives = list(self.naive_gradients(operands, bias, mask))
        spread = np.abs(model.scores(*operands[:2], case.scale)).max(initial=0.0)
        magnitudes = self.magnitudes(operands, bias, mask)
        for i, name in enumerate(NAMES[5:]):
            got = canonical(results[i], self.orders[5 + i])
            double = got.dtype == np.float64
            eps = float(np.finfo(np.float64 if double else np.float32).eps)
            error = max(
                np.abs(naive[i] - expected[i]).max(initial=0.0)
                for naive in naives
            )
            least = eps * (2 + spread) * magnitudes[i]
            bound = 2 * np.maximum(error, least)
            bound = bound + bounds.output_rounding(expected[i], got.dtype)
            bounds.check_close(got, expected[i], bound, name)


@st.composite
def backward_cases(draw, types=tuple(programs.FLOATS)):
    forward = draw(attention_cases(types))
    # Larger scores need no test here, and their gradients are all rounding.
    forward = dataclasses.replace(
        forward,
        half_widths=None,
        magnitude=min(forward.magnitude, 1.0),
        scale=forward.scale * min(1.0, forward.head_size**-0.5 * 4),
    )
    of_queries = st.sampled_from(orders(forward.batch, forward.heads))
    of_keys = st.sampled_from(orders(forward.batch, forward.kv_heads))
    plain = draw(st.booleans())
    return BackwardCase(
        forward,
        tuple(
            "bhsd" if plain else draw(of_queries if name[-1] in "qo" else of_keys)
            for name in NAMES
        ),
    )
