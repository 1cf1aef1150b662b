//===- DitBase.td - Shared definitions of dit ops ----------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITBASE_TD
#define DIT_DIALECT_DIT_IR_DITBASE_TD

include "dit/Dialect/Dit/IR/DitAttributes.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Element types an attention computes on.
def Dit_Float : AnyTypeOf<[F64, F32, F16, BF16]>;
// Element types of scores and of the log-sum-exp.
def Dit_Accumulator : AnyTypeOf<[F64, F32]>;

class Dit_Shaped<list<Type> elements, string text>
    : AnyTypeOf<[RankedTensorOf<elements>, MemRefOf<elements>], text>;
class Dit_ShapedRank<list<Type> elements, list<int> ranks, string text>
    : AnyTypeOf<[TensorRankOf<elements, ranks>, MemRefRankOf<elements, ranks>],
                text>;

// An attention operand: two to four dimensions named by its dimension order.
def Dit_AttentionOperand : Dit_ShapedRank<[F64, F32, F16, BF16], [2, 3, 4],
    "2D/3D/4D tensor or memref of f64, f32, f16 or bf16">;
def Dit_Bias : Dit_ShapedRank<[F64, F32, F16, BF16], [4],
    "4D tensor or memref of f64, f32, f16 or bf16">;
def Dit_Lse : Dit_ShapedRank<[F64, F32], [3],
    "3D tensor or memref of f64 or f32">;
def Dit_Score : Dit_ShapedRank<[F64, F32], [4],
    "4D tensor or memref of f64 or f32">;
def Dit_LowRank : Dit_ShapedRank<[F64, F32, F16, BF16], [4],
    "4D tensor or memref of f64, f32, f16 or bf16">;
def Dit_TileNum : Dit_ShapedRank<[I32], [3], "3D tensor or memref of i32">;
def Dit_TileIdx : Dit_ShapedRank<[I32], [4], "4D tensor or memref of i32">;
def Dit_Counts : Dit_ShapedRank<[I32], [1], "1D tensor or memref of i32">;
def Dit_Tokens : Dit_Shaped<[AnyType], "ranked tensor or memref">;

class Dit_Op<string mnemonic, list<Trait> traits = []>
    : Op<DitDialect, mnemonic, traits>;

// A destination-style op: its results have the types of its tensor `outs`, so
// the assembly does not repeat them; on memrefs it has none.
class Dit_DestinationOp<string mnemonic, list<Trait> traits = []>
    : Dit_Op<mnemonic, traits # [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<InferTypeOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // DIT_DIALECT_DIT_IR_DITBASE_TD
