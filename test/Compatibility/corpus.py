# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the dialect has, and what of it a module holds.

A feature is a string: `op attention`, `attribute attention.scale`, `operand
attention.bias` (optional ones only), `#dit.window`, `#dit.kind<joint>`.
"""

import hashlib
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = pathlib.Path(__file__).resolve().parent / "Corpus"
MANIFEST = CORPUS / "SHA256SUMS"
LLVM = pathlib.Path("/usr/lib/llvm-22")


def current_version():
    """The bytecode version that the dialect writes."""
    source = ROOT / "lib" / "Dialect" / "Dit" / "IR" / "BytecodeVersion.h"
    return int(re.search(r"uint64_t current = (\d+);", source.read_text())[1])


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def print_module(tools, path, *flags):
    """The text of the module in a file, by the parser and printer of today."""
    return subprocess.run([tools / "dit-opt", path, *flags], check=True,
                          capture_output=True, text=True).stdout


def load_records():
    """TableGen's records of the dialect, and the names of each class's."""
    source = ROOT / "include" / "dit" / "Dialect" / "Dit" / "IR" / "DitOps.td"
    output = subprocess.run(
        [LLVM / "bin" / "llvm-tblgen", "-dump-json", "-I", ROOT / "include", "-I",
         LLVM / "include", source], check=True, capture_output=True).stdout
    records = json.loads(output)
    return records, {name: set(items) for name, items in records["!instanceof"].items()}


def op_arguments(records, kinds, op):
    """Names of an op's attributes, and of its operands in order with whether
    each is optional."""
    attributes, operands = [], []
    for argument, name in records[op]["arguments"]["args"]:
        if argument["def"] in kinds["Attr"]:
            attributes.append(name)
        else:
            optional = argument["def"] in kinds["Optional"] | kinds["Variadic"]
            operands.append((name, optional))
    return attributes, operands


def declared_features():
    """All features of the dialect."""
    records, kinds = load_records()
    features = set()
    for op in kinds["Op"]:
        name = records[op]["opName"]
        attributes, operands = op_arguments(records, kinds, op)
        features.add(f"op {name}")
        features |= {f"attribute {name}.{attribute}" for attribute in attributes}
        features |= {f"operand {name}.{operand}" for operand, optional in operands
                     if optional}
    for attribute in kinds["AttrDef"]:
        features.add(f"#dit.{records[attribute]['mnemonic']}")
    for attribute in kinds["EnumAttr"]:
        cases = records[records[attribute]["enum"]["def"]]["enumerants"]
        features |= {f"#dit.{records[attribute]['mnemonic']}<{records[case['def']]['str']}>"
                     for case in cases}
    return features


def module_features(generic):
    """Features of a module that was printed in the generic form."""
    records, kinds = load_records()
    operands = {records[op]["opName"]: op_arguments(records, kinds, op)[1]
                for op in kinds["Op"]}
    features = set()
    op_pattern = r'"dit\.(\w+)"\(([^)]*)\)(?: <\{(.*?)\}>)?'
    for name, values, properties in re.findall(op_pattern, generic):
        features.add(f"op {name}")
        features |= {f"attribute {name}.{attribute}"
                     for attribute in re.findall(r"(\w+) = ", properties)}
        # A unit attribute stands alone.
        features |= {f"attribute {name}.{attribute}" for attribute in
                     re.findall(r"(?:^|, )([a-z]\w*)(?=, |$)", properties)}
        segments = re.search(r"operandSegmentSizes = array<i32: ([^>]*)>", properties)
        if segments:
            sizes = [int(size) for size in segments[1].split(",")]
        else:
            # At most one operand is optional.
            count = len([value for value in values.split(",") if value.strip()])
            fixed = sum(not optional for _, optional in operands[name])
            sizes = [count - fixed if optional else 1 for _, optional in operands[name]]
        features |= {f"operand {name}.{operand}"
                     for (operand, optional), size in zip(operands[name], sizes, strict=True)
                     if optional and size}
    features |= {f"#dit.{name}" for name in re.findall(r"#dit\.(\w+)", generic)}
    features |= set(re.findall(r"#dit\.\w+<\w+>", generic))
    return features
