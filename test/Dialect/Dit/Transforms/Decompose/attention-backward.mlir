// RUN: dit-opt %s --dit-decompose --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @dense(
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x16x32xf32>, %[[K:.*]]: tensor<2x4x24x32xf32>, %[[V:.*]]: tensor<2x4x24x8xf32>, %[[O:.*]]: tensor<2x4x16x8xf32>, %[[L:.*]]: tensor<2x4x16xf32>, %[[D:.*]]: tensor<2x4x16x8xf32>)
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// The weights, zero in rows without any.
// CHECK:         %[[QK:.*]] = linalg.generic {{.*}} ins(%[[Q]], %[[K]]
// CHECK:         %[[S:.*]] = linalg.generic {{.*}} ins(%[[QK]]
// CHECK:           arith.mulf %{{.*}}, %[[SCALE]]
// CHECK:         %[[P:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[L]]
// CHECK:           arith.cmpf oeq, %{{.*}}, %[[LOWEST]]
// CHECK:           arith.subf
// CHECK:           math.exp
// CHECK:           arith.select
// Their gradients.
// CHECK:         %[[DELTA:.*]] = linalg.generic {{.*}} ins(%[[D]], %[[O]]
// CHECK:         %[[DP:.*]] = linalg.generic {{.*}} ins(%[[D]], %[[V]]
// CHECK:         %[[DS:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[DP]], %[[DELTA]]
// CHECK:           arith.subf
// CHECK:           arith.mulf
// CHECK:         %[[DQ:.*]] = linalg.generic {{.*}} ins(%[[DS]], %[[K]]
// CHECK:         %[[DK:.*]] = linalg.generic {{.*}} ins(%[[DS]], %[[Q]]
// CHECK:         %[[DV:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[D]]
// CHECK:         %[[RQ:.*]] = linalg.generic {{.*}} ins(%[[DQ]]
// CHECK:           arith.mulf %{{.*}}, %[[SCALE]]
// CHECK:         %[[RK:.*]] = linalg.generic {{.*}} ins(%[[DK]]
// CHECK:           arith.mulf %{{.*}}, %[[SCALE]]
// CHECK:         return %[[RQ]], %[[RK]], %[[DV]]
func.func @dense(%q: tensor<2x4x16x32xf32>, %k: tensor<2x4x24x32xf32>, %v: tensor<2x4x24x8xf32>, %o: tensor<2x4x16x8xf32>, %l: tensor<2x4x16xf32>, %d: tensor<2x4x16x8xf32>) -> (tensor<2x4x16x32xf32>, tensor<2x4x24x32xf32>, tensor<2x4x24x8xf32>) {
  %r:3 = dit.attention_backward ins(%q, %k, %v, %o, %l, %d : tensor<2x4x16x32xf32>, tensor<2x4x24x32xf32>, tensor<2x4x24x8xf32>, tensor<2x4x16x8xf32>, tensor<2x4x16xf32>, tensor<2x4x16x8xf32>) outs(%q, %k, %v : tensor<2x4x16x32xf32>, tensor<2x4x24x32xf32>, tensor<2x4x24x8xf32>) {scale = 0.5 : f64}
  return %r#0, %r#1, %r#2 : tensor<2x4x16x32xf32>, tensor<2x4x24x32xf32>, tensor<2x4x24x8xf32>
}

// -----

// The gradients of a key head are sums over its query heads, whose number may
// only be known at run time; what is masked is left out.

// CHECK-LABEL: func.func @groups(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x?x16x4xbf16>, %[[K:.*]]: tensor<1x?x16x4xbf16>,
// CHECK:         %[[MASK:.*]] = linalg.generic
// CHECK:           arith.cmpi sle
// CHECK-COUNT-3: linalg.generic {{.*}}%[[MASK]]
// CHECK:         %[[GROUP:.*]] = tensor.empty(%[[N:.*]]) : tensor<?xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[GROUP]] : tensor<?xf32>)
// CHECK:           %[[FIRST:.*]] = arith.muli %{{.*}}, %[[N]]
// CHECK:           arith.addi %[[FIRST]]
// CHECK:           tensor.extract
// CHECK:           arith.addf
// CHECK:           arith.truncf
func.func @groups(%q: tensor<1x?x16x4xbf16>, %k: tensor<1x?x16x4xbf16>, %l: tensor<1x?x16xf32>) -> (tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>) {
  %r:3 = dit.attention_backward ins(%q, %k, %k, %q, %l, %q : tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>, tensor<1x?x16xf32>, tensor<1x?x16x4xbf16>)
      pattern(#dit.causal) outs(%q, %k, %k : tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>) {scale = 0.5 : f64}
  return %r#0, %r#1, %r#2 : tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>, tensor<1x?x16x4xbf16>
}
