// RUN: dit-opt %s --inline | FileCheck %s

// A call inside of a reuse, of a function with ops of dit.
// CHECK-LABEL: func.func @main
// CHECK:         dit.reuse
// CHECK:           dit.attention
// CHECK-NOT:     call
// CHECK-NOT:   func.func
func.func @main(%x: tensor<1x1x8x4xf32>, %step: index) -> tensor<1x1x8x4xf32> {
  %on = dit.scheduled %step, #dit.schedule<"10">
  %r:2 = dit.reuse compute(%on) state(%x : tensor<1x1x8x4xf32>) {
  ^bb0(%dst: tensor<1x1x8x4xf32>):
    %a = func.call @attention(%x) : (tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32>
    dit.yield %a, %a : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>
  } -> tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>
  return %r#0 : tensor<1x1x8x4xf32>
}
func.func private @attention(%x: tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32> {
  %a = dit.attention ins(%x, %x, %x : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>)
    outs(%x : tensor<1x1x8x4xf32>) {scale = 0.5 : f64}
  return %a : tensor<1x1x8x4xf32>
}
