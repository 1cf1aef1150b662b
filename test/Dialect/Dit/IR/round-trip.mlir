// RUN: dit-opt %s | dit-opt | FileCheck %s
// RUN: dit-opt %s --emit-bytecode | dit-opt | FileCheck %s

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<2x4x64x32xf32>, %b: tensor<1x1x64x64xf32>, %num: tensor<1x4x2xi32>, %idx: tensor<1x4x2x?xi32>, %n: tensor<2xi32>, %init: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64xf32>) {
  // CHECK: dit.attention ins(
  %o, %lse = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
   bias(%b : tensor<1x1x64x64xf32>) pattern(#dit.and<#dit.window<left = 8, right = -1>, #dit.grid_window<#dit.grid<1x6x10, text = 4>, 1 x 2 x -1>, #dit.tiled<#dit.causal<offset = -1>, 32 x 64>, #dit.causal, #dit.arrow<width = 3, text = 4>>)
   tiles(%num, %idx : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1] kv_valid(%n : tensor<2xi32>)
   outs(%init, %l : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>) {scale = 0.17 : f64, site = "x", kind = #dit.kind<self>, q_order = #dit.order<bhsd>}
  return %o, %lse : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>
}
// CHECK-LABEL: func.func @selection_and_reuse
func.func @selection_and_reuse(%s: tensor<2x4x2x?xf32>, %k: tensor<4xi32>, %n0: tensor<2x4x2xi32>, %i0: tensor<2x4x2x8xi32>, %step: index, %c0: tensor<4xf32>) {
  // CHECK: dit.topk_mask ins({{.*}}) count(
  %num, %idx = dit.topk_mask ins(%s : tensor<2x4x2x?xf32>) count(%k : tensor<4xi32>) keep(#dit.window<left = 0, right = 0>) outs(%n0, %i0 : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  %n2, %x2 = dit.topk_mask ins(%s : tensor<2x4x2x?xf32>) fraction(0.5) outs(%n0, %i0 : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  // CHECK: dit.scheduled %{{.*}}, #dit.schedule<"1001">
  %on = dit.scheduled %step, #dit.schedule<"1001">
  // CHECK: dit.reuse compute(
  %y, %c1 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
    ^bb0(%d: tensor<4xf32>):
    dit.yield %d, %d : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return
}
