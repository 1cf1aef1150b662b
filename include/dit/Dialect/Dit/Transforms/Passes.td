//===- Passes.td - Transforms of the dit dialect -----------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD
#define DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DecomposePass : Pass<"dit-decompose"> {
  let summary = "Rewrite every dit op on tensors into upstream ops";
  let description = [{
    Replaces each op by `linalg`, `tensor`, `arith`, `math` and `scf` ops that
    say what it means: the executable definition of the dialect, written to be
    read and to be compared with, never to be fast. Attention holds its whole
    score matrix in memory, and top-k compares all pairs of tiles.

    Low-precision operands are extended to f32, computed with in f32 and
    rounded once at the end. Ops on memrefs are left alone.

    Accepts phases 1 and 2 and yields `linalg` on tensors. Numerics are the
    dialect's by definition.

    ```mlir
    %r = dit.attention_merge ins((%o1, %l1), (%o2, %l2) : ...) outs(%o, %l : ...)
    ```

    becomes two `linalg.generic`, one for the output and one for the
    log-sum-exp.
  }];
  let statistics = [
    Statistic<"numDecomposed", "num-decomposed", "Ops rewritten">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def LowerReusePass : Pass<"dit-lower-reuse"> {
  let summary = "Lower reuse across steps to control flow";
  let description = [{
    Turns `dit.reuse` into `scf.if` and `dit.scheduled` into `arith`. The new
    states are built into the state values themselves, which is what lets
    bufferization keep each cache in one buffer; without an `otherwise` region
    the other branch gives the states back.

    A schedule becomes the bits of one `i64` word, or of a constant tensor of
    words when it has more than 64 steps. Steps outside the schedule compute.

    Accepts phases 1 and 2 and yields phase 2 (`dit` on tensors, no reuse).
    Numerics do not change.

    ```mlir
    %y, %c1 = dit.reuse compute(%on) state(%c0 : tensor<4xf32>) {
    ^bb0(%dst: tensor<4xf32>):
      %b = linalg.exp ins(%x : tensor<4xf32>) outs(%dst : tensor<4xf32>)
          -> tensor<4xf32>
      dit.yield %b, %b : tensor<4xf32>, tensor<4xf32>
    } -> tensor<4xf32>, tensor<4xf32>
    ```

    becomes

    ```mlir
    %r:2 = scf.if %on -> (tensor<4xf32>, tensor<4xf32>) {
      %b = linalg.exp ins(%x : tensor<4xf32>) outs(%c0 : tensor<4xf32>)
          -> tensor<4xf32>
      scf.yield %b, %b : tensor<4xf32>, tensor<4xf32>
    } else {
      scf.yield %c0, %c0 : tensor<4xf32>, tensor<4xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numReuses", "num-reuses", "Reuses turned into control flow">,
    Statistic<"numSchedules", "num-schedules", "Schedules turned into bit tests">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def AnnotateSitesPass : Pass<"dit-annotate-sites", "::mlir::ModuleOp"> {
  let summary = "Name the sites of a module and tell what they are";
  let description = [{
    Reads what a person knows of the attentions and branches of a model from a
    JSON file: names, and for attentions the kind, the layer and the grid.
    `docs/Spec.md`, "Sites", describes the file. Sites that it leaves out stay
    as they are.

    Fails, and changes nothing, when two sites of the module have the same
    name, when the file is malformed or names a site that does not exist, when
    names would no longer be unique, and when a grid does not have the tokens
    of its queries.

    Accepts and yields phase 1. Numerics do not change.

    ```mlir
    %o = dit.attention ins(%q, %k, %v : ...) outs(%init : ...)
        {scale = 0.125 : f64, site = "attn0"}
    ```

    becomes, with the annotation
    `{"site": "attn0", "name": "blocks.0.attn1", "kind": "full"}`,

    ```mlir
    %o = dit.attention ins(%q, %k, %v : ...) outs(%init : ...)
        {kind = #dit.kind<full>, scale = 0.125 : f64, site = "blocks.0.attn1"}
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", /*default=*/"",
           "The annotation file">
  ];
  let statistics = [
    Statistic<"numAnnotated", "num-annotated", "Sites annotated">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def RaiseAttentionPass : Pass<"dit-raise-attention", "::mlir::ModuleOp"> {
  let summary = "Recognise attention in linalg and raise it to dit.attention";
  let description = [{
    Finds every softmax attention in linalg on tensors, in the form that
    torch-mlir and similar exporters emit it, and replaces it by
    `dit.attention`. It looks through reshapes, transposes, broadcasts and
    casts, so it matches what is computed rather than a sequence of operations:

    - a scale in q, in k or in the scores;
    - an additive bias and masks that select -inf or a large negative number,
      which become the bias;
    - a softmax with or without the row's maximum, normalised before or after
      the product with v, and guards of rows without a finite score;
    - heads of k and v that are expanded to those of q;
    - arithmetic in f32 between casts from and to bf16 or f16, which becomes the
      low-precision op.

    Sites are named `attn0`, `attn1`, ... in program order. The kind is `cross`
    when the keys provably come from another sequence, else `self`.

    A remark says what was folded into each attention and, for what looks like
    one and was not raised, which step did not match
    (`--remarks-filter=dit-raise-attention`).

    Accepts and yields phase 1. Results change by rounding only; a row without
    a score above -inf gives zeros where the original without a guard gives
    NaN. Masks filled with a finite number below -1000 are taken to hide their
    keys from every other score of the row.

    ```mlir
    %s = linalg.batch_matmul ins(%q, %kt : ...) outs(%zero : ...)
    %m = linalg.generic ... maximumf ...
    %e = linalg.generic ... exp(%s - %m) ...
    %l = linalg.generic ... addf ...
    %p = linalg.generic ... %e / %l ...
    %o = linalg.batch_matmul ins(%p, %v : ...) outs(%zero : ...)
    ```

    becomes

    ```mlir
    %o = dit.attention ins(%q, %k, %v : ...) outs(%init : ...)
        {scale = 1.0 : f64, site = "attn0", kind = #dit.kind<self>, ...}
    ```
  }];
  let statistics = [
    Statistic<"numRaised", "num-raised", "Attentions raised">,
    Statistic<"numMissed", "num-missed",
              "What looks like an attention and was not raised">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::dit::DitDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD
