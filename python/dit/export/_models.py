# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the command line can name: folders of diffusers, and functions.

A folder needs example inputs. For the families below they follow from the
configuration; for others the user gives shapes.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from dit._errors import ArgumentError
from dit.export._sites import Grid


@dataclasses.dataclass
class Sizes:
    """How large the example is: of the latent video, the batch and the text."""

    batch: int = 1
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    text: int = 16


@dataclasses.dataclass
class Model:
    """A module with all that its export needs."""

    module: Any
    inputs: Mapping[str, Any] | Sequence[Any]
    fixed: dict[str, Any] = dataclasses.field(default_factory=dict)
    grid: Grid | None = None


Builder = Callable[[Any, Sizes], tuple[dict[str, Any], Grid]]
_FAMILIES: dict[str, Builder] = {}


def _family(*names: str) -> Callable[[Builder], Builder]:
    def register(builder: Builder) -> Builder:
        _FAMILIES.update(dict.fromkeys(names, builder))
        return builder
    return register


def _image(config: Any, sizes: Sizes) -> tuple[int, int, Grid]:
    height = sizes.height or config.sample_size
    width = sizes.width or config.sample_size
    patch = config.patch_size
    return height, width, Grid(1, height // patch, width // patch)


@_family("WanTransformer3DModel")
def _wan(config: Any, sizes: Sizes) -> tuple[dict[str, Any], Grid]:
    frames, height, width = sizes.frames or 5, sizes.height or 16, sizes.width or 16
    grid = Grid(*(size // patch for size, patch in
                  zip((frames, height, width), config.patch_size)))
    return dict(hidden_states=torch.randn(sizes.batch, config.in_channels, frames, height, width),
                timestep=torch.full((sizes.batch,), 500.0),
                encoder_hidden_states=torch.randn(sizes.batch, sizes.text, config.text_dim)), grid


@_family("CogVideoXTransformer3DModel")
def _cogvideox(config: Any, sizes: Sizes) -> tuple[dict[str, Any], Grid]:
    frames = sizes.frames or (config.sample_frames - 1) // config.temporal_compression_ratio + 1
    height, width = sizes.height or config.sample_height, sizes.width or config.sample_width
    text = config.max_text_seq_length
    grid = Grid(frames, height // config.patch_size, width // config.patch_size, text, True)
    return dict(hidden_states=torch.randn(sizes.batch, frames, config.in_channels, height, width),
                encoder_hidden_states=torch.randn(sizes.batch, text, config.text_embed_dim),
                timestep=torch.full((sizes.batch,), 500)), grid


@_family("LatteTransformer3DModel")
def _latte(config: Any, sizes: Sizes) -> tuple[dict[str, Any], Grid]:
    height, width, grid = _image(config, sizes)
    frames = sizes.frames or config.video_length
    return (dict(hidden_states=torch.randn(sizes.batch, config.in_channels, frames, height, width),
                 timestep=torch.full((sizes.batch,), 500),
                 encoder_hidden_states=torch.randn(sizes.batch, sizes.text,
                                                   config.caption_channels)),
            dataclasses.replace(grid, frames=frames))


@_family("DiTTransformer2DModel")
def _dit(config: Any, sizes: Sizes) -> tuple[dict[str, Any], Grid]:
    height, width, grid = _image(config, sizes)
    return dict(hidden_states=torch.randn(sizes.batch, config.in_channels, height, width),
                timestep=torch.full((sizes.batch,), 500),
                class_labels=torch.zeros(sizes.batch, dtype=torch.int64)), grid


@_family("PixArtTransformer2DModel", "SanaTransformer2DModel")
def _captioned(config: Any, sizes: Sizes) -> tuple[dict[str, Any], Grid]:
    height, width, grid = _image(config, sizes)
    return dict(hidden_states=torch.randn(sizes.batch, config.in_channels, height, width),
                encoder_hidden_states=torch.randn(sizes.batch, sizes.text,
                                                  config.caption_channels),
                timestep=torch.full((sizes.batch,), 500.0)), grid


@_family("SD3Transformer2DModel")
def _sd3(config: Any, sizes: Sizes) -> tuple[dict[str, Any], Grid]:
    height, width, grid = _image(config, sizes)
    return dict(hidden_states=torch.randn(sizes.batch, config.in_channels, height, width),
                encoder_hidden_states=torch.randn(sizes.batch, sizes.text,
                                                  config.joint_attention_dim),
                pooled_projections=torch.randn(sizes.batch, config.pooled_projection_dim),
                timestep=torch.full((sizes.batch,), 500.0)
                ), dataclasses.replace(grid, text=sizes.text)


def _parse_input(text: str) -> tuple[str, Any]:
    """NAME=2x3x8:dtype as a tensor: noise, or ones for other than floats."""
    name, _, rest = text.partition("=")
    shape, _, dtype_name = rest.partition(":")
    dtype = getattr(torch, dtype_name or "float32", None)
    try:
        sizes = [int(size) for size in shape.split("x")] if shape else []
    except ValueError:
        sizes = [-1]
    if not name or not isinstance(dtype, torch.dtype) or min(sizes, default=0) < 0:
        raise ArgumentError(f"--input: expected NAME=2x3x8 or NAME=2x3x8:int64, got '{text}'")
    if dtype.is_floating_point:
        return name, torch.randn(sizes).to(dtype)
    return name, torch.ones(sizes, dtype=dtype)


def _load_weights(module: Any, folder: pathlib.Path) -> None:
    """Fills a module of diffusers with what is saved beside its configuration."""
    from safetensors.torch import load_file

    files = sorted(folder.glob("diffusion_pytorch_model*.safetensors"))
    if not files:
        print(f"{folder}: no diffusion_pytorch_model*.safetensors; the weights are random",
              file=sys.stderr)
        return
    state: dict[str, Any] = {}
    for file in files:
        state |= load_file(file)
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ArgumentError(f"{folder}: {str(error).splitlines()[0]}") from error


def _from_folder(folder: pathlib.Path, sizes: Sizes, inputs: Sequence[str]) -> Model:
    import diffusers

    try:
        config = json.loads((folder / "config.json").read_text())
    except ValueError as error:
        raise ArgumentError(f"{folder / 'config.json'}: {error}") from error
    class_name = config.get("_class_name", "")
    model_class = getattr(diffusers, class_name, None)
    if model_class is None:
        raise ArgumentError(f"{folder / 'config.json'}: expected the _class_name of a model of "
                            f"diffusers, got '{class_name}'")
    torch.manual_seed(0)
    module = model_class.from_config(config)
    _load_weights(module, folder)
    given = dict(map(_parse_input, inputs))
    builder = _FAMILIES.get(class_name)
    if builder is None and not given:
        raise ArgumentError(f"the inputs of {class_name} are not known; give them by --input "
                            f"NAME=SHAPE (known: {', '.join(sorted(_FAMILIES))})")
    example, grid = builder(module.config, sizes) if builder else ({}, None)
    return Model(module.eval(), example | given, {"return_dict": False}, grid)


def _from_function(spec: str) -> Model:
    """What `module:function` returns: (module, inputs), or a dictionary with
    `module`, `inputs` and perhaps `fixed` and `grid`."""
    module_name, _, function_name = spec.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ArgumentError(f"{spec}: {error}") from error
    result = function()
    if isinstance(result, Mapping):
        fields = [field.name for field in dataclasses.fields(Model)]
        if not {"module", "inputs"} <= set(result) <= set(fields):
            raise ArgumentError(f"{spec}: expected a dictionary with module, inputs and perhaps "
                                f"fixed and grid, got {', '.join(map(str, result)) or 'nothing'}")
        return Model(**result)
    if isinstance(result, (tuple, list)) and len(result) == 2:
        return Model(*result)
    raise ArgumentError(f"{spec}: expected (module, example inputs) or a dictionary of them, "
                        f"got {type(result).__name__}")


def load(spec: str, sizes: Sizes, inputs: Sequence[str]) -> Model:
    """The model that the command line names."""
    folder = pathlib.Path(spec)
    if (folder / "config.json").exists():
        return _from_folder(folder, sizes, inputs)
    if ":" in spec:
        if inputs or sizes != Sizes():
            raise ArgumentError(f"{spec}: a function gives its own inputs; --input, --batch, "
                                "--frames, --height, --width and --text are for folders")
        return _from_function(spec)
    raise ArgumentError(f"{spec}: expected a folder with a config.json of diffusers, or "
                        "module:function")
