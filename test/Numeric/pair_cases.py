# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of dit.attention_pair: two attentions that are judged one by one."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

import model
import programs
from attention_cases import AttentionCase, attention_cases, orders, patterns


@dataclasses.dataclass(frozen=True)
class PairCase:
    # What both share; its pattern is that of both, its half-widths are those of
    # the second.
    shared: AttentionCase
    within: object
    inner_order: str

    @property
    def outer(self):
        widths = self.shared.half_widths
        if widths is not None:
            widths = tuple(-1 if w else 0 for w in widths)
        return dataclasses.replace(self.shared, half_widths=widths)

    @property
    def inner(self):
        given = [p for p in (self.shared.pattern, self.within) if p is not None]
        pattern = model.And(tuple(given)) if given else None
        order = (*self.shared.orders[:3], self.inner_order)
        return dataclasses.replace(self.shared, pattern=pattern, orders=order)

    def emit(self, program):
        shared = self.shared
        q, k, v, bias, tiles, valid = shared.inputs()
        rng = np.random.default_rng(shared.seed + 1)
        values = [
            shared.operand(program, rng, array, order, sequence)
            for array, order, sequence in zip((q, k, v), shared.orders, "qkk")
        ]
        text = f"dit.attention_pair {programs.ins(*values)}"
        text += dataclasses.replace(shared, pattern=None).emit_mask(
            program, bias, tiles, None
        )
        for name, pattern in (("pattern", shared.pattern), ("within", self.within)):
            if pattern is not None:
                text += f" {name}({pattern})"
        text += dataclasses.replace(shared, pattern=None).emit_mask(
            program, None, None, valid
        )
        if shared.half_widths is not None:
            dims = (0,) if "h" in shared.dynamic else ()
            w = program.parameter(np.array(shared.half_widths, np.int32), dims)
            text += f" half_widths({w} : {w.type})"
        output, _ = shared.destinations()
        inits = [
            shared.operand(program, rng, output, order, "q")
            for order in (shared.orders[3], self.inner_order)
        ]
        attributes = [f"scale = {shared.scale!r} : f64"]
        for name, order in zip([*"qkvo", "inner"], (*shared.orders, self.inner_order)):
            if order != "bhsd":
                attributes.append(f"{name}_order = #dit.order<{order}>")
        return program.op(text, inits, f"{{{', '.join(attributes)}}}")

    def check(self, results):
        self.outer.check(results[:1])
        self.inner.check(results[1:])


@st.composite
def pair_cases(draw, types=tuple(programs.FLOATS)):
    case = draw(attention_cases(types))
    bands = case.half_widths is not None
    within = None
    if not bands or draw(st.booleans()):
        # Patterns of a grid need its lengths, which `case` may not have.
        within = draw(patterns(case.queries, case.keys))
    return PairCase(
        shared=dataclasses.replace(
            case, pattern=None if bands else case.pattern, tiles=None, lse=False
        ),
        within=within,
        inner_order=draw(st.sampled_from(orders(case.batch, case.heads))),
    )
