# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The sampling loop around a denoiser, as MLIR."""

from __future__ import annotations

from collections.abc import Sequence

from dit._errors import ArgumentError
from dit._signature import Signature, TensorSpec
from dit.sample import _solvers

#: The function of the loop.
ENTRY = "sample"


def check(name: str, signature: Signature) -> None:
    """Raises unless the function is `(x, t, text) -> v` over a batch of two, one
    with a text and one without."""
    def fail(what: str) -> None:
        raise ArgumentError(f"@{name}: expected (x: f32[2, ...], t: f32[2], text: f32[2, tokens, "
                            f"size]) -> (f32 of the extents of x), got {what}")

    specs = (*signature.inputs, *signature.results)
    if len(signature.inputs) != 3 or len(signature.results) != 1:
        fail(str(signature))
    x, t, text, v = specs
    for spec in specs:
        if spec.dtype != "f32" or not spec.is_static or spec.shape[:1] != (2,):
            fail(str(spec))
    if len(x.shape) < 2 or t.shape != (2,) or len(text.shape) != 3 or v.shape != x.shape:
        fail(str(signature))


def _type(shape: Sequence[int | None]) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def _slice(shape: Sequence[int | None], index: int) -> str:
    """Offsets, extents and strides of one half of a batch."""
    rank = len(shape)
    lists = ([index, *[0] * (rank - 1)], [1, *shape[1:]], [1] * rank)
    return " ".join(f"[{', '.join(map(str, numbers))}]" for numbers in lists)


def _join(name: str, halves: Sequence[str], spec: TensorSpec) -> str:
    """Ops that make a batch `%name` of two values."""
    one, both = _type((1, *spec.shape[1:])), _type(spec.shape)
    return f"""\
  %{name}_init = tensor.empty() : {both}
  %{name}_0 = tensor.insert_slice %{halves[0]} into %{name}_init{_slice(spec.shape, 0)}
      : {one} into {both}
  %{name} = tensor.insert_slice %{halves[1]} into %{name}_0{_slice(spec.shape, 1)}
      : {one} into {both}
"""


def _table(name: str, numbers: Sequence[float]) -> str:
    """A constant tensor, and its element of the step."""
    shape = f"tensor<{len(numbers)}xf64>"
    values = ", ".join(f"{number:.17e}" for number in numbers)
    return f"""\
  %{name}_table = arith.constant dense<[{values}]> : {shape}
  %{name}_f64 = tensor.extract %{name}_table[%i] : {shape}
  %{name} = arith.truncf %{name}_f64 : f64 to f32
"""


def _update(one: str, rank: int, with_past: bool) -> str:
    """What the solver does with the velocities of both halves."""
    dims = ", ".join(f"d{i}" for i in range(rank))
    count = 4 if with_past else 3
    maps = ", ".join([f"affine_map<({dims}) -> ({dims})>"] * (count + with_past + 1))
    iterators = ", ".join(['"parallel"'] * rank)
    past_in, past_arg = (", %past", "%pe: f32, ") if with_past else ("", "")
    body = """\
    %difference = arith.subf %te, %ne : f32
    %scaled = arith.mulf %difference, %guidance : f32
    %guided = arith.addf %ne, %scaled : f32
    %move = arith.mulf %guided, %x_v : f32
"""
    if not with_past:
        body += """\
    %sum = arith.addf %xe, %move : f32
    linalg.yield %sum : f32
"""
        results, types = "%next", one
        outs, tails = f"outs(%x_init : {one})", "%xo: f32"
    else:
        body += """\
    %kept = arith.mulf %xe, %x_x : f32
    %sum_0 = arith.addf %kept, %move : f32
    %recalled = arith.mulf %pe, %x_p : f32
    %sum = arith.addf %sum_0, %recalled : f32
    %past_0 = arith.mulf %xe, %past_x : f32
    %past_1 = arith.mulf %guided, %past_v : f32
    %past_sum = arith.addf %past_0, %past_1 : f32
    linalg.yield %sum, %past_sum : f32, f32
"""
        results, types = "%next, %next_past", f"({one}, {one})"
        outs, tails = f"outs(%x_init, %x_init : {one}, {one})", "%xo: f32, %po: f32"
    inputs = ", ".join([one] * count)
    return f"""\
  %x_init = tensor.empty() : {one}
  {results} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{iterators}]}}
      ins(%v_text, %v_null, %x{past_in} : {inputs}) {outs} {{
  ^bb0(%te: f32, %ne: f32, %xe: f32, {past_arg}{tails}):
{body}  }} -> {types}
"""


def write(denoiser: str, signature: Signature, solver: str, places: Sequence[float],
          guidance: float) -> str:
    """A module with the function `sample(noise, text, null) -> sample`, which
    calls the denoiser in a loop."""
    x, t, text = signature.inputs
    one, both = _type((1, *x.shape[1:])), _type(x.shape)
    one_text = _type((1, *text.shape[1:]))
    with_past = _solvers.has_past(solver)
    steps = _solvers.tabulate(solver, places)
    names = ["x_v", *(["x_x", "x_p", "past_x", "past_v"] if with_past else [])]
    tables = "".join(_table(name, [getattr(step, name) for step in steps]) for name in names)
    times = _table("t_one", [_solvers.TIME_SCALE * u for u in places])
    carried, kinds = ["%x = %noise"], [one]
    start, yielded, results = "", "%next", "%video"
    if with_past:
        carried.append("%past = %zeros")
        kinds.append(one)
        start = f"  %zeros = arith.constant dense<0.0> : {one}\n"
        yielded, results = "%next, %next_past", "%video, %last"
    list_of_types = ", ".join(kinds)
    return f"""\
func.func private @{denoiser}(%x: {both}, %t: {_type(t.shape)}, %text: {_type(text.shape)})
    -> {both}

func.func @{ENTRY}(%noise: {one} {{dit.name = "noise"}}, %text_one: {one_text} {{dit.name = "text"}},
    %null: {one_text} {{dit.name = "null"}}) -> ({one} {{dit.name = "sample"}}) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %steps = arith.constant {len(places)} : index
  %guidance = arith.constant {guidance:.9e} : f32
{start}{_join("text", ("text_one", "null"), text)}\
  {results} = scf.for %i = %c0 to %steps step %c1 iter_args({', '.join(carried)})
      -> ({list_of_types}) {{
{times}{tables}\
  %t = tensor.from_elements %t_one, %t_one : {_type(t.shape)}
{_join("xx", ("x", "x"), x)}\
  %v = func.call @{denoiser}(%xx, %t, %text)
      : ({both}, {_type(t.shape)}, {_type(text.shape)}) -> {both}
  %v_text = tensor.extract_slice %v{_slice(x.shape, 0)} : {both} to {one}
  %v_null = tensor.extract_slice %v{_slice(x.shape, 1)} : {both} to {one}
{_update(one, len(x.shape), with_past)}\
  scf.yield {yielded} : {list_of_types}
  }}
  return %video : {one}
}}
"""
