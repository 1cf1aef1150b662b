// RUN: dit-opt %s --pass-pipeline='builtin.module(func.func(dit-plan-workspace))' | FileCheck %s

// %a dies before %c is born and so they share their place; %b meets both.

// CHECK-LABEL: func.func @share(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<100xf32>, %[[WS:[a-z0-9]+]]: memref<896xi8>)
// CHECK-SAME: dit.workspace_size = 896 : i64
// CHECK-DAG: %[[AT_A:.*]] = arith.constant 0 : index
// CHECK: %[[A:.*]] = memref.view %[[WS]][%{{.*}}][] : memref<896xi8> to memref<100xf32>
// CHECK: %[[OFFSET_B:.*]] = arith.constant 448 : index
// CHECK: %[[B:.*]] = memref.view %[[WS]][%[[OFFSET_B]]][] : memref<896xi8> to memref<100xf32>
// CHECK: %[[OFFSET_C:.*]] = arith.constant 0 : index
// CHECK: %[[C:.*]] = memref.view %[[WS]][%[[OFFSET_C]]][] : memref<896xi8> to memref<100xf32>
// CHECK-NOT: memref.alloc
func.func @share(%x: memref<100xf32>) attributes {
    dit.entry = {name = "share", inputs = [], results = []}} {
  %a = memref.alloc() {alignment = 64 : i64} : memref<100xf32>
  memref.copy %x, %a : memref<100xf32> to memref<100xf32>
  %b = memref.alloc() : memref<100xf32>
  memref.copy %a, %b : memref<100xf32> to memref<100xf32>
  %c = memref.alloc() : memref<100xf32>
  memref.copy %b, %c : memref<100xf32> to memref<100xf32>
  memref.copy %c, %x : memref<100xf32> to memref<100xf32>
  return
}

// A use through a view counts; what is returned, dynamic, or carried by a loop
// stays.

// CHECK-LABEL: func.func @stay(
// CHECK-SAME: %[[WS:[a-z0-9]+]]: memref<128xi8>)
// CHECK: memref.view %[[WS]]
// CHECK: %[[RETURNED:.*]] = memref.alloc() : memref<4xf32>
// CHECK: memref.view %[[WS]]
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: scf.for
// CHECK: memref.alloc() : memref<4xf32>
// CHECK: scf.parallel
// CHECK: memref.alloc() : memref<4xf32>
// CHECK: return %[[RETURNED]]
func.func @stay(%x: memref<4xf32>, %n: index) -> memref<4xf32> attributes {
    dit.entry = {name = "stay", inputs = [], results = []}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<4xf32>
  %view = memref.subview %a[1] [2] [1] : memref<4xf32> to memref<2xf32, strided<[1], offset: 1>>
  %returned = memref.alloc() : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  memref.copy %x, %b : memref<4xf32> to memref<4xf32>
  %v = memref.load %view[%c0] : memref<2xf32, strided<[1], offset: 1>>
  memref.store %v, %returned[%c0] : memref<4xf32>
  %dynamic = memref.alloc(%n) : memref<?xf32>
  memref.store %v, %dynamic[%c0] : memref<?xf32>
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%m = %b) -> memref<4xf32> {
    %next = memref.alloc() : memref<4xf32>
    memref.copy %m, %next : memref<4xf32> to memref<4xf32>
    scf.yield %next : memref<4xf32>
  }
  memref.copy %last, %returned : memref<4xf32> to memref<4xf32>
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %own = memref.alloc() : memref<4xf32>
    memref.store %v, %own[%c0] : memref<4xf32>
    memref.dealloc %own : memref<4xf32>
  }
  return %returned : memref<4xf32>
}

// Only exported functions have a caller that brings memory.

// CHECK-LABEL: func.func @inner(
// CHECK-SAME: %{{[a-z0-9]+}}: memref<4xf32>) {
// CHECK: memref.alloc
func.func @inner(%x: memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  memref.copy %x, %a : memref<4xf32> to memref<4xf32>
  return
}
