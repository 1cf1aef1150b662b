module {
  dit.plan @pab_246 timesteps [1000, 833.3333333333334, 666.6666666666666, 500, 333.3333333333333, 166.66666666666666, 1.0e-05] fingerprint "00ff00ff00ff00ff" {
    dit.planned "blocks.0.attn1" full layer 0 cache after_projection heads 4 [3 * (full, share), full]
    dit.planned "blocks.0.attn2" cross layer 0 cache after_gate heads 4 [full, 5 * share, full]
    dit.planned "blocks.0.mlp" mlp layer 0 cache after_projection heads 1 [3 * (full, share), share]
  }
  dit.plan "private" @fast timesteps [4, 3, 2, 1, 0.5] attributes {note = "x"} {
    dit.planned "blocks.0.attn1" self layer 0 cache after_projection heads 2 [full half(first), window(256) residual, window(256) residual half(first), share, full half(second)]
    dit.planned "blocks.1.attn1" joint layer 1 cache before_projection heads 4 [full, {2 * share, arrow(64), full}, {2 * share, share(0), arrow(32)}, {2 * share, 2 * share(0)}, {3 * window(8), share}] grid <8x16x16, text = 16> tile [128, 64] rounded
  }
  dit.plan @sparse timesteps [1] {
    dit.planned "a" full cache after_projection heads 3 [{window(1 x 4 x 4), arrow(31, by_place), window(7)}] grid <8x16x16>
    dit.planned "b" full cache after_projection heads 3 [{topk(0.25), topk(mass 0.9), full}] tile [64, 64]
  }
  dit.profile "private" @measured timesteps [933.3, 500] fingerprint "00ff00ff00ff00ff" {
    dit.measured "a" sparsity at 0.9 dense<[[9.000000e-01, 1.000000e-01], [5.000000e-01, 2.000000e-01]]> : tensor<2x2xf64>
    dit.measured "a" sparsity at 0.99 dense<1.000000e-01> : tensor<2x2xf64>
    dit.measured "a" rse of <window(64) residual> dense<1.000000e-01> : tensor<2x2xf32>
    dit.measured "a" step_difference dense<[0.000000e+00, 5.000000e-01]> : tensor<2xf32>
    dit.measured "a" guidance_difference dense<[0.000000e+00, 5.000000e-01]> : tensor<2xf32>
    dit.measured "a" seconds dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf64>
  }
}

