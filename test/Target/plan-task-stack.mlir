// RUN: dit-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dit-plan-task-stack{max-bytes=4096},canonicalize,cse))' | FileCheck %s

// %a dies before %c is born and so they share their place; %b meets both. What
// iterations of a loop inside make is made anew each time.

// CHECK-LABEL: func.func @share(
// CHECK: scf.parallel
// CHECK-NEXT: %[[STACK:.*]] = memref.alloca() {alignment = 64 : i64} : memref<896xi8>
// CHECK: %[[A:.*]] = memref.view %[[STACK]][%[[C0:.*]]][] : memref<896xi8> to memref<100xf32>
// CHECK: memref.copy %{{.*}}, %[[A]] :
// CHECK: %[[B:.*]] = memref.view %[[STACK]][%{{.*}}][] : memref<896xi8> to memref<100xf32>
// CHECK: memref.copy %[[A]], %[[B]] :
// CHECK: memref.copy %[[B]], %[[A]] :
// CHECK: scf.for
// CHECK: memref.view %[[STACK]][%{{.*}}][] : memref<896xi8> to memref<32xf32>
// CHECK-NOT: memref.alloc(
func.func @share(%x: memref<100xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %s = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %a = memref.alloc() {alignment = 64 : i64} : memref<100xf32>
    memref.copy %x, %a : memref<100xf32> to memref<100xf32>
    %b = memref.alloc() : memref<100xf32>
    memref.copy %a, %b : memref<100xf32> to memref<100xf32>
    %c = memref.alloc() : memref<100xf32>
    memref.copy %b, %c : memref<100xf32> to memref<100xf32>
    scf.for %j = %c0 to %n step %c1 {
      %d = memref.alloc() : memref<32xf32>
      memref.store %s, %d[%j] : memref<32xf32>
      %v = memref.load %d[%i] : memref<32xf32>
      memref.store %v, %c[%j] : memref<100xf32>
    }
    memref.copy %c, %x : memref<100xf32> to memref<100xf32>
  }
  return
}

// -----

// What takes too much, is outside of a parallel loop or has no known size stays.

// CHECK-LABEL: func.func @stay(
// CHECK-NOT: memref.alloca
// CHECK: memref.alloc() : memref<8xf32>
// CHECK: memref.alloc() : memref<2000xf32>
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
func.func @stay(%x: memref<8xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %s = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<8xf32>
  memref.copy %x, %a : memref<8xf32> to memref<8xf32>
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %b = memref.alloc() : memref<2000xf32>
    memref.store %s, %b[%i] : memref<2000xf32>
    %c = memref.alloc(%n) : memref<?xf32>
    memref.store %s, %c[%i] : memref<?xf32>
    %v = memref.load %b[%i] : memref<2000xf32>
    %w = memref.load %c[%i] : memref<?xf32>
    memref.store %v, %a[%i] : memref<8xf32>
    memref.store %w, %a[%i] : memref<8xf32>
  }
  memref.copy %a, %x : memref<8xf32> to memref<8xf32>
  return
}
