// RUN: dit-opt %s --dit-report-branches -o /dev/null | FileCheck %s
// RUN: dit-opt %s --dit-report-branches=file=%t.json --remarks-filter=dit-report-branches 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.json
// RUN: not dit-opt %s --dit-report-branches=file=%t.none/report.json 2>&1 | FileCheck %s --check-prefix=ERROR

// An attention with a gate and an MLP, whose norms, projections and activation
// are theirs alone; then a linear branch and an attention that joins nothing.

// CHECK:      "branches": [
// CHECK-NEXT:   {
// CHECK-NEXT:    "kind": "full",
// CHECK-NEXT:    "layer": 0,
// CHECK-NEXT:    "site": "attn0",
// CHECK-NEXT:    "adds": [
// CHECK-NEXT:     "tensor<8x4xf32>"
// CHECK-NEXT:    ],
// CHECK-NEXT:    "gates": 1,
// CHECK-NEXT:    "ops": 4
// CHECK-NEXT:   },
// CHECK-NEXT:   {
// CHECK-NEXT:    "kind": "mlp",
// CHECK-NEXT:    "layer": 0,
// CHECK-NEXT:    "adds": [
// CHECK-NEXT:     "tensor<8x4xf32>"
// CHECK-NEXT:    ],
// CHECK-NEXT:    "gates": 0,
// CHECK-NEXT:    "ops": 3
// CHECK-NEXT:   }
// CHECK-NEXT:  ],
// CHECK-NEXT:  "unknown": [
// CHECK-NEXT:   "it holds a single contraction"
// CHECK-NEXT:  ],
// CHECK-NEXT:  "loose": [
// CHECK-NEXT:   "attn1"
// CHECK-NEXT:  ]
// CHECK-NEXT: }

// REMARK-DAG: report-branches.mlir:[[#]]:{{[0-9]+}}: remark: [Missed] ReportBranches | Category:dit-report-branches | Function=main | Reason="it holds a single contraction"
// REMARK-DAG: report-branches.mlir:[[#]]:{{[0-9]+}}: remark: [Missed] ReportBranches | Category:dit-report-branches | Function=main | Reason="no addition joins it to a stream"
// REMARK-DAG: dit.attention {{.*}}site = "attn0"

// ERROR: error: dit-report-branches: cannot open output file

#id = affine_map<(i, j) -> (i, j)>
!t = tensor<8x4xf32>
func.func @main(%x: !t, %gate: !t, %w: tensor<4x4xf32>) -> (!t, !t) {
  %e = tensor.empty() : !t
  %norm = linalg.exp ins(%x : !t) outs(%e : !t) -> !t
  %q = linalg.matmul ins(%norm, %w : !t, tensor<4x4xf32>) outs(%e : !t) -> !t
  %a = dit.attention ins(%q, %q, %q : !t, !t, !t) outs(%e : !t)
      {scale = 0.5 : f64, site = "attn0", kind = #dit.kind<full>, q_order = #dit.order<sd>,
       k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  %gated = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %gate : !t, !t) outs(%e : !t) {
  ^bb0(%p: f32, %g: f32, %out: f32):
    %s = arith.mulf %p, %g : f32
    linalg.yield %s : f32
  } -> !t
  %x1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %gated : !t, !t) outs(%e : !t) {
  ^bb0(%p: f32, %g: f32, %out: f32):
    %s = arith.addf %p, %g : f32
    linalg.yield %s : f32
  } -> !t
  %up = linalg.matmul ins(%x1, %w : !t, tensor<4x4xf32>) outs(%e : !t) -> !t
  %active = linalg.exp ins(%up : !t) outs(%e : !t) -> !t
  %down = linalg.matmul ins(%active, %w : !t, tensor<4x4xf32>) outs(%e : !t) -> !t
  %x2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%down, %x1 : !t, !t) outs(%e : !t) {
  ^bb0(%p: f32, %g: f32, %out: f32):
    %s = arith.addf %p, %g : f32
    linalg.yield %s : f32
  } -> !t
  %linear = linalg.matmul ins(%x2, %w : !t, tensor<4x4xf32>) outs(%e : !t) -> !t
  %x3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x2, %linear : !t, !t) outs(%e : !t) {
  ^bb0(%p: f32, %g: f32, %out: f32):
    %s = arith.addf %p, %g : f32
    linalg.yield %s : f32
  } -> !t
  %b = dit.attention ins(%x3, %x3, %x3 : !t, !t, !t) outs(%e : !t)
      {scale = 0.5 : f64, site = "attn1", q_order = #dit.order<sd>,
       k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  return %x3, %b : !t, !t
}
