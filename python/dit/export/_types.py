# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an export gives."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any


@dataclasses.dataclass(frozen=True)
class Exported:
    """The files that an export wrote."""

    module: pathlib.Path
    #: None if all tensors are small and in the program.
    parameters: pathlib.Path | None
    sites: pathlib.Path
    #: What the annotation file says of each attention and MLP.
    annotations: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        lines = [f"{self.module}: {self.module.stat().st_size} bytes"]
        if self.parameters:
            lines.append(f"{self.parameters}: {self.parameters.stat().st_size} bytes")
        lines.append(f"{self.sites}: {len(self.annotations)} sites")
        lines += [f"  {site['site']}: " + ", ".join(
            f"{key} {value}" for key, value in site.items() if key not in ("site", "grid"))
            for site in self.annotations]
        return "\n".join(lines)
