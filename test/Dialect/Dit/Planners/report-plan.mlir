// RUN: split-file %s %t

// A block with its projections: 8 tokens of width 4, two heads of 2. The
// projections of the attention are 2 * 8 * 4 * 4 = 256 each, and so are those of
// the MLP; QK^T and PV of a full step are 2 * 2 heads * 64 * (2 + 2) / 2.

// RUN: dit-opt %t/outlined.mlir --dit-report-plan | FileCheck %s
// CHECK: "site": "a",
// CHECK-NEXT: "kind": "full",
// CHECK-NEXT: "computed_steps": 2,
// CHECK-NEXT: "dense_flops": {
// CHECK-NEXT: "attention": 3072,
// CHECK-NEXT: "residual": 0,
// CHECK-NEXT: "projection": 1536
// CHECK: "flops": {
// The window of half-width 1 keeps 8 * 3 - 2 = 22 of 64 positions.
// CHECK-NEXT: "attention": 1376,
// CHECK-NEXT: "residual": 352,
// CHECK-NEXT: "projection": 1024
// CHECK: "attention_share": 0.5625
// CHECK: "modes": {
// CHECK-NEXT: "full": {
// CHECK-NEXT: "head_steps": 2,
// CHECK-NEXT: "attention": 1024
// CHECK: "window(1) residual": {
// CHECK-NEXT: "head_steps": 2,
// CHECK-NEXT: "attention": 352
// CHECK: "share": {
// CHECK-NEXT: "head_steps": 2,
// CHECK-NEXT: "attention": 0
// CHECK: "exact": true
// CHECK: "site": "m",
// CHECK-NEXT: "kind": "mlp",
// CHECK-NEXT: "computed_steps": 2,
// CHECK: "projection": 1536
// CHECK: "projection": 1024
// CHECK: "steps": [
// CHECK: "total": {
// CHECK: "exact": true

// RUN: not dit-opt %t/other.mlir --dit-report-plan 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: dit-report-plan: the program has no site 'b'; its sites are: a
// RUN: not dit-opt %t/none.mlir --dit-report-plan 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: dit-report-plan: the module has no plan
// RUN: not dit-opt %t/two.mlir --dit-report-plan 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: error: dit-report-plan: expected the option name to be that of a plan; the plans are: p, q
// RUN: not dit-opt %t/two.mlir --dit-report-plan=name=p 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: dit-report-plan: the module has no sites to plan for; raise and name its attentions first

//--- outlined.mlir
!t = tensor<8x4xf32>
!h = tensor<1x8x2x2xf32>
!w = tensor<4x4xf32>
dit.plan @p timesteps [3, 2, 1] {
  dit.planned "a" full cache after_projection heads 2 [full, window(1) residual, share]
  dit.planned "m" mlp cache after_projection heads 1 [full, share, full]
}
func.func @block(%x: !t, %w: !w) -> !t {
  %zero = arith.constant dense<0.0> : !t
  %e = tensor.empty() : !t
  %y = dit.branch "a" full heads 2 of(%x : !t) attend {
    %q = linalg.matmul ins(%x, %w : !t, !w) outs(%zero : !t) -> !t
    %s = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [1, 8, 2, 2] : !t into !h
    %i = tensor.empty() : !h
    %o = dit.attention ins(%s, %s, %s : !h, !h, !h) outs(%i : !h)
        {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>, q_order = #dit.order<bshd>, k_order = #dit.order<bshd>, v_order = #dit.order<bshd>, o_order = #dit.order<bshd>}
    dit.yield %o : !h
  } project {
  ^bb0(%o: !h):
    %f = tensor.collapse_shape %o [[0, 1], [2, 3]] : !h into !t
    %p = linalg.matmul ins(%f, %w : !t, !w) outs(%zero : !t) -> !t
    dit.yield %p : !t
  } -> !t
  %x1 = linalg.add ins(%x, %y : !t, !t) outs(%e : !t) -> !t
  %z = dit.branch "m" mlp of(%x1 : !t) project {
    %u = linalg.matmul ins(%x1, %w : !t, !w) outs(%zero : !t) -> !t
    %v = linalg.exp ins(%u : !t) outs(%e : !t) -> !t
    %d = linalg.matmul ins(%v, %w : !t, !w) outs(%zero : !t) -> !t
    dit.yield %d : !t
  } -> !t
  %x2 = linalg.add ins(%x1, %z : !t, !t) outs(%e : !t) -> !t
  return %x2 : !t
}

//--- other.mlir
dit.plan @p timesteps [1] {
  dit.planned "b" full cache after_projection heads 1 [full]
}
func.func @main(%q: tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32> {
  %o = dit.attention ins(%q, %q, %q : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>)
      outs(%q : tensor<1x1x8x4xf32>) {scale = 1.0 : f64, site = "a"}
  return %o : tensor<1x1x8x4xf32>
}

//--- none.mlir
module {}

//--- two.mlir
dit.plan @p timesteps [1] {}
dit.plan @q timesteps [1] {}
