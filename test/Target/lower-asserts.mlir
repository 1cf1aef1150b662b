// RUN: dit-opt %s --dit-lower-asserts | FileCheck %s

// CHECK-DAG: llvm.mlir.global private constant @[[$BAD:.*]]("bad index\00")
// CHECK-DAG: llvm.mlir.global private constant @[[$EMPTY:.*]]("empty\00")
// CHECK-DAG: llvm.mlir.global private constant @{{.*}}("dimension #0 is incompatible, Location: loc(here)\00")
// CHECK-DAG: llvm.func @dit_rt_check_failed(!llvm.ptr)

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[A:.*]]: i1, %[[B:.*]]: i1)
// CHECK: %[[FAILS:.*]] = arith.xori %[[A]], %{{.*}} : i1
// CHECK: scf.if %[[FAILS]] {
// CHECK-NEXT: %[[TEXT:.*]] = llvm.mlir.addressof @[[$BAD]] : !llvm.ptr
// CHECK-NEXT: llvm.call @dit_rt_check_failed(%[[TEXT]])
// CHECK: llvm.mlir.addressof @[[$EMPTY]]
// CHECK: llvm.mlir.addressof @[[$BAD]]
// CHECK-NOT: cf.assert
func.func @f(%a: i1, %b: i1) {
  cf.assert %a, "bad index"
  cf.assert %b, "empty"
  cf.assert %b, "bad index"
  return
}

// Generated checks quote their operation, which says little to a user.

// CHECK-LABEL: func.func @generated(
// CHECK-NOT: cf.assert
func.func @generated(%a: i1) {
  cf.assert %a, "ERROR: Runtime op verification failed\0Alinalg.generic {...}\0A^ dimension #0 is incompatible\0ALocation: loc(here)"
  return
}
