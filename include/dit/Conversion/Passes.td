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
// LinalgToCPU
//===----------------------------------------------------------------------===//

def ConvertLinalgToCPU : Pass<"convert-linalg-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Turns linalg on memrefs into calls of vector kernels";
  let description = [{
    Phase 3 to phase 4. Sums are taken in another order than written, several
    partial sums at a time; nothing else changes numerics.

    Every `linalg` op on memrefs, and every `memref.copy` between layouts, is
    moved to a private function, one per distinct op and operand types, which
    all places that need it call. Its body is

    - for a matrix product (any layout of its operands, at most one batch
      dimension), register-blocked vector code over packed panels of the
      right-hand side, accumulated in f32, or f64 for f64;
    - for other ops, loops with vector lanes along a parallel dimension, or
      along a reduction dimension with a vector of partial results.

    Outer parallel loops are `scf.parallel` where there is enough work. A loop
    over tiles of rows becomes a function, too, which calls those of its ops.
    A product whose output was just filled with zeros replaces the fill.

    ```mlir
    linalg.generic {…} ins(%a : memref<64x128xf32>) outs(%b : memref<64x128xf32>) {…}
    // becomes
    func.call @linalg_generic(%a, %b) : (memref<64x128xf32>, memref<64x128xf32>) -> ()
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"0",
           "Width of a vector register in bits; 0 asks the module's target "
           "description and then the host">];
  let statistics = [
    Statistic<"numKernels", "kernels", "Distinct kernel functions">,
    Statistic<"numCalls", "kernel-calls", "Ops that became calls of them">,
    Statistic<"numPacked", "matmul-kernels",
              "Kernels that are packed matrix products">,
    Statistic<"numScalar", "scalar-kernels",
              "Kernels without vectors">];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def FuseRowsForCPU : Pass<"fuse-rows-for-cpu", "::mlir::ModuleOp"> {
  let summary = "Runs chains of linalg ops on tensors tile of rows by tile of "
                "rows";
  let description = [{
    Phase 2 to phase 2, after `optimize-linalg-for-cpu`; numerics do not change.

    Ops are row-wise if each row of their result needs the same row of what
    another row-wise op computed, and anything of other values: elementwise ops,
    reductions along a row, products with weights in panels, and reshapes and
    slices that keep the rows. The rows of a tensor are its leading dimensions;
    how many there are is told by the products of the block. Row-wise ops
    between two ops that are not, such as attentions, become one `scf.forall`
    over tiles of rows. What a tile computes and no op outside of the loop needs
    exists for one tile only, and stays in the cache of a core. Products whose
    weights together exceed the second-level cache go to loops of their own, and
    extents that are not static are left alone.

    ```mlir
    %a = linalg.generic … ins(%x, %panels)  // product : tensor<4096x4x32xf32>
    %b = linalg.generic … ins(%a, %bias)    // add, tanh
    // becomes
    %b = scf.forall (%i) in (64) shared_outs(%o = %e) -> (tensor<4096x4x32xf32>) {
      %rows = tensor.extract_slice %x[%i * 64, 0] [64, 128] [1, 1]
      %a = linalg.generic … ins(%rows, %panels)
      %b = linalg.generic … ins(%a, %bias)
      …
    }
    ```
  }];
  let options = [
    Option<"tileRows", "tile-rows", "int64_t", /*default=*/"64",
           "Rows of a tile; halved, down to 16, where that is too many">];
  let statistics = [
    Statistic<"numGroups", "groups", "Loops over tiles of rows">,
    Statistic<"numFused", "fused-ops", "Ops that they hold">];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def OptimizeLinalgForCPU
    : Pass<"optimize-linalg-for-cpu", "::mlir::ModuleOp"> {
  let summary = "Fuses and simplifies linalg on tensors for the CPU";
  let description = [{
    Phase 2 to phase 2, just before bufferization; numerics do not change but
    for the order of the sums of a convolution, and of a product and its bias.

    - Transposes of constants are computed, those of other operands of a
      matrix product are folded into its indexing maps.
    - A batched product with the same right-hand side for all batches becomes
      one product of all rows; a convolution whose windows neither overlap nor
      leave gaps becomes a product of windows and filters.
    - Elementwise ops fuse into their users, elementwise ops and reductions,
      across reshapes; cheap ones are repeated in each user. `tensor.concat`
      becomes insertions, `linalg.softmax` its parts.
    - The constant right-hand side of a product of many rows is stored in
      panels, the order in which its kernel reads it, if these have no gaps.
    - Where a bias for each column is all that an elementwise op first does to a
      product, the sums of the product begin as the bias: a third input, which
      the body selects at index 0 of the sum.
    - Every user of a fill or an empty tensor gets its own, and arguments of
      public functions are marked as not writable.

    ```mlir
    %t = linalg.transpose ins(%weight) outs(%e) permutation = [1, 0]
    %m = linalg.matmul ins(%x, %t) outs(%zero)
    %y = linalg.generic … ins(%m, %bias)    // add
    %z = linalg.generic … ins(%y)           // tanh
    // becomes
    %m = linalg.matmul ins(%x, %transposed_weight) outs(%zero)
    %z = linalg.generic … ins(%m, %bias)    // add, tanh
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"0",
           "Width of a vector register in bits; 0 asks the module's target "
           "description and then the host">];
  let statistics = [
    Statistic<"numPacked", "packed-weights",
              "Products whose constant operand is stored in panels">,
    Statistic<"numBiased", "biased-products",
              "Products whose sums begin as a bias">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

//===----------------------------------------------------------------------===//
// MathToCPU
//===----------------------------------------------------------------------===//

def ConvertMathToCPU : Pass<"convert-math-to-cpu"> {
  let summary = "Turns math functions into vector arithmetic";
  let description = [{
    Phase 4; numerics change by the error of the approximations.

    `math.exp`, `math.log`, `math.tanh` and `math.erf` on vectors of f32 or
    narrower floats become polynomials, with an error of a few units in the
    last place of f32. On any type, `math.fpowi` becomes multiplications for
    constant exponents of at most 64 and `math.powf` for others, and
    `math.rsqrt` becomes a division by a square root. All else is left to
    `convert-math-to-libm`.

    ```mlir
    %y = math.fpowi %x, %c3 : f32, i64
    // becomes
    %xx = arith.mulf %x, %x : f32
    %y = arith.mulf %x, %xx : f32
    ```
  }];
  let statistics = [
    Statistic<"numApproximated", "approximated-ops",
              "Vector functions that became polynomials">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"];
}

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

//===----------------------------------------------------------------------===//
// DitToCPU
//===----------------------------------------------------------------------===//

def ConvertDitToCPU : Pass<"convert-dit-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Turn dit ops on memrefs into calls of generated CPU kernels";
  let description = [{
    Accepts bufferized IR (phase 3) and yields kernels (phase 4): every compute
    op of dit on memrefs becomes a call of a private function that this pass
    generates as `vector`, `memref`, `scf` and `arith` IR. There is one function
    for each distinct configuration (op, shapes, pattern, tile, types), shared
    by all its call sites; operands are handed over as strided views with their
    dimensions in one order, nothing is copied. Parallelism is `scf.parallel`.
    Scores that nothing but one `dit.topk_mask` reads are made by its function,
    a few rows at a time.

    ```mlir
    dit.attention ins(%q, %k, %v : memref<1x4x4096x64xf32>, ...)
        outs(%o : memref<1x4x4096x64xf32>) {scale = 0.125 : f64}
    // becomes
    call @dit_attention_f32_q4096_kv4096_d64(%qv, %kv, %vv, %ov) : (...) -> ()
    ```

    Numerics change as any reassociation changes them: an attention is computed
    by an online softmax in f32 (f64 for f64) and never stores its scores; what
    a pattern, a tile list or `kv_valid` leaves out is skipped. On a machine
    with dot products of bf16 an attention on bf16 rounds its weights to bf16.

    What is not given by options comes from the `CPU` device of the module's
    `dlti.target_system_spec`, then from the host.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "0",
           "Width of a vector register in bits (0: ask the host)">,
    Option<"registers", "registers", "int64_t", "0",
           "Number of vector registers (0: ask the host)">,
    Option<"bf16Dot", "bf16-dot", "int64_t", "-1",
           "Whether there is a dot product of bf16 pairs, 0 or 1 (-1: ask the "
           "host)">,
    Option<"compress", "compress", "int64_t", "-1",
           "Whether there is an instruction that moves chosen lanes to the "
           "front of a vector, 0 or 1 (-1: ask the host)">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "0",
           "Size of the first-level data cache in bytes (0: ask the host)">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "0",
           "Size of the second-level cache in bytes (0: ask the host)">,
  ];
  let statistics = [
    Statistic<"numCalls", "calls", "Number of ops turned into calls">,
    Statistic<"numKernels", "kernels", "Number of kernel functions made">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
    "::mlir::x86vector::X86VectorDialect"
  ];
}

//===----------------------------------------------------------------------===//
// NVVMToEmulator
//===----------------------------------------------------------------------===//

def ConvertNVVMToEmulator : Pass<"convert-nvvm-to-emulator", "::mlir::ModuleOp"> {
  let summary = "Let GPU kernels run on the CPU, in the emulator";
  let description = [{
    Accepts `gpu.module`s in the LLVM and NVVM dialects, and `gpu.launch_func`s
    of their kernels with memrefs or LLVM values as operands. The functions move
    to the module around and become native code of one thread; special
    registers, barriers, what lanes of a warp do together, matrix instructions,
    asynchronous copies and accesses to memory become calls of
    `dit/Emulator/Emulator.h`. Results are the GPU's, but for the order in which
    matrix instructions add and for approximations (`ex2`, `rcp`), which are
    exact here.

    ```mlir
    gpu.module @m {
      llvm.func @k(%p: !llvm.ptr) attributes {nvvm.kernel} {
        nvvm.barrier0
        llvm.return
      }
    }
    // becomes
    llvm.func internal @m_k(%p: !llvm.ptr) {
      %id = llvm.mlir.constant(0 : i32) : i32
      %threads = llvm.mlir.constant(-1 : i32) : i32
      %wait = llvm.mlir.constant(true) : i1
      %place = llvm.mlir.addressof @dit_emu_text : !llvm.ptr
      llvm.call @dit_emu_barrier(%id, %threads, %wait, %place) : ...
      llvm.return
    }
    ```

    An operation that the emulator does not know, such as inline assembly, is an
    error.
  }];
  let statistics = [
    Statistic<"numKernels", "kernels", "Number of kernels converted">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

#endif // DIT_CONVERSION_PASSES_TD
