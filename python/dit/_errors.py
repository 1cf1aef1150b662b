# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What dit raises, and the diagnostics in it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Any


class Severity(enum.IntEnum):
    """How bad a diagnostic is."""

    NOTE = 0
    REMARK = 1
    WARNING = 2
    ERROR = 3


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """A message of the parser, a verifier or a pass, and where it belongs.

    ``file`` is empty, and ``line`` and ``column`` are 0, where the place is not
    known. ``location`` is the whole location as MLIR prints it.
    """

    severity: Severity
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    location: str = ""
    notes: tuple[Diagnostic, ...] = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        lines = [f"{place}{self.severity.name.lower()}: {self.message}"]
        lines += [str(note) for note in self.notes]
        return "\n".join(lines)


class Error(Exception):
    """What all errors of dit are.

    ``status`` is the name of the status in dit's C API, and ``diagnostics``
    lists all that was reported until the failure, warnings too.
    """

    def __init__(self, message: str, status: str = "",
                 diagnostics: Iterable[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.diagnostics = list(diagnostics)


class CompileError(Error):
    """A module that cannot be parsed, verified, transformed or compiled."""


class ArgumentError(Error, ValueError):
    """An argument that does not fit: a type, an extent, a name."""


class UnsupportedError(Error, NotImplementedError):
    """Something that this build of dit cannot do."""


class FileError(Error, OSError):
    """A file that cannot be read or written."""


class RunError(Error, RuntimeError):
    """A compiled program that could not run to its end."""


_CLASSES: dict[str, type[Error]] = {
    "DIT_ERROR_INVALID_ARGUMENT": ArgumentError,
    "DIT_ERROR_SHAPE_MISMATCH": ArgumentError,
    "DIT_ERROR_NOT_FOUND": ArgumentError,
    "DIT_ERROR_OUT_OF_MEMORY": RunError,
    "DIT_ERROR_CHECK_FAILED": RunError,
    "DIT_ERROR_UNBOUND_PARAMETER": RunError,
    "DIT_ERROR_PARSE": CompileError,
    "DIT_ERROR_VERIFY": CompileError,
    "DIT_ERROR_PIPELINE": CompileError,
    "DIT_ERROR_COMPILE": CompileError,
    "DIT_ERROR_IO": FileError,
    "DIT_ERROR_UNSUPPORTED": UnsupportedError,
}


def convert(records: Iterable[tuple[Any, ...]]) -> tuple[Diagnostic, ...]:
    """Diagnostics of the records that the extension gives."""
    return tuple(Diagnostic(Severity(severity), message, file, line, column, location,
                            convert(notes))
                 for severity, message, file, line, column, location, notes in records)


def make(status: str, message: str, records: Iterable[tuple[Any, ...]]) -> Error:
    """The exception for a failed call; the extension raises it."""
    return _CLASSES.get(status, Error)(message, status, convert(records))
