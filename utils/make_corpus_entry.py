#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Freezes a module as bytecode of today's version of the dialect.

Run it after the version of the bytecode was raised, or an op or attribute was
added: the tests of test/Compatibility say when. What it writes stays for good,
so it never replaces a file.
"""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "Compatibility"))

import corpus  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="what the entry is about: version<N>-<name>")
    parser.add_argument("source", type=pathlib.Path, nargs="?",
                        default=ROOT / "test" / "Dialect" / "Dit" / "IR" / "round-trip.mlir",
                        help="the module; default: the test of every op")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build")
    args = parser.parse_args()
    stem = f"version{corpus.current_version()}-{args.name}"
    text, code = corpus.CORPUS / f"{stem}.mlir", corpus.CORPUS / f"{stem}.mlirbc"
    for path in (text, code):
        if path.exists():
            return f"{path} exists, and entries stay as they are; choose another name"
    tools = args.build_dir / "bin"
    printed = corpus.print_module(tools, args.source)
    # Locations would keep the paths of this machine.
    subprocess.run([tools / "dit-opt", args.source, "--strip-debuginfo",
                    "--emit-bytecode", "-o", code], check=True)
    text.write_text(printed)
    with corpus.MANIFEST.open("a") as manifest:
        for path in (text, code):
            manifest.write(f"{corpus.digest(path)}  {path.name}\n")
    print(f"wrote {code.relative_to(ROOT)} and {text.relative_to(ROOT)}; commit them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
