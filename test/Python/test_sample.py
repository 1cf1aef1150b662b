# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.sample: against a model of the solvers in NumPy, and PyTorch's samples."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

dit = pytest.importorskip("dit", reason="CMake found no nanobind and left the package out")
from dit import sample
from dit.sample import _solvers

# v = 0.5 x + text[0, 0] + t / 1000, so that both halves differ.
DENOISER = """
#all = affine_map<(b, i, j) -> (b, i, j)>
#time = affine_map<(b, i, j) -> (b)>
#text = affine_map<(b, i, j) -> (b, 0, 0)>
func.func @denoise(%x: tensor<2x3x4xf32>, %t: tensor<2xf32>, %text: tensor<2x1x1xf32>)
    -> tensor<2x3x4xf32> {
  %half = arith.constant 0.5 : f32
  %milli = arith.constant 0.001 : f32
  %init = tensor.empty() : tensor<2x3x4xf32>
  %v = linalg.generic {indexing_maps = [#all, #time, #text, #all],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %t, %text : tensor<2x3x4xf32>, tensor<2xf32>, tensor<2x1x1xf32>)
      outs(%init : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
    %0 = arith.mulf %a, %half : f32
    %1 = arith.mulf %b, %milli : f32
    %2 = arith.addf %0, %1 : f32
    %3 = arith.addf %2, %c : f32
    linalg.yield %3 : f32
  } -> tensor<2x3x4xf32>
  return %v : tensor<2x3x4xf32>
}
"""
TEXTS = np.array([0.25, -0.5, 1.0], np.float32).reshape(3, 1, 1)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "denoise.mlir").write_text(DENOISER)
    np.save(tmp_path / "text.npy", TEXTS)
    np.save(tmp_path / "noise0.npy", np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 3, 4))
    return tmp_path


@pytest.fixture
def command(packages):
    def run(*arguments):
        environment = dict(os.environ, PYTHONPATH=str(packages))
        return subprocess.run([sys.executable, "-m", "dit.sample", *map(str, arguments)],
                              capture_output=True, text=True, env=environment, check=False)
    return run


def velocity(x, u, clip, guidance):
    halves = [0.5 * x + u + float(TEXTS[row, 0, 0]) for row in (clip, -1)]
    return halves[1] + guidance * (halves[0] - halves[1])


def solve(solver, places, x, clip, guidance):
    """The solvers as their papers write them."""
    x = x.astype(np.float64)
    ends = [*places[1:], 0.0]
    before = None
    with np.errstate(divide="ignore"):
        snr = [np.log((1 - u) / u) if u > 0 else np.inf for u in [*places, 0.0]]
    for i, (u, to) in enumerate(zip(places, ends)):
        v = velocity(x, u, clip, guidance)
        if solver == "dpm++":
            clean = x - u * v
            h = snr[i + 1] - snr[i]
            better = clean
            if i and np.isfinite(h) and np.isfinite(snr[i - 1]):
                r = (snr[i] - snr[i - 1]) / h
                better = (1 + 1 / (2 * r)) * clean - 1 / (2 * r) * before
            x = to / u * x + (1 - to - (1 - u) * to / u) * better
            before = clean
            continue
        slope = v
        if solver == "adams" and i:
            ratio = (to - u) / (u - places[i - 1])
            slope = (1 + ratio / 2) * v - ratio / 2 * before
        x = x + (to - u) * slope
        before = v
    return x


@pytest.mark.parametrize("solver", sample.SOLVERS)
@pytest.mark.parametrize("settings", [
    {"steps": 1}, {"steps": 7, "guidance": 3.5}, {"steps": 5, "shift": 3.0, "guidance": 1.0},
    {"timesteps": (900.0, 850.0, 400.0, 50.0)}], ids=["one", "even", "shift", "given"])
