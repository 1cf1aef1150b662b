// RUN: dit-opt %s --split-input-file --dit-plan-workspace --canonicalize --cse | FileCheck %s

// %a dies before %c is born and so they share their place; %b meets both.

// CHECK-LABEL: func.func @share(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<100xf32>, %[[WS:[a-z0-9]+]]: memref<896xi8>)
// CHECK-SAME: dit.workspace_size = 896 : i64
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C448:.*]] = arith.constant 448 : index
// CHECK: %[[A:.*]] = memref.view %[[WS]][%[[C0]]][] : memref<896xi8> to memref<100xf32>
// CHECK: %[[B:.*]] = memref.view %[[WS]][%[[C448]]][] : memref<896xi8> to memref<100xf32>
// CHECK: memref.copy %{{.*}}, %[[A]]
// CHECK: memref.copy %[[B]], %[[A]]
// CHECK-NOT: memref.alloc
func.func @share(%x: memref<100xf32>) attributes {
    dit.entry = {name = "share", inputs = [{name = "x", type = tensor<100xf32>}], results = []}} {
  %a = memref.alloc() {alignment = 64 : i64} : memref<100xf32>
  memref.copy %x, %a : memref<100xf32> to memref<100xf32>
  %b = memref.alloc() : memref<100xf32>
  memref.copy %a, %b : memref<100xf32> to memref<100xf32>
  %c = memref.alloc() : memref<100xf32>
  memref.copy %b, %c : memref<100xf32> to memref<100xf32>
  memref.copy %c, %x : memref<100xf32> to memref<100xf32>
  return
}

// -----

// A use through a view counts; what a loop carries stays, and so does what
// depends on data and what iterations that run together make.

// CHECK-LABEL: func.func @stay(
// CHECK-SAME: %[[WS:[a-z0-9]+]]: memref<128xi8>)
// CHECK: memref.view %[[WS]]
// CHECK: memref.view %[[WS]]
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: scf.for
// CHECK: memref.alloc() : memref<4xf32>
// CHECK: scf.parallel
// CHECK: memref.alloc() : memref<4xf32>
func.func @stay(%x: memref<4xf32>, %size: memref<i64>) attributes {
    dit.entry = {name = "stay", inputs = [{name = "x", type = tensor<4xf32>}, {name = "size", type = tensor<i64>}], results = []}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %bits = memref.load %size[] : memref<i64>
  %n = arith.index_cast %bits : i64 to index
  %a = memref.alloc() : memref<4xf32>
  %view = memref.subview %a[1] [2] [1] : memref<4xf32> to memref<2xf32, strided<[1], offset: 1>>
  %b = memref.alloc() : memref<4xf32>
  memref.copy %x, %b : memref<4xf32> to memref<4xf32>
  %v = memref.load %view[%c0] : memref<2xf32, strided<[1], offset: 1>>
  memref.store %v, %a[%c0] : memref<4xf32>
  %dynamic = memref.alloc(%n) : memref<?xf32>
  memref.store %v, %dynamic[%c0] : memref<?xf32>
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%m = %b) -> memref<4xf32> {
    %next = memref.alloc() : memref<4xf32>
    memref.copy %m, %next : memref<4xf32> to memref<4xf32>
    scf.yield %next : memref<4xf32>
  }
  memref.copy %last, %x : memref<4xf32> to memref<4xf32>
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %own = memref.alloc() : memref<4xf32>
    memref.store %v, %own[%i] : memref<4xf32>
    memref.copy %own, %x : memref<4xf32> to memref<4xf32>
  }
  %d = memref.load %dynamic[%c1] : memref<?xf32>
  memref.store %d, %x[%c1] : memref<4xf32>
  return
}

// -----

// Buffers of a loop body, and of the two sides of a branch, share a place; what
// a branch hands on is in use from the branch to its last use.

// CHECK-LABEL: func.func @nested(
// CHECK-SAME: %[[WS:[a-z0-9]+]]: memref<192xi8>)
// CHECK: scf.for
// CHECK: %[[A:.*]] = memref.view %[[WS]][%c0][]
// CHECK: scf.if
// CHECK: memref.copy %{{.*}}, %[[A]]
// CHECK: memref.view %[[WS]][%c64][]
// CHECK: } else {
// CHECK: memref.view %[[WS]][%c128][]
// CHECK-NOT: memref.alloc
func.func @nested(%x: memref<16xf32>, %on: memref<i1>) attributes {
    dit.entry = {name = "nested", inputs = [{name = "x", type = tensor<16xf32>}, {name = "on", type = tensor<i1>}], results = []}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %bit = memref.load %on[] : memref<i1>
  scf.for %i = %c0 to %c8 step %c1 {
    %a = memref.alloc() : memref<16xf32>
    memref.copy %x, %a : memref<16xf32> to memref<16xf32>
    memref.copy %a, %x : memref<16xf32> to memref<16xf32>
    %r = scf.if %bit -> memref<16xf32> {
      %b = memref.alloc() : memref<16xf32>
      memref.copy %x, %b : memref<16xf32> to memref<16xf32>
      %c = memref.alloc() : memref<16xf32>
      memref.copy %b, %c : memref<16xf32> to memref<16xf32>
      scf.yield %c : memref<16xf32>
    } else {
      %d = memref.alloc() : memref<16xf32>
      memref.copy %x, %d : memref<16xf32> to memref<16xf32>
      scf.yield %d : memref<16xf32>
    }
    memref.copy %r, %x : memref<16xf32> to memref<16xf32>
  }
  return
}

// -----

// Two calls of a function give its memory twice, at the same place. What it
// returns the caller brings.

