# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ways in which people write attention, each as a module with inputs."""

import math

import torch
import torch.nn.functional as F
from torch import nn

STYLES = {}


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def style(*shapes, dtype=None, dynamic=None, masks=(), module=False, **spec):
    """Registers a function of tensors of `shapes`; `masks` are appended."""

    def register(function):
        def make():
            args = tuple(torch.randn(shape) for shape in shapes) + tuple(masks)
            return dict(module=function() if module else Call(function), args=args, dtype=dtype,
                        dynamic=dynamic() if dynamic else None, **spec)

        STYLES["style-" + function.__name__.replace("_", "-")] = make
        return function

    return register


QKV = ((2, 4, 8, 16), (2, 4, 12, 16), (2, 4, 12, 16))
SELF = ((2, 4, 8, 16),) * 3
BOOL_MASK = torch.arange(12).view(1, 1, 1, 12).expand(2, 1, 1, 12) < torch.tensor([7, 12]).view(2, 1, 1, 1)
ROW_MASK = torch.rand(2, 1, 8, 12, generator=torch.Generator().manual_seed(1)) > 0.4
ROW_MASK[0, 0, 3] = False


def sequence_dims():
    s = torch.export.Dim("s", min=4, max=512)
    t = torch.export.Dim("t", min=4, max=512)
    return ({2: s}, {2: t}, {2: t})


def batch_and_sequence_dims():
    b = torch.export.Dim("b", min=2, max=64)
    s = torch.export.Dim("s", min=4, max=512)
    return ({0: b, 2: s},) * 3


