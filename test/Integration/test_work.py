# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations by analysis, by the counters of a running program, and by hand: they
agree exactly."""

import json
import subprocess

import numpy as np
import pytest

from test_plans import (HEADS, LOOP, SIZE, STEPS, TOKENS, WIDTH, Tools, make_inputs,
                        random_plan)

T = "tensor<2x4x{}x{}xf32>"


@pytest.fixture
def tools(tmp_path, tools_dir):
    return Tools(tmp_path, tools_dir)


class Counts:
    """The work of a program: (site, kind) -> (runs, operations)."""

    def __init__(self, tools, program, inputs, results=1, entry="main", target="cpu"):
        counted, report = tools.folder / "counted.mlir", tools.folder / "work.json"
        subprocess.run([tools.tools / "dit-opt", program, f"--dit-report-work=file={report}",
                        "--dit-instrument-work", "-o", counted], check=True)
        *self.results, values, layout = tools.run(counted, entry, inputs, results + 2,
                                                  "--target", target)
        names = json.loads(layout.tobytes())
        self.run = {(name["site"], name["kind"]): tuple(row)
                    for name, row in zip(names, values.tolist(), strict=True)}
        content = json.loads(report.read_text())
        self.known = {(e["site"], e["kind"]): (e["runs"], e["flops"])
                      for e in content["work"] if e["exact"]}
        self.analysis = {(e["site"], e["kind"]): (e["runs"], e["flops"])
                         for e in content["work"]}
        self.total = content["total"]
        assert list(self.analysis) == list(self.run)
        assert self.total["exact"] == (self.known == self.analysis)

    def agree(self):
        return self.total["exact"] and self.analysis == self.run


@pytest.mark.parametrize("form", ["table", "steps"])
@pytest.mark.parametrize("seed", range(6))
def test_plans(tools, seed, form):
    """Windows, residuals, halves, heads of their own and shares."""
    plan = random_plan(seed)
    report = tools.folder / "plan-work.json"
    program = tools.apply(LOOP, plan, form, f"--dit-report-plan=file={report}")
    counts = Counts(tools, program, make_inputs())
    assert counts.agree()
    planned = json.loads(report.read_text())
    assert planned["total"]["exact"]
    for branch in planned["branches"]:
        done = {kind: flops for (site, kind), (_, flops) in counts.run.items()
                if site == branch["site"]}
        flops = branch["flops"]
        assert flops["attention"] + flops["residual"] == done.get("attention", 0)
        # A part of the heads is cut out of a projection only where it can be.
        assert flops["projection"] <= done["projection"] <= branch["dense_flops"]["projection"]


def test_pyramid(tools):
    """Whole steps are shared, with their projections."""
    plan = {"timesteps": [6, 5, 4, 3, 2, 1], "branches": [
        {"site": "attn", "modes": ["full", "share", "full", "share", "share", "full"]},
        {"site": "mlp", "modes": ["full", "share", "share", "share", "share", "share"]}]}
    dense = Counts(tools, tools.apply(LOOP, {**plan, "branches": []}, "table"), make_inputs())
    counts = Counts(tools, tools.apply(LOOP, plan, "table"), make_inputs())
    assert dense.agree() and counts.agree()
    positions, points = 2 * HEADS * TOKENS * TOKENS, 2 * TOKENS * WIDTH * WIDTH
    assert dense.run == {("attn", "projection"): (4 * STEPS, 4 * STEPS * 2 * points),
                         ("attn", "attention"): (STEPS, STEPS * positions * 4 * SIZE),
                         ("mlp", "projection"): (2 * STEPS, 2 * STEPS * 2 * points)}
    assert counts.run == {
        ("attn", "projection"): (4 * 3, 4 * 3 * 2 * points),
        ("attn", "attention"): (3, 3 * positions * 4 * SIZE),
        ("mlp", "projection"): (2, 2 * 2 * points)}


MASKS = {
    "dense": "",
    "window": "pattern(#dit.window<left = 3, right = 3>)",
    "one_sided": "pattern(#dit.window<left = 5, right = 0>)",
    "causal": "pattern(#dit.causal)",
    "rounded": "pattern(#dit.tiled<#dit.window<left = 3, right = 3>, 8 x 4>)",
    "arrow": "pattern(#dit.arrow<width = 2, text = 5>)",
}


def make_mask(name, queries, keys):
    i, j = np.arange(queries)[:, None], np.arange(keys)[None]
    window = abs(i - j) <= 3
    if name == "rounded":
        tiles = [[window[a:a + 8, b:b + 4].any() for b in range(0, keys, 4)]
                 for a in range(0, queries, 8)]
        return np.kron(np.array(tiles), np.ones((8, 4), bool))[:queries, :keys]
    return {"dense": np.ones_like(window), "window": window,
            "one_sided": (j <= i) & (i - j <= 5), "causal": j <= i,
            "arrow": (abs(i - j) <= 2) | (i >= queries - 5) | (j >= keys - 5)}[name]


@pytest.mark.parametrize("target", ["cpu", "reference"])
@pytest.mark.parametrize("name", MASKS)
def test_masks(tools, name, target):
    """At the edges a window keeps less. Lengths divide no tile."""
    q, k, v = T.format(37, 8), T.format(37, 8), T.format(37, 16)
    source = tools.folder / "in.mlir"
    source.write_text(f"""func.func @main(%q: {q}, %k: {k}, %v: {v}) -> {v} {{
  %init = tensor.empty() : {v}
  %o = dit.attention ins(%q, %k, %v : {q}, {k}, {v}) {MASKS[name]} outs(%init : {v})
      {{scale = 0.5 : f64, site = "a"}}
  return %o : {v}
}}
""")
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((2, 4, 37, size)).astype(np.float32) for size in (8, 8, 16)]
    counts = Counts(tools, source, inputs, target=target)
    kept = int(make_mask(name, 37, 37).sum())
    assert counts.agree()
    assert counts.run == {("a", "attention"): (1, 2 * 4 * kept * 2 * (8 + 16))}


# What depends on data: analysis gives a bound, or the number that a count asks
# for; the counters what was done.
LISTS = """func.func @main(%q: {t}, %num: tensor<1x4x5xi32>, %idx: tensor<1x4x5x10xi32>,
    %widths: tensor<4xi32>, %valid: tensor<2xi32>) -> ({t}, {t}, {t}, {t}) {{
  %init = tensor.empty() : {t}
  %zero = arith.constant dense<0.0> : {t}
  %0 = dit.attention ins(%q, %q, %q : {t}, {t}, {t})
      tiles(%num, %idx : tensor<1x4x5xi32>, tensor<1x4x5x10xi32>) by [8, 4] outs(%init : {t})
      {{scale = 0.5 : f64, site = "list"}}
  %1 = dit.attention ins(%q, %q, %q : {t}, {t}, {t}) pattern(#dit.causal)
      tiles(%num, %idx : tensor<1x4x5xi32>, tensor<1x4x5x10xi32>) by [8, 4] outs(%init : {t})
      {{scale = 0.5 : f64, site = "both"}}
  %2 = dit.attention ins(%q, %q, %q : {t}, {t}, {t}) half_widths(%widths : tensor<4xi32>)
      outs(%zero : {t}) {{scale = 0.5 : f64, site = "widths"}}
  %3 = dit.attention ins(%q, %q, %q : {t}, {t}, {t}) kv_valid(%valid : tensor<2xi32>)
      outs(%init : {t}) {{scale = 0.5 : f64, site = "valid"}}
  return %0, %1, %2, %3 : {t}, {t}, {t}, {t}
}}
"""


def test_data(tools):
    source = tools.folder / "in.mlir"
    source.write_text(LISTS.format(t=T.format(37, 8)))
    rng = np.random.default_rng(1)
    num = rng.integers(0, 11, (1, 4, 5)).astype(np.int32)
    idx = np.zeros((1, 4, 5, 10), np.int32)
    listed = np.zeros((4, 37, 37), bool)
    for head in range(4):
        for row in range(5):
            count = num[0, head, row]
            tiles = np.sort(rng.permutation(10)[:count])
            idx[0, head, row, :count] = tiles
            for tile in tiles:
                listed[head, row * 8:row * 8 + 8, tile * 4:tile * 4 + 4] = True
    widths, valid = np.array([0, -1, 3, 50], np.int32), np.array([37, 12], np.int32)
    x = rng.standard_normal((2, 4, 37, 8)).astype(np.float32)
    counts = Counts(tools, source, [x, num, idx, widths, valid], results=4)
    i, j = np.arange(37)[:, None], np.arange(37)[None]
    kept = {"list": 2 * listed.sum(), "both": 2 * (listed & (j <= i)).sum(),
            "widths": 2 * (2 * 37 * 37 + (abs(i - j) <= 3).sum()),
            "valid": 4 * 37 * (37 + 12)}
    assert counts.run == {(site, "attention"): (1, int(count) * 2 * 16)
                          for site, count in kept.items()}
    assert not counts.known
    assert all(flops <= counts.analysis[key][1] for key, (_, flops) in counts.run.items())


# An attention as large as one of DiT at 512 x 512: 1024 tokens of 1152 channels.
LAYER = """func.func @main(%x: tensor<1024x1152xf32>, %w: tensor<1152x1152xf32>)
    -> tensor<1024x1152xf32> {{
  %f0 = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1024x1152xf32>
  %zero = linalg.fill ins(%f0 : f32) outs(%empty : tensor<1024x1152xf32>) -> tensor<1024x1152xf32>
  %q0 = linalg.matmul ins(%x, %w : tensor<1024x1152xf32>, tensor<1152x1152xf32>)
      outs(%zero : tensor<1024x1152xf32>) -> tensor<1024x1152xf32>
  %k0 = linalg.matmul ins(%q0, %w : tensor<1024x1152xf32>, tensor<1152x1152xf32>)
      outs(%zero : tensor<1024x1152xf32>) -> tensor<1024x1152xf32>
  %v0 = linalg.matmul ins(%k0, %w : tensor<1024x1152xf32>, tensor<1152x1152xf32>)
      outs(%zero : tensor<1024x1152xf32>) -> tensor<1024x1152xf32>
  %q = tensor.expand_shape %q0 [[0, 1], [2, 3]] output_shape [1, 1024, 16, 72]
      : tensor<1024x1152xf32> into tensor<1x1024x16x72xf32>
  %k = tensor.expand_shape %k0 [[0, 1], [2, 3]] output_shape [1, 1024, 16, 72]
      : tensor<1024x1152xf32> into tensor<1x1024x16x72xf32>
  %v = tensor.expand_shape %v0 [[0, 1], [2, 3]] output_shape [1, 1024, 16, 72]
      : tensor<1024x1152xf32> into tensor<1x1024x16x72xf32>
  %init = tensor.empty() : tensor<1x1024x16x72xf32>
  %a = dit.attention ins(%q, %k, %v : tensor<1x1024x16x72xf32>, tensor<1x1024x16x72xf32>,
      tensor<1x1024x16x72xf32>) {mask} outs(%init : tensor<1x1024x16x72xf32>)
      {{scale = 0.5 : f64, site = "a", q_order = #dit.order<bshd>, k_order = #dit.order<bshd>,
       v_order = #dit.order<bshd>, o_order = #dit.order<bshd>}}
  %c = tensor.collapse_shape %a [[0, 1], [2, 3]]
      : tensor<1x1024x16x72xf32> into tensor<1024x1152xf32>
  %o = linalg.matmul ins(%c, %w : tensor<1024x1152xf32>, tensor<1152x1152xf32>)
      outs(%zero : tensor<1024x1152xf32>) -> tensor<1024x1152xf32>
  return %o : tensor<1024x1152xf32>
}}
"""


def test_published_share(tools):
    """DiTFastAttn, table 2: a window of an eighth of the tokens on each side leaves
    76.5 % of an attention with its projections. The longer ones are in
    PlanCostTest."""
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((1024, 1152)).astype(np.float32),
              rng.standard_normal((1152, 1152)).astype(np.float32) * 0.01]
    totals = []
    for mask in ("", "pattern(#dit.window<left = 128, right = 128>)"):
        source = tools.folder / "in.mlir"
        source.write_text(LAYER.format(mask=mask))
        counts = Counts(tools, source, inputs)
        assert counts.agree()
        totals.append(sum(flops for _, flops in counts.run.values()))
    assert 100 * totals[1] / totals[0] == pytest.approx(76.5, abs=0.05)
