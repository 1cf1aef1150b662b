# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes .npy files for tests, with the standard library alone.

usage: npy.py FILE DESCR SHAPE [VALUE...]   e.g. npy.py x.npy '<f4' 2,3 1 2 3

Values repeat until the array is full. SHAPE '-' is a scalar. With DESCR '<V2'
values are bf16 numbers.
"""

import struct
import sys

FORMATS = {"|b1": "B", "|i1": "b", "|u1": "B", "<i2": "h", "<u2": "H",
           "<i4": "i", "<i8": "q", "<f2": "e", "<f4": "f", "<f8": "d",
           ">f4": "f"}


def main():
    path, descr, shape_text, *values = sys.argv[1:]
    order = "F" if descr.startswith("F") else "C"
    descr = descr.removeprefix("F")
    shape = () if shape_text == "-" else tuple(map(int, shape_text.split(",")))
    count = 1
    for size in shape:
        count *= size
    numbers = [float(v) for v in (values or ["0"])]
    numbers = [numbers[i % len(numbers)] for i in range(count)]
    if descr == "<V2":
        data = b"".join(struct.pack("<f", v)[2:] for v in numbers)
    else:
        code = FORMATS[descr]
        if code not in "efd":
            numbers = [int(v) for v in numbers]
        data = struct.pack(f"<{count}{code}", *numbers)
    header = repr({"descr": descr, "fortran_order": order == "F",
                   "shape": shape}).encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header + data)


main()
