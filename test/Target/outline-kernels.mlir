// RUN: dit-opt %s --dit-outline-kernels | FileCheck %s

// Equal ops share a function; constants move into it, other scalars become
// arguments.

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[A:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>, %[[S:.*]]: f32)
// CHECK: call @dit_linalg_fill(%[[A]]) : (memref<4xf32>) -> ()
// CHECK: call @dit_linalg_fill(%[[B]]) : (memref<4xf32>) -> ()
// CHECK: call @dit_linalg_fill_0(%[[S]], %[[A]]) : (f32, memref<4xf32>) -> ()
// CHECK: call @dit_linalg_generic(%[[A]], %[[B]], %[[S]])
// CHECK: return
func.func @f(%a: memref<4xf32>, %b: memref<4xf32>, %s: f32) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
  linalg.fill ins(%zero : f32) outs(%b : memref<4xf32>)
  linalg.fill ins(%s : f32) outs(%a : memref<4xf32>)
  linalg.generic {
    indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]
  } ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %z = arith.addf %x, %s : f32
    linalg.yield %z : f32
  }
  return
}

// Ops on tensors stay.

// CHECK-LABEL: func.func @tensors
// CHECK: linalg.fill
func.func @tensors(%a: tensor<4xf32>, %s: f32) -> tensor<4xf32> {
  %0 = linalg.fill ins(%s : f32) outs(%a : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK: func.func private @dit_linalg_fill(%[[X:.*]]: memref<4xf32>)
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: linalg.fill ins(%[[ZERO]] : f32) outs(%[[X]] : memref<4xf32>)
// CHECK: func.func private @dit_linalg_fill_0(
// CHECK: func.func private @dit_linalg_generic(
// CHECK: linalg.generic
