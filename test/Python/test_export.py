# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""dit.export. What needs torch runs where DIT_EXPORT_VENV says."""

import json
import pathlib
import re
import sys

import pytest

dit = pytest.importorskip("dit", reason="CMake found no nanobind and left the package out")
from dit.export import Grid, _sites, _venv
from dit.export.__main__ import main
from test_torch import INPUTS, run

VIDEO = Grid(8, 16, 16)


@pytest.mark.parametrize("kind,queries,keys,grid,wanted", [
    ("self", 2048, 2048, VIDEO, ("full", (8, 16, 16, 0))),
    (None, 2048, 2048, VIDEO, ("full", (8, 16, 16, 0))),
    ("self", 256, 256, VIDEO, ("spatial", (1, 16, 16, 0))),
    ("self", 8, 8, VIDEO, ("temporal", (8, 1, 1, 0))),
    ("self", 2054, 2054, Grid(8, 16, 16, 6), ("joint", (8, 16, 16, 6))),
    ("self", 2048, 2048, Grid(8, 16, 16, 6), ("full", (8, 16, 16, 0))),
    ("joint", 2054, 2054, Grid(8, 16, 16, 6, True), ("joint", (8, 16, 16, 6))),
    ("cross", 2048, 6, VIDEO, (None, (8, 16, 16, 0))),
    # An image has no time.
    ("self", 256, 256, Grid(1, 16, 16), ("full", (1, 16, 16, 0))),
    # No doubt is left, or nothing is said.
    ("self", 4, 4, Grid(4, 2, 2), None),
    ("cross", 6, 2048, VIDEO, None),
    ("self", 100, 100, VIDEO, None),
    ("self", 2048, 1024, VIDEO, None),
    ("temporal", 256, 256, VIDEO, None),
    ("self", 2048, 2048, None, None)])
def test_kinds_and_grids(kind, queries, keys, grid, wanted):
    got = _sites.describe(kind, queries, keys, grid)
    if wanted is None:
        assert got == {}
        return
    assert got.get("kind") == wanted[0]
    extents = got["grid"]
    assert (extents["frames"], extents["height"], extents["width"],
            extents.get("text", 0)) == wanted[1]
    if wanted[1][3]:
        assert extents["text_first"] == grid.text_first


def test_names_come_from_locations(tmp_path):
    text = (INPUTS / "softmax.mlir").read_text()
    assert _sites.find_sites(dit.Module.parse(text)) == [{"site": "attn0"}]
    named = "\n".join(
        f'{line} loc("blocks.3.attn1":0:0)' if line.lstrip().startswith("%") else line
        for line in text.splitlines())
    module = dit.Module.parse(named)
    sites = dit.export.find_sites(module, Grid(2, 2, 2))
    assert sites == [{"site": "attn0", "name": "blocks.3.attn1", "layer": 3, "kind": "full",
                      "grid": {"frames": 2, "height": 2, "width": 2}}]
    assert "dit.attention" not in str(module)
    # It is what the pass reads.
    path = tmp_path / "sites.json"
    path.write_text(json.dumps({"sites": sites}))
    module.run(f"dit-raise-attention,dit-annotate-sites{{file={path}}}")
    assert [site["site"] for site in module.sites] == ["blocks.3.attn1"]


def test_mlps_of_a_model(source_root, tmp_path):
    """MLPs get one name, whether branches are outlined before names are given or
    after."""
    module = dit.Module.parse(source_root / "examples" / "wan-mini" / "denoise.mlirbc")
    given = json.loads((source_root / "examples" / "wan-mini" / "sites.json").read_text())["sites"]
    mlps = _sites._describe_mlps(module.clone().run("dit-raise-attention"), given)
    assert mlps == [{"site": f"mlp{i}", "name": f"blocks.{i}.mlp", "kind": "mlp", "layer": i}
                    for i in range(4)]
    path = tmp_path / "sites.json"
    path.write_text(json.dumps({"sites": given + mlps}))
    annotate, outline = f"dit-annotate-sites{{file={path}}}", "dit-outline-branches"
    for passes in ((annotate, outline), (outline, annotate)):
        named = module.clone().run(",".join(("dit-raise-attention", *passes)))
        assert [name for name in re.findall(r'dit\.branch "([^"]+)" mlp', named.to_text(elide=16))
                ] == [site["name"] for site in mlps]
    assert [site["kind"] for site in dit.export.find_sites(module)[-4:]] == ["mlp"] * 4


def test_grid_is_checked():
    for arguments in ((0, 1, 1), (1, 1, 1, -1)):
        with pytest.raises(dit.ArgumentError, match="positive extents"):
            Grid(*arguments)


