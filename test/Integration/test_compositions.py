# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What no published system does together: windows, broadcast and shared halves in
one plan; a plan for other steps; a profile of another resolution."""

import json
import subprocess

import numpy as np
import pytest

import test_plans
from test_plans import (FUNCTION, HEADS, LOOP, STEPS, TOKENS, Model, Tools, get_bound,
                        make_inputs)

TIMES = [1000.0 * (STEPS - i) / STEPS for i in range(STEPS)]


@pytest.fixture
def tools(tmp_path, tools_dir):
    return Tools(tmp_path, tools_dir)


def export(tools, text, plan, *passes):
    """A plan as a table, however it was said."""
    source, file = tools.folder / "source.mlir", tools.folder / "rules.json"
    source.write_text(text)
    file.write_text(json.dumps(plan))
    out = subprocess.run([tools.tools / "dit-opt", source, "-o", "/dev/null",
                          f"--dit-import-plan=file={file} timesteps={','.join(map(str, TIMES))}",
                          *passes, "--dit-export-plan"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def composed(tools):
    """A pyramid for the attention and the MLP; at the steps that compute, windows
    with a residual, of the half with the conditions."""
    plan = export(tools, LOOP, {"broadcast": {
        "joint": {"period": 2, "window": [100, 900]},
        "mlp": {"period": 3, "window": [100, 900]}}})
    modes = {branch["site"]: branch["modes"] for branch in plan["branches"]}
    # Strictly inside of the window are steps 1 to 5.
    assert modes["attn"] == ["full", "share", "full", "share", "full", "share"]
    assert modes["mlp"] == ["full", "share", "share", "full", "share", "share"]
    modes["attn"][2] = {"mode": "window", "width": 3, "residual": True}
    modes["attn"][4] = {"mode": "window", "width": [0, 1, 1], "half": "first"}
    modes["mlp"][3] = {"mode": "full", "half": "first"}
    return plan


@pytest.mark.parametrize("form", ["table", "steps"])
def test_windows_broadcast_and_halves(tools, form):
    plan = composed(tools)
    expected = Model(plan).result
    program = tools.apply(LOOP, plan, form)
    for target in ("cpu", "reference"):
        (result,) = tools.run(program, "main", make_inputs(), 1, "--target", target)
        assert np.abs(result - expected).max() <= get_bound(plan, expected)
    # No two parts of it do without the third.
    for step in (2, 4):
        other = json.loads(json.dumps(plan))
        other["branches"][0]["modes"][step] = "full"
        assert np.abs(Model(other).result - expected).max() > 10 * get_bound(plan, expected)


@pytest.mark.parametrize("form", ["table", "steps"])
def test_driven_from_outside(tools, form):
    plan = composed(tools)
    program = tools.apply(FUNCTION, plan, form)
    states = tools.init_states(program)
    x, *rest = make_inputs()
    for step in range(STEPS):
        x, *states = tools.run(program, "denoise", [x, *rest, np.int64(step), *states],
                               1 + len(states))
    expected = Model(plan).result
    assert np.abs(x - expected).max() <= get_bound(plan, expected)


# Other steps.


def shorten(text, steps):
    return text.replace(f"%n = arith.constant {STEPS} ", f"%n = arith.constant {steps} ")


def test_other_steps_are_refused_or_remapped(tools, monkeypatch):
    plan, steps = composed(tools), 4
    source, file = tools.folder / "source.mlir", tools.folder / "plan.json"
    source.write_text(shorten(LOOP, steps))
    file.write_text(json.dumps(plan))
    command = [tools.tools / "dit-opt", source, f"--dit-import-plan=file={file}"]
    refused = subprocess.run([*command, "--dit-apply-plan", "-o", "/dev/null"],
                             capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and refused.stderr.count("error:") == 1
    assert (f"the plan is for {STEPS} steps, and the sampler has {steps}; make a plan for these, "
            "or give the option remap") in refused.stderr
    # Without timesteps of the sampler, step i of 4 takes step 6 i / 4 of the plan,
    # which has these: 0, 1, 3 and 4.
    mapped = json.loads(json.dumps(plan))
    mapped["timesteps"] = [plan["timesteps"][i] for i in (0, 1, 3, 4)]
    for branch in mapped["branches"]:
        branch["modes"] = [branch["modes"][i] for i in (0, 1, 3, 4)]
    monkeypatch.setattr(test_plans, "STEPS", steps)
    expected = Model(mapped).result
    for form in ("table", "steps"):
        program = tools.folder / "remapped.mlir"
        subprocess.run([*command, f"--dit-apply-plan=remap form={form}", "-o", program], check=True)
        (result,) = tools.run(program, "main", make_inputs(), 1)
        assert np.abs(result - expected).max() <= get_bound(mapped, expected)


# Another resolution.

LARGE = 4 + 2 * 4 * 4


def enlarge(text):
    """The same model for frames of 4 x 4 tokens in place of 2 x 2."""
    return (text.replace(f"2x{TOKENS}x", f"2x{LARGE}x").replace(f"{2 * TOKENS}x16", f"{2 * LARGE}x16")
            .replace(f"[2, {TOKENS}, ", f"[2, {LARGE}, ").replace("grid<2x2x2", "grid<2x4x4"))


def enlarged_inputs():
    rng = np.random.default_rng(3)
    _, _, *weights = make_inputs()
    gate = np.full((2, LARGE, 16), 0.5, np.float32)
    return [rng.standard_normal((2, LARGE, 16)).astype(np.float32), gate, *weights]


def test_profile_of_another_resolution(tools, monkeypatch):
    small, profile = tools.folder / "small.mlir", tools.folder / "profile.json"
    times = ",".join(map(str, TIMES))
    source, instrumented = tools.folder / "source.mlir", tools.folder / "instrumented.mlir"
    source.write_text(LOOP)
    subprocess.run([tools.tools / "dit-opt", source, "-o", instrumented,
                    f"--dit-instrument-profile=timesteps={times} windows=1,2 ages=3"], check=True)
    tools.run(instrumented, "main", make_inputs(), 3, "--profile", str(profile))
    small.write_text(enlarge(LOOP))
    planned, table = tools.folder / "planned.mlir", tools.folder / "table.json"
    subprocess.run([tools.tools / "dit-opt", small, "-o", planned,
                    f"--dit-import-profile=file={profile} grid=2,2,2",
                    "--dit-plan-compression=version=2 threshold=0.9",
                    f"--dit-export-plan=file={table}", "--dit-apply-plan"], check=True)
    plan = json.loads(table.read_text())
    modes = [mode for step in plan["branches"][0]["modes"]
             for mode in (step if isinstance(step, list) else [step])]
    widths = {mode["width"] for mode in modes if isinstance(mode, dict) and "width" in mode}
    # 2 of 8 tokens are 8 of 32, and 1 is 4.
    assert widths and widths <= {4, 8} and "share" in modes
    monkeypatch.setattr(test_plans, "TOKENS", LARGE)
    monkeypatch.setattr(test_plans, "VIDEO", LARGE - test_plans.TEXT)
    monkeypatch.setattr(test_plans, "make_inputs", enlarged_inputs)
    expected = Model(plan).result
    bound = get_bound(plan, expected)
    (result,) = tools.run(planned, "main", enlarged_inputs(), 1)
    assert np.abs(result - expected).max() <= bound
    # It is not the dense program.
    dense = Model({"branches": []}).result
    assert np.abs(dense - expected).max() > 10 * bound