def test_solvers(folder, solver, settings):
    settings = sample.Settings(solver=solver, **settings)
    model = sample.Model(folder)
    got = model.compile(settings)(clip=1, seed=3)
    noise = np.random.default_rng(3).standard_normal((1, 3, 4), np.float32)
    even = [1 - i / settings.num_steps for i in range(settings.num_steps)]
    places = [settings.shift * u / (1 + (settings.shift - 1) * u) for u in even]
    if settings.timesteps is not None:
        places = [t / 1000 for t in settings.timesteps]
    wanted = solve(solver, places, noise, 1, settings.guidance)
    assert np.abs(got - wanted).max() <= 1e-5
    # So do the numbers for loops in Python.
    assert settings.places == places
    x, past = noise.astype(np.float64), 0.0
    for step, u in zip(_solvers.tabulate(solver, places), places):
        v = velocity(x, u, 1, settings.guidance)
        x, past = (step.x_x * x + step.x_v * v + step.x_p * past,
                   step.past_x * x + step.past_v * v)
    assert np.abs(x - wanted).max() <= 1e-9


def test_command(folder, command):
    out = folder / "out.npy"
    result = command(folder, "--steps", 4, "--solver", "adams", "--seed", 1, "--out", out)
    assert result.returncode == 0 and result.stderr == ""
    assert "4 steps (adams), guidance 2, clip 0" in result.stdout
    assert np.load(out).shape == (1, 3, 4)
    result = command(folder, "--steps", 4, "--solver", "adams", "--seed", 1, "--compare", out,
                     "--json", "--tolerance", 0, "--threads", 1)
    report = json.loads(result.stdout)
    assert result.returncode == 0
    assert report["max_abs_error"] == 0 and report["psnr_db"] is None and report["threads"] == 1
    # Without a seed it starts at the file.
    result = command(folder, "--steps", 4, "--compare", out, "--tolerance", 1e-3)
    assert result.returncode == 1
    assert "the sample differs by" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments,message", [
    (["--steps", "0"], "steps: expected at least 1, got 0"),
    (["--clip", "2"], "clip: expected 0 to 1, got 2"),
    (["--clip", "-1"], "clip: expected 0 to 1, got -1"),
    (["--clip", "1"], "noise1.npy: no such file; a seed does without"),
    (["--seed", "-1"], "seed: expected at least 0, got -1"),
    (["--shift", "0"], "expected a positive shift"),
    (["--guidance", "nan"], "expected a finite guidance, got nan"),
    (["--timesteps", "900,x"], "--timesteps: expected numbers separated by commas"),
    (["--timesteps", "900,900"], "expected falling timesteps from 1000 at most to above 0, got 900 at step 1"),
    (["--timesteps", "1001"], "got 1001 at step 0"),
    (["--timesteps", "900,0"], "got 0 at step 1"),
    (["--timesteps", "900", "--steps", "2"], "--steps: expected 1, as many"),
    (["--compare", "none.npy"], "none.npy: No such file"),
    (["--compare", "denoise.mlir"], "denoise.mlir: no array in NumPy's format"),
    (["--compare", "text.npy"], "--compare: text.npy: expected the extents"),
    (["--out", "no/o.npy"], "--out: no: no such folder"),
    (["--tolerance", "1"], "--tolerance: expected --compare"),
    (["--repeat", "0"], "--repeat: expected at least 1"),
    (["--threads", "0"], "--threads: expected at least 1")])
