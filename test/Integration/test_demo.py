# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the demo as `./dev demo` does and looks at everything it leaves."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

VARIANTS = ["dense", "sparse", "reuse"]


def psnr(a, b):
    return 10 * np.log10(4 / np.mean((a.astype(np.float64) - b) ** 2))


@pytest.fixture(scope="module")
def example(source_root):
    return source_root / "examples" / "wan-mini"


@pytest.fixture(scope="module")
def demo(example, tools_dir, tmp_path_factory):
    output = tmp_path_factory.mktemp("demo")
    result = subprocess.run(
        [sys.executable, example / "demo.py", "--build", tools_dir.parent,
         "--output", output], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return output, result.stdout


def test_table(demo):
    _, text = demo
    for variant in VARIANTS:
        row = re.search(rf"^{variant} +([\d.]+) s .*", text, re.M)
        assert row and float(row[1]) > 0


def test_progress_is_shown(demo):
    _, text = demo
    assert text.count(": done in") == 1 + 2 * len(VARIANTS)


def test_dense_repeats_pytorch(demo, example):
    torch = np.load(example / "sample0.npy")
    dense = np.load(demo[0] / "dense.npy")
    assert np.abs(dense - torch).max() <= 2e-3 * np.abs(torch).max()
    assert psnr(dense, torch) >= 80


def test_reuse_repeats_pytorch_under_attention_broadcast(demo, example):
    torch = np.load(example / "pab-246-sample0.npy")
    reuse = np.load(demo[0] / "reuse.npy")
    assert np.abs(reuse - torch).max() <= 5e-3 * np.abs(torch).max()


def test_quality(demo):
    dense, sparse, reuse = (np.load(demo[0] / f"{v}.npy") for v in VARIANTS)
    assert psnr(sparse, dense) >= 30.0
    assert psnr(reuse, dense) >= 31.5


def test_work(demo):
    costs = {v: json.loads((demo[0] / f"{v}-attention.json").read_text())
             for v in VARIANTS}
    dense = costs["dense"]["total"]
    # 4 sites of 2048 x 2048 and 4 of 2048 x 4, 2 batches, 4 heads, 2 products
    # of 2 * 32 operations, 30 steps.
    assert dense["dense_flops"] == 4 * 2048 * (2048 + 4) * 2 * 4 * 128 * 30
    assert dense["executed_flops"] == dense["dense_flops"]
    for cost in costs.values():
        assert not cost["unknown"]
        assert cost["total"]["exact"]
        assert cost["total"]["dense_flops"] == dense["dense_flops"]
    for site in costs["reuse"]["sites"]:
        assert site["executed_steps"] == {"full": 18, "cross": 11}[site["kind"]]
    kept = {site["site"]: site["kept_share"]
            for site in costs["sparse"]["sites"]}
    assert [share < 0.5 for share in kept["blocks.0.attn1"]] == [
        True, False, False, False]
    assert all(share == 1 for share in kept["blocks.0.attn2"])


def test_picture(demo):
    with Image.open(demo[0] / "frames.png") as image:
        assert image.width > 8 * 32 and image.height > 4 * 32
        assert len(np.unique(np.asarray(image.convert("L")))) > 100


def test_page(demo):
    path = demo[0] / "report.html"
    page = path.read_text()
    assert path.stat().st_size < 2_000_000
    for variant in VARIANTS:
        assert f"<td>{variant}</td>" in page
    assert page.count("<svg") == 2
    assert "blocks.3.attn1" in page
    # Nothing is fetched.
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:)", page)
