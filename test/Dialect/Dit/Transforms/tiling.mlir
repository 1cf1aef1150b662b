// RUN: dit-opt %s -transform-interpreter -canonicalize -cse -split-input-file -verify-diagnostics | FileCheck %s

// Heads that share keys go one by one; the queries, which nothing binds to
// their place, in blocks.

// CHECK: #[[$GROUP:.*]] = affine_map<(d0) -> (d0 floordiv 2)>
// CHECK-LABEL: func.func @grouped_heads
// CHECK-SAME: (%[[Q:.*]]: tensor<2x64x4x32xf32>, %[[K:.*]]: tensor<2x2x48x32xf32>, %[[BIAS:.*]]: tensor<1x4x64x48xf32>, %[[N:.*]]: tensor<2xi32>, %[[O:.*]]: tensor<2x4x64x32xf32>, %[[L:.*]]: tensor<2x4x64xf32>)
func.func @grouped_heads(%q: tensor<2x64x4x32xf32>, %k: tensor<2x2x48x32xf32>, %bias: tensor<1x4x64x48xf32>, %n: tensor<2xi32>, %o: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf32>)
    -> (tensor<2x4x64x32xf32>, tensor<2x4x64xf32>) {
  // CHECK: scf.for %[[B:[^ ]*]] = %{{.*}} iter_args({{.*}} = %[[O]], {{.*}} = %[[L]])
  // CHECK: scf.for %[[H:[^ ]*]] = %{{.*}}
  // CHECK: scf.for %[[S:[^ ]*]] = %{{.*}} iter_args(%[[O2:[^ ]*]] = %{{[^ ]*}}, %[[L2:[^ ]*]] = %{{[^ ]*}})
  // CHECK: %[[G:.*]] = affine.apply #[[$GROUP]](%[[H]])
  // CHECK-DAG: %[[QT:.*]] = tensor.extract_slice %[[Q]][%[[B]], %[[S]], %[[H]], 0] [1, 16, 1, 32]
  // CHECK-DAG: %[[KT:.*]] = tensor.extract_slice %[[K]][%[[B]], %[[G]], 0, 0] [1, 1, 48, 32]
  // CHECK-DAG: %[[BT:.*]] = tensor.extract_slice %[[BIAS]][0, %[[H]], %[[S]], 0] [1, 1, 16, 48]
  // CHECK-DAG: %[[NT:.*]] = tensor.extract_slice %[[N]][%[[B]]] [1]
  // CHECK-DAG: %[[OT:.*]] = tensor.extract_slice %[[O2]][%[[B]], %[[H]], %[[S]], 0] [1, 1, 16, 32]
  // CHECK-DAG: %[[LT:.*]] = tensor.extract_slice %[[L2]][%[[B]], %[[H]], %[[S]]] [1, 1, 16]
  // CHECK: %[[R:.*]]:2 = dit.attention ins(%[[QT]], %[[KT]], %[[KT]] : {{.*}}) bias(%[[BT]] : {{.*}}) kv_valid(%[[NT]] : {{.*}}) outs(%[[OT]], %[[LT]] :
  // CHECK-SAME: {q_order = #dit.order<bshd>, scale
  // CHECK: tensor.insert_slice %[[R]]#0 into %[[O2]][%[[B]], %[[H]], %[[S]], 0]
  // CHECK: tensor.insert_slice %[[R]]#1 into %[[L2]][%[[B]], %[[H]], %[[S]]]
  %0:2 = dit.attention ins(%q, %k, %k : tensor<2x64x4x32xf32>, tensor<2x2x48x32xf32>, tensor<2x2x48x32xf32>)
    bias(%bias : tensor<1x4x64x48xf32>) kv_valid(%n : tensor<2xi32>)
    outs(%o, %l : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>)
    {scale = 1.0 : f64, q_order = #dit.order<bshd>, grid = #dit.grid<4x4x4>}
  return %0#0, %0#1 : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %attention = transform.structured.match ops{["dit.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:3 = transform.structured.tile_using_for %attention tile_sizes [1, 1, 16]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Batches and heads of an attention with a pattern and a tile list; its list
// broadcasts over the batch.

// CHECK-LABEL: func.func @sparse
// CHECK: dit.attention ins({{.*}} : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>) pattern(#dit.causal)
// CHECK-SAME: tiles(%{{.*}}, %{{.*}} : tensor<1x2x2xi32>, tensor<1x2x2x8xi32>) by [32, 8]
// CHECK-SAME: half_widths(%{{.*}} : tensor<2xi32>)
// CHECK-SAME: grid = #dit.grid<4x4x4>
func.func @sparse(%q: tensor<2x4x64x32xf32>, %num: tensor<1x4x2xi32>, %idx: tensor<1x4x2x8xi32>, %w: tensor<4xi32>) -> tensor<2x4x64x32xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.causal) tiles(%num, %idx : tensor<1x4x2xi32>, tensor<1x4x2x8xi32>) by [32, 8]
    half_widths(%w : tensor<4xi32>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, grid = #dit.grid<4x4x4>}
  return %0 : tensor<2x4x64x32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %attention = transform.structured.match ops{["dit.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %attention tile_sizes [1, 2]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Fused into a loop over its user.

// CHECK-LABEL: func.func @fused
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]]) in (2, 4)
// CHECK: %[[A:.*]] = dit.attention ins({{.*}} : tensor<1x1x64x32xf32>
// CHECK: linalg.exp ins(%[[A]] : tensor<1x1x64x32xf32>)
func.func @fused(%q: tensor<2x4x64x32xf32>, %e: tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%e : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = linalg.exp ins(%0 : tensor<2x4x64x32xf32>) outs(%e : tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32>
  return %1 : tensor<2x4x64x32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %exp = transform.structured.match ops{["linalg.exp"]} in %root : (!transform.any_op) -> !transform.any_op
    %attention = transform.structured.match ops{["dit.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp tile_sizes [1, 1]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %fused, %containing = transform.structured.fuse_into_containing_op %attention into %loop
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Queries stay whole under a pattern.

func.func @queries_of_a_pattern(%q: tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32> {
  // expected-error @below {{tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.causal) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return %0 : tensor<2x4x64x32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %attention = transform.structured.match ops{["dit.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops = transform.structured.tile_using_for %attention tile_sizes [0, 0, 16]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
