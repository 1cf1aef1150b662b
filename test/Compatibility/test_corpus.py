# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bytecode that any release since 0.1 wrote is read by this one.

The files in Corpus were written once and never change. Beside each is the text
that it means. utils/make_corpus_entry.py adds entries.
"""

import re

import pytest

from corpus import (CORPUS, MANIFEST, current_version, declared_features, digest,
                    module_features, print_module)

FILES = sorted(CORPUS.glob("*.mlirbc"))
HOW = "add an entry with utils/make_corpus_entry.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_old_file_is_read(tools_dir, path):
    assert print_module(tools_dir, path) == print_module(tools_dir,
                                                         path.with_suffix(".mlir"))


def test_files_never_change():
    listed = dict(line.split()[::-1] for line in MANIFEST.read_text().splitlines())
    assert listed == {path.name: digest(path) for path in sorted(CORPUS.iterdir())
                      if path != MANIFEST}


def test_every_version_has_a_file():
    versions = {int(re.match(r"version(\d+)-", path.name)[1]) for path in FILES}
    assert versions == set(range(1, current_version() + 1)), HOW


def test_everything_is_in_some_file(tools_dir):
    found = set()
    for path in FILES:
        found |= module_features(print_module(tools_dir, path, "--mlir-print-op-generic"))
    assert not declared_features() - found, HOW


def test_features_are_found():
    """The functions behind the test above see what they should."""
    declared = declared_features()
    assert {"op attention", "attribute attention.scale", "operand attention.bias",
            "operand topk_mask.count", "#dit.window", "#dit.kind<joint>"} <= declared
    assert "operand attention.q" not in declared
    found = module_features(
        '%0 = "dit.attention"(%a, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, '
        '1, 1, 0, 0>, pattern = #dit.causal}> : (f32) -> f32\n'
        '%1 = "dit.yield"() : () -> ()')
    assert found == {"op attention", "attribute attention.pattern", "#dit.causal",
                     "attribute attention.operandSegmentSizes",
                     "operand attention.kvValid", "op yield"}
