//===- DitAttentionOps.td - Attention ops ------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITATTENTIONOPS_TD
#define DIT_DIALECT_DIT_IR_DITATTENTIONOPS_TD

include "dit/Dialect/Dit/IR/DitBase.td"
include "dit/Dialect/Dit/IR/DitInterfaces.td"

// An op of queries, keys and values in dimension orders of their own.
class Dit_AttentionLikeOp<string mnemonic>
    : Dit_DestinationOp<mnemonic, [
        AttrSizedOperandSegments,
        DeclareOpInterfaceMethods<Dit_AttentionOpInterface,
                                  ["getOrderedOperands"]>]> {
  let hasCanonicalizer = 1;
}

def Dit_AttentionOp : Dit_AttentionLikeOp<"attention"> {
  let summary = "Scaled-dot-product attention under a pattern and a tile list";
  let description = [{
    With q of `[B, Hq, Sq, D]`, k of `[B, Hkv, Skv, D]` and v of
    `[B, Hkv, Skv, Dv]`, each stored in the dimension order that `q_order`,
    `k_order`, `v_order` and `o_order` name, and `g = h / (Hq / Hkv)`:

    ```
    s[b,h,i,j] = scale * sum_d q[b,h,i,d] k[b,g,j,d] + bias[b,h,i,j]
                 where (i, j) is allowed, else -inf
    lse[b,h,i] = ln sum_j exp(s[b,h,i,j])
    o[b,h,i,:] = sum_j exp(s[b,h,i,j] - lse[b,h,i]) v[b,g,j,:]
    ```

    A position is allowed when `pattern` contains it, when the tile it lies in
    is listed, and when `j < kv_valid[b]`; each condition that is absent holds.
    Row `a` of the tile list allows queries `[a * tile_q, (a+1) * tile_q)` to
    look at keys `[t * tile_kv, (t+1) * tile_kv)` for the `num[b,h,a]` entries
    `t` of `idx[b,h,a,:]`, absolute and ascending. The bias and the list
    broadcast from dimensions of extent 1.

    `half_widths` gives each query head a band of its own at run time: with
    `w = half_widths[h]`, the pattern of head `h` also contains `(i, j)` where
    `|i - j| <= w`, and nothing else if no pattern is given. A `w` of -1 does
    not limit. A `w` of 0 skips the head: what `outs` held stays. With
    `#dit.arrow<width = 0, text = n>` these are the arrows of DiTFastAttnV2.

    A row with nothing above -inf gives zeros and an LSE of -inf. Low
    precision means: cast to f32, f32 arithmetic, cast back.

    ```mlir
    %o, %lse = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>,
        tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
        pattern(#dit.window<left = 8, right = 8>)
        outs(%init, %init_lse : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>)
        {scale = 0.17677669529663687 : f64, site = "blocks.0.attn1"}
    ```
  }];
  let arguments = (ins
    Dit_AttentionOperand:$q, Dit_AttentionOperand:$k, Dit_AttentionOperand:$v,
    Optional<Dit_Bias>:$bias,
    Optional<Dit_TileNum>:$tileNum, Optional<Dit_TileIdx>:$tileIdx,
    Optional<Dit_Counts>:$kvValid,
    Dit_AttentionOperand:$output, Optional<Dit_Lse>:$lse,
    // Last, so that bytecode without it still reads.
    Optional<Dit_Counts>:$halfWidths,
    F64Attr:$scale,
    OptionalAttr<Dit_PatternAttrInterface>:$pattern,
    OptionalAttr<DenseI64ArrayAttr>:$tile,
    OptionalAttr<Dit_DimOrderAttr>:$q_order,
    OptionalAttr<Dit_DimOrderAttr>:$k_order,
    OptionalAttr<Dit_DimOrderAttr>:$v_order,
    OptionalAttr<Dit_DimOrderAttr>:$o_order,
    OptionalAttr<StrAttr>:$site,
    OptionalAttr<Dit_AttentionKindAttr>:$kind,
    OptionalAttr<I64Attr>:$layer,
    OptionalAttr<Dit_GridAttr>:$grid);
  let assemblyFormat = [{
    `ins` `(` $q `,` $k `,` $v `:` type($q) `,` type($k) `,` type($v) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`pattern` `(` $pattern^ `)`)?
    (`tiles` `(` $tileNum^ `,` $tileIdx `:` type($tileNum) `,` type($tileIdx)
      `)` `by` $tile)?
    (`kv_valid` `(` $kvValid^ `:` type($kvValid) `)`)?
    (`half_widths` `(` $halfWidths^ `:` type($halfWidths) `)`)?
    `outs` `(` $output (`,` $lse^)? `:` type($output) (`,` type($lse)^)? `)`
    attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();

    /// A copy of this op, which has an LSE, that does not compute it.
    AttentionOp cloneWithoutLse(::mlir::OpBuilder &builder);

    /// Dimension orders with the default `bhsd` filled in.
    DimOrderAttr getQDimOrder();
    DimOrderAttr getKDimOrder();
    DimOrderAttr getVDimOrder();
    DimOrderAttr getODimOrder();
  }];
}

