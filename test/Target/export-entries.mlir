// RUN: dit-opt %s --dit-export-entries --split-input-file | FileCheck %s
// RUN: dit-opt %s --dit-export-entries="entries=g" --split-input-file \
// RUN:   | FileCheck %s --check-prefix=ONLY

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:.*]]: memref<4xf32>, %[[OUT:.*]]: memref<4xf32>)
// CHECK-SAME: dit.entry = {inputs = [{name = "x", type = tensor<4xf32>}]
// CHECK-SAME: name = "f"
// CHECK-SAME: results = [{name = "result0", type = tensor<4xf32>}]
// CHECK-SAME: llvm.emit_c_interface
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict
// CHECK: %[[Y:.*]] = math.exp %[[T]]
// CHECK: bufferization.materialize_in_destination %[[Y]] in restrict writable %[[OUT]]
// CHECK: return{{$}}
// ONLY: func.func private @f(%{{.*}}: tensor<4xf32>
func.func @f(%x: tensor<4xf32> {dit.name = "x"}) -> tensor<4xf32> {
  %y = math.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// Dynamic results are returned, scalars travel as memrefs of rank 0, and index
// as i64.

// CHECK-LABEL: func.func @g(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?xi64>
// ONLY-LABEL: func.func @g(
// ONLY-SAME: %[[X:[a-z0-9]+]]: memref<?xi64>, %[[N:[a-z0-9]+]]: memref<i64>, %[[OUT:[a-z0-9]+]]: memref<i64>) -> memref<?xi64>
// ONLY: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict
// ONLY: arith.index_cast %[[T]] : tensor<?xi64> to tensor<?xindex>
// ONLY: memref.load %[[N]][]
// ONLY: %[[R:.*]] = bufferization.to_buffer %{{.*}} : tensor<?xi64> to memref<?xi64>
// ONLY: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[OUT]]
// ONLY: return %[[R]]
func.func @g(%x: tensor<?xindex>, %n: index) -> (tensor<?xindex>, index) {
  %y = arith.addi %x, %x : tensor<?xindex>
  return %y, %n : tensor<?xindex>, index
}

// A function with callers inside the module keeps its tensors for them.

// CHECK-LABEL: func.func @callee(
// CHECK: call @callee_0
// CHECK: func.func @caller(
// CHECK: call @callee_0
// CHECK: func.func private @callee_0(%{{.*}}: tensor<2xf32>
// ONLY-LABEL: func.func private @callee(
func.func @callee(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func @caller(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = call @callee(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
