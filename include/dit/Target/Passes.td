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

def StoreLoopStatePass : Pass<"dit-store-loop-state"> {
  let summary = "Let loops carry tensors in one buffer";
  let description = [{
    Phase: tensors to tensors, before bufferization. Numerics do not change.

    A tensor that an iteration of `scf.for` makes anew and hands to the next one
    would be a new buffer each time, alive together with the one before. A copy
    into the tensor that the iteration got keeps one buffer alone. Tensors that
    are updated in place, or that change places, are left alone.

    ```mlir
    %r = scf.for ... iter_args(%x = %init) -> (tensor<4xf32>) {
      %next = ...
      scf.yield %next : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    %r = scf.for ... iter_args(%x = %init) -> (tensor<4xf32>) {
      %next = ...
      %stored = linalg.copy ins(%next : tensor<4xf32>)
          outs(%x : tensor<4xf32>) -> tensor<4xf32>
      scf.yield %stored : tensor<4xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numStored", "num-stored", "Tensors stored in place">
  ];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def PrepareBufferizationPass
    : Pass<"dit-prepare-bufferization", "::mlir::ModuleOp"> {
  let summary = "Bring tensors into a form that bufferizes well and rightly";
  let description = [{
    Phase: tensors to tensors, right before bufferization. Numerics do not
    change.

    The `bufferization.to_buffer` ops of what a function returns move to its
    end: what came after them could write to the same memory.

    What is computed in a `tensor.empty` and then inserted into a tensor is
    computed in its place there, as upstream's `eliminate-empty-tensors` does.
    Unlike that, tensors that go to memory, such as the results of entries, are
    left alone: where two results start from one tensor, upstream can lose one
    of them. `dit-place-results` spares the copies of those.

    ```mlir
    %e = tensor.empty() : tensor<4xf32>
    %x = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %y = tensor.insert_slice %x into %t[4] [4] [1]
        : tensor<4xf32> into tensor<8xf32>
    ```
    becomes
    ```mlir
    %e = tensor.extract_slice %t[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
    %x = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %y = tensor.insert_slice %x into %t[4] [4] [1]
        : tensor<4xf32> into tensor<8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
}

def PlaceResultsPass : Pass<"dit-place-results", "::mlir::func::FuncOp"> {
  let summary = "Compute the results of entries in the caller's memory";
  let description = [{
    Phase: memrefs to memrefs, right after bufferization. Numerics do not
    change.

    A function with `dit.entry` ends with copies into the arguments that stand
    for its results. The allocation that such a copy reads becomes the argument
    and the copy goes, where nothing writes to the allocation any more and
    nothing else uses the argument. Results that are the same buffer, or an
    argument, a constant or a part of a buffer, are still copied.

    ```mlir
    %a = memref.alloc() : memref<4xf32>
    linalg.exp ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
    memref.copy %a, %out : memref<4xf32> to memref<4xf32>
    return
    ```
    becomes
    ```mlir
    linalg.exp ins(%x : memref<4xf32>) outs(%out : memref<4xf32>)
    return
    ```
  }];
  let statistics = [
    Statistic<"numPlaced", "num-placed", "Allocations replaced by arguments">
  ];
}

def PlanTaskStackPass : Pass<"dit-plan-task-stack", "::mlir::func::FuncOp"> {
  let summary = "Put the buffers of each iteration of a parallel loop on the "
                "stack";
  let description = [{
    Phase: memrefs to memrefs, before `dit-plan-workspace`. Numerics do not
    change.

    The allocations of static size directly in an iteration of an outermost
    `scf.parallel` become parts of one `memref.alloca`. Buffers that are not in
    use at the same time share memory. Where that would take too much of the
    stack, they stay.

    ```mlir
    scf.parallel (%i) = (%c0) to (%n) step (%c1) {
      %t = memref.alloc() : memref<64x128xf32>
      ...
    ```
    becomes
    ```mlir
    scf.parallel (%i) = (%c0) to (%n) step (%c1) {
      %stack = memref.alloca() {alignment = 64 : i64} : memref<32768xi8>
      %t = memref.view %stack[%c0][] : memref<32768xi8> to memref<64x128xf32>
      ...
    ```
  }];
  let options = [
    Option<"maxBytes", "max-bytes", "int64_t", /*default=*/"524288",
           "Stack that the buffers of a task may take, in bytes">];
  let statistics = [
    Statistic<"numPlaced", "num-placed", "Allocations replaced">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def PlanWorkspacePass : Pass<"dit-plan-workspace", "::mlir::ModuleOp"> {
  let summary = "Replace allocations by parts of a workspace of the caller";
  let description = [{
    Phase: memrefs to memrefs, with or without kernels, before buffers are
    freed. Numerics do not change.

    Each `memref.alloc` whose size follows from the extents of the function's
    arguments becomes a `memref.view` of one more argument. Buffers that are not
    in use at the same time share memory. Private functions are done first: what
    one needs is allocated at each of its calls, and so planned with what the
    caller needs itself.

    In a function with `dit.entry` that size is what the caller of compiled code
    has to bring: the attribute `dit.workspace_size` if it is known, else the
    result of a function that the attribute `dit.query` names. Results of
    dynamic extents become arguments too, where the extents follow from those of
    the inputs; the query returns them as well.

    Allocations stay whose size depends on data, which a loop carries into its
    next iteration, or which the iterations of a parallel loop make.

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
              "Bytes that static allocations took one by one">,
    Statistic<"numBytesPlanned", "num-bytes-planned", "Bytes of workspaces of known size">
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

def CheckSizesPass : Pass<"dit-check-sizes"> {
  let summary = "Refuse tensors and memrefs that no process can address";
  let description = [{
    Phase: any, and changes nothing. Fails on the first value whose static
    extents need more than 2^47 bytes, the memory that a process can address:
    what comes after may then compute with sizes in 64 bits. Pipelines run it
    on what they are given and, again, on what becomes buffers.

    ```mlir
    %e = tensor.empty() : tensor<4x9223372036854775807xf32>
    // error: expected values of at most 2^47 bytes, which is what a process can
    // address, got 'tensor<4x9223372036854775807xf32>'; split it, or make an
    // extent smaller
    ```
  }];
}

#endif // DIT_TARGET_PASSES_TD
