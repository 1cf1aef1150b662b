# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The planners' exact choices against SciPy's HiGHS.

A profile of random errors and times goes through --dit-plan-compression; for
each step of the plan that comes out, the integer programme of DiTFastAttn's
version 2 is stated again from the profile and solved by HiGHS.
"""

import json
import re
import subprocess

import numpy
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

WIDTHS = (1, 2, 4, 8, 16)
AGES = 3
PROGRAM = """
func.func @main(%q: tensor<1x{heads}x64x4xf32>) -> tensor<1x{heads}x64x4xf32> {{
  %a = dit.attention ins(%q, %q, %q : tensor<1x{heads}x64x4xf32>,
      tensor<1x{heads}x64x4xf32>, tensor<1x{heads}x64x4xf32>)
      outs(%q : tensor<1x{heads}x64x4xf32>)
      {{scale = 1.0 : f64, site = "a", kind = #dit.kind<full>}}
  return %a : tensor<1x{heads}x64x4xf32>
}}
"""


def draw_profile(random, heads, steps):
    """Errors of shares by age and of windows, and a time for each mode."""
    share = numpy.cumsum(random.exponential(0.02, (steps, heads, AGES)), axis=2)
    seconds = [{"site": "a", "metric": "seconds",
                "values": random.uniform(1, 2, steps).tolist()}]
    errors = [{"site": "a", "metric": "rse", "mode": "share",
               "values": share.tolist()}]
    for width in WIDTHS:
        mode = {"mode": "window", "width": width}
        errors.append({"site": "a", "metric": "rse", "mode": mode,
                       "values": random.exponential(0.1 / width, (steps, heads)).tolist()})
        seconds.append({"site": "a", "metric": "seconds", "mode": mode,
                        "values": random.uniform(0.2, 0.9, steps).tolist()})
    # With a cache before the projection, a share is not free.
    seconds.append({"site": "a", "metric": "seconds", "mode": "share",
                    "values": random.uniform(0.0, 0.2, steps).tolist()})
    return {"timesteps": [1000 - step for step in range(steps)],
            "measured": errors + seconds}


def plan_heads(tools_dir, tmp_path, profile, heads, threshold):
    """The modes of the plan, as rows of a table file."""
    module, file, out = (tmp_path / name for name in ("m.mlir", "p.json", "o.json"))
    module.write_text(PROGRAM.format(heads=heads))
    file.write_text(json.dumps(profile))
    subprocess.run(
        [tools_dir / "dit-opt", module, f"--dit-import-profile=file={file}",
         f"--dit-plan-compression=version=2 threshold={threshold}",
         f"--dit-export-plan=file={out}", "-o", tmp_path / "x.mlir"], check=True)
    (branch,) = json.loads(out.read_text())["branches"]
    return [row if isinstance(row, list) else [row] * heads for row in branch["modes"]]


def solve(saved, errors, threshold):
    """The most that one option of each head saves, by HiGHS."""
    heads = [head for head, options in enumerate(saved) for _ in options]
    count = len(heads)
    if count == 0:
        return 0.0
    one = numpy.zeros((len(saved), count))
    one[heads, numpy.arange(count)] = 1
    result = milp(
        -numpy.concatenate(saved), integrality=numpy.ones(count), bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one, 0, 1),
                     LinearConstraint(numpy.concatenate(errors)[None], 0, threshold)],
        options={"mip_rel_gap": 0.0})
    assert result.success, result.message
    return -result.fun


@pytest.mark.parametrize("seed, heads, threshold", [
    (0, 4, 0.1), (1, 12, 0.2), (2, 24, 0.2), (3, 24, 1.0), (4, 48, 0.5)])
def test_heads_are_chosen_as_highs_does(tools_dir, tmp_path, seed, heads, threshold):
    steps = 12
    random = numpy.random.default_rng(seed)
    profile = draw_profile(random, heads, steps)
    rows = plan_heads(tools_dir, tmp_path, profile, heads, threshold)
    rse = {json.dumps(entry["mode"]): numpy.array(entry["values"])
           for entry in profile["measured"] if entry["metric"] == "rse"}
    seconds = {json.dumps(entry.get("mode")): entry["values"]
               for entry in profile["measured"] if entry["metric"] == "seconds"}
    share = json.dumps("share")
    gate = 1.5 * threshold / heads
    computed = [0] * heads
    chosen_any = 0
    for step in range(1, steps):
        # The options of each head, by what it did before.
        saved, errors, taken_saved, taken_error = [], [], 0.0, 0.0
        for head in range(heads):
            options = {}
            for mode, values in rse.items():
                age = step - computed[head]
                if mode != share:
                    options[mode] = values[step, head]
                elif age <= AGES:
                    options[mode] = values[step, head, age - 1]
            full = seconds["null"][step]
            gains = {mode: (full - seconds[mode][step]) / heads for mode in options}
            names = [mode for mode in options if options[mode] < gate]
            saved.append([gains[mode] for mode in names])
            errors.append([options[mode] for mode in names])
            taken = rows[step][head]
            if taken != "full":
                taken = json.dumps("share" if taken == "share"
                                   else {"mode": "window", "width": taken["width"]})
                assert taken in names
                taken_saved += gains[taken]
                taken_error += options[taken]
                chosen_any += 1
        assert taken_error <= threshold * (1 + 1e-12)
        assert taken_saved == pytest.approx(solve(saved, errors, threshold), abs=1e-9)
        computed = [computed[head] if rows[step][head] == "share" else step
                    for head in range(heads)]
    assert chosen_any > 0
    assert re.match(r"full", str(rows[0][0]))
