// RUN: dit-opt %s --dit-report-attention -o /dev/null | FileCheck %s
// RUN: dit-opt %s --dit-report-attention="file=%t.json" | FileCheck %s --check-prefix=MODULE
// RUN: FileCheck %s --input-file=%t.json
// RUN: not dit-opt %s --dit-report-attention="file=%t.missing/report.json" 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: error: dit-report-attention: cannot open output file
// MODULE: dit.attention

!t = tensor<1x2x8x4xf32>

// 2 heads x 8 x 8 positions x 2 products x 2 x 4.
// CHECK:      "site": "dense"
// CHECK-NEXT: "batch": 1
// CHECK:      "kept_share": [
// CHECK-NEXT:   1
// CHECK-NEXT:   1
// CHECK:      "steps": 1
// CHECK:      "dense_flops": 2048
// CHECK-NEXT: "kept_flops": 2048
// CHECK-NEXT: "selection_flops": 0
// CHECK-NEXT: "executed_flops": 2048
// CHECK-NEXT: "exact": true
// 8 + 7 * 2 of 64 positions.
// CHECK:      "site": "window"
// CHECK:      "kept_flops": 704
// Two steps of six; a tile of four for one head, two for the other.
// CHECK:      "site": "loop"
// CHECK-NEXT: "kind": "self"
// CHECK:      "kept_share": [
// CHECK-NEXT:   {{0.25|2.5.*e-01}},
// CHECK-NEXT:   {{0.5|5.*e-01}}
// CHECK:      "steps": 6
// CHECK-NEXT: "executed_steps": 2
// CHECK:      "dense_flops": 2048
// CHECK-NEXT: "kept_flops": 768
// CHECK-NEXT: "selection_flops": 256
// CHECK-NEXT: "executed_flops": 2048
// CHECK-NEXT: "exact": true
// CHECK:      "unknown": [
// CHECK-NEXT:   "dynamic"
// CHECK:      "total": {
// CHECK-NEXT:   "dense_flops": 16384
// CHECK-NEXT:   "executed_flops": 4800
// CHECK-NEXT:   "exact": false
func.func @attentions(%x: !t, %d: tensor<1x2x?x4xf32>) -> (!t, !t, !t, tensor<1x2x?x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %count = arith.constant dense<[1, 2]> : tensor<2xi32>
  %a = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) {scale = 0.5 : f64, site = "dense"}
  %b = dit.attention ins(%x, %x, %x : !t, !t, !t) pattern(#dit.window<left = 1, right = 1>) outs(%x : !t) {scale = 0.5 : f64, site = "window"}
  %s0 = tensor.empty() : tensor<1x2x4x4xf32>
  %n0 = tensor.empty() : tensor<1x2x4xi32>
  %i0 = tensor.empty() : tensor<1x2x4x4xi32>
  %r = scf.for %i = %c0 to %c6 step %c1 iter_args(%c = %x) -> (!t) {
    %on = dit.scheduled %i, #dit.schedule<"100100">
    %y:2 = dit.reuse compute(%on) state(%c : !t) {
    ^bb0(%dst: !t):
      %s = dit.low_rank_score ins(%x, %x : !t, !t) by [2, 2] proxy <mean> outs(%s0 : tensor<1x2x4x4xf32>)
      %num, %idx = dit.topk_mask ins(%s : tensor<1x2x4x4xf32>) count(%count : tensor<2xi32>) outs(%n0, %i0 : tensor<1x2x4xi32>, tensor<1x2x4x4xi32>)
      %o = dit.attention ins(%x, %x, %x : !t, !t, !t) tiles(%num, %idx : tensor<1x2x4xi32>, tensor<1x2x4x4xi32>) by [2, 2] outs(%dst : !t) {scale = 0.5 : f64, site = "loop", kind = #dit.kind<self>}
      dit.yield %o, %o : !t, !t
    } -> !t, !t
    scf.yield %y#1 : !t
  }
  %e = dit.attention ins(%d, %d, %d : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%d : tensor<1x2x?x4xf32>) {scale = 0.5 : f64, site = "dynamic"}
  return %a, %b, %r, %e : !t, !t, !t, tensor<1x2x?x4xf32>
}
