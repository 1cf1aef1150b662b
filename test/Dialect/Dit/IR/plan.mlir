// RUN: dit-opt %s | FileCheck %s
// RUN: dit-opt %s | dit-opt | FileCheck %s
// RUN: dit-opt %s -mlir-print-op-generic | dit-opt | FileCheck %s
// RUN: dit-opt %s --emit-bytecode | dit-opt | FileCheck %s

// Pyramid attention broadcast on wan-mini: rows that repeat are written once,
// however they were given.

// CHECK-LABEL: dit.plan @pab_246 timesteps [1000, 833.3333333333334, 666.6666666666666, 500, 333.3333333333333, 166.66666666666666, 1.0e-05] fingerprint "00ff00ff00ff00ff" {
dit.plan @pab_246 timesteps [1000.0, 833.33333333333337, 666.66666666666663, 500, 333.33333333333331, 166.66666666666666, 0.00001] fingerprint "00ff00ff00ff00ff" {
  // CHECK-NEXT: dit.planned "blocks.0.attn1" full layer 0 cache after_projection heads 4 [3 * (full, share), full]
  dit.planned "blocks.0.attn1" full layer 0 cache after_projection heads 4 [full, share, full, share, full, share, full]
  // CHECK-NEXT: dit.planned "blocks.0.attn2" cross layer 0 cache after_gate heads 4 [full, 5 * share, full]
  dit.planned "blocks.0.attn2" cross layer 0 cache after_gate heads 4 [full, 4 * share(0), share, full]
  // CHECK-NEXT: dit.planned "blocks.0.mlp" mlp layer 0 cache after_projection heads 1 [3 * (full, share), share]
  dit.planned "blocks.0.mlp" mlp layer 0 cache after_projection heads 1 [full, 2 * (share, full), 2 * share]
}

// The modes of DiTFastAttn: residual windows, sharing, one half of the guided
// batch; then a width, an arrow and a skip for each head, as in its version 2.

// CHECK-LABEL: dit.plan "private" @fast timesteps [4, 3, 2, 1, 0.5] attributes {note = "x"} {
dit.plan "private" @fast timesteps [4, 3, 2, 1, 0.5] attributes {note = "x"} {
  // CHECK-NEXT: "blocks.0.attn1" self layer 0 cache after_projection heads 2 [full half(first), window(256) residual, window(256) residual half(first), share, full half(second)]
  dit.planned "blocks.0.attn1" self layer 0 cache after_projection heads 2 [full half(first), window(256) residual(0), window(256) residual half(first), share(2), full half(second)]
  // CHECK-NEXT: "blocks.1.attn1" joint layer 1 cache before_projection heads 4 [full, {2 * share, arrow(64), full}, {2 * share, share(0), arrow(32)}, {2 * share, 2 * share(0)}, {3 * window(8), share}] grid <8x16x16, text = 16> tile [128, 64] rounded
  dit.planned "blocks.1.attn1" joint layer 1 cache before_projection heads 4
      [full, {share, share, arrow(64), full}, {share, share, share(0), arrow(32)}, {4 * share(0)}, {3 * window(8), share(2)}]
      grid <8x16x16, text = 16> tile [128, 64] rounded
}

// Along the grid, by place and selected: windows in space and time, version 2's
// reordered arrows, DSV's top-k with a share of its own for each head.

// CHECK-LABEL: dit.plan @sparse timesteps [1] {
dit.plan @sparse timesteps [1] {
  // CHECK-NEXT: "a" full cache after_projection heads 3 [{window(1 x 4 x 4), arrow(31, by_place), window(7)}] grid <8x16x16>
  dit.planned "a" full cache after_projection heads 3 [{window(1 x 4 x 4), arrow(31, by_place), window(7)}] grid <8x16x16>
  // CHECK-NEXT: "b" full cache after_projection heads 3 [{topk(0.25), topk(mass 0.9), full}] tile [64, 64]
  dit.planned "b" full cache after_projection heads 3 [{topk(0.25), topk(mass 0.9), full}] tile [64, 64]
}

// CHECK-LABEL: dit.profile "private" @measured timesteps [933.3, 500] fingerprint "00ff00ff00ff00ff" {
dit.profile "private" @measured timesteps [933.3, 500] fingerprint "00ff00ff00ff00ff" {
  // CHECK-NEXT: dit.measured "a" sparsity at 0.9 dense<{{\[\[}}9.000000e-01, 1.000000e-01], [5.000000e-01, 2.000000e-01]]> : tensor<2x2xf64>
  dit.measured "a" sparsity at 0.9 dense<[[0.9, 0.1], [0.5, 0.2]]> : tensor<2x2xf64>
  // CHECK-NEXT: dit.measured "a" sparsity at 0.99 dense
  dit.measured "a" sparsity at 0.99 dense<0.1> : tensor<2x2xf64>
  // CHECK-NEXT: dit.measured "a" rse of <window(64) residual> dense
  dit.measured "a" rse of <window(64) residual> dense<0.1> : tensor<2x2xf32>
  // CHECK-NEXT: dit.measured "a" step_difference dense
  dit.measured "a" step_difference dense<[0.0, 0.5]> : tensor<2xf32>
  // CHECK-NEXT: dit.measured "a" guidance_difference dense
  dit.measured "a" guidance_difference dense<[0.0, 0.5]> : tensor<2xf32>
  // CHECK-NEXT: dit.measured "a" seconds dense
  dit.measured "a" seconds dense<[1.0, 0.5]> : tensor<2xf64>
  // CHECK-NEXT: dit.measured "a" seconds of <window(64)> dense
  dit.measured "a" seconds of <window(64)> dense<0.5> : tensor<2xf64>
  // CHECK-NEXT: dit.measured "a" output_loss of <share> dense{{.*}} tensor<2x1x2xf64>
  dit.measured "a" output_loss of <share> dense<0.5> : tensor<2x1x2xf64>
  // CHECK-NEXT: dit.measured "a" sample_error of <window(64) residual half(first)> dense
  dit.measured "a" sample_error of <window(64) residual half(first)> dense<0.5> : tensor<2xf64>
  // CHECK-NEXT: dit.trial errors [0, 0.25] seconds 8.5
  dit.trial errors [0, 0.25] seconds 8.5
  // CHECK-NEXT: dit.trial of @fast errors [0.5]
  dit.trial of @fast errors [0.5]
}
