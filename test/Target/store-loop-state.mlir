// RUN: dit-opt %s --dit-store-loop-state | FileCheck %s

// What the loop makes anew is stored; what it passes on, or has stored already,
// is left alone, as is what is no tensor.

// CHECK-LABEL: func.func @loop
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}, %[[N:.*]] = %{{.*}})
// CHECK: %[[NEXT:.*]] = math.exp %[[A]]
// CHECK: %[[OLD:.*]] = bufferization.materialize_in_destination %{{.*}} in %[[C]]
// CHECK: %[[M:.*]] = arith.addi %[[N]]
// CHECK: %[[NEW:.*]] = bufferization.materialize_in_destination %[[NEXT]] in %[[A]]
// CHECK: scf.yield %[[NEW]], %[[B]], %[[OLD]], %[[M]]
func.func @loop(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:4 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %x, %c = %x, %m = %c0)
      -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, index) {
    %next = math.exp %a : tensor<4xf32>
    %sum = arith.addf %b, %c : tensor<4xf32>
    %stored = bufferization.materialize_in_destination %sum in %c
        : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %more = arith.addi %m, %c1 : index
    scf.yield %next, %b, %stored, %more : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, index
  }
  return %r#0 : tensor<4xf32>
}