def test_without_torch(monkeypatch, tmp_path, capsys):
    if _venv.is_here():
        pytest.skip("torch is here")
    with pytest.raises(dit.ArgumentError, match="needs torch and torch-mlir"):
        dit.export(None, ())
    monkeypatch.setenv("DIT_EXPORT_VENV", str(tmp_path))
    assert main(["m:f"]) == 1
    assert f"no environment in {tmp_path}" in capsys.readouterr().err
    monkeypatch.delenv("DIT_EXPORT_VENV")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = _venv.default_folder()
    assert folder.parent == tmp_path / "dit" and folder.name.startswith("export-py3.")
    (folder / "bin").mkdir(parents=True)
    (folder / ".complete").touch()
    assert _venv.prepare(None) == folder / "bin" / "python"


def test_another_environment_gets_this_package(tmp_path):
    """The package comes last, so that it brings nothing else with it."""
    python = pathlib.Path(sys.executable)
    assert _venv.rerun(python, ["--help"]) == 0
    assert _venv.rerun(python, ["--no-such-option"]) == 2


def test_function(torch_python, packages, tmp_path):
    out = run(torch_python, packages, INPUTS / "export_models.py", "function", tmp_path)
    annotations = json.loads(out.splitlines()[-1])
    assert [a["name"] for a in annotations] == ["blocks.0.attn1", "blocks.1.attn1"]


def test_command_on_diffusers(torch_python, packages, tmp_path):
    """A folder of diffusers to files, compiled and compared with PyTorch."""
    run(torch_python, packages, INPUTS / "export_models.py", "folder", tmp_path / "wan")
    out = run(torch_python, packages, "-m", "dit.export", tmp_path / "wan", "--out",
              tmp_path / "out" / "wan", "--frames", 3, "--height", 8, "--width", 8, "--text", 5,
              "--check", "--tolerance", 1e-5)
    assert "largest difference to PyTorch" in out
    sites = json.loads((tmp_path / "out" / "wan.sites.json").read_text())["sites"]
    grid = {"frames": 3, "height": 4, "width": 4}
    assert [(s["name"], s["layer"], s.get("kind"), s.get("grid")) for s in sites] == [
        (f"blocks.{i}.attn{j}", i, kind, grid)
        for i in (0, 1) for j, kind in ((1, "full"), (2, None))] + [
        ("blocks.0.mlp", 0, "mlp", None), ("blocks.1.mlp", 1, "mlp", None)]
    # Here too, without torch.
    module = dit.Module.parse(tmp_path / "out" / "wan.mlirbc")
    assert dit.export.find_sites(module, Grid(3, 4, 4)) == sites
    program = dit.compile(module, parameters=tmp_path / "out" / "wan.safetensors")
    assert len(program.parameters) > 10
    assert (tmp_path / "out" / "wan.mlirbc").stat().st_size < 200_000


@pytest.mark.slow
def test_families(torch_python, packages, tmp_path):
    """Every family whose inputs are known comes out right."""
    out = run(torch_python, packages, INPUTS / "export_models.py", "families", tmp_path)
    assert len(out.splitlines()) == 6


def test_command_on_a_function(torch_python, packages, tmp_path, monkeypatch):
    monkeypatch.chdir(INPUTS)
    out = run(torch_python, packages, "-m", "dit.export", "export_models:build", "--out",
              tmp_path / "net.mlirbc", "--grid", "2,3,4", "--dynamic", "x:0=batch", "--check")
    assert "name blocks.1.attn1, layer 1" in out
    assert (tmp_path / "net.safetensors").exists()


@pytest.mark.parametrize("arguments,text", [
    (["--grid", "1,2"], "--grid: expected F,H,W"),
    (["--grid", "1,2,x"], "--grid: expected F,H,W"),
    (["--grid", "0,2,2"], "expected positive extents"),
    (["--dynamic", "x=3"], "--dynamic: expected NAME:DIM=LABEL, got 'x=3'"),
    (["--dynamic", "x:1=2"], "--dynamic: expected NAME:DIM=LABEL, got 'x:1=2'"),
    (["--venv", "nowhere"], "no environment in nowhere")])
def test_command_line_errors(arguments, text, capsys):
    assert main(["m:f", *arguments]) == 1
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("arguments,text", [
    (["export_models:nothing"], "has no attribute 'nothing'"),
    (["no_such_module:build"], "No module named 'no_such_module'"),
    (["no_such_folder"], "expected a folder with a config.json of diffusers, or module:function"),
    (["export_models:Net"], "expected .module, example inputs. or a dictionary of them, got Net"),
    (["export_models:build_named"], "perhaps fixed and grid, got module, args"),
    (["export_models:build", "--input", "x=2x3"], "a function gives its own inputs; --input"),
    (["export_models:build_misfit"], "torch.export cannot take the model: "),
    (["export_models:build_complex"], "torch-mlir cannot take the model: "),
    (["export_models:build", "--check", "--tolerance", "0"], "above the tolerance")])
def test_command_errors(torch_python, packages, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(INPUTS)
    with pytest.raises(AssertionError, match=text) as info:
        run(torch_python, packages, "-m", "dit.export", *arguments, "--out", tmp_path / "x")
    assert "Traceback" not in str(info.value)