def test_errors(folder, capsys, monkeypatch, arguments, message):
    from dit.sample.__main__ import main

    monkeypatch.chdir(folder)
    assert main([".", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dit.sample: ") and error.count("\n") == 1 and message in error


@pytest.mark.parametrize("name,content,message", [
    ("denoise.mlir", None, "no denoise.mlirbc in this folder"),
    ("denoise.mlir", "func.func @f(", "denoise.mlir:1:"),
    ("denoise.mlir", "func.func private @f()", "no function to call"),
    ("denoise.mlir", DENOISER.replace("%t: tensor<2xf32>", "%t: tensor<2xf32>, %z: f32"),
     "expected (x: f32[2, ...], t: f32[2], text: f32[2, tokens, size])"),
    ("text.npy", np.zeros((3, 1, 1)), "text.npy: expected f32, got float64"),
    ("text.npy", np.zeros((3, 2, 1), np.float32), "expected f32[clips + 1, 1, 1], got f32[3, 2, 1]"),
    ("noise0.npy", np.zeros((3, 4), np.float32), "expected the extents [1, 3, 4], got [3, 4]"),
    ("sites.json", "[]", "sites.json")])
def test_bad_folders(folder, capsys, name, content, message):
    from dit.sample.__main__ import main

    if content is None:
        (folder / name).unlink()
    elif isinstance(content, str):
        (folder / name).write_text(content)
    else:
        np.save(folder / name, content)
    assert main([str(folder)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dit.sample: ") and error.count("\n") == 1 and message in error


def test_quality():
    a = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32))
    assert sample.psnr(a, a) == np.inf and sample.psnr(a, a + 0.2) == pytest.approx(20)
    assert sample.ssim(a, a) == pytest.approx(1)
    assert sample.ssim(0.2 * a + 0.7, 0.7 - 0.2 * a) < 0 < sample.ssim(a, a + 0.1) < 1
    assert np.isnan(sample.ssim(a[..., :10], a[..., :10]))


@pytest.mark.parametrize("model", ["wan-mini", "latte-mini"])
def test_step_of_a_model(source_root, model):
    """Two steps of a real model, against the denoiser called by hand."""
    folder = source_root / "examples" / model
    text, noise = np.load(folder / "text.npy"), np.load(folder / "noise1.npy")
    denoise = dit.compile(folder / "denoise.mlirbc")
    x = noise
    for u, to in ((1.0, 0.5), (0.5, 0.0)):
        v = denoise(np.concatenate([x, x]), np.full(2, 1000 * u, np.float32), text[[1, 3]])
        x = x + (to - u) * (v[1:] + 2 * (v[:1] - v[1:]))
    got = sample.Model(folder).compile(sample.Settings(steps=2))(clip=1)
    assert np.abs(got - x).max() <= 1e-4


def test_fewer_steps(source_root):
    """As far from 30 steps as PyTorch's sample in 10 steps."""
    folder = source_root / "examples" / "wan-mini"
    got = sample.Model(folder).compile(sample.Settings(steps=10))()
    wanted = json.loads((folder / "reuse-psnr.json").read_text())["dense-10-steps"]["psnr_db"][0]
    assert sample.psnr(got, np.load(folder / "sample0.npy")) == pytest.approx(wanted, abs=0.1)


# The exported GELU holds 0.797724 for the sqrt(2/pi), which 30 steps with
# guidance make 1.2e-3 of.
@pytest.mark.slow
@pytest.mark.parametrize("model", ["wan-mini", "latte-mini"])
def test_repeats_pytorch(source_root, model):
    folder = source_root / "examples" / model
    sampler = sample.Model(folder).compile(sample.Settings())
    for clip in range(3):
        wanted = np.load(folder / f"sample{clip}.npy")
        assert np.abs(sampler(clip) - wanted).max() <= 1.5e-3


# Plans.


def write_broadcast(path, setting):
    """A setting of reuse-psnr.json as a plan."""
    path.write_text(json.dumps({"broadcast": {
        kind: {"period": period, "window": setting["window"]}
        for kind, period in setting["periods"].items()}}))
    return path


@pytest.mark.parametrize("form", ["table", "steps"])
@pytest.mark.parametrize("model", ["wan-mini", "latte-mini"])
def test_repeats_pytorch_under_broadcast(source_root, tmp_path, model, form):
    folder = source_root / "examples" / model
    setting = json.loads((folder / "reuse-psnr.json").read_text())["pab-246"]
    plan = write_broadcast(tmp_path / "plan.json", setting)
    got = sample.Model(folder).compile(sample.Settings(plan=plan, form=form))()
    assert np.abs(got - np.load(folder / "pab-246-sample0.npy")).max() <= 5e-3
    wanted = setting["psnr_db"][0]
    assert sample.psnr(got, np.load(folder / "sample0.npy")) == pytest.approx(wanted, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["wan-mini", "latte-mini"])
def test_quality_under_broadcast(source_root, tmp_path, model):
    """As good as PyTorch, at all settings."""
    folder = source_root / "examples" / model
    for name, setting in json.loads((folder / "reuse-psnr.json").read_text()).items():
        if "periods" in setting:
            settings = sample.Settings(plan=write_broadcast(tmp_path / "plan.json", setting))
        else:
            settings = sample.Settings(steps=int(name.split("-")[1]))
        sampler = sample.Model(folder).compile(settings)
        got = [sample.psnr(sampler(clip), np.load(folder / f"sample{clip}.npy"))
               for clip in range(3)]
        assert got == pytest.approx(setting["psnr_db"], abs=0.1), name


def test_command_under_plan(source_root, tmp_path, command):
    """Two steps, the second of which shares everything."""
    folder = source_root / "examples" / "wan-mini"
    plan = write_broadcast(tmp_path / "plan.json", {
        "periods": dict.fromkeys(("full", "cross", "mlp"), 2), "window": [0, 1001]})
    result = command(folder, "--steps", 2, "--plan", plan, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["plan"] == str(plan)
    report = sample.Model(folder).report_caches(sample.Settings(steps=2, plan=plan))
    assert len(report["caches"]) == 12 and report["peak_bytes"] > 0
    # It says its steps itself, or has to fit them.
    table = sample.Model(folder).read_plan(sample.Settings(steps=2, plan=plan))
    plan.write_text(json.dumps(table))
    assert "2 steps" in command(folder, "--plan", plan).stdout
    refused = command(folder, "--plan", plan, "--steps", 3)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert "the plan is for 2 steps, and the sampler has 3" in refused.stderr
    assert "3 steps" in command(folder, "--plan", plan, "--steps", 3, "--remap").stdout


def test_work_of_a_model(source_root, tmp_path, command):
    """What pyramid attention broadcast leaves of wan-mini's 30 steps: the counters of
    the running program, analysis, and the numbers of steps agree."""
    folder = source_root / "examples" / "wan-mini"
    setting = json.loads((folder / "reuse-psnr.json").read_text())["pab-246"]
    plan = write_broadcast(tmp_path / "plan.json", setting)
    settings = sample.Settings(plan=plan)
    result = command(folder, "--plan", plan, "--work", tmp_path / "work.json")
    assert result.returncode == 0, result.stderr
    counted = json.loads((tmp_path / "work.json").read_text())
    known = sample.Model(folder).report_work(settings)
    assert known["total"].pop("exact") and counted["total"] == known["total"]
    assert all(entry.pop("exact") for entry in known["work"])
    assert counted["work"] == known["work"]
    # Of the timesteps 1000 (1 - i / 30), those between 100 and 850 are steps 5 to
    # 27 (100.00002), of which one in `period` computes.
    dense = sample.Model(folder).report_work(sample.Settings())
    runs = {kind: 7 + len([i for i in range(5, 28) if i % period == 0])
            for kind, period in setting["periods"].items()}
    for entry, whole in zip((e for e in counted["work"] if e["kind"] == "attention"),
                            (e for e in dense["work"] if e["kind"] == "attention"), strict=True):
        kind = "full" if entry["site"].endswith("attn1") else "cross"
        assert entry["runs"] == runs[kind] and entry["flops"] * 30 == whole["flops"] * runs[kind]


@pytest.mark.parametrize("plan,message", [
    (None, "none.json"), ("{", "plan.json"), ("[]", "plan.json"),
    ({"broadcast": {"full": {"period": 0, "window": [100, 850]}}}, "period"),
    ({"broadcast": {"sideways": {"period": 2, "window": [100, 850]}}}, "sideways"),
    ({"timesteps": [1000, 500], "branches": [{"site": "other", "modes": ["full", "share"]}]},
     "other"),
    ({"timesteps": [1000, 500],
      "branches": [{"site": "blocks.0.attn1", "modes": ["share", "full"]}]}, "step 0")])
def test_bad_plans(source_root, tmp_path, capsys, plan, message):
    from dit.sample.__main__ import main

    path = tmp_path / ("none.json" if plan is None else "plan.json")
    if plan is not None:
        path.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    folder = source_root / "examples" / "wan-mini"
    steps = [] if isinstance(plan, dict) and "timesteps" in plan else ["--steps", "2"]
    assert main([str(folder), "--plan", str(path), *steps]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dit.sample: ") and error.count("\n") == 1 and message in error