def Dit_AttentionPairOp : Dit_AttentionLikeOp<"attention_pair"> {
  let summary = "An attention, and the same within a second pattern";
  let description = [{
    Two results of `dit.attention` on the same queries, keys and values, whose
    scores are computed once: `output` under `pattern`, and `inner` where the
    position is in `within` too. The difference of the two is the residual that
    DiTFastAttn keeps of a full step.

    `half_widths` gives the second pattern of each query head a band at run
    time: with `w = half_widths[h]`, it also holds `(i, j)` where
    `|i - j| <= w`, and nothing else if `within` is not given. With a `w` of -1
    it holds everything, so that `inner` is `output`. A `w` of 0 skips the head:
    what both `outs` held stays. Half-widths come without `pattern`.

    ```mlir
    %full, %window = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>,
        tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
        within(#dit.window<left = 8, right = 8>)
        outs(%a, %b : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
        {scale = 0.17677669529663687 : f64}
    ```
  }];
  let arguments = (ins
    Dit_AttentionOperand:$q, Dit_AttentionOperand:$k, Dit_AttentionOperand:$v,
    Optional<Dit_Bias>:$bias, Optional<Dit_Counts>:$kvValid,
    Optional<Dit_Counts>:$halfWidths,
    Dit_AttentionOperand:$output, Dit_AttentionOperand:$inner,
    F64Attr:$scale,
    OptionalAttr<Dit_PatternAttrInterface>:$pattern,
    OptionalAttr<Dit_PatternAttrInterface>:$within,
    OptionalAttr<Dit_DimOrderAttr>:$q_order,
    OptionalAttr<Dit_DimOrderAttr>:$k_order,
    OptionalAttr<Dit_DimOrderAttr>:$v_order,
    OptionalAttr<Dit_DimOrderAttr>:$o_order,
    OptionalAttr<Dit_DimOrderAttr>:$inner_order);
  let assemblyFormat = [{
    `ins` `(` $q `,` $k `,` $v `:` type($q) `,` type($k) `,` type($v) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`pattern` `(` $pattern^ `)`)?
    (`within` `(` $within^ `)`)?
    (`kv_valid` `(` $kvValid^ `:` type($kvValid) `)`)?
    (`half_widths` `(` $halfWidths^ `:` type($halfWidths) `)`)?
    `outs` `(` $output `,` $inner `:` type($output) `,` type($inner) `)`
    attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();

    /// Everything that `inner` attends to, as one pattern but for half-widths:
    /// both patterns, or the one that is given.
    PatternAttrInterface getInnerPattern();
  }];
}

