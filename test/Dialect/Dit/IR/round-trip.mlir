// RUN: dit-opt %s | dit-opt | FileCheck %s
// RUN: dit-opt %s --emit-bytecode | dit-opt | FileCheck %s
// RUN: dit-opt %s --mlir-print-op-generic | dit-opt | FileCheck %s

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @attention_everything
func.func @attention_everything(
    %q: tensor<2x64x4x32xbf16>, %k: tensor<2x2x64x32xbf16>, %b: tensor<1x1x64x64xf32>,
    %num: tensor<1x4x2xi32>, %idx: tensor<1x4x2x?xi32>, %n: tensor<2xi32>,
    %init: tensor<2x64x4x32xbf16>, %l: tensor<2x4x64xf32>, %w: tensor<4xi32>)
    -> (tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>) {
  // CHECK: %{{.*}}:2 = dit.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>)
  // CHECK-SAME: bias(%{{.*}} : tensor<1x1x64x64xf32>)
  // CHECK-SAME: pattern(#dit.window<left = 8, right = -1>)
  // CHECK-SAME: tiles(%{{.*}}, %{{.*}} : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1]
  // CHECK-SAME: kv_valid(%{{.*}} : tensor<2xi32>)
  // CHECK-SAME: half_widths(%{{.*}} : tensor<4xi32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>)
  // CHECK-SAME: grid = #dit.grid<3x4x5, text = 4, text_first>
  // CHECK-SAME: kind = #dit.kind<joint>
  // CHECK-SAME: layer = 3 : i64
  // CHECK-SAME: o_order = #dit.order<bshd>
  // CHECK-SAME: q_order = #dit.order<bshd>
  // CHECK-SAME: scale = 1.700000e-01 : f64
  // CHECK-SAME: site = "blocks.3.attn1"
  %o, %lse = dit.attention ins(%q, %k, %k : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>)
    bias(%b : tensor<1x1x64x64xf32>)
    pattern(#dit.window<left = 8, right = -1>)
    tiles(%num, %idx : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1]
    kv_valid(%n : tensor<2xi32>)
    half_widths(%w : tensor<4xi32>)
    outs(%init, %l : tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>)
    {scale = 0.17 : f64, site = "blocks.3.attn1", kind = #dit.kind<joint>, layer = 3,
     grid = #dit.grid<3x4x5, text = 4, text_first>,
     q_order = #dit.order<bshd>, o_order = #dit.order<bshd>}
  return %o, %lse : tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>
}

// CHECK-LABEL: func.func @attention_dynamic
func.func @attention_dynamic(%q: tensor<?x4x?x32xf16>, %k: tensor<?x4x?x32xf16>, %init: tensor<?x4x?x32xf16>) -> tensor<?x4x?x32xf16> {
  // CHECK: %{{.*}} = dit.attention ins({{.*}}) outs(%{{.*}} : tensor<?x4x?x32xf16>) {scale
  %o = dit.attention ins(%q, %k, %k : tensor<?x4x?x32xf16>, tensor<?x4x?x32xf16>, tensor<?x4x?x32xf16>)
    outs(%init : tensor<?x4x?x32xf16>) {scale = 1.0 : f64}
  return %o : tensor<?x4x?x32xf16>
}

// CHECK-LABEL: func.func @attention_pair
func.func @attention_pair(
    %q: tensor<2x64x4x32xbf16>, %k: tensor<2x2x64x32xbf16>, %b: tensor<1x1x64x64xf32>, %n: tensor<2xi32>,
    %o: tensor<2x64x4x32xbf16>, %i: tensor<2x4x64x32xbf16>, %w: tensor<4xi32>)
    -> (tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64x32xbf16>) {
  // CHECK: %{{.*}}:2 = dit.attention_pair ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>)
  // CHECK-SAME: bias(%{{.*}} : tensor<1x1x64x64xf32>)
  // CHECK-SAME: pattern(#dit.causal)
  // CHECK-SAME: within(#dit.window<left = 8, right = 8>)
  // CHECK-SAME: kv_valid(%{{.*}} : tensor<2xi32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>)
  // CHECK-SAME: o_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64
  %0:2 = dit.attention_pair ins(%q, %k, %k : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>)
    bias(%b : tensor<1x1x64x64xf32>)
    pattern(#dit.causal)
    within(#dit.window<left = 8, right = 8>)
    kv_valid(%n : tensor<2xi32>)
    outs(%o, %i : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>)
    {scale = 0.17, q_order = #dit.order<bshd>, o_order = #dit.order<bshd>}
  // CHECK: dit.attention_pair ins({{.*}}) half_widths(%{{.*}} : tensor<4xi32>) outs(%{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>) {o_order
  %1:2 = dit.attention_pair ins(%q, %k, %k : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>)
    half_widths(%w : tensor<4xi32>)
    outs(%o, %i : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>)
    {scale = 0.17, q_order = #dit.order<bshd>, o_order = #dit.order<bshd>}
  return %0#0, %0#1, %1#1 : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64x32xbf16>
}

// CHECK-LABEL: func.func @attention_pair_memref
func.func @attention_pair_memref(%x: memref<2x4x?x32xf64>, %o: memref<2x4x?x32xf64>) {
  // CHECK-NEXT: dit.attention_pair ins
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) {scale
  dit.attention_pair ins(%x, %x, %x : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>)
    within(#dit.causal) outs(%x, %o : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) {scale = 1.0 : f64}
  return
}

// CHECK-LABEL: func.func @attention_backward
func.func @attention_backward(
    %q: tensor<2x64x4x32xbf16>, %k: tensor<2x2x64x32xbf16>, %o: tensor<2x4x64x32xbf16>, %l: tensor<2x4x64xf32>,
    %b: tensor<1x1x64x64xf32>, %num: tensor<1x4x2xi32>, %idx: tensor<1x4x2x?xi32>, %n: tensor<2xi32>, %dk: tensor<64x2x2x32xbf16>)
    -> (tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>) {
  // CHECK: %{{.*}}:3 = dit.attention_backward ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64xf32>, tensor<2x4x64x32xbf16>)
  // CHECK-SAME: bias(%{{.*}} : tensor<1x1x64x64xf32>)
  // CHECK-SAME: pattern(#dit.causal)
  // CHECK-SAME: tiles(%{{.*}}, %{{.*}} : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1]
  // CHECK-SAME: kv_valid(%{{.*}} : tensor<2xi32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>)
  // CHECK-SAME: dk_order = #dit.order<sbhd>, dq_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64
  %0:3 = dit.attention_backward
    ins(%q, %k, %k, %o, %l, %o : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64xf32>, tensor<2x4x64x32xbf16>)
    bias(%b : tensor<1x1x64x64xf32>)
    pattern(#dit.causal)
    tiles(%num, %idx : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1]
    kv_valid(%n : tensor<2xi32>)
    outs(%q, %dk, %k : tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>)
    {scale = 0.17 : f64, q_order = #dit.order<bshd>, dq_order = #dit.order<bshd>, dk_order = #dit.order<sbhd>}
  return %0#0, %0#1, %0#2 : tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>
}

// CHECK-LABEL: func.func @attention_backward_memref
func.func @attention_backward_memref(%x: memref<2x4x?x32xf64>, %l: memref<2x4x?xf64>) {
  // CHECK-NEXT: dit.attention_backward ins
  // CHECK-SAME: outs(%{{.*}}, %{{.*}}, %{{.*}} : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) {scale
  dit.attention_backward
    ins(%x, %x, %x, %x, %l, %x : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?xf64>, memref<2x4x?x32xf64>)
    outs(%x, %x, %x : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) {scale = 1.0 : f64}
  return
}

// CHECK-LABEL: func.func @attention_backward_orders
func.func @attention_backward_orders(%x: tensor<8x4xf32>, %l: tensor<1x1x8xf32>) {
  // CHECK: dit.attention_backward ins
  // CHECK-SAME: {dk_order = #dit.order<sd>, do_order = #dit.order<sd>, dq_order = #dit.order<sd>, dv_order = #dit.order<sd>,
  // CHECK-SAME: k_order = #dit.order<sd>, o_order = #dit.order<sd>, q_order = #dit.order<sd>, scale = 1.000000e+00 : f64, v_order = #dit.order<sd>}
  %0:3 = dit.attention_backward
    ins(%x, %x, %x, %x, %l, %x : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<1x1x8xf32>, tensor<8x4xf32>)
    outs(%x, %x, %x : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
    {scale = 1.0 : f64, q_order = #dit.order<sd>, k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>,
     do_order = #dit.order<sd>, dq_order = #dit.order<sd>, dk_order = #dit.order<sd>, dv_order = #dit.order<sd>}
  return
}

// CHECK-LABEL: func.func private @enumerations
// CHECK-SAME: {kinds = [#dit.kind<self>, #dit.kind<full>, #dit.kind<spatial>, #dit.kind<temporal>, #dit.kind<cross>, #dit.kind<joint>],
// CHECK-SAME: proxies = [#dit.proxy<center>, #dit.proxy<first>, #dit.proxy<mean>]}
func.func private @enumerations() attributes {
  kinds = [#dit.kind<self>, #dit.kind<full>, #dit.kind<spatial>, #dit.kind<temporal>, #dit.kind<cross>, #dit.kind<joint>],
  proxies = [#dit.proxy<center>, #dit.proxy<first>, #dit.proxy<mean>]}

// CHECK-LABEL: func.func @attention_memref
func.func @attention_memref(%k: memref<64x8xf64>, %l: memref<1x1x64xf64>) {
  // CHECK-NEXT: dit.attention ins
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : memref<64x8xf64>, memref<1x1x64xf64>)
  dit.attention ins(%k, %k, %k : memref<64x8xf64>, memref<64x8xf64>, memref<64x8xf64>)
    outs(%k, %l : memref<64x8xf64>, memref<1x1x64xf64>)
    {scale = 1.0 : f64, q_order = #dit.order<sd>, k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  return
}

// CHECK-LABEL: func.func @patterns
func.func @patterns(%q: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // CHECK: pattern(#dit.and<#dit.or<#dit.causal, #dit.causal<offset = -3>>,
  // CHECK-SAME: #dit.tiled<#dit.frame_causal<#dit.grid<1x6x10, text = 4>>, 32 x 64>,
  // CHECK-SAME: #dit.grid_window<#dit.grid<1x6x10, text = 4>, 1 x 2 x -1>,
  // CHECK-SAME: #dit.arrow<width = 3, text = 4>,
  // CHECK-SAME: #dit.arrow<width = 3, text = 4, text_first>>)
  %o = dit.attention ins(%q, %q, %q : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>)
    pattern(#dit.and<#dit.or<#dit.causal, #dit.causal<offset = -3>>,
      #dit.tiled<#dit.frame_causal<#dit.grid<1x6x10, text = 4>>, 32 x 64>,
      #dit.grid_window<#dit.grid<1x6x10, text = 4>, 1 x 2 x -1>,
      #dit.arrow<width = 3, text = 4>, #dit.arrow<width = 3, text = 4, text_first>>)
    outs(%q : tensor<?x?x8xf32>)
    {scale = 1.0 : f64, q_order = #dit.order<bsd>, k_order = #dit.order<bsd>, v_order = #dit.order<bsd>, o_order = #dit.order<bsd>}
  return %o : tensor<?x?x8xf32>
}

// CHECK-LABEL: func.func @merge
func.func @merge(%o: tensor<?x4x?x32xf16>, %l: tensor<?x4x?xf32>, %om: memref<?x4x?x32xf16>, %lm: memref<?x4x?xf32>) -> tensor<?x4x?x32xf16> {
  // CHECK: %{{.*}}:2 = dit.attention_merge ins((%{{.*}}, %{{.*}}), (%{{.*}}, %{{.*}}) : tensor
  %0:2 = dit.attention_merge ins((%o, %l), (%o, %l) : tensor<?x4x?x32xf16>, tensor<?x4x?xf32>, tensor<?x4x?x32xf16>, tensor<?x4x?xf32>)
    outs(%o, %l : tensor<?x4x?x32xf16>, tensor<?x4x?xf32>)
  // CHECK-NEXT: dit.attention_merge ins
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : memref<?x4x?x32xf16>, memref<?x4x?xf32>)
  dit.attention_merge ins((%om, %lm), (%om, %lm) : memref<?x4x?x32xf16>, memref<?x4x?xf32>, memref<?x4x?x32xf16>, memref<?x4x?xf32>)
    outs(%om, %lm : memref<?x4x?x32xf16>, memref<?x4x?xf32>)
  return %0#0 : tensor<?x4x?x32xf16>
}

//===----------------------------------------------------------------------===//
// Scores and tile lists
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @low_rank_score
func.func @low_rank_score(%q: tensor<?x4x?x8xf32>, %s: tensor<?x4x?x?xf32>, %qm: memref<?x4x?x8xf32>, %sm: memref<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> {
  // CHECK: dit.low_rank_score ins({{.*}}) by [32, 1] proxy <center> outs(%{{.*}} : tensor<?x4x?x?xf32>)
  %0 = dit.low_rank_score ins(%q, %q : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) by [32, 1] proxy <center> outs(%s : tensor<?x4x?x?xf32>)
  // CHECK: dit.low_rank_score ins({{.*}}) by [32, 1] proxy <mean> outs(%{{.*}} : memref<?x4x?x?xf32>) {scale = 5.000000e-01 : f64}
  dit.low_rank_score ins(%qm, %qm : memref<?x4x?x8xf32>, memref<?x4x?x8xf32>) by [32, 1] proxy <mean> outs(%sm : memref<?x4x?x?xf32>) {scale = 0.5 : f64}
  return %0 : tensor<?x4x?x?xf32>
}

// CHECK-LABEL: func.func @topk_mask
func.func @topk_mask(%s: tensor<2x4x?x?xf32>, %k: tensor<4xi32>, %n: tensor<2x4x?xi32>, %x: tensor<2x4x?x?xi32>,
                     %sm: memref<2x4x?x?xf32>, %nm: memref<2x4x?xi32>, %xm: memref<2x4x?x?xi32>) {
  // CHECK: %{{.*}}:2 = dit.topk_mask ins({{.*}}) count(%{{.*}} : tensor<4xi32>) keep(#dit.window<left = 0, right = 0>) outs(
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x?x?xf32>) count(%k : tensor<4xi32>) keep(#dit.window<left = 0, right = 0>)
    outs(%n, %x : tensor<2x4x?xi32>, tensor<2x4x?x?xi32>)
  // CHECK: dit.topk_mask ins({{.*}}) fraction(5.000000e-01) outs(
  %1:2 = dit.topk_mask ins(%s : tensor<2x4x?x?xf32>) fraction(0.5) outs(%n, %x : tensor<2x4x?xi32>, tensor<2x4x?x?xi32>)
  // CHECK: dit.topk_mask ins({{.*}}) mass(9.000000e-01) outs(%{{.*}}, %{{.*}} : memref
  dit.topk_mask ins(%sm : memref<2x4x?x?xf32>) mass(0.9) outs(%nm, %xm : memref<2x4x?xi32>, memref<2x4x?x?xi32>)
  return
}

// CHECK-LABEL: func.func @tile_lists
func.func @tile_lists(%n: tensor<2x4x8xi32>, %x: tensor<2x4x8x?xi32>, %n1: tensor<1x1x8xi32>, %x1: tensor<1x1x8x16xi32>,
                      %nd: tensor<?x?x?xi32>, %xd: tensor<?x?x?x?xi32>, %i: index) {
  // CHECK: dit.tiles_union ins((%{{.*}}, %{{.*}}), (%{{.*}}, %{{.*}}) : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>, tensor<1x1x8xi32>, tensor<1x1x8x16xi32>) outs(
  %0:2 = dit.tiles_union ins((%n, %x), (%n1, %x1) : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>, tensor<1x1x8xi32>, tensor<1x1x8x16xi32>)
    outs(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>)
  // CHECK: dit.tiles_slice ins(%{{.*}}, %{{.*}} : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>) at(%{{.*}}, %{{.*}}, %{{.*}}) outs(
  %1:2 = dit.tiles_slice ins(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>) at(%i, %i, %i)
    outs(%nd, %xd : tensor<?x?x?xi32>, tensor<?x?x?x?xi32>)
  // CHECK: dit.tiles_transpose ins(%{{.*}}, %{{.*}} : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>) outs(
  %2:2 = dit.tiles_transpose ins(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>)
    outs(%nd, %xd : tensor<?x?x?xi32>, tensor<?x?x?x?xi32>)
  return
}

// CHECK-LABEL: func.func @tile_lists_memref
func.func @tile_lists_memref(%n: memref<2x4x8xi32>, %x: memref<2x4x8x?xi32>, %i: index) {
  // CHECK-NEXT: dit.tiles_union
  dit.tiles_union ins((%n, %x), (%n, %x) : memref<2x4x8xi32>, memref<2x4x8x?xi32>, memref<2x4x8xi32>, memref<2x4x8x?xi32>)
    outs(%n, %x : memref<2x4x8xi32>, memref<2x4x8x?xi32>)
  // CHECK-NEXT: dit.tiles_slice
  dit.tiles_slice ins(%n, %x : memref<2x4x8xi32>, memref<2x4x8x?xi32>) at(%i, %i, %i) outs(%n, %x : memref<2x4x8xi32>, memref<2x4x8x?xi32>)
  // CHECK-NEXT: dit.tiles_transpose
  dit.tiles_transpose ins(%n, %x : memref<2x4x8xi32>, memref<2x4x8x?xi32>) outs(%n, %x : memref<2x4x8xi32>, memref<2x4x8x?xi32>)
  return
}

//===----------------------------------------------------------------------===//
// Reuse
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @reuse
func.func @reuse(%step: index, %c0: tensor<?x4xf32>, %m0: memref<4xf32>) {
  // CHECK: %[[ON:.*]] = dit.scheduled %{{.*}}, #dit.schedule<"1001">
  %on = dit.scheduled %step, #dit.schedule<"1001">
  // CHECK: %{{.*}}:2 = dit.reuse compute(%[[ON]]) state(%{{.*}} : tensor<?x4xf32>) {
  // CHECK-NEXT: ^bb0(%[[D:.*]]: tensor<?x4xf32>):
  // CHECK-NEXT:   dit.yield %[[D]], %[[D]] : tensor<?x4xf32>, tensor<?x4xf32>
  // CHECK-NEXT: } {site = "blocks.0"} -> tensor<?x4xf32>, tensor<?x4xf32>
  %y, %c1 = dit.reuse compute(%on) state(%c0 : tensor<?x4xf32>) {
  ^bb0(%d: tensor<?x4xf32>):
    dit.yield %d, %d : tensor<?x4xf32>, tensor<?x4xf32>
  } {site = "blocks.0"} -> tensor<?x4xf32>, tensor<?x4xf32>
  // CHECK: dit.reuse compute(%[[ON]]) state(%{{.*}} : memref<4xf32>) {
  // CHECK: } otherwise {
  // CHECK-NEXT: ^bb0(%{{.*}}: memref<4xf32>):
  // CHECK-NEXT:   dit.yield
  // CHECK-NEXT: } -> memref<4xf32>
  %m1 = dit.reuse compute(%on) state(%m0 : memref<4xf32>) {
  ^bb0(%d: memref<4xf32>):
    dit.yield %d : memref<4xf32>
  } otherwise {
  ^bb0(%s: memref<4xf32>):
    dit.yield
  } -> memref<4xf32>
  // CHECK: dit.reuse compute(%[[ON]]) {
  // CHECK-NEXT: dit.yield
  // CHECK-NEXT: }
  dit.reuse compute(%on) {
    dit.yield
  }
  return
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @branches
func.func @branches(%x: tensor<2x4xf32>, %t: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<3x4xf32>, tensor<2x4xf32>) {
  // CHECK: %{{.*}}:2 = dit.branch "blocks.0.attn1" joint layer 0 heads 2 of(%{{.*}}, %{{.*}} : tensor<2x4xf32>, tensor<3x4xf32>) attend {
  // CHECK-NEXT: dit.yield %{{.*}} : tensor<2x4xf32>
  // CHECK-NEXT: } project {
  // CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<2x4xf32>):
  // CHECK-NEXT: dit.yield %[[A]], %{{.*}} : tensor<2x4xf32>, tensor<3x4xf32>
  // CHECK-NEXT: } gate {
  // CHECK-NEXT: ^bb0(%[[P:.*]]: tensor<2x4xf32>, %[[Q:.*]]: tensor<3x4xf32>):
  // CHECK-NEXT: dit.yield %[[P]], %[[Q]] : tensor<2x4xf32>, tensor<3x4xf32>
  // CHECK-NEXT: } -> tensor<2x4xf32>, tensor<3x4xf32>
  %0:2 = dit.branch "blocks.0.attn1" joint layer 0 heads 2 of(%x, %t : tensor<2x4xf32>, tensor<3x4xf32>) attend {
    dit.yield %x : tensor<2x4xf32>
  } project {
  ^bb0(%a: tensor<2x4xf32>):
    dit.yield %a, %t : tensor<2x4xf32>, tensor<3x4xf32>
  } gate {
  ^bb0(%p: tensor<2x4xf32>, %q: tensor<3x4xf32>):
    dit.yield %p, %q : tensor<2x4xf32>, tensor<3x4xf32>
  } -> tensor<2x4xf32>, tensor<3x4xf32>
  // CHECK: dit.branch "mlp" mlp of(%{{.*}} : tensor<2x4xf32>) project {
  %1 = dit.branch "mlp" mlp of(%x : tensor<2x4xf32>) project {
    dit.yield %x : tensor<2x4xf32>
  } -> tensor<2x4xf32>
  return %0#0, %0#1, %1 : tensor<2x4xf32>, tensor<3x4xf32>, tensor<2x4xf32>
}

//===----------------------------------------------------------------------===//
// Token order
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @tokens
func.func @tokens(%x: tensor<?x64x8xf32>, %m: memref<2x65x8xi8>) -> tensor<?x64x8xf32> {
  // CHECK: dit.group_tokens ins(%{{.*}} : tensor<?x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%{{.*}} : tensor<?x64x8xf32>)
  %0 = dit.group_tokens ins(%x : tensor<?x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%x : tensor<?x64x8xf32>)
  // CHECK: dit.ungroup_tokens ins(%{{.*}} : memref<2x65x8xi8>) dim 1 grid <4x4x4, text = 1, text_first> cube [2, 3, 2] outs(%{{.*}} : memref<2x65x8xi8>)
  dit.ungroup_tokens ins(%m : memref<2x65x8xi8>) dim 1 grid <4x4x4, text = 1, text_first> cube [2, 3, 2] outs(%m : memref<2x65x8xi8>)
  return %0 : tensor<?x64x8xf32>
}
