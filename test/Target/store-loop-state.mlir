// RUN: dit-opt %s --dit-store-loop-state | FileCheck %s

// What the loop makes anew is stored; what it passes on, or has stored already,
// is left alone, as is what is no tensor.

// CHECK-LABEL: func.func @loop
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}, %[[N:.*]] = %{{.*}})
// CHECK: %[[NEXT:.*]] = math.exp %[[A]]
// CHECK: %[[OLD:.*]] = bufferization.materialize_in_destination %{{.*}} in %[[C]]
// CHECK: %[[M:.*]] = arith.addi %[[N]]
// CHECK: %[[NEW:.*]] = linalg.copy ins(%[[NEXT]] : tensor<4xf32>) outs(%[[A]] : tensor<4xf32>)
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

// Only the branch that makes a new tensor stores it; tensors that are updated,
// or change places, stay.

// CHECK-LABEL: func.func @branch
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[U:.*]] = %{{.*}}, %[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK: %[[IF:.*]] = scf.if
// CHECK: %[[NEW:.*]] = linalg.copy ins(%{{.*}} : tensor<4xf32>) outs(%[[S]] : tensor<4xf32>)
// CHECK: scf.yield %[[NEW]]
// CHECK: else
// CHECK: scf.yield %[[S]]
// CHECK: %[[UPDATED:.*]] = tensor.insert
// CHECK-NOT: linalg.copy
// CHECK: scf.yield %[[IF]], %[[UPDATED]], %[[B]], %[[A]]
func.func @branch(%x: tensor<4xf32>, %n: index, %on: i1) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %r:4 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x, %u = %x, %a = %x, %b = %x)
      -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
    %state = scf.if %on -> (tensor<4xf32>) {
      %new = math.exp %a : tensor<4xf32>
      scf.yield %new : tensor<4xf32>
    } else {
      scf.yield %s : tensor<4xf32>
    }
    %updated = tensor.insert %zero into %u[%c0] : tensor<4xf32>
    scf.yield %state, %updated, %b, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  }
  return %r#0 : tensor<4xf32>
}
