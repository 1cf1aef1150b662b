# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of merging, of token order and of reuse."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

import bounds
import model
import programs
from attention_cases import grids
from selection_cases import unknown


@dataclasses.dataclass(frozen=True)
class MergeCase:
    type: str
    shape: tuple
    empty: float
    dynamic: bool
    seed: int

    def inputs(self):
        """o1, lse1, o2, lse2; rows of an empty side are zero."""
        rng = np.random.default_rng(self.seed)
        values = []
        for _ in range(2):
            o = rng.standard_normal(self.shape)
            lse = rng.standard_normal(self.shape[:3]) * 20
            empty = rng.random(self.shape[:3]) < self.empty
            o[empty], lse[empty] = 0.0, -np.inf
            accumulator = programs.FLOATS[programs.accumulator(self.type)]
            values += [
                o.astype(programs.FLOATS[self.type]),
                lse.astype(accumulator),
            ]
        return values

    def emit(self, program):
        rng = np.random.default_rng(self.seed + 1)

        def parameter(array):
            return program.parameter(array, unknown(rng, array.ndim, self.dynamic))

        arrays = self.inputs()
        sides = [parameter(x) for x in arrays]
        inits = [
            parameter(programs.garbage(x.shape, x.dtype, rng)) for x in arrays[:2]
        ]
        pairs = f"({programs.join(sides[:2])}), ({programs.join(sides[2:])})"
        text = f"dit.attention_merge ins({pairs} : {programs.types(sides)})"
        return program.op(text, inits)

    def check(self, results):
        o, lse = model.attention_merge(*self.inputs())
        eps = float(np.finfo(results[1].dtype).eps)
        largest = max(np.abs(x.astype(np.float64)).max(initial=0) for x in self.inputs()[::2])
        spread = np.abs(np.where(np.isfinite(lse), lse, 0)).max(initial=0)
        bound = eps * (4 + spread) * largest
        bound = bound + bounds.output_rounding(o, results[0].dtype)
        bounds.check_close(results[0], o, bound, "merged output")
        bounds.check_close(results[1], lse, eps * (4 + spread), "merged lse")


@st.composite
def merge_cases(draw):
    return MergeCase(
        type=draw(st.sampled_from(list(programs.FLOATS))),
        shape=tuple(draw(st.integers(0, 5)) for _ in range(3))
        + (draw(st.sampled_from([1, 8, 17])),),
        empty=draw(st.sampled_from([0.0, 0.5, 1.0])),
        dynamic=draw(st.booleans()),
        seed=draw(st.integers(0, 2**16)),
    )


@dataclasses.dataclass(frozen=True)
class TokenCase:
    op: str
    type: str
    grid: model.Grid
    cube: tuple
    before: tuple
    after: tuple
    dynamic: bool
    seed: int

    def inputs(self):
        shape = (*self.before, self.grid.tokens, *self.after)
        count = int(np.prod(shape))
        # Exact in every type, and distinct modulo the extents.
        values = np.arange(count) % 251
        if self.type == "i32":
            return values.reshape(shape).astype(np.int32)
        return values.reshape(shape).astype(programs.FLOATS[self.type])

    def emit(self, program):
        rng = np.random.default_rng(self.seed)
        array = self.inputs()
        dynamic = unknown(rng, array.ndim, self.dynamic)
        value = program.parameter(array, dynamic)
        init = program.parameter(programs.garbage(array.shape, array.dtype, rng), dynamic)
        text = (
            f"dit.{self.op}_tokens {programs.ins(value)} dim {len(self.before)} "
            f"grid {self.grid} cube [{', '.join(map(str, self.cube))}]"
        )
        return program.op(text, [init])

    def check(self, results):
        order = model.grouped_order(self.grid, self.cube)
        if self.op == "ungroup":
            order = np.argsort(order)
        expected = np.take(self.inputs(), order, axis=len(self.before))
        if not (results[0] == expected).all():
            raise bounds.Mismatch(f"{self.op}: wrong order of tokens")


