# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instrumented programs, against the quantities as NumPy computes them."""

import json

import numpy as np
import pytest

dit = pytest.importorskip("dit", reason="CMake found no nanobind and left the package out")
from dit import sample

STEPS, AGES, WIDTH, MASS = 5, 3, 3, 0.75
# Two heads of 16 tokens; each step adds to x what attention makes of x.
PROGRAM = f"""
!t = tensor<2x2x16x4xf32>
func.func @sample(%x: !t) -> !t {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant {STEPS} : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> (!t) {{
    %e = tensor.empty() : !t
    %o = dit.attention ins(%s, %s, %s : !t, !t, !t) outs(%e : !t)
        {{scale = 0.75 : f64, site = "a", grid = #dit.grid<16x1x1>}}
    %y = linalg.add ins(%s, %o : !t, !t) outs(%e : !t) -> !t
    scf.yield %y : !t
  }}
  return %r : !t
}}
"""


def attend(x, width=None):
    scores = 0.75 * x @ x.transpose(0, 1, 3, 2)
    if width is not None:
        place = np.arange(16)
        scores = np.where(abs(place[:, None] - place) <= width, scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return weights @ x, weights


def expect(x):
    """For each step: head by head what the pass promises."""
    outputs, masked, steps = [], [], []
    per_head = lambda values: values.sum((0, 2, 3))
    for step in range(STEPS):
        o, weights = attend(x)
        outputs.append(o)
        masked.append(attend(x, WIDTH)[0])
        spread = per_head((o - o.mean((0, 2, 3), keepdims=True)) ** 2)
        kept = (np.cumsum(-np.sort(-weights), -1) < MASS).sum(-1) + 1
        back = range(1, AGES + 1)
        share = [per_head((o - outputs[step - age]) ** 2) / spread if step >= age
                 else np.zeros(2) for age in back]
        apart = [past[1] - past[0] for past in outputs]
        added = [((apart[step] - apart[step - age]) ** 2).sum((1, 2)) / spread if step >= age
                 else np.zeros(2) for age in back]
        residual = [per_head((o - masked[step] - outputs[step - age] + masked[step - age]) ** 2)
                    / spread if step >= age else np.zeros(2) for age in back]
        steps.append({
            "step_difference": np.mean((o - outputs[step - 1]) ** 2) if step else 0.0,
            "guidance_difference": np.mean((o[0] - o[1]) ** 2),
            "sparsity": 1 - kept.mean((0, 2)) / 16,
            "share": np.stack(share, -1), "added_half": np.stack(added, -1), "residual": np.stack(residual, -1),
            "window": per_head((o - masked[step]) ** 2) / spread,
            "half": ((o[0] - o[1]) ** 2).sum((1, 2)) / spread})
        x = x + o
    return {key: np.array([step[key] for step in steps]) for key in steps[0]}, x


def key_of(entry):
    mode = entry.get("mode")
    if mode is None or mode == "share":
        return mode or entry["metric"]
    if mode.get("residual") and "half" in mode:
        return "added_half"
    return next(name for name in ("residual", "half", "mode") if name in mode).replace(
        "mode", "window")


@pytest.mark.parametrize("target", ["cpu", "reference"])
def test_quantities(target):
    x = np.random.default_rng(5).standard_normal((2, 2, 16, 4)).astype(np.float32)
    module = dit.Module.parse(PROGRAM).run(
        f"dit-instrument-profile{{masses={MASS} windows={WIDTH} ages={AGES}}}")
    profile, y = dit.compile(module, target=target).profile(x)
    # 1000 (1 - i / 5) in f32, with the fewest digits.
    assert profile["timesteps"] == [1000.0, 800.0, 600.0, 399.99997, 199.99998]
    wanted, last = expect(x.astype(np.float64))
    assert np.abs(y - last).max() <= 1e-4 * np.abs(last).max()
    seen = set()
    for entry in profile["measured"]:
        assert entry["site"] == "a"
        key = key_of(entry)
        got = np.array(entry["values"])
        seen.add(key)
        if key == "seconds":
            assert got.shape == (STEPS,) and (got > 0).all() and (got < 60).all()
            continue
        assert got.shape == wanted[key].shape
        assert np.allclose(got, wanted[key], rtol=1e-3, atol=1e-6), key
    assert seen == {*wanted, "seconds"}


def test_text_is_attention_with_arrows():
    text = PROGRAM.replace("16x1x1", "12x1x1, text = 4")
    module = dit.Module.parse(text).run("dit-instrument-profile{windows=2,5}")
    assert "#dit.arrow<width = 2, text = 4>" in str(module)
    assert "#dit.arrow<width = 5, text = 4>" in str(module)


def test_one_step_without_loop():
    module = dit.Module.parse("""
func.func @f(%x: tensor<1x1x16x4xf32>) -> tensor<1x1x16x4xf32> {
  %o = dit.attention ins(%x, %x, %x : tensor<1x1x16x4xf32>, tensor<1x1x16x4xf32>,
      tensor<1x1x16x4xf32>) outs(%x : tensor<1x1x16x4xf32>) {scale = 1.0 : f64, site = "a"}
  return %o : tensor<1x1x16x4xf32>
}""").run("dit-instrument-profile")
    program = dit.compile(module)
    x = np.ones((1, 1, 16, 4), np.float32)
    profile, y = program.profile(x)
    assert (y == x).all()
    _, values, layout = program(x)
    assert dit.profile(values, layout).keys() == profile.keys()
    metrics = {entry["metric"] for entry in profile["measured"]}
    # There is no step before, and no second half of the batch.
    assert metrics == {"seconds", "rse"}
    assert all(entry["mode"]["mode"] == "window" for entry in profile["measured"]
               if entry["metric"] == "rse")


def test_profile_of_what_measures_nothing():
    program = dit.compile("func.func @f(%x: f32) -> f32 { return %x : f32 }")
    with pytest.raises(dit.ArgumentError, match="dit-instrument-profile adds them"):
        program.profile(1.0)


def test_bad_results():
    values, layout = np.zeros(2), np.frombuffer(b'{"measured": []}', np.int8)
    with pytest.raises(dit.ArgumentError, match="expected 0 values, got 2"):
        dit.profile(values, layout)
    with pytest.raises(dit.ArgumentError, match="expected values of f64"):
        dit.profile(values.astype(np.float32), layout)
    text = b'{"measured": [{"site": "a", "metric": "rse", "shape": [2, 1, 1]}]}'
    with pytest.raises(dit.ArgumentError, match="a rse of site 'a' is not finite"):
        dit.profile(np.array([0.0, np.nan]), np.frombuffer(text, np.int8))


def test_model(source_root, tmp_path, capsys):
    """The command, on a model: sparsity is PyTorch's, and the file is one that
    the planners read."""
    from dit.sample.__main__ import main

    folder = source_root / "examples" / "latte-mini"
    out = tmp_path / "profile.json"
    assert main([str(folder), "--steps", "2", "--profile", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    profile = json.loads(out.read_text())
    sites = {entry["site"] for entry in profile["measured"]}
    assert len(sites) == 20 and "temporal_transformer_blocks.3.attn1" in sites
    module = sample.Model(folder).build(sample.Settings(steps=2))
    module.run(f"dit-outline-branches,dit-import-profile{{file={out}}}")
    assert "dit.profile" in str(module)


@pytest.mark.slow
def test_sparsity_is_that_of_pytorch(source_root):
    """The figures of examples/wan-mini/profile.json are PyTorch's."""
    folder = source_root / "examples" / "wan-mini"
    measured, video = sample.Model(folder).profile(sample.Settings(), measure=
                                                   "masses=0.9 query-stride=1 ages=1")
    assert np.abs(video - np.load(folder / "sample0.npy")).max() <= 1.5e-3
    wanted = json.loads((folder / "profile.json").read_text())["sites"]
    sites = 0
    for entry in measured["measured"]:
        if entry["metric"] == "sparsity":
            got = np.array(entry["values"])[[2, 15]].min(0)
            assert np.allclose(got, wanted[entry["site"]]["sparsity"], atol=2e-3)
            sites += 1
    assert sites == 8
