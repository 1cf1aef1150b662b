// RUN: dit-opt %s --dit-prepare-bufferization | FileCheck %s

// What is inserted into a tensor is computed there.

// CHECK-LABEL: func.func @insert(
// CHECK-SAME: %[[T:.*]]: tensor<8xf32>
// CHECK: %[[E:.*]] = tensor.extract_slice %[[T]][4] [4] [1]
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[E]] : tensor<4xf32>)
func.func @insert(%t: tensor<8xf32>) -> tensor<8xf32> {
  %c = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %x = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %y = tensor.insert_slice %x into %t[4] [4] [1] : tensor<4xf32> into tensor<8xf32>
  return %y : tensor<8xf32>
}

// What goes to memory is not: here both results start from one tensor, whose
// place cannot be the memory of either.

// CHECK-LABEL: func.func @memory(
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[E]] : tensor<4xf32>)
func.func @memory(%x: tensor<4xf32>, %out0: memref<4xf32>, %out1: memref<4xf32>) {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %zero = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a = linalg.exp ins(%x : tensor<4xf32>) outs(%zero : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.tanh ins(%x : tensor<4xf32>) outs(%zero : tensor<4xf32>) -> tensor<4xf32>
  bufferization.materialize_in_destination %a in restrict writable %out0 : (tensor<4xf32>, memref<4xf32>) -> ()
  bufferization.materialize_in_destination %b in restrict writable %out1 : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// A buffer that is returned comes after all that may write to its memory.

// CHECK-LABEL: func.func @exports(
// CHECK: %[[A:.*]] = linalg.exp
// CHECK: %[[B:.*]] = linalg.tanh
// CHECK-DAG: %[[ABUFFER:.*]] = bufferization.to_buffer %[[A]]
// CHECK-DAG: %[[BBUFFER:.*]] = bufferization.to_buffer %[[B]]
// CHECK: return %[[ABUFFER]], %[[BBUFFER]], %[[ABUFFER]]
func.func @exports(%x: tensor<?xf32>, %n: index) -> (memref<?xf32>, memref<?xf32>, memref<?xf32>) {
  %e = tensor.empty(%n) : tensor<?xf32>
  %a = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = bufferization.to_buffer %a : tensor<?xf32> to memref<?xf32>
  %b = linalg.tanh ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %1 = bufferization.to_buffer %b : tensor<?xf32> to memref<?xf32>
  return %0, %1, %0 : memref<?xf32>, memref<?xf32>, memref<?xf32>
}
