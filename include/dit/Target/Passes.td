//===- Passes.td - Passes that prepare ahead-of-time code ---*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TARGET_PASSES_TD
#define DIT_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExportEntriesPass : Pass<"dit-export-entries", "::mlir::ModuleOp"> {
  let summary = "Give public functions on tensors the calling convention of "
                "compiled code";
  let description = [{
    Phase: tensors to tensors, before bufferization. Numerics do not change.

    Each public function with a body becomes destination passing: it takes one
    memref per argument and one per result of static shape, and returns memrefs
    only for results with dynamic extents. One-shot bufferization can then write
    results straight into the caller's memory. Scalars travel as memrefs of rank
    0 and `index` as `i64`. The original types stay on the function as the
    attribute `dit.entry`, from which the C entry and the header are made.

    An immutable `ml_program.global` with an external value becomes a public
    `memref.global` without one, whose address the user of the program supplies;
    with a value it becomes constants.

    All other functions become private. A function that is also called inside
    the module is split into a private implementation and an exported caller.

    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = math.exp %x : tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    func.func @f(%x: memref<4xf32>, %out: memref<4xf32>)
        attributes {dit.entry = {...}, llvm.emit_c_interface} {
      %t = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
      %y = math.exp %t : tensor<4xf32>
      bufferization.materialize_in_destination %y in restrict writable %out
          : (tensor<4xf32>, memref<4xf32>) -> ()
      return
    }
    ```
  }];
  let options = [
    ListOption<"entries", "entries", "std::string",
               "Functions to export; all public ones if empty">
  ];
  let statistics = [
    Statistic<"numExported", "num-exported", "Number of functions exported">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def OutlineKernelsPass : Pass<"dit-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Move linalg ops on buffers into functions, one per distinct op";
  let description = [{
    Phase: memrefs to memrefs. Numerics do not change.

    Each `linalg` op becomes a call of a private function that holds just it.
    Ops that differ only in the values they work on, such as those of the layers
    of a model, share one function. A function as large as a model costs LLVM
    more than linear time and a loop that occurs in each layer is optimized once
    per layer; this pass makes both costs small.

    ```mlir
    linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>)
    linalg.fill ins(%zero : f32) outs(%b : memref<4xf32>)
    ```
    becomes
    ```mlir
    call @dit_linalg_fill(%a) : (memref<4xf32>) -> ()
    call @dit_linalg_fill(%b) : (memref<4xf32>) -> ()
    ```
  }];
  let statistics = [
    Statistic<"numOutlined", "num-outlined", "Number of ops replaced by calls">,
    Statistic<"numKernels", "num-kernels", "Number of functions made">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def PlanWorkspacePass
    : Pass<"dit-plan-workspace", "::mlir::func::FuncOp"> {
  let summary = "Replace allocations of exported functions by parts of a "
                "workspace of the caller";
  let description = [{
    Phase: memrefs to memrefs, before buffers are freed. Numerics do not change.

    In a function with `dit.entry`, each `memref.alloc` of static size whose
    memory is not needed after its block becomes a `memref.view` of one more
    argument; buffers that are not in use at the same time share memory. The
    number of bytes stays on the function as `dit.workspace_size`. Dynamic
    allocations, those in parallel loops and those that are returned stay.

    ```mlir
    func.func @f(%x: memref<4xf32>) attributes {dit.entry = ...} {
      %t = memref.alloc() : memref<4xf32>
      ...
    ```
    becomes
    ```mlir
    func.func @f(%x: memref<4xf32>, %workspace: memref<64xi8>)
        attributes {dit.entry = ..., dit.workspace_size = 64} {
      %c0 = arith.constant 0 : index
      %t = memref.view %workspace[%c0][] : memref<64xi8> to memref<4xf32>
      ...
    ```
  }];
  let statistics = [
    Statistic<"numPlanned", "num-planned", "Allocations replaced">,
    Statistic<"numBytesAllocated", "num-bytes-allocated",
              "Bytes that the allocations took one by one">,
    Statistic<"numBytesPlanned", "num-bytes-planned", "Bytes of workspaces">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def GenerateChecksPass : Pass<"dit-generate-checks"> {
  let summary = "Check at run time what the compiler cannot know";
  let description = [{
    Phase: memrefs. Numerics do not change.

    Each operation with `RuntimeVerifiableOpInterface` is preceded by its checks,
    as assertions whose text is a reason and a place. Unlike upstream's
    `generate-runtime-verification` it passes over `linalg` operations on static
    shapes, whose verifier has done it all, and does not quote operations.

    ```mlir
    linalg.copy ins(%a : memref<?xf32>) outs(%b : memref<?xf32>)
    ```
    becomes
    ```mlir
    %n = memref.dim %a, %c0 : memref<?xf32>
    %m = memref.dim %b, %c0 : memref<?xf32>
    %ok = arith.cmpi eq, %n, %m : index
    cf.assert %ok, "..."
    linalg.copy ins(%a : memref<?xf32>) outs(%b : memref<?xf32>)
    ```
  }];
  let statistics = [
    Statistic<"numChecked", "num-checked", "Operations with checks before them">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::cf::ControlFlowDialect",
                           "::mlir::index::IndexDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def LowerAssertsPass : Pass<"dit-lower-asserts", "::mlir::ModuleOp"> {
  let summary = "Turn assertions into errors of the compiled function";
  let description = [{
    Phase: any, while there is structured control flow. Numerics do not change.

    Upstream lowers `cf.assert` to the end of the process. Here a failed check
    calls the runtime, which leaves the compiled function with a status and
    keeps the text for the caller.

    ```mlir
    cf.assert %ok, "index out of range"
    ```
    becomes
    ```mlir
    %fails = arith.xori %ok, %true : i1
    scf.if %fails {
      %text = llvm.mlir.addressof @dit_check_text : !llvm.ptr
      llvm.call @dit_rt_check_failed(%text) : (!llvm.ptr) -> ()
    }
    ```
  }];
  let statistics = [
    Statistic<"numLowered", "num-lowered", "Number of assertions lowered">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // DIT_TARGET_PASSES_TD