// CHECK-LABEL: func.func @caller(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<16xf32>, %[[WS:[a-z0-9]+]]: memref<192xi8>)
// CHECK-SAME: dit.workspace_size = 192
// CHECK: call @callee(%[[X]], %[[R:.*]], %{{.*}}) : (memref<16xf32>, memref<16xf32>, memref<64xi8>) -> ()
// CHECK: call @callee(%[[R]], %{{.*}}, %{{.*}}) : (memref<16xf32>, memref<16xf32>, memref<64xi8>) -> ()
// CHECK-LABEL: func.func private @callee(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<16xf32>, %[[OUT:[a-z0-9]+]]: memref<16xf32>, %[[OWN:[a-z0-9]+]]: memref<64xi8>)
// CHECK: memref.copy %{{.*}}, %[[OUT]]
func.func @caller(%x: memref<16xf32>) attributes {
    dit.entry = {name = "caller", inputs = [{name = "x", type = tensor<16xf32>}], results = []}} {
  %a = call @callee(%x) : (memref<16xf32>) -> memref<16xf32>
  %b = call @callee(%a) : (memref<16xf32>) -> memref<16xf32>
  memref.copy %b, %x : memref<16xf32> to memref<16xf32>
  return
}
func.func private @callee(%x: memref<16xf32>) -> memref<16xf32> {
  %t = memref.alloc() : memref<16xf32>
  memref.copy %x, %t : memref<16xf32> to memref<16xf32>
  %r = memref.alloc() : memref<16xf32>
  memref.copy %t, %r : memref<16xf32> to memref<16xf32>
  return %r : memref<16xf32>
}

// -----

// Extents of the inputs give sizes at run time, through views, divisions and
// shapes in memory. The query computes them without running anything.

// CHECK-LABEL: func.func @dynamic_query(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x8xf32>, %[[VALUES:[a-z0-9]+]]: memref<2xi64>) attributes {llvm.emit_c_interface}
// CHECK: memref.dim %[[X]], %{{.*}} : memref<?x8xf32>
// CHECK: arith.divui
// CHECK: memref.store %{{.*}}, %[[VALUES]][%c0]
// CHECK: memref.store %{{.*}}, %[[VALUES]][%c1]
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x8xf32>, %[[OUT:[a-z0-9]+]]: memref<?xf32>, %[[WS:[a-z0-9]+]]: memref<?xi8>)
// CHECK-SAME: dit.query = "dynamic_query"
// CHECK-NOT: memref.alloc
// CHECK: memref.store %{{.*}}, %[[OUT]]
// CHECK: return{{$}}
func.func @dynamic(%x: memref<?x8xf32>) -> memref<?xf32> attributes {
    dit.entry = {name = "dynamic", inputs = [{name = "x", type = tensor<?x8xf32>}], results = [{name = "r", type = tensor<?xf32>}]}} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %part = arith.divui %n, %c4 : index
  %flat = memref.collapse_shape %x [[0, 1]] : memref<?x8xf32> into memref<?xf32>
  %all = memref.dim %flat, %c0 : memref<?xf32>
  %a = memref.alloc(%all) : memref<?xf32>
  memref.store %zero, %a[%c0] : memref<?xf32>
  %shape = memref.alloc() : memref<1xindex>
  memref.store %part, %shape[%c0] : memref<1xindex>
  %b = memref.reshape %a(%shape) : (memref<?xf32>, memref<1xindex>) -> memref<?xf32>
  %m = memref.dim %b, %c0 : memref<?xf32>
  %c = memref.alloc(%m) : memref<?xf32>
  memref.store %zero, %c[%c0] : memref<?xf32>
  %r = memref.alloc(%n) : memref<?xf32>
  memref.store %zero, %r[%c0] : memref<?xf32>
  return %r : memref<?xf32>
}

// -----

// The function begins with a buffer that goes, and two buffers of other sizes
// share a place.

// CHECK-LABEL: func.func @static_first_query(
// CHECK: arith.maxui
// CHECK-LABEL: func.func @static_first(
// CHECK-SAME: %{{[a-z0-9]+}}: memref<?xi8>)
// CHECK-NOT: memref.alloc
// CHECK: return{{$}}
func.func @static_first(%x: memref<?x8xf32>, %n: memref<?xf32>) attributes {
    dit.entry = {name = "static_first", inputs = [{name = "x", type = tensor<?x8xf32>}, {name = "n", type = tensor<?xf32>}], results = []}} {
  %s = memref.alloc() : memref<4xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %s[%c0] : memref<4xf32>
  %rows = memref.dim %x, %c0 : memref<?x8xf32>
  %a = memref.alloc(%rows) : memref<?xf32>
  memref.store %zero, %a[%c0] : memref<?xf32>
  %other = memref.dim %n, %c0 : memref<?xf32>
  %b = memref.alloc(%other) : memref<?xf32>
  memref.store %zero, %b[%c0] : memref<?xf32>
  return
}

// -----

// Others may call a public function, and one that calls itself has no bound.

// CHECK-LABEL: func.func @inner(
// CHECK-SAME: %{{[a-z0-9]+}}: memref<4xf32>) {
// CHECK: memref.alloc
func.func @inner(%x: memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  memref.copy %x, %a : memref<4xf32> to memref<4xf32>
  memref.copy %a, %x : memref<4xf32> to memref<4xf32>
  return
}
// CHECK-LABEL: func.func private @again(
// CHECK: memref.alloc
func.func private @again(%x: memref<4xf32>) {
  %a = memref.alloc() : memref<4xf32>
  memref.copy %x, %a : memref<4xf32> to memref<4xf32>
  func.call @again(%a) : (memref<4xf32>) -> ()
  return
}
