# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The shells complete the options that the tools have, all of them."""

import os
import re
import shutil
import subprocess

import pytest

TOOLS = ("dit-opt", "dit-run", "dit-compile", "dit-reduce", "dit-lsp-server")

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def environment(tools_dir):
    return dict(os.environ, PATH=f"{tools_dir}:{os.environ['PATH']}")


@pytest.fixture(params=SHELLS)
def shell(request):
    path = shutil.which(request.param)
    if not path:
        pytest.skip(f"no {request.param}")
    return request.param


@pytest.fixture
def execute(shell, source_root, environment, tmp_path):
    """Runs a line after the completions were loaded; the lines it wrote."""
    folder = source_root / "tools" / "completions"
    file, flags = {"bash": ("dit.bash", ["--norc"]), "zsh": ("_dit", ["-f"]),
                   "fish": ("dit.fish", ["--no-config"])}[shell]

    def run(line):
        result = subprocess.run([shell, *flags, "-c", f"source {folder / file}; {line}"],
                                env=dict(environment, HOME=str(tmp_path)), check=False,
                                text=True, capture_output=True)
        assert result.returncode == 0 and not result.stderr, result.stderr
        return result.stdout.splitlines()

    return run


def complete(shell, execute, tool, word):
    """What the shell offers for `word` behind `tool`."""
    if shell == "fish":
        return {line.split("\t")[0] for line in execute(f"complete -C '{tool} {word}'")}
    if shell == "bash":
        parts = re.split("(=)", word) if "=" in word else [word]
        words = " ".join(part for part in (tool, *parts) if part)
        last = len(words.split()) - 1
        return set(execute(f"COMP_WORDS=({words}); COMP_CWORD={last}; "
                           f"_dit_complete {tool}; printf '%s\\n' \"${{COMPREPLY[@]}}\""))
    # zsh completes in its line editor only; these are the functions behind it.
    if "=" in word:
        return set(execute(f"_dit_values {tool} {word.split('=')[0]}"))
    return {line.split(":")[0] for line in execute(f"_dit_options {tool}")
            if line.startswith(word)}


@pytest.mark.parametrize("tool", TOOLS)
def test_options_are_those_of_the_tool(shell, execute, tool, environment, source_root):
    offered = {option.rstrip("=") for option in complete(shell, execute, tool, "-")}
    assert {"--help", "--version"} <= offered
    # The tool knows all that is offered, and nothing else.
    result = subprocess.run([tool, "--x-unknown",
                             *sorted(offered - {"--help", "--help-list", "--version"})],
                            env=environment, check=False, text=True,
                            capture_output=True)
    unknown = re.findall(r"Unknown command line argument '([^']*)'", result.stderr)
    assert unknown == ["--x-unknown"]
    # All that the sources declare is offered.
    declared = {f"-{name}" if len(name) == 1 else f"--{name}"
                for path in (source_root / "tools" / tool).glob("*.cpp")
                for name in re.findall(r'cl::opt<[^>]+>\s+\w+[({]\s*"([\w-]+)"',
                                       path.read_text())}
    assert declared <= offered
    assert tool not in ("dit-run", "dit-compile") or len(declared) > 8


def test_passes_are_offered(shell, execute, source_root):
    offered = {option.rstrip("=") for option in complete(shell, execute, "dit-opt", "--")}
    passes = {f"--{name}" for path in (source_root / "include").rglob("Passes.td")
              for name in re.findall(r'Pass<"([a-z0-9-]+)"', path.read_text())}
    assert passes and passes <= offered
    assert {"--dit-to-cpu", "--dit-to-reference"} <= offered


def test_values_are_offered(shell, execute):
    offered = {value.removeprefix("--target=")
               for value in complete(shell, execute, "dit-run", "--target=")}
    assert {"cpu", "reference"} <= offered


def test_all_tools_have_completions(source_root):
    tools = {path.name for path in (source_root / "tools").glob("dit-*")}
    # A library, and what only libdit-c starts.
    assert tools - {"dit-plugin", "dit-check-module"} == set(TOOLS)
    for file in ("dit.bash", "_dit", "dit.fish"):
        text = (source_root / "tools" / "completions" / file).read_text()
        assert all(tool in text for tool in TOOLS)
