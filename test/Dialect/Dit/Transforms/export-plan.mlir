// RUN: split-file %s %t
// RUN: cat %t/program.mlir %t/pab.mlir.in > %t/pab.mlir
// RUN: cat %t/program.mlir %t/fast.mlir.in > %t/fast.mlir
// RUN: cat %t/program.mlir %t/heads.mlir.in > %t/heads.mlir
// RUN: cat %t/program.mlir %t/other.mlir.in > %t/other.mlir

// Each format, back into the plan that it came from.

// RUN: dit-opt %t/pab.mlir --dit-export-plan="format=diffusers file=%t/pab.json" | FileCheck %s --check-prefix=PAB
// RUN: FileCheck %s --check-prefix=DIFFUSERS < %t/pab.json
// RUN: dit-opt %t/pab.mlir --dit-import-plan="name=again file=%t/pab.json timesteps=900,700,500,300,100" | FileCheck %s --check-prefix=PAB
// PAB: "a" spatial cache after_projection heads 2 [2 * (full, share), full]

// DIFFUSERS: "spatial_attention_block_skip_range": 2,
// DIFFUSERS-NEXT: "spatial_attention_timestep_skip_range": [
// DIFFUSERS-NEXT: -1,
// DIFFUSERS-NEXT: 901
// DIFFUSERS-NEXT: ],
// DIFFUSERS-NEXT: "temporal_attention_block_skip_range": null,
// DIFFUSERS-NEXT: "cross_attention_block_skip_range": null
// DIFFUSERS-NEXT: }

// RUN: dit-opt %t/fast.mlir --dit-export-plan="format=xdit file=%t/fast.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=XDIT < %t/fast.json
// RUN: dit-opt %t/fast.mlir --dit-import-plan="name=again file=%t/fast.json steps=5 window=9 conditional=first" | FileCheck %s --check-prefix=FAST
// FAST: dit.plan @again
// FAST-NEXT: "a" spatial cache after_projection heads 2 [full, share, window(9) residual, window(9) residual half(first), full half(first)]
// XDIT: "block0": {
// XDIT-NEXT: "step0": "FULL_ATTN",
// XDIT-NEXT: "step1": "OUTPUT_SHARE",
// XDIT-NEXT: "step2": "RESIDUAL_WINDOW_ATTN",
// XDIT-NEXT: "step3": "RESIDUAL_WINDOW_ATTN_CFG_SHARE",
// XDIT-NEXT: "step4": "FULL_ATTN_CFG_SHARE"
// XDIT-NEXT: }

// A table gives every plan back.

// RUN: dit-opt %t/heads.mlir --dit-export-plan="name=heads file=%t/heads.json" | FileCheck %s --check-prefix=HEADS
// RUN: dit-opt %t/heads.mlir --dit-import-plan="name=again file=%t/heads.json" --dit-export-plan="name=again file=%t/again.json" | FileCheck %s --check-prefix=HEADS
// RUN: diff %t/heads.json %t/again.json
// HEADS: "a" spatial layer 3 cache before_projection heads 2 [full, {share, arrow(31, by_place)}, {share, window(1 x 2 x 3) residual}, {share, topk(0.25) half(second)}] grid <2x4x8> tile [8, 16] rounded

// Formats that cannot say a plan write nothing.

// RUN: not dit-opt %t/heads.mlir --dit-export-plan="name=heads format=xdit file=%t/none.json" 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-export-plan: site 'a', step 1: heads have different modes, and a method of xDiT is for all
// RUN: not test -e %t/none.json
// RUN: not dit-opt %t/heads.mlir --dit-export-plan="name=heads format=diffusers" 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-export-plan: site 'a': diffusers only reuses outputs of attentions after the projection, from the latest step that computed them
// RUN: not dit-opt %t/heads.mlir --dit-export-plan="name=windows format=xdit" 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: dit-export-plan: site 'a', step 2: xDiT has one half-width for all windows
// RUN: not dit-opt %t/heads.mlir --dit-export-plan="name=cross format=xdit" 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: dit-export-plan: site 'b' of kind cross is not full, and xDiT knows methods of self-attention only
// RUN: not dit-opt %t/heads.mlir --dit-export-plan="name=uneven format=diffusers" 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: dit-export-plan: no period and window give the steps at which cross attentions reuse
// RUN: not dit-opt %t/heads.mlir --dit-export-plan 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: dit-export-plan: expected the option name to be that of a plan; the plans are: heads, windows, cross, uneven
// RUN: not dit-opt %t/other.mlir --dit-export-plan 2>&1 | FileCheck %s --check-prefix=E6
// E6: error: dit-export-plan: the program has no site 'x'; its sites are: a, b
// RUN: not dit-opt %t/program.mlir --dit-export-plan 2>&1 | FileCheck %s --check-prefix=E7
// E7: error: dit-export-plan: the module has no plan

//--- program.mlir
func.func @main(%q: tensor<2x2x64x8xf32>) -> tensor<2x2x64x8xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%q : tensor<2x2x64x8xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<spatial>}
  %1 = dit.attention ins(%0, %q, %q : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%q : tensor<2x2x64x8xf32>) {scale = 1.0 : f64, site = "b", kind = #dit.kind<cross>}
  return %1 : tensor<2x2x64x8xf32>
}
//--- pab.mlir.in
dit.plan @pab timesteps [900, 700, 500, 300, 100] {
  dit.planned "a" spatial cache after_projection heads 2 [full, share, full, share, full]
}
//--- fast.mlir.in
dit.plan @fast timesteps [5, 4, 3, 2, 1] {
  dit.planned "a" spatial cache after_projection heads 2
      [full, share, window(9) residual, window(9) residual half(first), full half(first)]
}
//--- heads.mlir.in
dit.plan @heads timesteps [4, 3, 2, 1] fingerprint "5da5d8396eeebba1" {
  dit.planned "a" spatial layer 3 cache before_projection heads 2
      [full, {share, arrow(31, by_place)}, {share, window(1 x 2 x 3) residual}, {share(0), topk(0.25) half(second)}]
      grid <2x4x8> tile [8, 16] rounded
}
dit.plan @windows timesteps [3, 2, 1] {
  dit.planned "a" spatial cache after_projection heads 2 [full, window(8) residual, window(9) residual]
}
dit.plan @cross timesteps [2, 1] {
  dit.planned "b" cross cache after_projection heads 2 [full, share]
}
dit.plan @uneven timesteps [6, 5, 4, 3, 2, 1] {
  dit.planned "b" cross cache after_projection heads 2 [full, share, full, 2 * share, full]
}
//--- other.mlir.in
dit.plan @other timesteps [1] {
  dit.planned "x" cross cache after_projection heads 2 [full]
}
