//===- DitBranchOps.td - Residual branches -----------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITBRANCHOPS_TD
#define DIT_DIALECT_DIT_IR_DITBRANCHOPS_TD

include "dit/Dialect/Dit/IR/DitBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

// The regions capture what they read (weights, conditioning): hundreds of
// values, which as operands would hide the few that matter. The stages are
// regions of their own, so that what lies before a point of caching cannot be
// read after it but for the values that are kept there.
def Dit_BranchOp : Dit_Op<"branch", [RecursiveMemoryEffects]> {
  let summary = "What joins a residual stream by one addition";
  let description = [{
    The branch `site` of a model, in up to three stages: `attend`, up to the
    output of the attention, head by head; `project`, up to the output
    projection; `gate`, the last factors. Each stage takes what the one before
    yields, and the last one yields what is added to each of the streams. A
    stage that is missing does nothing. The points between are those where a
    plan can keep a value.

    ```mlir
    %y = dit.branch "blocks.0.attn1" full layer 0 heads 2
        of(%x : tensor<8x4xf32>) attend {
      %a = dit.attention ins(%x, %x, %x : ...) outs(%init : ...) {...}
      dit.yield %a : tensor<8x4xf32>
    } project {
    ^bb0(%a: tensor<8x4xf32>):
      %p = linalg.matmul ins(%a, %w : ...) outs(%zero : ...)
      dit.yield %p : tensor<8x4xf32>
    } -> tensor<8x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$site, Dit_BranchKind:$kind,
                       OptionalAttr<I64Attr>:$layer,
                       DefaultValuedAttr<I64Attr, "1">:$heads,
                       Variadic<AnyRankedTensor>:$streams);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$attendRegion,
                        MaxSizedRegion<1>:$projectRegion,
                        MaxSizedRegion<1>:$gateRegion);
  let assemblyFormat = [{
    $site $kind (`layer` $layer^)? (`heads` $heads^)?
    `of` `(` $streams `:` type($streams) `)`
    (`attend` $attendRegion^)? (`project` $projectRegion^)?
    (`gate` $gateRegion^)? attr-dict `->` type($results)
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The region of a stage, which may be empty.
    ::mlir::Region &getStage(CachePoint point);
    /// What the stages up to `point` yield: the types of what is kept there.
    ::mlir::TypeRange getTypesAt(CachePoint point);
    /// The attention; null in an MLP, or if there are several.
    AttentionOp getAttention();
  }];
}

#endif // DIT_DIALECT_DIT_IR_DITBRANCHOPS_TD
