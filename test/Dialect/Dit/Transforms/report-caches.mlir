// RUN: dit-opt %s --dit-report-caches -o /dev/null | FileCheck %s

// CHECK:      "caches": [
// CHECK:          "site": "a",
// CHECK-NEXT:     "holds": "output",
// CHECK-NEXT:     "bytes": 64,
// CHECK-NEXT:     "saved": [
// CHECK-NEXT:      1,
// CHECK-NEXT:      3
// CHECK-NEXT:     ],
// CHECK-NEXT:     "live_after": [
// CHECK-NEXT:      1,
// CHECK-NEXT:      3,
// CHECK-NEXT:      4
// CHECK-NEXT:     ]
// CHECK:      "bytes_after_step": [
// CHECK-NEXT:   0,
// CHECK-NEXT:   64,
// CHECK-NEXT:   0,
// CHECK-NEXT:   64,
// CHECK-NEXT:   64,
// CHECK-NEXT:   0
// CHECK-NEXT:  ],
// CHECK-NEXT:  "peak_bytes": 64,
// CHECK-NEXT:  "carried_bytes": 64

dit.plan @plan timesteps [6, 5, 4, 3, 2, 1] {
  dit.planned "a" mlp cache after_gate heads 1 [2 * full, share, full, 2 * share]
}
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %b = dit.branch "a" mlp of(%x : tensor<4x4xf32>) project {
    dit.yield %x : tensor<4x4xf32>
  } -> tensor<4x4xf32>
  return %b : tensor<4x4xf32>
}

// RUN: not dit-opt %s --dit-lower-reuse --dit-report-caches 2>&1 | FileCheck %s --check-prefix=NO-PLAN
// NO-PLAN: error: dit-report-caches: there is no plan; run --dit-import-plan first
