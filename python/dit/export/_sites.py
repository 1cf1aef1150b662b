# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can be said of the attentions and MLPs of an exported model.

Names come from the locations that the exporter left; kinds and grids from how
many tokens an attention has, where this leaves no doubt.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import tempfile
from collections.abc import Iterator
from typing import Any

from dit._errors import ArgumentError
from dit._module import Module


@dataclasses.dataclass(frozen=True)
class Grid:
    """Tokens of a video in time and space, and of the text beside them."""

    frames: int
    height: int
    width: int
    text: int = 0
    text_first: bool = False

    def __post_init__(self) -> None:
        if min(self.frames, self.height, self.width) < 1 or self.text < 0:
            raise ArgumentError(f"expected positive extents and no negative text, got {self}")

    @property
    def video_tokens(self) -> int:
        """Tokens of the video alone."""
        return self.frames * self.height * self.width

    def to_json(self) -> dict[str, Any]:
        """The form that annotation files have."""
        result: dict[str, Any] = {"frames": self.frames, "height": self.height,
                                  "width": self.width}
        if self.text:
            result |= {"text": self.text, "text_first": self.text_first}
        return result


def _interpretations(grid: Grid, queries: int, keys: int) -> Iterator[tuple[str, Grid]]:
    """Kinds, and grids of the queries, that fit the extents of an attention."""
    video = dataclasses.replace(grid, text=0, text_first=False)
    if grid.text:
        if queries == keys == grid.video_tokens + grid.text:
            yield "joint", grid
    if queries == keys == video.video_tokens:
        yield "full", video
    if grid.frames > 1 and queries == keys == grid.height * grid.width:
        yield "spatial", dataclasses.replace(video, frames=1)
    if grid.height * grid.width > 1 and queries == keys == grid.frames:
        yield "temporal", Grid(grid.frames, 1, 1)


def describe(kind: str | None, queries: int, keys: int, grid: Grid | None) -> dict[str, Any]:
    """Kind and grid of an attention whose kind was recognised as `kind`."""
    if grid is None:
        return {}
    if kind == "cross":
        # Its queries are the video's, or unknown.
        if queries != grid.video_tokens:
            return {}
        return {"grid": Grid(grid.frames, grid.height, grid.width).to_json()}
    found = list(_interpretations(grid, queries, keys))
    # Several fit a grid of, say, 4 frames of 2 x 2 tokens: then nothing is said.
    if len(found) != 1:
        return {}
    inferred, query_grid = found[0]
    if kind not in (None, "self", inferred):
        return {}
    return {"kind": inferred, "grid": query_grid.to_json()}


_ATTENTION = re.compile(r"\bdit\.attention\b")
_SITE = re.compile(r'\bsite = "([^"]+)"')
# The exporter writes line 0 behind the names of parts.
_NAME = re.compile(r'"([^"]+)":0:0')
_LAYER = re.compile(r"(?:^|\.)(\d+)(?:\.|$)")


def _names_by_site(module: Module) -> dict[str, str]:
    """For each site, the part of the model that its location names."""
    names: dict[str, str] = {}
    for line in module.to_text(elide=16, locations=True).splitlines():
        site = _SITE.search(line)
        if not site or not _ATTENTION.search(line):
            continue
        found = _NAME.findall(line[line.rfind("loc("):])
        if found:
            names[site[1]] = found[0]
    return names


_MLP = re.compile(r'\bdit\.branch "([^"]+)" mlp(?: layer (\d+))?')


def _mlps(module: Module) -> list[tuple[str, str]]:
    """Name and layer of each MLP that ``--dit-outline-branches`` finds."""
    outlined = module.run("dit-outline-branches")
    return [(found[1], found[2] or "") for line in outlined.to_text(elide=16).splitlines()
            if (found := _MLP.search(line))]


def _describe_mlps(raised: Module, annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Annotations of the MLPs. They are outlined after the attentions got their
    names, which name them too, or before; so each gets the same name here."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "sites.json")
        path.write_text(json.dumps({"sites": annotations}))
        named = raised.clone().run(f"dit-annotate-sites{{file='{path}'}}")
    result = []
    for (site, _), (name, layer) in zip(_mlps(raised.clone()), _mlps(named), strict=True):
        annotation: dict[str, Any] = {"site": site, "name": name, "kind": "mlp"}
        if layer:
            annotation["layer"] = int(layer)
        result.append(annotation)
    return result


def find_sites(module: Module, grid: Grid | None = None) -> list[dict[str, Any]]:
    """Annotations for the attentions and MLPs that dit finds in `module`, an export:
    what ``--dit-annotate-sites`` reads. The module stays as it is."""
    raised = module.clone().run("dit-raise-attention")
    names = _names_by_site(raised)
    taken: set[str] = set()
    annotations = []
    for site in raised.sites:
        annotation: dict[str, Any] = {"site": site["site"]}
        if base := names.get(site["site"]):
            name, count = base, 1
            while name in taken:
                count += 1
                name = f"{base}.{count}"
            taken.add(name)
            annotation["name"] = name
            if layer := _LAYER.search(base):
                annotation["layer"] = int(layer[1])
        if "query_length" in site:
            annotation |= describe(site.get("kind"), site["query_length"],
                                   site["key_length"], grid)
        annotations.append(annotation)
    return annotations + _describe_mlps(raised, annotations)
