// RUN: dit-opt %s --dit-to-cpu | FileCheck %s
// RUN: dit-opt %s --dit-to-cpu="workspace=false max-stack-bytes=0" | FileCheck %s --check-prefix=HEAP

// Everything is in the LLVM dialect, and what was allocated is freed.
// CHECK-NOT: {{(linalg|memref|scf|cf|func|arith|vector|builtin)\.}}
// CHECK-LABEL: llvm.func @main(
// CHECK-NOT: {{(linalg|memref|scf|cf|func|arith|vector|builtin)\.}}
// HEAP-LABEL: llvm.func @main(
// HEAP: llvm.call @_mlir_memref_to_llvm_alloc
// HEAP: llvm.call @_mlir_memref_to_llvm_alloc
// HEAP: llvm.call @_mlir_memref_to_llvm_free
func.func @main(%x: tensor<8x16xf32>, %w: tensor<16x16xf32>, %n: tensor<?x16xf32>) -> (tensor<8x16xf32>, tensor<?x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %m = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x16xf32>) outs(%f : tensor<8x16xf32>) -> tensor<8x16xf32>
  %t = linalg.matmul ins(%m, %w : tensor<8x16xf32>, tensor<16x16xf32>) outs(%f : tensor<8x16xf32>) -> tensor<8x16xf32>
  %s = arith.addf %n, %n : tensor<?x16xf32>
  return %t, %s : tensor<8x16xf32>, tensor<?x16xf32>
}
