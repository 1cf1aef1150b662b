# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the residual branches that dit finds in exported models, a line each:
`layer:kind`, with `xN` for N additions and `g` where there is a gate. Which
tokens a self-attention mixes is not told apart."""

import argparse
import json
import pathlib
import subprocess


def describe(branch):
    kind = branch["kind"]
    if kind in ("full", "spatial", "temporal"):
        kind = "self"
    joins = f"x{len(branch['adds'])}" if len(branch["adds"]) > 1 else ""
    return f"{branch['layer']}:{kind}{joins}{'g' if branch['gates'] else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    for path in parser.parse_args().models:
        output = subprocess.run(
            ["dit-opt", path, "--dit-raise-attention", "--canonicalize",
             "--dit-report-branches", "-o", "/dev/null"], check=True,
            capture_output=True, text=True).stdout
        report = json.loads(output)
        print(f"{path.parent.name}:", " ".join(map(describe, report["branches"])))
        for reason in report["unknown"]:
            print("  unknown:", reason)
        for site in report["loose"]:
            print("  loose:", site)


if __name__ == "__main__":
    main()
