//===- DitTokenOps.td - Token order ------------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITTOKENOPS_TD
#define DIT_DIALECT_DIT_IR_DITTOKENOPS_TD

include "dit/Dialect/Dit/IR/DitBase.td"

class Dit_TokenPermutationOp<string mnemonic>
    : Dit_DestinationOp<mnemonic> {
  let arguments = (ins Dit_Tokens:$input, Dit_Tokens:$output,
                       Dit_GridAttr:$grid, DenseI64ArrayAttr:$cube,
                       I64Attr:$dim);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` `dim` $dim `grid` $grid `cube` $cube
    `outs` `(` $output `:` type($output) `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Dit_GroupTokensOp : Dit_TokenPermutationOp<"group_tokens"> {
  let summary = "Brings the tokens of each 3-D cube together";
  let description = [{
    Permutes dimension `dim`, the tokens of `grid`, so that the video tokens
    of each `cube = [frames, height, width]` are contiguous: cubes in
    row-major order of the grid, tokens in row-major order inside a cube, and
    cubes at the far edges hold what exists. Text tokens stay in place.
  }];
}

def Dit_UngroupTokensOp : Dit_TokenPermutationOp<"ungroup_tokens"> {
  let summary = "Inverse of group_tokens";
  let description = [{
    Restores the row-major order of the grid after `dit.group_tokens` with the
    same `dim`, `grid` and `cube`.
  }];
}

#endif // DIT_DIALECT_DIT_IR_DITTOKENOPS_TD
