# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.tune: trials of plans, and the searches on top of them."""

import json

import numpy as np
import pytest

dit = pytest.importorskip("dit", reason="CMake found no nanobind and left the package out")
from dit import sample, tune
from dit.tune._evaluate import ADDED_HALF
from dit.tune._greedy import plan_greedily, strategies
from dit.tune._search import to_psnr

STEPS = 4
WINDOW = {"mode": "window", "width": 256, "residual": True}


@pytest.fixture(scope="module")
def evaluator(source_root):
    return tune.Evaluator(sample.Model(source_root / "examples" / "wan-mini"),
                          [ADDED_HALF, *strategies(256)[1:]])


def make_plan(sites, modes):
    return {"timesteps": [1000.0, 750.0, 500.0, 250.0],
            "branches": [{"site": site, "modes": modes[site.split(".")[-1]]} for site in sites]}


def test_trials_are_samples(evaluator, tmp_path):
    """Of whatever was tried before, and of modes after each other."""
    settings = sample.Settings(STEPS, solver="adams")
    dense = evaluator.sample(settings, None, 0, None)
    plan = make_plan(evaluator.sites, {
        "attn1": ["full", WINDOW, ADDED_HALF, "share"], "attn2": ["full", "share", "share", "full"],
        "mlp": ["full", "full", ADDED_HALF, "share"]})
    got = evaluator.sample(settings, plan, 0, None)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))
    planned = sample.Settings(STEPS, solver="adams", plan=file)
    wanted = evaluator.model.compile(planned)()
    assert np.abs(got - wanted).max() <= 1e-3
    assert np.abs(got - dense).max() > 1e-2
    assert np.abs(evaluator.sample(settings, None, 0, None) - dense).max() == 0


def test_greedy(evaluator):
    """A threshold of zero leaves all full, a large one shares all."""
    settings = sample.Settings(2)
    for threshold, mode in ((0.0, "full"), (100.0, "share")):
        plan = plan_greedily(evaluator, settings, threshold, 256, [(0, None)])
        assert [branch["modes"] for branch in plan["branches"]] == [["full", mode]] * 4


def test_errors(evaluator):
    with pytest.raises(dit.ArgumentError, match="no branch 'x'"):
        evaluator.choose({"branches": [{"site": "x", "modes": []}]}, 1)
    with pytest.raises(dit.ArgumentError, match="expected 2 modes"):
        evaluator.choose({"branches": [{"site": "blocks.0.mlp", "modes": ["full"]}]}, 2)
    with pytest.raises(dit.ArgumentError, match="not among those to try"):
        evaluator.choose({"branches": [{"site": "blocks.0.mlp", "modes": [
            {"mode": "topk", "fraction": 0.5}]}]}, 1)


def test_command(source_root, tmp_path, capsys):
    """From a model to a plan that keeps to the bound, and saves."""
    from dit.sample.__main__ import main as run_sample
    from dit.tune.__main__ import main

    folder, plan = source_root / "examples" / "wan-mini", tmp_path / "plan.json"
    arguments = [str(folder), "--steps", "3", "4", "--shift", "1", "--clips", "1", "--rounds", "2",
                 "--reference-steps", "8", "--min-psnr"]
    assert main([*arguments, "24", "--out", str(plan)]) == 0
    report = capsys.readouterr()
    assert str(plan) in report.out and "dB" in report.err
    modes = [mode for branch in json.loads(plan.read_text())["branches"]
             for mode in branch["modes"]]
    assert any(mode != "full" for mode in modes)
    reference = tmp_path / "reference.npy"
    assert run_sample([str(folder), "--steps", "8", "--clip", "1", "--out", str(reference)]) == 0
    capsys.readouterr()
    assert run_sample([str(folder), "--plan", str(plan), "--solver", "adams", "--clip", "1",
                       "--compare", str(reference), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["psnr_db"] >= 24
    assert main([*arguments, "90", "--out", str(plan)]) == 1
    assert "no plan keeps to 90 dB" in capsys.readouterr().err


def test_decibels():
    assert to_psnr(0.0) == np.inf and to_psnr(4e-3) == pytest.approx(30)