@style(*QKV)
def sdpa(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


@style(*QKV, dtype=torch.bfloat16)
def sdpa_bf16(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


@style(*QKV, dtype=torch.float16)
def sdpa_f16(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


@style(*QKV, dynamic=sequence_dims)
def sdpa_dynamic(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


@style(*SELF, dynamic=batch_and_sequence_dims)
def sdpa_dynamic_batch(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


@style(*SELF, dynamic=batch_and_sequence_dims, dtype=torch.bfloat16)
def sdpa_dynamic_batch_bf16(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


@style(*SELF)
def sdpa_causal(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


@style(*QKV, masks=(BOOL_MASK,))
def sdpa_bool_mask(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@style(*QKV, masks=(ROW_MASK,))
def sdpa_bool_mask_empty_row(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@style(*QKV, (2, 4, 8, 12))
def sdpa_float_mask(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@style(*QKV, (2, 1, 1, 12), dtype=torch.bfloat16)
def sdpa_float_mask_bf16(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@style(*QKV)
def sdpa_scale(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, scale=0.3)


@style((2, 8, 8, 16), (2, 2, 12, 16), (2, 2, 12, 16))
def sdpa_gqa(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, enable_gqa=True)


@style((2, 8, 8, 16), (2, 2, 12, 16), (2, 2, 12, 16))
def sdpa_repeat_interleave(q, k, v):
    k, v = k.repeat_interleave(4, dim=1), v.repeat_interleave(4, dim=1)
    return F.scaled_dot_product_attention(q, k, v)


@style((2, 8, 8, 16), (2, 2, 12, 16), (2, 2, 12, 16))
def sdpa_expand_heads(q, k, v):
    k = k[:, :, None].expand(2, 2, 4, 12, 16).reshape(2, 8, 12, 16)
    v = v[:, :, None].expand(2, 2, 4, 12, 16).reshape(2, 8, 12, 16)
    return F.scaled_dot_product_attention(q, k, v)


@style((2, 8, 64), (2, 12, 64), (2, 12, 96))
def sdpa_heads_last(q, k, v):
    q, k, v = (x.unflatten(-1, (4, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


@style(*QKV)
def naive(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(16), dim=-1) @ v


@style(*QKV, dtype=torch.bfloat16)
def naive_upcast_softmax(q, k, v):
    scores = q @ k.transpose(-1, -2) * 16**-0.5
    return scores.float().softmax(dim=-1).to(q.dtype) @ v


@style(*QKV, dtype=torch.bfloat16)
def naive_upcast_all(q, k, v):
    scores = q.float() @ k.float().transpose(-1, -2) * 16**-0.5
    return (scores.softmax(dim=-1) @ v.float()).to(q.dtype)


@style(*QKV)
def naive_no_scale(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2), dim=-1) @ v


@style(*QKV, attentions=1)
def naive_no_max(q, k, v):
    weights = torch.exp(q @ k.transpose(-1, -2) * 0.25)
    return weights @ v / weights.sum(-1, keepdim=True)


@style(*QKV, attentions=1)
def naive_no_max_normalised_first(q, k, v):
    weights = torch.exp(q @ k.transpose(-1, -2) * 0.25)
    return (weights / weights.sum(-1, keepdim=True)) @ v


@style(*QKV, attentions=1)
def naive_max_normalised_last(q, k, v):
    scores = q @ k.transpose(-1, -2) * 0.25
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    return (weights @ v) / weights.sum(-1, keepdim=True)


@style(*QKV, attentions=1)
def naive_log_softmax(q, k, v):
    return torch.log_softmax(q @ k.transpose(-1, -2) * 0.25, dim=-1).exp() @ v


@style(*QKV, masks=(BOOL_MASK,))
def naive_masked_fill(q, k, v, mask):
    scores = (q @ k.transpose(-1, -2) * 0.25).masked_fill(~mask, float("-inf"))
    return scores.softmax(-1) @ v


@style(*QKV, masks=(ROW_MASK,))
def naive_masked_fill_finite(q, k, v, mask):
    scores = (q @ k.transpose(-1, -2) * 0.25).masked_fill(~mask, -1e9)
    return scores.softmax(-1) @ v


@style(*QKV, masks=(BOOL_MASK,))
def naive_additive_from_bool(q, k, v, mask):
    bias = (1.0 - mask.to(q.dtype)) * -10000.0
    return (q @ k.transpose(-1, -2) * 0.25 + bias).softmax(-1) @ v


@style(*QKV, masks=(BOOL_MASK,))
def naive_mask_before_scale(q, k, v, mask):
    bias = torch.zeros(2, 1, 1, 12).masked_fill(~mask, float("-inf"))
    return ((q @ k.transpose(-1, -2) + bias) * 0.25).softmax(-1) @ v


@style(*SELF)
def naive_triu(q, k, v):
    mask = torch.triu(torch.full((8, 8), float("-inf")), diagonal=1)
    return (q @ k.transpose(-1, -2) * 0.25 + mask).softmax(-1) @ v


@style((8, 8, 16), (8, 12, 16), (8, 12, 16))
def bmm(q, k, v):
    return torch.bmm(torch.softmax(torch.bmm(q, k.transpose(1, 2)) * 0.25, -1), v)


@style((8, 8, 16), (8, 12, 16), (8, 12, 16), (8, 8, 12))
def baddbmm(q, k, v, bias):
    scores = torch.baddbmm(bias, q, k.transpose(1, 2), beta=1, alpha=0.25)
    return torch.bmm(scores.softmax(-1), v)


@style((8, 16), (12, 16), (12, 24))
def single_head(q, k, v):
    return torch.softmax(q @ k.T / 4, -1) @ v


@style((2, 8, 4, 16), (2, 12, 4, 16), (2, 12, 4, 24))
def einsum(q, k, v):
    scores = torch.einsum("bihd,bjhd->bhij", q, k) * 0.25
    return torch.einsum("bhij,bjhe->bihe", scores.softmax(-1), v)


@style((2, 8, 4, 16), (2, 12, 2, 16), (2, 12, 2, 16))
def einsum_gqa(q, k, v):
    q = q.unflatten(2, (2, 2))
    scores = torch.einsum("bikgd,bjkd->bkgij", q, k) * 0.25
    return torch.einsum("bkgij,bjke->bikge", scores.softmax(-1), v).flatten(2, 3)


@style((2, 4, 8, 16), (2, 1, 12, 16), (2, 1, 12, 16))
def multi_query(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * 0.25, -1) @ v


@style((2, 4, 8, 16), (2, 4, 12, 16), (2, 4, 12, 16), (4, 1, 1))
def logit_scale(q, k, v, temperature):
    q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
    return (q @ k.transpose(-1, -2) * temperature.exp()).softmax(-1) @ v


@style((2, 8, 32), module=True)
def multihead_self():
    class Self(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0]

    return Self()


@style((2, 8, 32), (2, 12, 24), module=True)
def multihead_cross_weights():
    class Cross(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(32, 4, kdim=24, vdim=24, batch_first=True)

        def forward(self, x, y):
            return self.attention(x, y, y)[0]

    return Cross()


@style((2, 64, 8), (2, 64, 12), (2, 64, 12))
def channels_first(q, k, v):
    q, k, v = (x.view(2 * 4, 16, x.shape[-1]) for x in (q, k, v))
    weights = torch.einsum("bct,bcs->bts", q * 0.5, k * 0.5).softmax(-1)
    return torch.einsum("bts,bcs->bct", weights, v).reshape(2, 64, 8)


# What is no softmax attention.


@style((2, 4, 8, 16), (2, 4, 12, 16), (2, 4, 12, 16))
def linear_relu(q, k, v):
    q, k = q.relu(), k.relu()
    return (q @ (k.transpose(-1, -2) @ v)) / (q @ k.sum(-2, keepdim=True).transpose(-1, -2) + 1e-6)


@style((2, 8, 32), module=True, attentions=0)
def linear_softmax_features():
    class Efficient(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = (nn.Linear(32, 32) for _ in range(3))

        def forward(self, x):
            q, k, v = (f(x).unflatten(-1, (4, 8)).transpose(1, 2) for f in (self.q, self.k, self.v))
            context = k.softmax(dim=-2).transpose(-1, -2) @ v
            return q.softmax(dim=-1) @ context

    return Efficient()


@style(*QKV)
def sigmoid_attention(q, k, v):
    return torch.sigmoid(q @ k.transpose(-1, -2) * 0.25) @ v


@style((2, 8, 32), module=True)
def gated_mlp():
    class Mlp(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.gate, self.down = nn.Linear(32, 64), nn.Linear(32, 64), nn.Linear(64, 32)

        def forward(self, x):
            return self.down(F.silu(self.gate(x)) * self.up(x))

    return Mlp()


@style(*QKV, attentions=0)
def softmax_over_queries(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2), dim=-2) @ v
