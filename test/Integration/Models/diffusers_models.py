# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tiny configurations of the transformers in diffusers.

What torch-mlir does not export is left out. Lumina and QwenImage rotate by
complex numbers, Mochi scans and OmniGen sorts by values, which give ops that are
not upstream or shapes that depend on data, HunyuanDiT concatenates a parameter
with a tensor, and Flux with a dynamic number of tokens is refused. None of this
is in an attention.

Each function gives a dictionary: `module`; `inputs`, the tensor arguments of
its forward method by name; `fixed`, the other arguments; and optionally
`dtype`, `dynamic` (dynamic dimensions by input) and `other_softmaxes` (softmax
operations that are not attention).
"""

import diffusers
import torch
from torch.export import Dim

MODELS = {}


def model(function):
    MODELS[function.__name__.replace("_", "-")] = function
    return function


def bf16(name):
    MODELS[name + "-bf16"] = lambda: MODELS[name]() | dict(dtype=torch.bfloat16)


def randn(*shape):
    return torch.randn(shape)


TEXT = (2, 6, 32)
TIME = torch.tensor([500.0, 20.0])


def text_mask():
    return torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])


def position_ids(tokens):
    ids = torch.zeros(tokens, 3)
    ids[:, 1] = torch.arange(tokens) // 4
    ids[:, 2] = torch.arange(tokens) % 4
    return ids


# Images.


@model
def dit():
    return dict(
        module=diffusers.DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4,
                                               num_layers=2, sample_size=8, patch_size=2, norm_num_groups=2),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), timestep=torch.tensor([500, 20]),
                    class_labels=torch.tensor([3, 7])))


@model
def flux():
    return dict(
        module=diffusers.FluxTransformer2DModel(in_channels=8, num_layers=1, num_single_layers=1,
                                                attention_head_dim=8, num_attention_heads=2, joint_attention_dim=32,
                                                pooled_projection_dim=16, guidance_embeds=True,
                                                axes_dims_rope=(2, 4, 2)),
        inputs=dict(hidden_states=randn(2, 16, 8), encoder_hidden_states=randn(*TEXT), pooled_projections=randn(2, 16),
                    timestep=TIME / 1000, img_ids=position_ids(16), txt_ids=torch.zeros(6, 3),
                    guidance=torch.tensor([3.5, 3.5])))


@model
def sd3():
    return dict(
        module=diffusers.SD3Transformer2DModel(sample_size=8, patch_size=2, in_channels=4, num_layers=2,
                                               attention_head_dim=8, num_attention_heads=2, joint_attention_dim=32,
                                               caption_projection_dim=16, pooled_projection_dim=16, out_channels=4,
                                               pos_embed_max_size=8, dual_attention_layers=(0,), qk_norm="rms_norm"),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), encoder_hidden_states=randn(*TEXT),
                    pooled_projections=randn(2, 16), timestep=TIME))


@model
def pixart():
    return dict(
        module=diffusers.PixArtTransformer2DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4,
                                                  out_channels=8, num_layers=2, cross_attention_dim=16, sample_size=8,
                                                  patch_size=2, caption_channels=32, use_additional_conditions=False),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    encoder_attention_mask=text_mask()),
        fixed=dict(added_cond_kwargs={"resolution": None, "aspect_ratio": None}))


@model
def sana():
    return dict(
        module=diffusers.SanaTransformer2DModel(in_channels=4, out_channels=4, num_attention_heads=2,
                                                attention_head_dim=8, num_layers=2, num_cross_attention_heads=2,
                                                cross_attention_head_dim=8, cross_attention_dim=16,
                                                caption_channels=32, sample_size=8),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    encoder_attention_mask=text_mask()))


@model
def auraflow():
    return dict(
        module=diffusers.AuraFlowTransformer2DModel(sample_size=8, in_channels=4, num_mmdit_layers=1,
                                                    num_single_dit_layers=1, attention_head_dim=8,
                                                    num_attention_heads=2, joint_attention_dim=32,
                                                    caption_projection_dim=16, pos_embed_max_size=64),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME / 1000))


@model
def cogview3plus():
    size = torch.full((2, 2), 64.0)
    return dict(
        module=diffusers.CogView3PlusTransformer2DModel(patch_size=2, in_channels=4, num_layers=2,
                                                        attention_head_dim=8, num_attention_heads=2, out_channels=4,
                                                        text_embed_dim=32, time_embed_dim=16, condition_dim=8,
                                                        pos_embed_max_size=8, sample_size=8),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    original_size=size, target_size=size, crop_coords=torch.zeros(2, 2)))


@model
def cogview4():
    size = torch.full((2, 2), 64.0)
    return dict(
        module=diffusers.CogView4Transformer2DModel(patch_size=2, in_channels=4, out_channels=4, num_layers=2,
                                                    attention_head_dim=8, num_attention_heads=2, text_embed_dim=32,
                                                    time_embed_dim=16, condition_dim=8, pos_embed_max_size=8,
                                                    sample_size=8, rope_axes_dim=(16, 16)),
        inputs=dict(hidden_states=randn(2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    original_size=size, target_size=size, crop_coords=torch.zeros(2, 2)))


@model
def chroma():
    return dict(
        module=diffusers.ChromaTransformer2DModel(in_channels=8, num_layers=1, num_single_layers=1,
                                                  attention_head_dim=8, num_attention_heads=2, joint_attention_dim=32,
                                                  axes_dims_rope=(2, 4, 2), approximator_num_channels=8,
                                                  approximator_hidden_dim=16, approximator_layers=1),
        inputs=dict(hidden_states=randn(2, 16, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME / 1000,
                    img_ids=position_ids(16), txt_ids=torch.zeros(6, 3),
                    attention_mask=torch.ones(2, 22, dtype=torch.bool)))


@model
def bria():
    return dict(
        module=diffusers.BriaTransformer2DModel(in_channels=8, num_layers=1, num_single_layers=1, attention_head_dim=8,
                                                num_attention_heads=2, joint_attention_dim=32,
                                                axes_dims_rope=[2, 4, 2]),
        inputs=dict(hidden_states=randn(2, 16, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    img_ids=position_ids(16), txt_ids=torch.zeros(6, 3)))


@model
def transformer_2d():
    return dict(
        module=diffusers.Transformer2DModel(num_attention_heads=2, attention_head_dim=8, in_channels=16, num_layers=1,
                                            norm_num_groups=4, cross_attention_dim=32),
        inputs=dict(hidden_states=randn(2, 16, 4, 4), encoder_hidden_states=randn(*TEXT),
                    encoder_attention_mask=text_mask()))


@model
def prior():
    return dict(
        module=diffusers.PriorTransformer(num_attention_heads=2, attention_head_dim=8, num_layers=2, embedding_dim=16,
                                          num_embeddings=6, additional_embeddings=4),
        inputs=dict(hidden_states=randn(2, 16), timestep=TIME, proj_embedding=randn(2, 16),
                    encoder_hidden_states=randn(2, 6, 16), attention_mask=text_mask().bool()))


@model
def autoencoder_kl():
    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vae = diffusers.AutoencoderKL(block_out_channels=(16,), layers_per_block=1, latent_channels=4,
                                               norm_num_groups=4, sample_size=8)

        def forward(self, z):
            return self.vae.decode(z).sample

    return dict(module=Decoder(), args=(randn(1, 4, 8, 8),))


@model
def unet_2d_condition():
    return dict(
        module=diffusers.UNet2DConditionModel(sample_size=8, in_channels=4, out_channels=4, block_out_channels=(16, 32),
                                              layers_per_block=1, cross_attention_dim=32, norm_num_groups=4,
                                              attention_head_dim=2,
                                              down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                                              up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
        inputs=dict(sample=randn(1, 4, 8, 8), timestep=torch.tensor([20]), encoder_hidden_states=randn(1, 6, 32)))


# Videos.


@model
def hunyuan_video():
    return dict(
        module=diffusers.HunyuanVideoTransformer3DModel(in_channels=4, out_channels=4, num_attention_heads=2,
                                                        attention_head_dim=8, num_layers=1, num_single_layers=1,
                                                        num_refiner_layers=1, mlp_ratio=2.0, patch_size=2,
                                                        text_embed_dim=32, pooled_projection_dim=16,
                                                        rope_axes_dim=(2, 4, 2)),
        inputs=dict(hidden_states=randn(2, 4, 3, 4, 4), timestep=TIME, encoder_hidden_states=randn(*TEXT),
                    encoder_attention_mask=text_mask(), pooled_projections=randn(2, 16),
                    guidance=torch.tensor([6.0, 6.0])))


@model
def ltx():
    return dict(
        module=diffusers.LTXVideoTransformer3DModel(in_channels=8, out_channels=8, num_attention_heads=2,
                                                    attention_head_dim=8, cross_attention_dim=16, num_layers=2,
                                                    caption_channels=32),
        inputs=dict(hidden_states=randn(2, 24, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    encoder_attention_mask=text_mask()),
        fixed=dict(num_frames=2, height=3, width=4))


@model
def latte():
    return dict(
        module=diffusers.LatteTransformer3DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4,
                                                 out_channels=8, num_layers=1, cross_attention_dim=16,
                                                 attention_bias=True, sample_size=8, patch_size=2,
                                                 activation_fn="gelu-approximate", num_embeds_ada_norm=1000,
                                                 norm_type="ada_norm_single", norm_elementwise_affine=False,
                                                 norm_eps=1e-6, caption_channels=32, video_length=3),
        inputs=dict(hidden_states=randn(2, 4, 3, 8, 8), timestep=torch.tensor([500, 20]),
                    encoder_hidden_states=randn(*TEXT)),
        fixed=dict(enable_temporal_attentions=True))


@model
def cogvideox():
    return dict(
        module=diffusers.CogVideoXTransformer3DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4,
                                                     out_channels=4, time_embed_dim=8, text_embed_dim=32, num_layers=2,
                                                     sample_width=8, sample_height=8, sample_frames=5, patch_size=2,
                                                     temporal_compression_ratio=4, max_text_seq_length=6),
        inputs=dict(hidden_states=randn(2, 2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME))


@model
def consisid():
    return dict(
        module=diffusers.ConsisIDTransformer3DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4,
                                                    out_channels=4, time_embed_dim=8, text_embed_dim=32, num_layers=1,
                                                    sample_width=8, sample_height=8, sample_frames=5, patch_size=2,
                                                    temporal_compression_ratio=4, max_text_seq_length=6),
        inputs=dict(hidden_states=randn(2, 2, 4, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME))


@model
def wan():
    return dict(
        module=diffusers.WanTransformer3DModel(patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12,
                                               in_channels=4, out_channels=4, text_dim=32, freq_dim=8, ffn_dim=32,
                                               num_layers=2, rope_max_seq_len=16),
        inputs=dict(hidden_states=randn(2, 4, 2, 8, 8), timestep=TIME, encoder_hidden_states=randn(*TEXT)))


@model
def wan_image_to_video():
    return dict(
        module=diffusers.WanTransformer3DModel(patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12,
                                               in_channels=4, out_channels=4, text_dim=32, freq_dim=8, ffn_dim=32,
                                               num_layers=1, rope_max_seq_len=16, image_dim=16, added_kv_proj_dim=24),
        inputs=dict(hidden_states=randn(2, 4, 2, 8, 8), timestep=TIME, encoder_hidden_states=randn(2, 512, 32),
                    encoder_hidden_states_image=randn(2, 5, 16)))


@model
def skyreels():
    return dict(
        module=diffusers.SkyReelsV2Transformer3DModel(patch_size=(1, 2, 2), num_attention_heads=2,
                                                      attention_head_dim=12, in_channels=4, out_channels=4,
                                                      text_dim=32, freq_dim=8, ffn_dim=32, num_layers=2,
                                                      rope_max_seq_len=16),
        inputs=dict(hidden_states=randn(2, 4, 2, 8, 8), timestep=TIME, encoder_hidden_states=randn(*TEXT)))


@model
def sana_video():
    return dict(
        module=diffusers.SanaVideoTransformer3DModel(in_channels=4, out_channels=4, num_attention_heads=2,
                                                     attention_head_dim=12, num_layers=2, num_cross_attention_heads=2,
                                                     cross_attention_head_dim=12, cross_attention_dim=24,
                                                     caption_channels=32, sample_size=8, rope_max_seq_len=16),
        inputs=dict(hidden_states=randn(2, 4, 2, 8, 8), encoder_hidden_states=randn(*TEXT), timestep=TIME,
                    encoder_attention_mask=text_mask()))


@model
def easyanimate():
    return dict(
        module=diffusers.EasyAnimateTransformer3DModel(num_attention_heads=2, attention_head_dim=16, in_channels=4,
                                                       out_channels=4, patch_size=2, sample_width=8, sample_height=8,
                                                       num_layers=2, mmdit_layers=1, time_embed_dim=8,
                                                       text_embed_dim=32),
        inputs=dict(hidden_states=randn(2, 4, 2, 8, 8), timestep=TIME, encoder_hidden_states=randn(*TEXT)))


@model
def allegro():
    return dict(
        module=diffusers.AllegroTransformer3DModel(num_attention_heads=2, attention_head_dim=12, in_channels=4,
                                                   out_channels=4, num_layers=2, cross_attention_dim=24,
                                                   sample_width=8, sample_height=8, sample_frames=8,
                                                   caption_channels=24),
        inputs=dict(hidden_states=randn(1, 4, 2, 8, 8), encoder_hidden_states=randn(1, 8, 24),
                    timestep=torch.tensor([500.0]), attention_mask=torch.ones(1, 2, 8, 8),
                    encoder_attention_mask=(torch.arange(8) < 5).float()[None]))


@model
def cosmos():
    return dict(
        module=diffusers.CosmosTransformer3DModel(in_channels=4, out_channels=4, num_attention_heads=2,
                                                  attention_head_dim=12, num_layers=2, mlp_ratio=2, text_embed_dim=16,
                                                  adaln_lora_dim=4, max_size=(4, 16, 16), patch_size=(1, 2, 2),
                                                  concat_padding_mask=False, extra_pos_embed_type="learnable"),
        inputs=dict(hidden_states=randn(1, 4, 2, 8, 8), timestep=torch.tensor([500.0]),
                    encoder_hidden_states=randn(1, 12, 16),
                    attention_mask=(torch.arange(12) < 9).float()[None]),
        fixed=dict(fps=30))


# Audio.


@model
def stable_audio():
    return dict(
        module=diffusers.StableAudioDiTModel(sample_size=16, in_channels=4, num_layers=2, attention_head_dim=8,
                                             num_attention_heads=4, num_key_value_attention_heads=2, out_channels=4,
                                             cross_attention_dim=16, time_proj_dim=8, global_states_input_dim=16,
                                             cross_attention_input_dim=32),
        inputs=dict(hidden_states=randn(2, 4, 16), timestep=TIME / 1000, encoder_hidden_states=randn(*TEXT),
                    global_hidden_states=randn(2, 1, 16)),
        fixed=dict(rotary_embedding=(torch.rand(17, 4), torch.rand(17, 4))))


@model
def ace_step():
    return dict(
        module=diffusers.AceStepTransformer1DModel(hidden_size=32, intermediate_size=32, num_hidden_layers=2,
                                                   num_attention_heads=4, num_key_value_heads=2, head_dim=8,
                                                   in_channels=12, audio_acoustic_hidden_dim=4, patch_size=2,
                                                   sliding_window=4, encoder_hidden_size=32),
        inputs=dict(hidden_states=randn(2, 16, 4), timestep=TIME / 1000, timestep_r=TIME / 1000,
                    encoder_hidden_states=randn(*TEXT), context_latents=randn(2, 16, 8)))


@model
def audio_ldm2_unet():
    return dict(
        module=diffusers.AudioLDM2UNet2DConditionModel(sample_size=8, in_channels=4, out_channels=4,
                                                       block_out_channels=(16, 32), layers_per_block=1,
                                                       cross_attention_dim=(32, 32), norm_num_groups=4,
                                                       attention_head_dim=2,
                                                       down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                                                       up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
        inputs=dict(sample=randn(1, 4, 8, 8), timestep=torch.tensor([20]), encoder_hidden_states=randn(1, 6, 32)))


@model
def wan_dynamic():
    return wan() | dict(dynamic=dict(hidden_states={2: Dim.AUTO}))


@model
def pixart_dynamic_text():
    length = Dim("length", min=2, max=128)
    return pixart() | dict(dynamic=dict(encoder_hidden_states={1: length}, encoder_attention_mask={1: length}))


@model
def stable_audio_dynamic():
    class Audio(torch.nn.Module):
        """Takes the rotary embedding, whose length is that of the audio, apart."""

        def __init__(self):
            super().__init__()
            self.model = stable_audio()["module"]

        def forward(self, cos, sin, **inputs):
            return self.model(rotary_embedding=(cos, sin), **inputs)

    spec = stable_audio()
    cos, sin = spec["fixed"]["rotary_embedding"]
    return dict(module=Audio(), inputs=dict(spec["inputs"], cos=cos, sin=sin),
                dynamic=dict(hidden_states={2: Dim.AUTO}, cos={0: Dim.AUTO}, sin={0: Dim.AUTO}))


@model
def sd3_dynamic_batch():
    batch = Dim("batch", min=2, max=64)
    return sd3() | dict(dynamic={name: {0: batch} for name in sd3()["inputs"]})


for name in ("flux", "sd3", "pixart", "sana", "wan", "stable-audio", "hunyuan-video", "cogvideox", "ltx", "auraflow",
             "ace-step", "easyanimate", "wan-dynamic", "sd3-dynamic-batch", "pixart-dynamic-text"):
    bf16(name)
