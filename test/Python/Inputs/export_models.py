# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models for `python -m dit.export`, and what is checked beside torch.

usage: export_models.py folder FOLDER  (saves a small model of diffusers)
       export_models.py families FOLDER  (exports and checks one of each family)
       export_models.py function FOLDER  (uses the function dit.export)
"""

import json
import pathlib
import sys

import torch


class Attention(torch.nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.qkv = torch.nn.Linear(size, 3 * size)
        self.out = torch.nn.Linear(size, size)

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for part in self.qkv(x).chunk(3, -1))
        o = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(o.transpose(1, 2).flatten(2))


class Block(torch.nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.norm = torch.nn.LayerNorm(size)
        self.attn1 = Attention(size, heads)

    def forward(self, x):
        return x + self.attn1(self.norm(x))


class Net(torch.nn.Module):
    """Two blocks, a position embedding that is no parameter, a tied weight."""

    def __init__(self, size=32, heads=2, tokens=24):
        super().__init__()
        self.blocks = torch.nn.ModuleList(Block(size, heads) for _ in range(2))
        self.blocks[1].attn1.qkv.weight = self.blocks[0].attn1.qkv.weight
        self.register_buffer("positions", torch.randn(tokens, size), persistent=False)

    def forward(self, x, gain):
        x = x + self.positions
        for block in self.blocks:
            x = block(x)
        return {"sample": x * gain, "mean": x.mean()}


class Rotary(torch.nn.Module):
    """A rotation by complex numbers, which torch-mlir does not know."""

    def forward(self, x):
        turned = torch.view_as_complex(x.unflatten(-1, (-1, 2))) * torch.exp(torch.tensor(1j))
        return torch.view_as_real(turned).flatten(-2)


def build_complex():
    return Rotary(), (torch.randn(2, 8),)


def build():
    torch.manual_seed(0)
    return Net().eval(), (torch.randn(2, 24, 32), torch.tensor([2.0]))


def build_named():
    return {"module": Net(), "args": ()}


def build_misfit():
    return Net(), (torch.randn(2, 24, 31), torch.tensor([2.0]))


def save_folder(folder):
    import diffusers

    torch.manual_seed(0)
    model = diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4,
        out_channels=4, text_dim=16, freq_dim=16, ffn_dim=32, num_layers=2, rope_max_seq_len=32)
    model.save_pretrained(folder)


def small_models():
    """One for each family whose inputs the command knows, and the kinds of its
    attentions."""
    import diffusers

    common = dict(num_attention_heads=2, attention_head_dim=16, in_channels=4, num_layers=1)
    image = common | dict(sample_size=8, patch_size=2)
    yield diffusers.CogVideoXTransformer3DModel(
        **common, out_channels=4, time_embed_dim=16, text_embed_dim=16, sample_width=8,
        sample_height=8, sample_frames=9, patch_size=2, temporal_compression_ratio=4,
        max_text_seq_length=6), ["joint"]
    yield diffusers.LatteTransformer3DModel(
        **image, out_channels=4, cross_attention_dim=32, caption_channels=16,
        video_length=4), ["spatial", None, "temporal"]
    yield diffusers.DiTTransformer2DModel(**image, norm_num_groups=2), ["full"]
    yield diffusers.PixArtTransformer2DModel(
        **image, out_channels=8, cross_attention_dim=32, caption_channels=32,
        use_additional_conditions=False), ["full", None]
    yield diffusers.SD3Transformer2DModel(
        **image, joint_attention_dim=32, caption_projection_dim=32, pooled_projection_dim=16,
        out_channels=4, pos_embed_max_size=8), ["joint"]
    yield diffusers.SanaTransformer2DModel(
        **common, out_channels=4, num_cross_attention_heads=2, cross_attention_head_dim=16,
        cross_attention_dim=32, caption_channels=32, sample_size=8), [None]


def export_families(folder):
    import dit
    from dit.export import _models, _torch

    torch.manual_seed(0)
    for model, kinds in small_models():
        # Zeros would hide the attention.
        for parameter in model.parameters():
            if not parameter.abs().max():
                torch.nn.init.normal_(parameter, std=0.05)
        name = type(model).__name__
        model.save_pretrained(folder / name)
        loaded = _models.load(str(folder / name), _models.Sizes(), [])
        files = dit.export(loaded.module, loaded.inputs, out=str(folder / name / "model"),
                           grid=loaded.grid, fixed=loaded.fixed)
        error = _torch.check(files, loaded.module, loaded.inputs, loaded.fixed)
        assert error < 1e-4, (name, error)
        assert [site.get("kind") for site in files.annotations] == kinds, (name, files)
        print(name, error, flush=True)


def use_function(folder):
    import dit

    model, inputs = build()
    files = dit.export(model, dict(zip(("x", "gain"), inputs)), out=str(folder / "net"),
                       grid=dit.export.Grid(2, 3, 4), name="denoise")
    assert model._non_persistent_buffers_set == {"positions"}
    program = dit.compile(files.module, entries="denoise", parameters=files.parameters)
    assert [spec.name for spec in program["denoise"].inputs] == ["x", "gain"]
    assert {spec.name for spec in program.parameters} == {
        "blocks.0.attn1.out.weight", "blocks.0.attn1.qkv.weight", "blocks.1.attn1.out.weight",
        "positions"}
    with torch.no_grad():
        sample, mean = model(*inputs).values()
    got_sample, got_mean = program(*inputs)
    torch.testing.assert_close(got_sample, sample, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got_mean, mean, atol=1e-5, rtol=1e-5)

    module = dit.Module.parse(files.module)
    module.run(f"dit-raise-attention,dit-annotate-sites{{file={files.sites}}}")
    assert [site["site"] for site in module.sites] == ["blocks.0.attn1", "blocks.1.attn1"]
    assert {site["kind"] for site in module.sites} == {"full"}
    assert "#dit.grid<2x3x4>" in str(module)

    # Open extents: of the batch; all inline.
    files = dit.export(model, inputs, out=str(folder / "open"), parameter_bytes=1 << 30,
                       dynamic={"x": {0: torch.export.Dim("batch", min=2, max=64)}})
    assert files.parameters is None
    program = dit.compile(files.module)
    assert program["main"].inputs[0].shape == (None, 24, 32)
    x = torch.randn(5, 24, 32)
    with torch.no_grad():
        torch.testing.assert_close(program(x, inputs[1])[0], model(x, inputs[1])["sample"],
                                   atol=1e-5, rtol=1e-5)

    for text, call in {
            "expected a torch.nn.Module, got int": lambda: dit.export(3, ()),
            "input 'x': expected a tensor, got float": lambda: dit.export(model, (1.0,)),
            "no input 'y'; the inputs are x, gain":
                lambda: dit.export(model, inputs, dynamic={"y": {0: "n"}})}.items():
        try:
            call()
        except dit.ArgumentError as error:
            assert text in str(error), error
        else:
            raise AssertionError(f"no error with '{text}'")
    print(json.dumps(files.annotations))


if __name__ == "__main__":
    {"families": export_families, "folder": save_folder,
     "function": use_function}[sys.argv[1]](pathlib.Path(sys.argv[2]))
