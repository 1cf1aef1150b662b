# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A running clock on the terminal."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO


class Progress:
    """Shows what is being done and for how long, on a terminal, and afterwards
    takes it away. Counts ``seconds`` anywhere."""

    def __init__(self, text: str, stream: TextIO | None = None) -> None:
        self._text = text
        self._stream = stream or sys.stderr
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Progress:
        self._start = time.perf_counter()
        if self._stream.isatty():
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def _run(self) -> None:
        while True:
            seconds = time.perf_counter() - self._start
            self._stream.write(f"\r{self._text} ... {seconds:.1f} s ")
            self._stream.flush()
            if self._done.wait(0.2):
                return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.seconds = time.perf_counter() - self._start
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._stream.write("\r\x1b[K")
            self._stream.flush()
