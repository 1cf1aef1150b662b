// RUN: dit-opt %s --dit-decompose --canonicalize --split-input-file | FileCheck %s

// CHECK-DAG:   #[[$PRODUCT_Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG:   #[[$PRODUCT_K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
// CHECK-DAG:   #[[$SCORE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-DAG:   #[[$VALUE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
// CHECK-LABEL: func.func @dense(
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x16x32xf32>, %[[K:.*]]: tensor<2x4x24x32xf32>, %[[V:.*]]: tensor<2x4x24x8xf32>, %[[O:.*]]: tensor<2x4x16x8xf32>, %[[L:.*]]: tensor<2x4x16xf32>)
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK:         %[[P:.*]] = linalg.generic {indexing_maps = [#[[$PRODUCT_Q]], #[[$PRODUCT_K]], #[[$SCORE]]], {{.*}}} ins(%[[Q]], %[[K]]
// CHECK:           arith.mulf
// CHECK:           arith.addf
// CHECK:         %[[S:.*]] = linalg.generic {{.*}} ins(%[[P]]
// CHECK:           arith.mulf %{{.*}}, %[[SCALE]]
// CHECK:         linalg.fill ins(%[[LOWEST]]
// CHECK:         %[[M:.*]] = linalg.generic {{.*}} ins(%[[S]]
// CHECK:           arith.maximumf
// An empty row is shifted by zero.
// CHECK:         %[[SHIFT:.*]] = linalg.generic {{.*}} ins(%[[M]]
// CHECK:           arith.cmpf oeq, %{{.*}}, %[[LOWEST]]
// CHECK:           arith.select
// CHECK:         %[[E:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[SHIFT]]
// CHECK:           arith.subf
// CHECK:           math.exp
// CHECK:         %[[T:.*]] = linalg.generic {{.*}} ins(%[[E]]
// CHECK:         %[[W:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #[[$VALUE]], #{{.*}}], {{.*}}} ins(%[[E]], %[[V]]
// CHECK:         %[[RO:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[T]] {{.*}} outs(%[[O]]
// CHECK:         %[[RL:.*]] = linalg.generic {{.*}} ins(%[[SHIFT]], %[[T]] {{.*}} outs(%[[L]]
// CHECK:           math.log
// CHECK:         return %[[RO]], %[[RL]]
func.func @dense(%q: tensor<2x4x16x32xf32>, %k: tensor<2x4x24x32xf32>, %v: tensor<2x4x24x8xf32>, %o: tensor<2x4x16x8xf32>, %l: tensor<2x4x16xf32>) -> (tensor<2x4x16x8xf32>, tensor<2x4x16xf32>) {
  %r:2 = dit.attention ins(%q, %k, %v : tensor<2x4x16x32xf32>, tensor<2x4x24x32xf32>, tensor<2x4x24x8xf32>) outs(%o, %l : tensor<2x4x16x8xf32>, tensor<2x4x16xf32>) {scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<2x4x16x8xf32>, tensor<2x4x16xf32>
}

// -----

// Low precision is extended on reading and rounded once, on writing; orders
// are maps.

// CHECK-DAG:   #[[$BSHD:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
// CHECK-DAG:   #[[$SD:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-LABEL: func.func @orders(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x16x1x4xbf16>, %[[K:.*]]: tensor<24x4xbf16>, %[[O:.*]]: tensor<16x4xbf16>)
// CHECK:         linalg.generic {indexing_maps = [#[[$BSHD]], #{{.*}}], {{.*}}} ins(%[[Q]]
// CHECK:           arith.extf
// CHECK:         linalg.generic {indexing_maps = [#[[$SD]], #{{.*}}], {{.*}}} ins(%[[K]]
// CHECK:           arith.extf
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #[[$SD]]], {{.*}} outs(%[[O]]
// CHECK:           arith.truncf
func.func @orders(%q: tensor<1x16x1x4xbf16>, %k: tensor<24x4xbf16>, %o: tensor<16x4xbf16>) -> tensor<16x4xbf16> {
  %r = dit.attention ins(%q, %k, %k : tensor<1x16x1x4xbf16>, tensor<24x4xbf16>, tensor<24x4xbf16>) outs(%o : tensor<16x4xbf16>) {scale = 0.5 : f64, q_order = #dit.order<bshd>, k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  return %r : tensor<16x4xbf16>
}

// -----

// CHECK-LABEL: func.func @grouped_query(
// CHECK-SAME:    %{{.*}}: tensor<1x4x16x8xf64>, %[[K:.*]]: tensor<1x2x16x8xf64>,
// CHECK:         linalg.generic
// CHECK:           %[[H:.*]] = linalg.index 1
// CHECK:           %[[HK:.*]] = arith.muli %[[H]], %c2
// CHECK:           %[[G:.*]] = arith.divui %[[HK]], %c4
// CHECK:           tensor.extract %[[K]][%{{.*}}, %[[G]], %{{.*}}, %{{.*}}]
func.func @grouped_query(%q: tensor<1x4x16x8xf64>, %k: tensor<1x2x16x8xf64>, %o: tensor<1x4x16x8xf64>) -> tensor<1x4x16x8xf64> {
  %r = dit.attention ins(%q, %k, %k : tensor<1x4x16x8xf64>, tensor<1x2x16x8xf64>, tensor<1x2x16x8xf64>) outs(%o : tensor<1x4x16x8xf64>) {scale = 0.5 : f64}
  return %r : tensor<1x4x16x8xf64>
}

// -----

// The bias broadcasts through constant map results; every condition of the
// mask takes part in one i1.

// CHECK-DAG:   #[[$BIAS:.*]] = affine_map<(d0, d1, d2, d3) -> (0, d1, 0, d3)>
// CHECK-LABEL: func.func @masked(
// CHECK-SAME:    %[[BIAS:.*]]: tensor<1x4x1x?xf32>, %[[NUM:.*]]: tensor<1x4x?xi32>, %[[IDX:.*]]: tensor<1x4x?x?xi32>, %[[VALID:.*]]: tensor<2xi32>,
// CHECK:         %[[LISTED:.*]] = scf.for
// CHECK:           tensor.extract %[[NUM]]
// CHECK:           scf.for
// CHECK:             tensor.extract %[[IDX]]
// CHECK:             tensor.insert %true
// CHECK:         %[[MASK:.*]] = linalg.generic {{.*}} ins(%[[VALID]]
// CHECK:           arith.cmpi sle
// CHECK:           tensor.extract %[[LISTED]][%c0
// CHECK:           arith.cmpi slt
// CHECK:           linalg.yield %{{.*}} : i1
// CHECK:         linalg.generic {indexing_maps = [#{{.*}}, #[[$BIAS]], #{{.*}}, #{{.*}}], {{.*}}} ins(%{{.*}}, %[[BIAS]], %[[MASK]]
// CHECK:           arith.mulf
// CHECK:           arith.addf
// CHECK:           arith.select
// Masked keys are left out of the sum over v, too.
// CHECK:         linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %[[MASK]]
// CHECK:           arith.mulf
// CHECK:           arith.select
// CHECK:           arith.addf
func.func @masked(%bias: tensor<1x4x1x?xf32>, %num: tensor<1x4x?xi32>, %idx: tensor<1x4x?x?xi32>, %n: tensor<2xi32>, %q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %o: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %r = dit.attention ins(%q, %k, %k : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>) bias(%bias : tensor<1x4x1x?xf32>) pattern(#dit.causal) tiles(%num, %idx : tensor<1x4x?xi32>, tensor<1x4x?x?xi32>) by [4, 8] kv_valid(%n : tensor<2xi32>) outs(%o : tensor<2x4x?x8xf32>) {scale = 0.5 : f64}
  return %r : tensor<2x4x?x8xf32>
}

// -----

// A pair is two attentions, the second one under both patterns.

// CHECK-LABEL: func.func @pair(
// CHECK-SAME:    %[[Q:.*]]: tensor<1x2x8x4xf32>, %[[A:.*]]: tensor<1x2x8x4xf32>, %[[B:.*]]: tensor<1x2x8x4xf32>)
// CHECK-NOT:     dit.
// CHECK:         math.exp
// CHECK:         %[[FULL:.*]] = linalg.generic {{.*}} outs(%[[A]]
// CHECK:         arith.cmpi sle
// CHECK:         math.exp
// CHECK:         %[[WINDOW:.*]] = linalg.generic {{.*}} outs(%[[B]]
// CHECK:         return %[[FULL]], %[[WINDOW]]
func.func @pair(%q: tensor<1x2x8x4xf32>, %a: tensor<1x2x8x4xf32>, %b: tensor<1x2x8x4xf32>) -> (tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) {
  %r:2 = dit.attention_pair ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) within(#dit.window<left = 2, right = 2>) outs(%a, %b : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) {scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
}

// -----

// Heads that the second pattern skips are skipped by the first.

// CHECK-LABEL: func.func @pair_bands(
// CHECK-SAME:    %{{.*}}, %[[W:.*]]: tensor<2xi32>,
// CHECK-NOT:     dit.
// CHECK:         %[[NONE:.*]] = linalg.generic {{.*}} ins(%[[W]] : tensor<2xi32>)
// CHECK:           arith.cmpi eq
// CHECK:         linalg.generic {{.*}} ins(%[[NONE]]
// CHECK:         linalg.generic {{.*}} ins(%[[W]]
func.func @pair_bands(%q: tensor<1x2x8x4xf32>, %w: tensor<2xi32>, %a: tensor<1x2x8x4xf32>, %b: tensor<1x2x8x4xf32>) -> (tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) {
  %r:2 = dit.attention_pair ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) half_widths(%w : tensor<2xi32>) outs(%a, %b : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) {scale = 0.5 : f64}
  return %r#0, %r#1 : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
}
