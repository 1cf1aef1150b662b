# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs under random plans, in all forms, beside a model of what plans mean.

The program is an attention and an MLP in a step loop, or in a function that is
driven from here as a scheduler would drive it.
"""

import json
import subprocess

import numpy as np
import pytest

STEPS, TEXT, TOKENS, HEADS, SIZE, WIDTH = 6, 4, 12, 4, 4, 16
GRID = (2, 2, 2)
VIDEO = TOKENS - TEXT

T = f"tensor<2x{TOKENS}x{WIDTH}xf32>"
FLAT = f"tensor<{2 * TOKENS}x{WIDTH}xf32>"
SPLIT = f"tensor<2x{TOKENS}x{HEADS}x{SIZE}xf32>"
W = f"tensor<{WIDTH}x{WIDTH}xf32>"
WEIGHTS = ["wq", "wk", "wv", "wo", "wu", "wd"]

MATMUL = f"""    %{{0}}_f = tensor.collapse_shape %{{1}} [[0, 1], [2]] : {T} into {FLAT}
    %{{0}}_m = linalg.matmul ins(%{{0}}_f, %{{2}} : {FLAT}, {W}) outs(%zero : {FLAT}) -> {FLAT}
"""
HEADED = MATMUL + f"""    %{{0}} = tensor.expand_shape %{{0}}_m [[0, 1], [2, 3]] output_shape [2, {TOKENS}, {HEADS}, {SIZE}] : {FLAT} into {SPLIT}
"""
JOINED = MATMUL + f"""    %{{0}} = tensor.expand_shape %{{0}}_m [[0, 1], [2]] output_shape [2, {TOKENS}, {WIDTH}] : {FLAT} into {T}
"""
BODY = f"""
  %branch = dit.branch "attn" joint layer 0 heads {HEADS} of(%x : {T}) attend {{
{HEADED.format("q", "x", "wq")}{HEADED.format("k", "x", "wk")}{HEADED.format("v", "x", "wv")}
    %o = dit.attention ins(%q, %k, %v : {SPLIT}, {SPLIT}, {SPLIT}) outs(%split : {SPLIT})
        {{scale = 0.5 : f64, site = "attn", kind = #dit.kind<joint>, grid = #dit.grid<2x2x2, text = {TEXT}>,
         q_order = #dit.order<bshd>, k_order = #dit.order<bshd>, v_order = #dit.order<bshd>, o_order = #dit.order<bshd>}}
    dit.yield %o : {SPLIT}
  }} project {{
  ^bb0(%in: {SPLIT}):
    %c = tensor.collapse_shape %in [[0], [1], [2, 3]] : {SPLIT} into {T}
{JOINED.format("p", "c", "wo")}
    dit.yield %p : {T}
  }} gate {{
  ^bb0(%in: {T}):
    %g = linalg.mul ins(%in, %gate : {T}, {T}) outs(%empty : {T}) -> {T}
    dit.yield %g : {T}
  }} -> {T}
  %x1 = linalg.add ins(%x, %branch : {T}, {T}) outs(%empty : {T}) -> {T}
  %mlp = dit.branch "mlp" mlp layer 0 of(%x1 : {T}) project {{
{JOINED.format("u", "x1", "wu")}
    %a = linalg.tanh ins(%u : {T}) outs(%empty : {T}) -> {T}
{JOINED.format("d", "a", "wd")}
    dit.yield %d : {T}
  }} -> {T}
  %x2 = linalg.add ins(%x1, %mlp : {T}, {T}) outs(%empty : {T}) -> {T}
"""
HEAD = f"""  %f0 = arith.constant 0.0 : f32
  %empty = tensor.empty() : {T}
  %split = tensor.empty() : {SPLIT}
  %flat = tensor.empty() : {FLAT}
  %zero = linalg.fill ins(%f0 : f32) outs(%flat : {FLAT}) -> {FLAT}
"""
ARGUMENTS = f"%x0: {T}, %gate: {T}, " + ", ".join(f"%{w}: {W}" for w in WEIGHTS)
LOOP = f"""func.func @main({ARGUMENTS}) -> {T} {{
{HEAD}  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant {STEPS} : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %x0) -> ({T}) {{
{BODY}
    scf.yield %x2 : {T}
  }}
  return %r : {T}
}}
"""
FUNCTION = f"""func.func @denoise({ARGUMENTS.replace("%x0", "%x")}) -> {T} {{
{HEAD}{BODY}
  return %x2 : {T}
}}
"""


def make_inputs():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((2, TOKENS, WIDTH)).astype(np.float32)
    gate = np.full((2, TOKENS, WIDTH), 0.5, np.float32)
    gate[:, :, ::3] = -0.25
    weights = [(rng.standard_normal((WIDTH, WIDTH)) * 0.4).astype(np.float32) for _ in WEIGHTS]
    return [x, gate, *weights]


# What plans mean.


def position_mask(mode):
    i = np.arange(TOKENS)
    text = i >= VIDEO
    text = text[:, None] | text[None, :]
    name, width = mode["mode"], mode.get("width")
    if isinstance(width, list):
        f, y, x = i // 4 % 2, i // 2 % 2, i % 2
        near = np.ones((TOKENS, TOKENS), bool)
        for axis, half in zip((f, y, x), width):
            near &= np.abs(axis[:, None] - axis[None, :]) <= half
        return near | text
    place = i
    if mode.get("by_place"):
        place = np.where(i < VIDEO, i % 4 * GRID[0] + i // 4, i)
    near = np.abs(place[:, None] - place[None, :]) <= width
    return near | text if name == "arrow" else near


def attend(q, k, v, mask):
    s = 0.5 * q @ k.transpose(0, 2, 1)
    if mask is not None:
        s = np.where(mask, s, -np.inf)
    p = np.exp(s - s.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True) @ v


class Model:
    """Runs the program, in f64 or as told, and keeps every value of every step."""

    def __init__(self, plan, dtype=np.float64):
        self.branches = {b["site"]: b for b in plan["branches"]}
        x, self.gate, *weights = (a.astype(dtype) for a in make_inputs())
        self.w = dict(zip(WEIGHTS, weights))
        self.past = []
        for step in range(STEPS):
            x = self.run(step, x)
        self.result = x

    def modes(self, site, step, heads):
        branch = self.branches.get(site)
        modes = branch["modes"][step] if branch else "full"
        modes = modes if isinstance(modes, list) else [modes] * heads
        return [m if isinstance(m, dict) else {"mode": m} for m in modes]

    def latest(self, site, step, head, heads, fits):
        for at in range(step - 1, -1, -1):
            if fits(self.modes(site, at, heads)[head]):
                return at
        raise AssertionError

    def source(self, site, step, head, heads, residual):
        def is_full(mode):
            return mode["mode"] == "full" and not mode.get("residual")
        mode = self.modes(site, step, heads)[head]
        if residual and mode["mode"] == "full":
            return max(at for at in range(step)
                       if all(is_full(m) and "half" not in m for m in self.modes(site, at, heads)))
        fits = is_full if residual else lambda other: other["mode"] != "share"
        return self.latest(site, step, head, heads, fits)

    def add_half(self, site, step, value, heads, past):
        """The half that a residual makes of the other one."""
        mode = self.modes(site, step, heads)[0]
        if mode["mode"] != "full" or not mode.get("residual"):
            return value
        before = self.past[self.source(site, step, 0, heads, True)][past]
        apart = before[1] - before[0]
        if mode["half"] == "first":
            return np.stack([value[0], value[0] + apart])
        return np.stack([value[1] - apart, value[1]])

    @staticmethod
    def halve(value, mode):
        if half := mode.get("half"):
            return np.repeat(value[[0 if half == "first" else 1]], 2, axis=0)
        return value

    def head(self, step, head, now):
        mode = self.modes("attn", step, HEADS)[head]
        if mode["mode"] == "share":
            return self.past[self.source("attn", step, head, HEADS, False)]["o"][:, :, head]
        def output(values, mask):
            return attend(*(values[n][:, :, head] for n in "qkv"), mask)
        if mode["mode"] == "full":
            return self.halve(output(now, None), mode)
        mask = position_mask(mode)
        o = output(now, mask)
        if mode.get("residual"):
            at = self.source("attn", step, head, HEADS, True)
            past = self.past[at]
            source = self.modes("attn", at, HEADS)[head]
            o = o + self.halve(output(past, None) - output(past, mask), source)
        return self.halve(o, mode)

    def run(self, step, x):
        now = {n: (x @ self.w["w" + n]).reshape(2, TOKENS, HEADS, SIZE) for n in "qkv"}
        cache = self.branches.get("attn", {}).get("cache", "after_projection")
        modes = self.modes("attn", step, HEADS)
        if cache != "before_projection" and modes[0]["mode"] == "share":
            past = self.past[self.source("attn", step, 0, HEADS, False)]
            now |= {n: past[n] for n in "op"}
        else:
            now["o"] = np.stack([self.head(step, h, now) for h in range(HEADS)], 2)
            now["p"] = now["o"].reshape(2, TOKENS, WIDTH) @ self.w["wo"]
            now["p"] = self.add_half("attn", step, now["p"], HEADS, "p")
        x = x + now["p"] * self.gate
        mode = self.modes("mlp", step, 1)[0]
        if mode["mode"] == "share":
            now["m"] = self.past[self.source("mlp", step, 0, 1, False)]["m"]
        else:
            now["m"] = self.halve(np.tanh(x @ self.w["wu"]) @ self.w["wd"], mode)
            now["m"] = self.add_half("mlp", step, now["m"], 1, "m")
        self.past.append(now)
        return x + now["m"]


def get_bound(plan, expected):
    """What rounding may do: the steps magnify it, under one plan ten times as much as
    under another, so it is 8 times what it does to this model in f32."""
    single = Model(plan, np.float32).result
    assert single.dtype == np.float32
    return 8 * np.abs(single - expected).max()


# Random plans.


def random_added_half(rng):
    return {"mode": "full", "residual": True, "half": str(rng.choice(["first", "second"]))}


def random_mode(rng, sharable, masked=True):
    kind = rng.choice(["full", "share", "window", "arrow", "grid", "place"])
    if kind == "share":
        return {"mode": "share"} if sharable else {"mode": "full"}
    mode = {"mode": "full"}
    if masked and kind != "full":
        mode = {"mode": "arrow" if kind == "arrow" else "window", "width": int(rng.integers(0, 7))}
        if kind == "grid":
            mode["width"] = [int(w) for w in rng.integers(0, 2, 3)]
        if kind == "place":
            mode |= {"mode": str(rng.choice(["window", "arrow"])), "by_place": True}
        if sharable and rng.random() < 0.5:
            mode["residual"] = True
    if rng.random() < 0.25:
        mode["half"] = str(rng.choice(["first", "second"]))
    return mode


def random_plan(seed):
    rng = np.random.default_rng(seed)
    cache = ["before_projection", "after_projection", "after_gate"][seed % 3]
    modes = [["full"] * HEADS]
    for _ in range(STEPS - 1):
        first = random_mode(rng, True)
        if cache != "before_projection" and rng.random() < 0.3:
            first = random_added_half(rng)
        if first.get("residual") and first["mode"] == "full":
            modes.append([first] * HEADS)
            continue
        if rng.random() < 0.3 or (cache != "before_projection" and first["mode"] == "share"):
            modes.append([first] * HEADS)
            continue
        by_head = cache == "before_projection"
        modes.append([random_mode(rng, by_head) if by_head or m["mode"] == "share" else m
                      for m in (random_mode(rng, by_head) for _ in range(HEADS))])
        if not by_head:
            modes[-1] = [m if m["mode"] != "share" else {"mode": "full"} for m in modes[-1]]
    mlp = [{"mode": "full"}] + [
        random_added_half(rng) if rng.random() < 0.3 else random_mode(rng, True, masked=False)
        for _ in range(STEPS - 1)]
    return {"timesteps": [100.0 * (STEPS - i) for i in range(STEPS)], "branches": [
        {"site": "attn", "cache": cache, "modes": modes},
        {"site": "mlp", "cache": ["after_projection", "after_gate"][seed % 2], "modes": mlp}]}


# Running.


class Tools:
    def __init__(self, folder, tools):
        self.folder, self.tools = folder, tools

    def apply(self, text, plan, form, *before):
        source, file, program = (self.folder / n for n in ("in.mlir", "plan.json", "out.mlir"))
        source.write_text(text)
        file.write_text(json.dumps(plan))
        subprocess.run([self.tools / "dit-opt", source, "-o", program,
                        f"--dit-import-plan=file={file}", *before,
                        f"--dit-apply-plan=form={form}",
                        "--canonicalize", "--cse"], check=True)
        return program

    def run(self, program, entry, inputs, results, *options):
        paths = []
        for i, array in enumerate(inputs):
            paths.append(str(self.folder / f"in{i}.npy"))
            np.save(paths[-1], array)
        outputs = [str(self.folder / f"out{i}.npy") for i in range(results)]
        command = [self.tools / "dit-run", program, "--entry", entry, "--outputs", ",".join(outputs),
                   *options]
        if paths:
            command += ["--inputs", ",".join(paths)]
        subprocess.run(command, check=True, capture_output=True)
        return [np.load(path) for path in outputs]

    def init_states(self, program):
        header = program.read_text().split("func.func @init_states() -> ")[1].split("{")[0]
        count = header.count("tensor<")
        assert count > 0
        return self.run(program, "init_states", [], count)


@pytest.fixture
def tools(tmp_path, tools_dir):
    return Tools(tmp_path, tools_dir)


@pytest.mark.parametrize("form", ["table", "steps"])
@pytest.mark.parametrize("seed", range(9))
def test_loop(tools, seed, form):
    plan = random_plan(seed)
    (result,) = tools.run(tools.apply(LOOP, plan, form), "main", make_inputs(), 1)
    expected = Model(plan).result
    assert np.abs(result - expected).max() <= get_bound(plan, expected)


@pytest.mark.parametrize("form", ["table", "steps"])
def test_function_driven_from_outside(tools, form):
    plan = random_plan(3)
    program = tools.apply(FUNCTION, plan, form)
    states = tools.init_states(program)
    count = len(states)
    x, *rest = make_inputs()
    for step in range(STEPS):
        x, *states = tools.run(program, "denoise", [x, *rest, np.int64(step), *states], 1 + count)
    expected = Model(plan).result
    assert np.abs(x - expected).max() <= get_bound(plan, expected)


def test_a_step_outside_of_the_plan_is_an_error(tools):
    program = tools.apply(FUNCTION, random_plan(1), "table")
    states = tools.init_states(program)
    with pytest.raises(subprocess.CalledProcessError) as error:
        tools.run(program, "denoise", [*make_inputs(), np.int64(STEPS), *states], 1 + len(states))
    assert b"step" in error.value.stderr


def test_a_wrong_plan_is_noticed():
    """Other plans mean other results."""
    results = [Model(random_plan(seed)).result for seed in range(9)]
    bounds = [get_bound(random_plan(seed), a) for seed, a in enumerate(results)]
    assert all(np.abs(a - b).max() > 10 * bound
               for i, (a, bound) in enumerate(zip(results, bounds)) for b in results[:i])
