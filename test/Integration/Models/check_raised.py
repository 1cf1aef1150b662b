# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Raises every model of a folder and compares with what PyTorch did.

The number of attentions that are raised is the number of softmax attentions
that PyTorch executed, and with --run the raised program gives PyTorch's output.

    python check_raised.py FOLDER [--run] [--work DIR]
"""

import argparse
import glob
import json
import os
import re
import subprocess
import sys


def raise_model(folder, work):
    """The kinds of the attentions raised in the model, and the raised file."""
    raised = os.path.join(work, os.path.basename(folder) + ".mlir")
    subprocess.run(["dit-opt", os.path.join(folder, "model.mlirbc"), "--dit-raise-attention", "-o", raised],
                   check=True)
    with open(raised) as file:
        return re.findall(r"\bdit\.attention\b.*kind = #dit\.kind<(\w+)>", file.read()), raised


def run_model(folder, raised, tolerance):
    """Whether the raised program gives PyTorch's output, and what was said."""
    inputs = sorted(glob.glob(os.path.join(folder, "in*.npy")), key=lambda name: int(re.findall(r"\d+", name)[-1]))
    done = subprocess.run(
        ["dit-run", raised, "--entry", "main", "--inputs", ",".join(inputs), "--expect",
         os.path.join(folder, "out0.npy"), "--tolerance", str(tolerance), "--target", "reference"],
        capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--run", action="store_true", help="also run the raised programs")
    parser.add_argument("--work", default=".", help="folder for raised files")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    failed = 0
    for name in sorted(os.listdir(options.folder)):
        folder = os.path.join(options.folder, name)
        with open(os.path.join(folder, "expect.json")) as file:
            expect = json.load(file)
        kinds, raised = raise_model(folder, options.work)
        ok = len(kinds) == expect["attentions"]
        line = f"{name}: raised {len(kinds)} of {expect['attentions']}: {', '.join(kinds)}"
        if options.run:
            agrees, output = run_model(folder, raised, 3e-2 if "bf16" in name or "f16" in name else 1e-4)
            line += ", output agrees" if agrees else ", output differs: " + output.strip()
            ok &= agrees
        failed += not ok
        print(line if ok else "FAILED " + line)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
