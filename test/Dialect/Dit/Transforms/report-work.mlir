// RUN: dit-opt %s --dit-report-work -o /dev/null | FileCheck %s
// RUN: not dit-opt %s --dit-report-work="file=%t.missing/report.json" 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: error: dit-report-work: cannot open output file

!t = tensor<1x2x8x4xf32>
!m = tensor<4x4xf32>

// Two steps of six; a tile of two keys for one head, two of them for the other,
// of 8 queries; 2 x 2 x (4 + 4) operations for each.
// CHECK:      "site": "loop",
// CHECK-NEXT: "kind": "selection",
// CHECK-NEXT: "runs": 2,
// CHECK-NEXT: "flops": 512,
// CHECK-NEXT: "exact": true
// CHECK:      "site": "loop",
// CHECK-NEXT: "kind": "attention",
// CHECK-NEXT: "runs": 2,
// CHECK-NEXT: "flops": 1536,
// CHECK-NEXT: "exact": true
// A window of 22 of 64 positions of two heads, whose site the op does not know.
// CHECK:      "site": "given",
// CHECK-NEXT: "kind": "projection",
// CHECK-NEXT: "runs": 1,
// CHECK-NEXT: "flops": 128,
// CHECK:      "site": "window",
// CHECK-NEXT: "kind": "attention",
// CHECK-NEXT: "runs": 1,
// CHECK-NEXT: "flops": 704,
// CHECK:      "total": {
// CHECK-NEXT:   "attention": 2240,
// CHECK-NEXT:   "selection": 512,
// CHECK-NEXT:   "projection": 128,
// CHECK-NEXT:   "exact": true
func.func @main(%x: !t, %m: !m) -> (!t, !t, !m) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %count = arith.constant dense<[1, 2]> : tensor<2xi32>
  %s0 = tensor.empty() : tensor<1x2x4x4xf32>
  %n0 = tensor.empty() : tensor<1x2x4xi32>
  %i0 = tensor.empty() : tensor<1x2x4x4xi32>
  %r = scf.for %i = %c0 to %c6 step %c1 iter_args(%c = %x) -> (!t) {
    %on = dit.scheduled %i, #dit.schedule<"100100">
    %y:2 = dit.reuse compute(%on) state(%c : !t) {
    ^bb0(%dst: !t):
      %s = dit.low_rank_score ins(%x, %x : !t, !t) by [2, 2] proxy <mean> outs(%s0 : tensor<1x2x4x4xf32>)
      %num, %idx = dit.topk_mask ins(%s : tensor<1x2x4x4xf32>) count(%count : tensor<2xi32>) outs(%n0, %i0 : tensor<1x2x4xi32>, tensor<1x2x4x4xi32>)
      %o = dit.attention ins(%x, %x, %x : !t, !t, !t) tiles(%num, %idx : tensor<1x2x4xi32>, tensor<1x2x4x4xi32>) by [2, 2] outs(%dst : !t) {scale = 0.5 : f64, site = "loop"}
      dit.yield %o, %o : !t, !t
    } -> !t, !t
    scf.yield %y#1 : !t
  }
  %p = linalg.matmul {dit.work_site = "given"} ins(%m, %m : !m, !m) outs(%m : !m) -> !m
  %b = dit.attention ins(%x, %x, %x : !t, !t, !t) pattern(#dit.window<left = 1, right = 1>) outs(%x : !t) {scale = 0.5 : f64, site = "window"}
  return %r, %b, %p : !t, !t, !m
}
