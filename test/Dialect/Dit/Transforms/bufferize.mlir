// RUN: dit-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file | FileCheck %s

// The result is built in the argument; dimension orders and strided operands
// stay as they are.
// CHECK-LABEL: func.func @attention_in_place(
// CHECK-SAME: %[[Q:.*]]: memref<2x64x4x32xf32>, %[[KV:.*]]: memref<2x4x128x32xf32>, %[[B:.*]]: memref<1x1x64x64xf32>, %[[O:.*]]: memref<2x4x64x32xf32>)
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: %[[K:.*]] = memref.subview %[[KV]]
// CHECK: dit.attention ins(%[[Q]], %[[K]], %[[K]] : memref<2x64x4x32xf32>, memref<2x4x64x32xf32, strided<[16384, 4096, 32, 1]>>, {{.*}}) bias(%[[B]] : memref<1x1x64x64xf32>) outs(%[[O]] : memref<2x4x64x32xf32>) {q_order = #dit.order<bshd>, scale = 1.250000e-01 : f64}
// CHECK: return %[[O]]
func.func @attention_in_place(
    %q: tensor<2x64x4x32xf32>, %kv: tensor<2x4x128x32xf32>,
    %b: tensor<1x1x64x64xf32>,
    %o: tensor<2x4x64x32xf32> {bufferization.writable = true}) -> tensor<2x4x64x32xf32> {
  %k = tensor.extract_slice %kv[0, 0, 0, 0] [2, 4, 64, 32] [1, 1, 1, 1] : tensor<2x4x128x32xf32> to tensor<2x4x64x32xf32>
  %r = dit.attention ins(%q, %k, %k : tensor<2x64x4x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
      bias(%b : tensor<1x1x64x64xf32>)
      outs(%o : tensor<2x4x64x32xf32>) {scale = 0.125 : f64, q_order = #dit.order<bshd>}
  return %r : tensor<2x4x64x32xf32>
}

// -----

// A head of half-width 0 keeps what its init holds, so q has to be copied.
// CHECK-LABEL: func.func @bands_read_inits(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<1x2x16x8xf32>
// CHECK: %[[A:.*]] = memref.alloc()
// CHECK: memref.copy %[[Q]], %[[A]]
// CHECK: dit.attention ins(%[[Q]], %[[Q]], %[[Q]] : {{.*}}) half_widths({{.*}}) outs(%[[A]] :
func.func @bands_read_inits(%q: tensor<1x2x16x8xf32>, %w: tensor<2xi32>) -> (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) {
  %r = dit.attention ins(%q, %q, %q : tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>)
      half_widths(%w : tensor<2xi32>) outs(%q : tensor<1x2x16x8xf32>) {scale = 1.0 : f64}
  return %r, %q : tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>
}

// -----

// Inits are not read: one that is still needed, here q itself, is replaced by
// an allocation without a copy.
// CHECK-LABEL: func.func @attention_does_not_read_inits(
// CHECK-SAME: %[[Q:.*]]: memref<1x1x16x8xf32>)
// CHECK: %[[A:.*]] = memref.alloc()
// CHECK-NOT: memref.copy
// CHECK: dit.attention ins(%[[Q]], %[[Q]], %[[Q]] : {{.*}}) outs(%[[A]] :
func.func @attention_does_not_read_inits(%q: tensor<1x1x16x8xf32>) -> tensor<1x1x16x8xf32> {
  %r = dit.attention ins(%q, %q, %q : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>)
      outs(%q : tensor<1x1x16x8xf32>) {scale = 1.0 : f64}
  return %r : tensor<1x1x16x8xf32>
}

// -----

// The entries past the count come from the init: an argument that must not be
// written is copied.
// CHECK-LABEL: func.func @topk_reads_idx(
// CHECK-SAME: %[[S:.*]]: memref<1x2x4x8xf32>, %[[I:.*]]: memref<1x2x4x8xi32>)
// CHECK-DAG: %[[N:.*]] = memref.alloc() {{.*}} : memref<1x2x4xi32>
// CHECK-DAG: %[[C:.*]] = memref.alloc() {{.*}} : memref<1x2x4x8xi32>
// CHECK: memref.copy %[[I]], %[[C]]
// CHECK: dit.topk_mask ins(%[[S]] : memref<1x2x4x8xf32>) fraction(5.000000e-01) outs(%[[N]], %[[C]] : memref<1x2x4xi32>, memref<1x2x4x8xi32>)
func.func @topk_reads_idx(%s: tensor<1x2x4x8xf32>, %i: tensor<1x2x4x8xi32> {bufferization.writable = false}) -> (tensor<1x2x4xi32>, tensor<1x2x4x8xi32>) {
  %n = tensor.empty() : tensor<1x2x4xi32>
  %num, %idx = dit.topk_mask ins(%s : tensor<1x2x4x8xf32>) fraction(0.5) outs(%n, %i : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>)
  return %num, %idx : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>
}

// -----

// CHECK-LABEL: func.func @others(
// CHECK-NOT: memref.copy
// CHECK: dit.low_rank_score ins({{.*}} : memref<1x2x64x8xf32>, memref<1x2x64x8xf32>) by [16, 8] proxy <mean> outs({{.*}} : memref<1x2x4x8xf32>)
// CHECK: dit.topk_mask
// CHECK: dit.tiles_union ins(({{.*}}), ({{.*}}) : memref<1x2x4xi32>, memref<1x2x4x8xi32>, memref<1x2x4xi32>, memref<1x2x4x8xi32>)
// CHECK: dit.tiles_slice ins({{.*}} : memref<1x2x4xi32>, memref<1x2x4x8xi32>) at(%{{.*}}, %{{.*}}, %{{.*}}) outs({{.*}} : memref<1x2x2xi32>, memref<1x2x2x8xi32>)
// CHECK: dit.tiles_transpose ins({{.*}} : memref<1x2x4xi32>, memref<1x2x4x8xi32>) outs({{.*}} : memref<1x2x8xi32>, memref<1x2x8x4xi32>)
// CHECK: dit.group_tokens ins({{.*}} : memref<1x2x64x8xf32>) dim 2
// CHECK: dit.ungroup_tokens ins({{.*}} : memref<1x2x64x8xf32>) dim 2
// CHECK: dit.attention_merge ins(({{.*}}), ({{.*}}) : memref<1x2x64x8xf32>
func.func @others(%q: tensor<1x2x64x8xf32>, %l: tensor<1x2x64xf32>, %at: index)
    -> (tensor<1x2x2xi32>, tensor<1x2x2x8xi32>, tensor<1x2x8xi32>, tensor<1x2x8x4xi32>, tensor<1x2x64x8xf32>, tensor<1x2x64xf32>) {
  %s0 = tensor.empty() : tensor<1x2x4x8xf32>
  %s = dit.low_rank_score ins(%q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>) by [16, 8] proxy <mean> outs(%s0 : tensor<1x2x4x8xf32>)
  %n0 = tensor.empty() : tensor<1x2x4xi32>
  %i0 = tensor.empty() : tensor<1x2x4x8xi32>
  %n1, %i1 = dit.topk_mask ins(%s : tensor<1x2x4x8xf32>) fraction(0.5) outs(%n0, %i0 : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>)
  %n2, %i2 = dit.tiles_union ins((%n1, %i1), (%n1, %i1) : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>, tensor<1x2x4xi32>, tensor<1x2x4x8xi32>) outs(%n0, %i0 : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>)
  %n3 = tensor.empty() : tensor<1x2x2xi32>
  %i3 = tensor.empty() : tensor<1x2x2x8xi32>
  %n4, %i4 = dit.tiles_slice ins(%n2, %i2 : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>) at(%at, %at, %at) outs(%n3, %i3 : tensor<1x2x2xi32>, tensor<1x2x2x8xi32>)
  %n5 = tensor.empty() : tensor<1x2x8xi32>
  %i5 = tensor.empty() : tensor<1x2x8x4xi32>
  %n6, %i6 = dit.tiles_transpose ins(%n2, %i2 : tensor<1x2x4xi32>, tensor<1x2x4x8xi32>) outs(%n5, %i5 : tensor<1x2x8xi32>, tensor<1x2x8x4xi32>)
  %g0 = tensor.empty() : tensor<1x2x64x8xf32>
  %g = dit.group_tokens ins(%q : tensor<1x2x64x8xf32>) dim 2 grid #dit.grid<4x4x4> cube [2, 2, 2] outs(%g0 : tensor<1x2x64x8xf32>)
  %u0 = tensor.empty() : tensor<1x2x64x8xf32>
  %u = dit.ungroup_tokens ins(%g : tensor<1x2x64x8xf32>) dim 2 grid #dit.grid<4x4x4> cube [2, 2, 1] outs(%u0 : tensor<1x2x64x8xf32>)
  %o0 = tensor.empty() : tensor<1x2x64x8xf32>
  %l0 = tensor.empty() : tensor<1x2x64xf32>
  %o, %lse = dit.attention_merge ins((%q, %l), (%u, %l) : tensor<1x2x64x8xf32>, tensor<1x2x64xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64xf32>) outs(%o0, %l0 : tensor<1x2x64x8xf32>, tensor<1x2x64xf32>)
  return %n4, %i4, %n6, %i6, %o, %lse : tensor<1x2x2xi32>, tensor<1x2x2x8xi32>, tensor<1x2x8xi32>, tensor<1x2x8x4xi32>, tensor<1x2x64x8xf32>, tensor<1x2x64xf32>
}

// -----

// The gradients are built in the arguments.
// CHECK-LABEL: func.func @gradient_in_place(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1x1x16x8xf32>, %[[L:[a-z0-9]+]]: memref<1x1x16xf32>, %[[DQ:[a-z0-9]+]]: memref<1x1x16x8xf32>, %[[DK:[a-z0-9]+]]: memref<1x1x16x8xf32>, %[[DV:[a-z0-9]+]]: memref<1x1x16x8xf32>)
// CHECK-NEXT: dit.attention_backward ins(%[[X]], %[[X]], %[[X]], %[[X]], %[[L]], %[[X]] : {{.*}}) outs(%[[DQ]], %[[DK]], %[[DV]] :
// CHECK-NEXT: return %[[DQ]], %[[DK]], %[[DV]]
func.func @gradient_in_place(%x: tensor<1x1x16x8xf32>, %l: tensor<1x1x16xf32>,
                             %dq: tensor<1x1x16x8xf32> {bufferization.writable = true},
                             %dk: tensor<1x1x16x8xf32> {bufferization.writable = true},
                             %dv: tensor<1x1x16x8xf32> {bufferization.writable = true})
    -> (tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>) {
  %r:3 = dit.attention_backward
      ins(%x, %x, %x, %x, %l, %x : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16xf32>, tensor<1x1x16x8xf32>)
      outs(%dq, %dk, %dv : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>) {scale = 1.0 : f64}
  return %r#0, %r#1, %r#2 : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>
}

// -----

// Both results are built in the arguments; those of a pair with bands are read,
// as heads that are skipped keep what they held.
// CHECK-LABEL: func.func @pair_in_place(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1x1x16x8xf32>, %[[W:[a-z0-9]+]]: memref<1xi32>, %[[A:[a-z0-9]+]]: memref<1x1x16x8xf32>, %[[B:[a-z0-9]+]]: memref<1x1x16x8xf32>)
// CHECK-NEXT: dit.attention_pair ins(%[[X]], %[[X]], %[[X]] : {{.*}}) within(#dit.causal) outs(%[[A]], %[[B]] :
// CHECK-NEXT: %[[C:.*]] = memref.alloc
// CHECK: memref.copy %[[X]], %[[C]]
// CHECK: dit.attention_pair ins({{.*}}) half_widths(%[[W]] : memref<1xi32>) outs(%[[A]], %[[C]] :
func.func @pair_in_place(%x: tensor<1x1x16x8xf32> {bufferization.writable = false}, %w: tensor<1xi32>,
                         %a: tensor<1x1x16x8xf32> {bufferization.writable = true},
                         %b: tensor<1x1x16x8xf32> {bufferization.writable = true})
    -> (tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>) {
  %r:2 = dit.attention_pair ins(%x, %x, %x : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>)
      within(#dit.causal) outs(%a, %b : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>) {scale = 1.0 : f64}
  %s:2 = dit.attention_pair ins(%x, %x, %x : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>)
      half_widths(%w : tensor<1xi32>) outs(%r#0, %x : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>) {scale = 1.0 : f64}
  return %r#1, %s#0, %s#1 : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>
}
