//===- DitMaskOps.td - Scores and tile lists ---------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITMASKOPS_TD
#define DIT_DIALECT_DIT_IR_DITMASKOPS_TD

include "dit/Dialect/Dit/IR/DitBase.td"

def Dit_LowRankScoreOp : Dit_DestinationOp<"low_rank_score"> {
  let summary = "Scores of key tiles per query tile from low-rank projections";
  let description = [{
    With `q` of `[B, Hq, Sq, r]`, `k` of `[B, Hkv, Skv, r]`, `Hq` a multiple of
    `Hkv`, and `tile = [tq, tkv]`:

    ```
    scores[b,h,a,c] = scale * sum_r Q[b,h,a,r] K[b,h / (Hq / Hkv),c,r]
    ```

    where `Q[.., a, ..]` stands for tile `a` of the queries and `K[.., c, ..]`
    for tile `c` of the keys: its token `min(tile * t + t / 2, last)`
    (`center`), its first token (`first`), or the mean of its tokens
    (`mean`). A last tile that is not full has the tokens that exist. Scores
    are f32 (f64 for f64).
  }];
  let arguments = (ins
    Dit_LowRank:$q, Dit_LowRank:$k, Dit_Score:$scores,
    DenseI64ArrayAttr:$tile, Dit_ProxyAttr:$proxy,
    DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let assemblyFormat = [{
    `ins` `(` $q `,` $k `:` type($q) `,` type($k) `)`
    `by` $tile `proxy` $proxy
    `outs` `(` $scores `:` type($scores) `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
    int64_t getQTile() { return getTile()[0]; }
    int64_t getKVTile() { return getTile()[1]; }
  }];
}

def Dit_TopkMaskOp : Dit_DestinationOp<"topk_mask"> {
  let summary = "The tile list of the highest scores";
  let description = [{
    For each row of `scores` of `[B, H, Qt, Kt]`, selects key tiles:

    - `count(%k)`: the `k[h]` highest, `k` of `[H]` or `[1]`;
    - `fraction`: the `ceil(fraction * Kt)` highest;
    - `mass`: the smallest number of highest scores whose softmax sums to at
      least `mass` of the row.

    Exactly one of the three is given. Equal scores are taken in ascending
    order of the tile; a NaN counts as -inf. `keep`, a pattern over tile
    coordinates (rows are query tiles, columns key tiles), names tiles that
    are always selected: they come first, in ascending order, and count towards
    the number, which they may exceed. At most `cap` tiles, the last extent of
    `idx`, are selected. With `mass`, a row of nothing above -inf selects no
    tile but those.

    `num[b,h,a]` is how many were selected and `idx[b,h,a,:num]` their
    ascending indices; later entries keep what `outs` held.
  }];
  let arguments = (ins
    Dit_Score:$scores, Optional<Dit_Counts>:$count,
    Dit_TileNum:$num, Dit_TileIdx:$idx,
    OptionalAttr<F64Attr>:$fraction, OptionalAttr<F64Attr>:$mass,
    OptionalAttr<Dit_PatternAttrInterface>:$keep);
  let assemblyFormat = [{
    `ins` `(` $scores `:` type($scores) `)`
    (`count` `(` $count^ `:` type($count) `)`)?
    (`fraction` `(` $fraction^ `)`)?
    (`mass` `(` $mass^ `)`)?
    (`keep` `(` $keep^ `)`)?
    `outs` `(` $num `,` $idx `:` type($num) `,` type($idx) `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Dit_TilesUnionOp : Dit_DestinationOp<"tiles_union"> {
  let summary = "Union of two tile lists, row by row";
  let description = [{
    Row `(b, h, a)` of the result lists, ascending and once, every tile that
    either operand lists in that row; batch and head dimensions of extent 1
    broadcast. At most the `cap` lowest are kept.
  }];
  let arguments = (ins
    Dit_TileNum:$num1, Dit_TileIdx:$idx1, Dit_TileNum:$num2,
    Dit_TileIdx:$idx2, Dit_TileNum:$num, Dit_TileIdx:$idx);
  let assemblyFormat = [{
    `ins` `(` `(` $num1 `,` $idx1 `)` `,` `(` $num2 `,` $idx2 `)` `:`
      type($num1) `,` type($idx1) `,` type($num2) `,` type($idx2) `)`
    `outs` `(` $num `,` $idx `:` type($num) `,` type($idx) `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Dit_TilesSliceOp : Dit_DestinationOp<"tiles_slice"> {
  let summary = "The rows of a tile list for some batches, heads and queries";
  let description = [{
    Rows `[offset_b, offset_h, offset_q]` onwards, as many as `outs` has.
    A batch or head dimension of extent 1 stands for all and is kept whole,
    whatever its offset.
  }];
  let arguments = (ins
    Dit_TileNum:$srcNum, Dit_TileIdx:$srcIdx,
    Index:$batchOffset, Index:$headOffset, Index:$queryOffset,
    Dit_TileNum:$num, Dit_TileIdx:$idx);
  let assemblyFormat = [{
    `ins` `(` $srcNum `,` $srcIdx `:` type($srcNum) `,` type($srcIdx) `)`
    `at` `(` $batchOffset `,` $headOffset `,` $queryOffset `)`
    `outs` `(` $num `,` $idx `:` type($num) `,` type($idx) `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Dit_TilesTransposeOp : Dit_DestinationOp<"tiles_transpose"> {
  let summary = "The query tiles that look at each key tile";
  let description = [{
    Row `(b, h, c)` of the result lists, ascending, every query tile `a` whose
    row lists key tile `c`. At most the `cap` lowest are kept.
  }];
  let arguments = (ins
    Dit_TileNum:$srcNum, Dit_TileIdx:$srcIdx, Dit_TileNum:$num,
    Dit_TileIdx:$idx);
  let assemblyFormat = [{
    `ins` `(` $srcNum `,` $srcIdx `:` type($srcNum) `,` type($srcIdx) `)`
    `outs` `(` $num `,` $idx `:` type($num) `,` type($idx) `)` attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

#endif // DIT_DIALECT_DIT_IR_DITMASKOPS_TD
