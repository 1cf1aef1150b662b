// RUN: dit-opt %s --dit-place-results --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @two(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4xf32>, %[[OUT0:[a-z0-9]+]]: memref<4xf32>, %[[OUT1:[a-z0-9]+]]: memref<4xf32>)
// CHECK-NEXT: linalg.exp ins(%[[X]] : memref<4xf32>) outs(%[[OUT0]] : memref<4xf32>)
// CHECK-NEXT: linalg.tanh ins(%[[X]] : memref<4xf32>) outs(%[[OUT1]] : memref<4xf32>)
// CHECK-NEXT: return
func.func @two(%x: memref<4xf32>, %out0: memref<4xf32>, %out1: memref<4xf32>) attributes {
    dit.entry = {name = "two", inputs = [{name = "x", type = tensor<4xf32>}],
      results = [{name = "a", type = tensor<4xf32>}, {name = "b", type = tensor<4xf32>}]}} {
  %a = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  linalg.exp ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  linalg.tanh ins(%x : memref<4xf32>) outs(%b : memref<4xf32>)
  memref.copy %a, %out0 : memref<4xf32> to memref<4xf32>
  memref.copy %b, %out1 : memref<4xf32> to memref<4xf32>
  return
}

// -----

// A loop that carries a buffer hands on the same one.

// CHECK-LABEL: func.func @loop(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4xf32>, %[[OUT:[a-z0-9]+]]: memref<4xf32>)
// CHECK: memref.copy %[[X]], %[[OUT]]
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[OUT]])
// CHECK-NOT: memref.copy
// CHECK: return
func.func @loop(%x: memref<4xf32>, %out: memref<4xf32>) attributes {
    dit.entry = {name = "loop", inputs = [{name = "x", type = tensor<4xf32>}],
      results = [{name = "y", type = tensor<4xf32>}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<4xf32>
  memref.copy %x, %a : memref<4xf32> to memref<4xf32>
  %y = scf.for %i = %c0 to %c4 step %c1 iter_args(%m = %a) -> memref<4xf32> {
    linalg.exp ins(%m : memref<4xf32>) outs(%m : memref<4xf32>)
    scf.yield %m : memref<4xf32>
  }
  memref.copy %y, %out : memref<4xf32> to memref<4xf32>
  return
}

// -----

// One buffer is the memory of one result; the other result is a copy of it.

// CHECK-LABEL: func.func @same(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4xf32>, %[[OUT0:[a-z0-9]+]]: memref<4xf32>, %[[OUT1:[a-z0-9]+]]: memref<4xf32>)
// CHECK-NEXT: linalg.exp ins(%[[X]] : memref<4xf32>) outs(%[[OUT1]] : memref<4xf32>)
// CHECK-NEXT: memref.copy %[[OUT1]], %[[OUT0]]
// CHECK-NEXT: return
func.func @same(%x: memref<4xf32>, %out0: memref<4xf32>, %out1: memref<4xf32>) attributes {
    dit.entry = {name = "same", inputs = [{name = "x", type = tensor<4xf32>}],
      results = [{name = "a", type = tensor<4xf32>}, {name = "b", type = tensor<4xf32>}]}} {
  %a = memref.alloc() : memref<4xf32>
  linalg.exp ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  memref.copy %a, %out0 : memref<4xf32> to memref<4xf32>
  memref.copy %a, %out1 : memref<4xf32> to memref<4xf32>
  return
}

// -----

// Copies stay where the buffer is an argument, is written to later, or where
// the memory of the result is used otherwise; and in functions whose arguments
// may be the same memory.

// CHECK-LABEL: func.func @stay(
// CHECK-COUNT-3: memref.copy
// CHECK: return
func.func @stay(%x: memref<f32>, %y: memref<f32>, %out0: memref<f32>, %out1: memref<f32>, %out2: memref<f32>) attributes {
    dit.entry = {name = "stay", inputs = [{name = "x", type = tensor<f32>}, {name = "y", type = tensor<f32>}],
      results = [{name = "a", type = tensor<f32>}, {name = "b", type = tensor<f32>}, {name = "c", type = tensor<f32>}]}} {
  %a = memref.alloc() : memref<f32>
  %b = memref.alloc() : memref<f32>
  linalg.exp ins(%x : memref<f32>) outs(%a : memref<f32>)
  linalg.exp ins(%x : memref<f32>) outs(%b : memref<f32>)
  linalg.exp ins(%x : memref<f32>) outs(%out1 : memref<f32>)
  memref.copy %y, %out0 : memref<f32> to memref<f32>
  memref.copy %a, %out1 : memref<f32> to memref<f32>
  memref.copy %b, %out2 : memref<f32> to memref<f32>
  %v = memref.load %y[] : memref<f32>
  memref.store %v, %b[] : memref<f32>
  return
}

// CHECK-LABEL: func.func private @private(
// CHECK: memref.copy
func.func private @private(%x: memref<f32>, %out: memref<f32>) {
  %a = memref.alloc() : memref<f32>
  linalg.exp ins(%x : memref<f32>) outs(%a : memref<f32>)
  memref.copy %a, %out : memref<f32> to memref<f32>
  return
}
