# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a layer with a low-rank, top-k sparse attention and calls it.

    python examples/embedding/python/attention.py
"""

import time

import dit
import numpy as np

LAYER = """
func.func @sparse(%q: tensor<1x4x2048x32xf32> {dit.name = "q"},
                  %k: tensor<1x4x2048x32xf32> {dit.name = "k"},
                  %v: tensor<1x4x2048x32xf32> {dit.name = "v"},
                  %keep: tensor<4xi32> {dit.name = "keep"}) -> tensor<1x4x2048x32xf32> {
  %s0 = tensor.empty() : tensor<1x4x32x32xf32>
  %n0 = tensor.empty() : tensor<1x4x32xi32>
  %i0 = tensor.empty() : tensor<1x4x32x32xi32>
  %o0 = tensor.empty() : tensor<1x4x2048x32xf32>
  %s = dit.low_rank_score ins(%q, %k : tensor<1x4x2048x32xf32>, tensor<1x4x2048x32xf32>)
      by [64, 64] proxy <mean> outs(%s0 : tensor<1x4x32x32xf32>)
  %num, %idx = dit.topk_mask ins(%s : tensor<1x4x32x32xf32>) count(%keep : tensor<4xi32>)
      outs(%n0, %i0 : tensor<1x4x32xi32>, tensor<1x4x32x32xi32>)
  %o = dit.attention ins(%q, %k, %v : tensor<1x4x2048x32xf32>, tensor<1x4x2048x32xf32>,
      tensor<1x4x2048x32xf32>)
      tiles(%num, %idx : tensor<1x4x32xi32>, tensor<1x4x32x32xi32>) by [64, 64]
      outs(%o0 : tensor<1x4x2048x32xf32>)
      {scale = 0.1767766952966369 : f64, site = "blocks.0.attn1"}
  return %o : tensor<1x4x2048x32xf32>
}
"""


def main():
    program = dit.compile(LAYER)
    print(program["sparse"].signature)
    # Tokens of one tile resemble each other, as neighbours in a video do.
    rng = np.random.default_rng(0)
    tiles = np.repeat(rng.standard_normal((1, 4, 32, 32), dtype=np.float32), 64, axis=2)
    q, k, v = tiles + 0.5 * rng.standard_normal((3, 1, 4, 2048, 32), dtype=np.float32)
    dense = program(q, k, v, np.full(4, 32, np.int32))
    for kept in (32, 16, 8):
        start = time.perf_counter()
        sparse = program(q, k, v, keep=np.full(4, kept, np.int32))
        milliseconds = 1e3 * (time.perf_counter() - start)
        error = np.abs(sparse - dense).mean() / np.abs(dense).mean()
        print(f"{kept:2} of 32 key tiles: {milliseconds:6.2f} ms, mean difference {error:.1%}")


if __name__ == "__main__":
    main()
