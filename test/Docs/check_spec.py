#!/usr/bin/env python3
# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Holds docs/Spec.md to the code.

`examples FILE` prints the mlir blocks of a page, separated for
-split-input-file; `labels ROOT` compares the labels of constraints in
Spec.md, in the verifiers and in the negative tests.
"""

import argparse
import pathlib
import re
import sys

LABEL = r"[a-z_]+_c\d+"


def print_examples(page):
    blocks = re.findall(r"^```mlir\n(.*?)^```$", page.read_text(),
                        re.DOTALL | re.MULTILINE)
    if not blocks:
        sys.exit(f"{page}: no mlir blocks")
    print("// -----\n".join(blocks))


def labels_in(pattern, files):
    return [label for path in files
            for label in re.findall(pattern, path.read_text())]


def check_labels(root):
    stated = labels_in(rf"\n- \(({LABEL})\)", [root / "docs/Spec.md"])
    checked = labels_in(rf"// ({LABEL})\n",
                        sorted((root / "lib/Dialect/Dit/IR").glob("*.cpp")))
    tested = labels_in(rf"(?:func\.func|dit\.plan|dit\.profile) (?:private )?"
                       rf"@({LABEL})[_a-z]*[( ]",
                       sorted((root / "test/Dialect/Dit/IR").glob("*.mlir")))
    tested += labels_in(rf"TEST\(\w+, ({LABEL})\)",
                        sorted((root / "test/Unit").rglob("*.cpp")))
    faults = [f"{name}: {label} stands twice"
              for name, labels in (("Spec.md", stated), ("lib", checked))
              for label in sorted({x for x in labels if labels.count(x) > 1})]
    places = {"docs/Spec.md": set(stated), "a verifier": set(checked),
              "a negative test": set(tested)}
    known = set().union(*places.values())
    faults += [f"{label} is missing in {place}"
               for place, labels in places.items()
               for label in sorted(known - labels)]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(known)} constraints")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=["examples", "labels"])
    parser.add_argument("path", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.check == "examples":
        print_examples(arguments.path)
    else:
        check_labels(arguments.path)


if __name__ == "__main__":
    main()