def Dit_AttentionBackwardOp : Dit_AttentionLikeOp<"attention_backward"> {
  let summary = "Gradient of an attention";
  let description = [{
    Given what `dit.attention` takes, what it gives (`o` and `lse`) and the
    gradient `do` of its output, computes the gradients of q, k and v. With
    `s` the scores of the attention, `g = h / (Hq / Hkv)`, and the sums of dk
    and dv over the query heads of a key head:

    ```
    p[b,h,i,j]  = exp(s[b,h,i,j] - lse[b,h,i]) where (i, j) is allowed, else 0
    delta[b,h,i] = sum_d do[b,h,i,d] o[b,h,i,d]
    ds[b,h,i,j] = p[b,h,i,j] (sum_d do[b,h,i,d] v[b,g,j,d] - delta[b,h,i])
    dq[b,h,i,:] = scale * sum_j ds[b,h,i,j] k[b,g,j,:]
    dk[b,g,j,:] = scale * sum_{h,i} ds[b,h,i,j] q[b,h,i,:]
    dv[b,g,j,:] = sum_{h,i} p[b,h,i,j] do[b,h,i,:]
    ```

    The weights are computed anew from `lse`, so the op stores nothing of the
    size of the scores. A row with an LSE of -inf has no weights. There is no
    gradient of the bias.

    ```mlir
    %dq, %dk, %dv = dit.attention_backward
        ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>,
            tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>,
            tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
        pattern(#dit.window<left = 8, right = 8>)
        outs(%dq0, %dk0, %dv0 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>,
             tensor<2x4x64x32xf32>)
        {scale = 0.17677669529663687 : f64}
    ```
  }];
  let arguments = (ins
    Dit_AttentionOperand:$q, Dit_AttentionOperand:$k, Dit_AttentionOperand:$v,
    Dit_AttentionOperand:$o, Dit_Lse:$lse, Dit_AttentionOperand:$d_o,
    Optional<Dit_Bias>:$bias,
    Optional<Dit_TileNum>:$tileNum, Optional<Dit_TileIdx>:$tileIdx,
    Optional<Dit_Counts>:$kvValid,
    Dit_AttentionOperand:$dq, Dit_AttentionOperand:$dk,
    Dit_AttentionOperand:$dv,
    F64Attr:$scale,
    OptionalAttr<Dit_PatternAttrInterface>:$pattern,
    OptionalAttr<DenseI64ArrayAttr>:$tile,
    OptionalAttr<Dit_DimOrderAttr>:$q_order,
    OptionalAttr<Dit_DimOrderAttr>:$k_order,
    OptionalAttr<Dit_DimOrderAttr>:$v_order,
    OptionalAttr<Dit_DimOrderAttr>:$o_order,
    OptionalAttr<Dit_DimOrderAttr>:$do_order,
    OptionalAttr<Dit_DimOrderAttr>:$dq_order,
    OptionalAttr<Dit_DimOrderAttr>:$dk_order,
    OptionalAttr<Dit_DimOrderAttr>:$dv_order);
  let assemblyFormat = [{
    `ins` `(` $q `,` $k `,` $v `,` $o `,` $lse `,` $d_o `:` type($q) `,`
      type($k) `,` type($v) `,` type($o) `,` type($lse) `,` type($d_o) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`pattern` `(` $pattern^ `)`)?
    (`tiles` `(` $tileNum^ `,` $tileIdx `:` type($tileNum) `,` type($tileIdx)
      `)` `by` $tile)?
    (`kv_valid` `(` $kvValid^ `:` type($kvValid) `)`)?
    `outs` `(` $dq `,` $dk `,` $dv `:` type($dq) `,` type($dk) `,` type($dv)
      `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Dit_AttentionMergeOp : Dit_DestinationOp<"attention_merge"> {
  let summary = "Joins attention results over disjoint sets of keys";
  let description = [{
    With `o1`, `o2` of `[B, H, S, D]` and `lse1`, `lse2` of `[B, H, S]`:

    ```
    lse = ln(exp(lse1) + exp(lse2))
    o   = exp(lse1 - lse) o1 + exp(lse2 - lse) o2
    ```

    A row that both sides left empty stays zero, with an LSE of -inf.
  }];
  let arguments = (ins
    Dit_LowRank:$o1, Dit_Lse:$lse1, Dit_LowRank:$o2, Dit_Lse:$lse2,
    Dit_LowRank:$output, Dit_Lse:$lse);
  let assemblyFormat = [{
    `ins` `(` `(` $o1 `,` $lse1 `)` `,` `(` $o2 `,` $lse2 `)` `:`
      type($o1) `,` type($lse1) `,` type($o2) `,` type($lse2) `)`
    `outs` `(` $output `,` $lse `:` type($output) `,` type($lse) `)`
    attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

#endif // DIT_DIALECT_DIT_IR_DITATTENTIONOPS_TD
