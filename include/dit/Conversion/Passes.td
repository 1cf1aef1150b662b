//===- Passes.td - Conversions -----------------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_CONVERSION_PASSES_TD
#define DIT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// ParallelToRuntime
//===----------------------------------------------------------------------===//

def ConvertParallelToRuntime
    : Pass<"convert-parallel-to-runtime", "::mlir::ModuleOp"> {
  let summary = "Runs parallel loops on the runtime's threads";
  let description = [{
    Phase 4 to phase 5; numerics do not change.

    Outlines the body of each outermost `scf.parallel` without reductions into
    a private function over a range of iterations, and replaces the loop by a
    call of the runtime's `dit_rt_parallel_for`, which hands ranges of at most
    `grain` iterations to its threads as they become free. Values that the
    body captures travel in a struct on the stack; constants are cloned into
    the body. Loops of several dimensions are linearised. Parallel loops inside
    others become `scf.for`; those with reductions are left to
    `convert-scf-to-cf`, which makes them serial.

    The grain is the loop's attribute `dit.grain` (an integer) or, where that
    is absent, the number of iterations divided by 256.

    Static `memref.alloca` ops inside loops move to the entry of their
    function, and the stack is restored after each iteration that has a dynamic
    one, so that loops do not grow it.

    ```mlir
    scf.parallel (%i) = (%c0) to (%n) step (%c1) {
      memref.store %v, %m[%i] : memref<?xf32>
    }
    // becomes
    func.call @dit_rt_parallel_for(%n, %grain, %parallel_0, %context)
    // with
    func.func private @parallel_0(%context: !llvm.ptr, %begin: i64, %end: i64)
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"numOutlined", "loops-outlined",
              "Parallel loops that became calls of the runtime">,
    Statistic<"numSerialized", "loops-serialized",
              "Parallel loops inside others that became serial">,
    Statistic<"numHoistedAllocas", "allocas-hoisted",
              "Static stack allocations that left a loop">];
}

#endif // DIT_CONVERSION_PASSES_TD
