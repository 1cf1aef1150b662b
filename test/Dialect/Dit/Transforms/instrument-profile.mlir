// RUN: dit-opt %s --dit-instrument-profile='masses=0.5,0.9 windows=3 ages=2 timesteps=900,600,300' --remarks-filter=dit-instrument-profile 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: dit-opt %s --dit-instrument-profile --canonicalize --dit-lower-reuse | FileCheck %s --check-prefix=LOWERED
// RUN: not dit-opt %s --dit-instrument-profile=timesteps=900,600 2>&1 | FileCheck %s --check-prefix=TIMES

// TIMES: error: expected as many timesteps as the loop has steps, 3, got 2
// LOWERED-NOT: dit.branch

// REMARK: remark: {{.*}}its attention has a bias
// REMARK: remark: {{.*}}it has no site; --dit-annotate-sites gives names

#id = affine_map<(b, s, c) -> (b, s, c)>
!t = tensor<2x8x4xf32>

// CHECK:       func.func private @dit_rt_seconds() -> f64
// CHECK-LABEL: func.func @sample(
// CHECK-SAME:    -> (tensor<2x8x4xf32>, tensor<[[COUNT:.*]]xf64> {dit.name = "profile_values"}, tensor<{{.*}}xi8> {dit.name = "profile_layout"})
func.func @sample(%x: !t, %bias: tensor<1x1x8x8xf32>) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  // CHECK:         scf.for %[[I:.*]] = {{.*}} iter_args(
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%s = %x) -> (!t) {
    // The clock stops after the addition that joins the branch.
    // CHECK-NEXT:    %[[START:.*]] = func.call @dit_rt_seconds()
    // CHECK:         %[[O:.*]] = dit.attention {{.*}} site = "blocks.0.attn1"
    // CHECK:         linalg.exp ins(%[[O]]
    // CHECK:         linalg.add ins(
    // CHECK-NEXT:    %[[STOP:.*]] = func.call @dit_rt_seconds()
    // CHECK-NEXT:    arith.subf %[[STOP]], %[[START]]
    // Then comes what is measured: here a window, which is no site.
    // CHECK:         dit.attention ins({{.*}}pattern(#dit.window<left = 3, right = 3>)
    // CHECK-NOT:     site
    // CHECK:         dit.low_rank_score
    // CHECK:         dit.topk_mask {{.*}} mass(5.000000e-01
    // CHECK:         dit.topk_mask {{.*}} mass(9.000000e-01
    %b = dit.branch "blocks.0.attn1" full layer 0 heads 2 of(%s : !t) attend {
      %e = tensor.empty() : tensor<2x8x2x2xf32>
      %q = tensor.expand_shape %s [[0], [1], [2, 3]] output_shape [2, 8, 2, 2] : !t into tensor<2x8x2x2xf32>
      %o = dit.attention ins(%q, %q, %q : tensor<2x8x2x2xf32>, tensor<2x8x2x2xf32>, tensor<2x8x2x2xf32>)
          outs(%e : tensor<2x8x2x2xf32>)
          {scale = 1.0 : f64, site = "blocks.0.attn1", q_order = #dit.order<bshd>, k_order = #dit.order<bshd>,
           v_order = #dit.order<bshd>, o_order = #dit.order<bshd>}
      dit.yield %o : tensor<2x8x2x2xf32>
    } project {
    ^bb0(%o: tensor<2x8x2x2xf32>):
      %p = linalg.exp ins(%o : tensor<2x8x2x2xf32>) outs(%o : tensor<2x8x2x2xf32>) -> tensor<2x8x2x2xf32>
      %c = tensor.collapse_shape %p [[0], [1], [2, 3]] : tensor<2x8x2x2xf32> into !t
      dit.yield %c : !t
    } -> !t
    %e0 = tensor.empty() : !t
    %s1 = linalg.add ins(%s, %b : !t, !t) outs(%e0 : !t) -> !t
    // With a bias there is no window and no sparsity.
    // CHECK:         dit.attention {{.*}} bias({{.*}} site = "biased"
    // CHECK-NOT:     dit.attention
    // CHECK-NOT:     dit.topk_mask
    %q1 = tensor.expand_shape %s1 [[0], [1, 2], [3]] output_shape [2, 1, 8, 4] : !t into tensor<2x1x8x4xf32>
    %e1 = tensor.empty() : tensor<2x1x8x4xf32>
    %o1 = dit.attention ins(%q1, %q1, %q1 : tensor<2x1x8x4xf32>, tensor<2x1x8x4xf32>, tensor<2x1x8x4xf32>)
        bias(%bias : tensor<1x1x8x8xf32>) outs(%e1 : tensor<2x1x8x4xf32>) {scale = 1.0 : f64, site = "biased"}
    // Without a name nothing is measured.
    // CHECK:         dit.attention
    // CHECK-NOT:     dit_rt_seconds
    %o2 = dit.attention ins(%o1, %o1, %o1 : tensor<2x1x8x4xf32>, tensor<2x1x8x4xf32>, tensor<2x1x8x4xf32>)
        outs(%e1 : tensor<2x1x8x4xf32>) {scale = 1.0 : f64}
    %s2 = tensor.collapse_shape %o2 [[0], [1, 2], [3]] : tensor<2x1x8x4xf32> into !t
    // CHECK:         scf.yield
    scf.yield %s2 : !t
  }
  // CHECK:         %[[TEXT:.*]] = arith.constant dense<{{.*}}> : tensor<{{.*}}xi8>
  // CHECK:         return %{{.*}}, %{{.*}}, %[[TEXT]]
  return %r : !t
}
