// RUN: dit-opt %s --convert-parallel-to-runtime --canonicalize --split-input-file --verify-diagnostics | FileCheck %s

// CHECK: func.func private @dit_rt_parallel_for(i64, i64, !llvm.ptr, !llvm.ptr)
// CHECK-LABEL: func.func @captures(
// CHECK-SAME: %[[M:.*]]: memref<?xf32>, %[[V:.*]]: f32, %[[N:.*]]: index)
// CHECK-DAG: %[[F:.*]] = constant @captures_parallel : (!llvm.ptr, i64, i64) -> ()
// CHECK-DAG: %[[CTX:.*]] = llvm.alloca
// CHECK: llvm.store %{{.*}}, %{{.*}} : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, !llvm.ptr
// CHECK: %[[P:.*]] = builtin.unrealized_conversion_cast %[[F]]
// CHECK: call @dit_rt_parallel_for(%{{.*}}, %{{.*}}, %[[P]], %[[CTX]])
// CHECK-LABEL: func.func private @captures_parallel(
// CHECK-SAME: %[[CTX:.*]]: !llvm.ptr, %[[B:.*]]: i64, %[[E:.*]]: i64)
// The constant is cloned rather than captured.
// CHECK-DAG: %[[CST:.*]] = arith.constant 2.0
// CHECK-DAG: %[[LO:.*]] = arith.index_cast %[[B]]
// CHECK-DAG: %[[HI:.*]] = arith.index_cast %[[E]]
// CHECK: scf.for %[[I:.*]] = %[[LO]] to %[[HI]]
// CHECK: arith.mulf %{{.*}}, %[[CST]]
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[I]]]
func.func @captures(%m: memref<?xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %two = arith.constant 2.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %w = arith.mulf %v, %two : f32
    memref.store %w, %m[%i] : memref<?xf32>
  }
  return
}

// -----

// Two dimensions become one range; the inner parallel loop is serial; a static
// alloca leaves the loop; the grain is the attribute's.
// CHECK-LABEL: func.func @nested(
// CHECK-DAG: %[[G:.*]] = arith.constant 3 : i64
// CHECK-DAG: %[[N:.*]] = arith.constant 6 : i64
// CHECK: call @dit_rt_parallel_for(%[[N]], %[[G]],
// CHECK-LABEL: func.func private @nested_parallel(
// CHECK: memref.alloca() : memref<4xf32>
// CHECK: scf.for %[[L:.*]] =
// CHECK-NOT: memref.alloca
// CHECK: %[[J:.*]] = arith.remui %[[L]], %{{.*}}
// CHECK: %[[I:.*]] = arith.divui %[[L]], %{{.*}}
// CHECK: %[[JS:.*]] = arith.muli %[[J]], %{{.*}}
// CHECK: arith.addi %[[JS]], %{{.*}}
// CHECK: scf.for
// CHECK-NOT: scf.parallel
func.func @nested(%m: memref<8x8x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c7 = arith.constant 7 : index
  scf.parallel (%i, %j) = (%c0, %c1) to (%c2, %c7) step (%c1, %c2) {
    %t = memref.alloca() : memref<4xf32>
    scf.parallel (%k) = (%c0) to (%c4) step (%c1) {
      %x = memref.load %m[%i, %j, %k] : memref<8x8x4xf32>
      memref.store %x, %t[%k] : memref<4xf32>
    }
    %y = memref.load %t[%c1] : memref<4xf32>
    memref.store %y, %m[%i, %j, %c0] : memref<8x8x4xf32>
  } {dit.grain = 3 : i64}
  return
}

// -----

// An alloca of dynamic size stays in its iteration, which gives it back.
// CHECK-LABEL: func.func private @dynamic_alloca_parallel(
// CHECK: scf.for
// CHECK: %[[S:.*]] = llvm.intr.stacksave
// CHECK: memref.alloca(
// CHECK: llvm.intr.stackrestore %[[S]]
func.func @dynamic_alloca(%m: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %t = memref.alloca(%n) : memref<?xf32>
    memref.copy %m, %t : memref<?xf32> to memref<?xf32>
  }
  return
}

// -----

// Reductions stay.
// CHECK-NOT: dit_rt_parallel_for
// CHECK-LABEL: func.func @reduction(
// CHECK: scf.parallel
func.func @reduction(%m: memref<8xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.parallel (%i) = (%c0) to (%c8) step (%c1) init (%zero) -> f32 {
    %x = memref.load %m[%i] : memref<8xf32>
    scf.reduce(%x : f32) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %a, %b : f32
      scf.reduce.return %s : f32
    }
  }
  return %r : f32
}

// -----

func.func @tensor_capture(%t: tensor<8xf32>, %m: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  // expected-error @below {{expected captured values of types that LLVM can hold, got 'tensor<8xf32>'; bufferize before this pass}}
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %x = tensor.extract %t[%i] : tensor<8xf32>
    memref.store %x, %m[%i] : memref<8xf32>
  }
  return
}

// -----

// expected-error @below {{expected 'dit_rt_parallel_for' to be a function of type}}
func.func private @dit_rt_parallel_for(i64)
func.func @other_runtime(%m: memref<8xf32>, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    memref.store %x, %m[%i] : memref<8xf32>
  }
  return
}
