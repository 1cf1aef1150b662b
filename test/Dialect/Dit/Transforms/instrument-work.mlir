// RUN: dit-opt %s --split-input-file --dit-instrument-work --verify-diagnostics | FileCheck %s

!t = tensor<1x2x8x4xf32>

// CHECK-LABEL: func.func @main(
// CHECK-SAME: -> (tensor<1x2x8x4xf32>, tensor<1x2xi64> {dit.name = "work_values"}, tensor<{{.*}}xi8> {dit.name = "work_layout"})
// The positions of a pattern do not change.
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction", "reduction"
// CHECK: memref.alloca() : memref<1x2xi64>
// CHECK: scf.for
// CHECK:   dit.reuse
// CHECK:     dit.attention
// CHECK:     memref.store
// CHECK:     memref.store
// CHECK:     dit.yield
// CHECK: tensor.from_elements {{.*}} : tensor<1x2xi64>
func.func @main(%x: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %r = scf.for %i = %c0 to %c6 step %c1 iter_args(%c = %x) -> (!t) {
    %on = dit.scheduled %i, #dit.schedule<"100100">
    %y:2 = dit.reuse compute(%on) state(%c : !t) {
    ^bb0(%dst: !t):
      %o = dit.attention ins(%x, %x, %x : !t, !t, !t) pattern(#dit.window<left = 1, right = 1>) outs(%dst : !t) {scale = 0.5 : f64, site = "a"}
      dit.yield %o, %o : !t, !t
    } -> !t, !t
    scf.yield %y#1 : !t
  }
  return %r : !t
}

// -----

// expected-error @below {{dit-instrument-work: expected a function with attentions or contractions}}
module {
  func.func @nothing(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

!m = tensor<4x4xf32>
// expected-note @below {{another one is here}}
func.func @one(%x: !m) -> !m {
  %r = linalg.matmul ins(%x, %x : !m, !m) outs(%x : !m) -> !m
  return %r : !m
}
// expected-error @below {{dit-instrument-work: expected one function with work to count; inline the model into the sampler (--inline --symbol-dce)}}
func.func @two(%x: !m) -> !m {
  %r = linalg.matmul ins(%x, %x : !m, !m) outs(%x : !m) -> !m
  return %r : !m
}

// -----

!m = tensor<4x4xf32>
// expected-error @below {{dit-instrument-work: expected a function that nothing calls: it gets more results}}
func.func @inner(%x: !m) -> !m {
  %r = linalg.matmul ins(%x, %x : !m, !m) outs(%x : !m) -> !m
  return %r : !m
}
func.func @outer(%x: !m) -> !m {
  %r = func.call @inner(%x) : (!m) -> !m
  return %r : !m
}

// -----

!m = memref<4x4xf32>
func.func @buffers(%x: !m, %y: !m) {
  // expected-error @below {{dit-instrument-work: expected ops on tensors; count before bufferization}}
  linalg.matmul ins(%x, %x : !m, !m) outs(%y : !m)
  return
}