@st.composite
def token_cases(draw):
    extents = st.lists(st.integers(1, 3), max_size=2)
    return TokenCase(
        op=draw(st.sampled_from(["group", "ungroup"])),
        type=draw(st.sampled_from(["f32", "f64", "f16", "bf16", "i32"])),
        grid=grids(draw)
        if draw(st.booleans())
        else model.Grid(*(draw(st.integers(1, 6)) for _ in range(3))),
        cube=tuple(draw(st.integers(1, 4)) for _ in range(3)),
        before=tuple(draw(extents)),
        after=tuple(draw(extents)),
        dynamic=draw(st.booleans()),
        seed=draw(st.integers(0, 2**16)),
    )


@dataclasses.dataclass(frozen=True)
class ReuseCase:
    """Steps that double what they are given into a state or give it back."""

    schedule: str
    begin: int
    steps: int
    otherwise: bool

    def emit(self, program):
        x = program.parameter(np.arange(1, 1 + self.steps, dtype=np.float32))
        state = program.parameter(np.array([-1.0, -2.0], np.float32))
        out = program.parameter(np.zeros(self.steps, np.float32))
        n = len(program.results)
        # What an unscheduled step gives: the state, or its negative.
        other = (
            f"""otherwise {{
    ^bb0(%c: tensor<2xf32>):
      %e = linalg.negf ins(%c : tensor<2xf32>) outs(%c : tensor<2xf32>) -> tensor<2xf32>
      dit.yield %e : tensor<2xf32>
    }}"""
            if self.otherwise
            else ""
        )
        text = f"""
  %r{n}, %r{n + 1} = scf.for %i = {program.constant_index(0)} to
      {program.constant_index(self.steps)} step {program.constant_index(1)}
      iter_args(%o = {out}, %s = {state}) -> ({out.type}, {state.type}) {{
    %begin = arith.constant {self.begin} : index
    %zero = arith.constant 0 : index
    %step = arith.addi %begin, %i : index
    %on = dit.scheduled %step, #dit.schedule<"{self.schedule}">
    %v = tensor.extract {x}[%i] : {x.type}
    %y, %t = dit.reuse compute(%on) state(%s : tensor<2xf32>) {{
    ^bb0(%dst: tensor<2xf32>):
      %f = linalg.fill ins(%v : f32) outs(%dst : tensor<2xf32>) -> tensor<2xf32>
      dit.yield %f, %f : tensor<2xf32>, tensor<2xf32>
    }} {other} -> tensor<2xf32>, tensor<2xf32>
    %w = tensor.extract %y[%zero] : tensor<2xf32>
    %p = tensor.insert %w into %o[%i] : {out.type}
    scf.yield %p, %t : {out.type}, {state.type}
  }}"""
        values = [
            programs.Value(f"%r{n}", out.type),
            programs.Value(f"%r{n + 1}", state.type),
        ]
        return program.raw(text, values)

    def check(self, results):
        state, expected = [-1.0, -2.0], []
        for i in range(self.steps):
            if model.computes(self.schedule, self.begin + i):
                state = [i + 1.0] * 2
                expected.append(state[0])
            else:
                expected.append(-state[0] if self.otherwise else state[0])
        if results[0].tolist() != expected or results[1].tolist() != state:
            raise bounds.Mismatch(
                f"reuse: expected {expected} and state {state}, got "
                f"{results[0].tolist()} and {results[1].tolist()}"
            )


@st.composite
def reuse_cases(draw):
    length = draw(st.sampled_from([1, 5, 63, 64, 65, 130]))
    steps = draw(st.text("01", min_size=length, max_size=length))
    return ReuseCase(
        schedule=steps,
        begin=draw(st.sampled_from([-3, 0, 60])),
        steps=draw(st.sampled_from([0, 1, 80])),
        otherwise=draw(st.booleans()),
    )
