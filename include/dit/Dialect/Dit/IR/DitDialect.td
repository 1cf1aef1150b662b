//===- DitDialect.td - The dit dialect ---------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITDIALECT_TD
#define DIT_DIALECT_DIT_IR_DITDIALECT_TD

include "mlir/IR/OpBase.td"

def DitDialect : Dialect {
  let name = "dit";
  let cppNamespace = "::mlir::dit";
  let summary = "Attention of diffusion transformers";
  let description = [{
    Ops for the attention of diffusion transformers: scaled-dot-product
    attention under static patterns and run-time tile lists, the selection of
    those tiles by low-rank scores, and the reuse of results across diffusion
    steps. Ops are destination style and exist on tensors and on memrefs.
    `--dit-decompose` gives each op its meaning in upstream dialects;
    `docs/Spec.md` states it in formulas.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

#endif // DIT_DIALECT_DIT_IR_DITDIALECT_TD
