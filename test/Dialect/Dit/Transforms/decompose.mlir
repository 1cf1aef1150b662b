// RUN: dit-opt %s --dit-decompose | FileCheck %s

// What single ops become is checked in Decompose/; that it computes the right
// numbers, in test/Numeric.

// Ops inside the regions of a reuse are rewritten with it.

// CHECK-LABEL: func.func @whole_program
// CHECK-NOT:     dit.
// CHECK:         scf.if
// CHECK:           linalg.generic
// CHECK-NOT:     dit.
// CHECK-LABEL: func.func @memrefs
func.func @whole_program(%step: index, %x: tensor<1x2x8x4xf32>, %s: tensor<1x2x2x2xf32>, %n0: tensor<1x2x2xi32>, %i0: tensor<1x2x2x2xi32>, %l: tensor<1x2x8xf32>, %cache: tensor<1x2x8x4xf32>) -> (tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) {
  %on = dit.scheduled %step, #dit.schedule<"10">
  %y, %c1 = dit.reuse compute(%on) state(%cache : tensor<1x2x8x4xf32>) {
  ^bb0(%dst: tensor<1x2x8x4xf32>):
    %g = dit.group_tokens ins(%x : tensor<1x2x8x4xf32>) dim 2 grid #dit.grid<2x2x2> cube [1, 1, 2] outs(%dst : tensor<1x2x8x4xf32>)
    %r = dit.low_rank_score ins(%g, %g : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) by [4, 4] proxy <mean> outs(%s : tensor<1x2x2x2xf32>)
    %num, %idx = dit.topk_mask ins(%r : tensor<1x2x2x2xf32>) fraction(0.5) outs(%n0, %i0 : tensor<1x2x2xi32>, tensor<1x2x2x2xi32>)
    %tn, %ti = dit.tiles_transpose ins(%num, %idx : tensor<1x2x2xi32>, tensor<1x2x2x2xi32>) outs(%n0, %i0 : tensor<1x2x2xi32>, tensor<1x2x2x2xi32>)
    %un, %ui = dit.tiles_union ins((%num, %idx), (%tn, %ti) : tensor<1x2x2xi32>, tensor<1x2x2x2xi32>, tensor<1x2x2xi32>, tensor<1x2x2x2xi32>) outs(%n0, %i0 : tensor<1x2x2xi32>, tensor<1x2x2x2xi32>)
    %o:2 = dit.attention ins(%g, %g, %g : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) tiles(%un, %ui : tensor<1x2x2xi32>, tensor<1x2x2x2xi32>) by [4, 4] outs(%dst, %l : tensor<1x2x8x4xf32>, tensor<1x2x8xf32>) {scale = 0.5 : f64}
    %m:2 = dit.attention_merge ins((%o#0, %o#1), (%o#0, %o#1) : tensor<1x2x8x4xf32>, tensor<1x2x8xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8xf32>) outs(%dst, %l : tensor<1x2x8x4xf32>, tensor<1x2x8xf32>)
    %u = dit.ungroup_tokens ins(%m#0 : tensor<1x2x8x4xf32>) dim 2 grid #dit.grid<2x2x2> cube [1, 1, 2] outs(%dst : tensor<1x2x8x4xf32>)
    dit.yield %u, %u : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
  } -> tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
  return %y, %c1 : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
}

// CHECK:         dit.attention
// CHECK:         dit.topk_mask
func.func @memrefs(%q: memref<1x2x8x4xf32>, %o: memref<1x2x8x4xf32>, %s: memref<1x2x2x2xf32>, %num: memref<1x2x2xi32>, %idx: memref<1x2x2x2xi32>) {
  dit.attention ins(%q, %q, %q : memref<1x2x8x4xf32>, memref<1x2x8x4xf32>, memref<1x2x8x4xf32>) outs(%o : memref<1x2x8x4xf32>) {scale = 1.0 : f64}
  dit.topk_mask ins(%s : memref<1x2x2x2xf32>) fraction(0.5) outs(%num, %idx : memref<1x2x2xi32>, memref<1x2x2x2xi32>)
  return
}
