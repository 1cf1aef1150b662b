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

def ApplyPlanPass : Pass<"dit-apply-plan", "::mlir::ModuleOp"> {
  let summary = "Rewrite a sampler or a denoiser under a plan";
  let description = [{
    Rewrites the branches of a module (`--dit-outline-branches`) so that each
    does at each step what a `dit.plan` says. Where the branches are in the body
    of an `scf.for`, the step loop, the loop carries the values that are kept.
    Where they are in a function, a denoiser, this becomes a step function:

    ```
    denoise(x, t, text, step, states...) -> (v, states...)
    init_states() -> (states...)
    ```

    `step` counts from 0, and one that the plan does not have is an error at run
    time. A caller hands the states of one step to the next.

    A shared step runs only what lies behind the point where the value is kept;
    heads that share are not computed, nor are their parts of the projections
    where these can be cut. Values are kept only at steps whose value is read
    later, and only until then. With `form=table` there is one body for all
    steps, with conditions at each branch whose steps differ; with `form=steps`
    each distinct step is written out, a loop becomes runs of steps that repeat,
    and states live only where they are needed.

    The plan has to be for the sites and steps of the program; otherwise there is
    one error, and no change. `remap` fits a plan for other steps instead. The
    plan is removed.

    Accepts and yields phase 1. Numerics change as the plan says, and not at all
    under a plan whose branches are full.

    ```mlir
    dit.plan @plan timesteps [1000, 500] {
      dit.planned "a" mlp cache after_projection heads 1 [full, share]
    }
    %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%x = %x0) -> (tensor<4xf32>) {
      %b = dit.branch "a" mlp of(%x : tensor<4xf32>) project { ... } -> tensor<4xf32>
      %y = linalg.add ins(%x, %b : ...) outs(%init : ...)
      scf.yield %y
    }
    ```

    becomes

    ```mlir
    %r:2 = scf.for %i = %c0 to %c2 step %c1 iter_args(%x = %x0, %c = %zeros)
        -> (tensor<4xf32>, tensor<4xf32>) {
      %on = dit.scheduled %i, #dit.schedule<"10">
      %b, %new = dit.reuse compute(%on) state(%c : tensor<4xf32>) { ... }
      %y = linalg.add ins(%x, %b : ...) outs(%init : ...)
      scf.yield %y, %new
    }
    ```
  }];
  let options = [
    Option<"name", "name", "std::string", "\"\"",
           "The plan, if there are several">,
    Option<"form", "form", "::mlir::dit::PlanForm",
           "::mlir::dit::PlanForm::Table", "How steps are written out",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::PlanForm::Table, "table",
                        "One body that asks for the step"),
             clEnumValN(::mlir::dit::PlanForm::Steps, "steps",
                        "A body for each distinct step"))
           }]>,
    Option<"remap", "remap", "bool", "false",
           "Take the nearest steps of a plan that is for other ones">,
    Option<"init", "init", "std::string", "\"init_states\"",
           "The function that returns the first states of a step function">,
    Option<"stepByBranch", "step-by-branch", "bool", "false",
           "Give a step function a step for each branch, those that stay full "
           "left out, as one tensor: a search chooses modes without compiling">
  ];
  let statistics = [
    Statistic<"numBranches", "num-branches", "Branches that do not stay full">,
    Statistic<"numSharedSteps", "num-shared-steps",
              "Steps at which a branch is shared, over all branches">,
    Statistic<"stateBytes", "state-bytes", "Bytes of states">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect",
                           "::mlir::cf::ControlFlowDialect",
                           "::mlir::dit::DitDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def BuildSamplerPass : Pass<"dit-build-sampler", "::mlir::ModuleOp"> {
  let summary = "Put a denoiser into the loop of a sampler";
  let description = [{
    Adds a function that samples with a denoiser trained by flow matching, so
    that a whole generation is one program:

    ```
    sample(noise, conditions...) -> x
    ```

    `denoise(x, t, conditions...) -> v` is called at each step. With
    `guidance=g` its batch is twice that of `noise`: one half has the conditions,
    the other one has none, x and t are the same for both, and
    `v = v_null + g (v_cond - v_null)`; `conditions` are those of both halves.
    x moves from noise, at sigma 1, to sigma 0, by the length of each step of
    sigma times v (`solver=euler`), or by a method of order 2 that uses the step
    before, too (`solver=adams`, `solver=dpm++`). t is 1000 sigma.

    The denoiser becomes private. Run `--inline --symbol-dce` next, and then
    `--loop-invariant-code-motion`, which moves out of the loop what is the same
    at all steps.

    Accepts and yields phase 1.

    With `steps=30 guidance=2`, the loop of the added function is

    ```mlir
    %video = scf.for %i = %c0 to %c30 step %c1 iter_args(%x = %noise)
        -> (tensor<1x3x8x32x32xf32>) {
      %t = tensor.extract %timesteps[%i] : tensor<30xf32>
      ...
      %v = func.call @denoise(%xx, %tt, %text)
      ...
    }
    ```
  }];
  let options = [
    Option<"denoiser", "denoiser", "std::string", "\"denoise\"",
           "The function of the model">,
    Option<"name", "name", "std::string", "\"sample\"",
           "The function that is added">,
    Option<"steps", "steps", "int64_t", "0",
           "The number of steps, if there are no sigmas">,
    ListOption<"sigmas", "sigmas", "double",
               "The sigmas, one more than steps; by default (n - i) / n">,
    ListOption<"timesteps", "timesteps", "double",
               "The timesteps in place of sigmas; the last step ends at 0">,
    Option<"shift", "shift", "double", "1.0",
           "Moves each sigma s to shift s / (1 + (shift - 1) s)">,
    Option<"scale", "scale", "double", "1000.0",
           "The timestep of the model at sigma 1">,
    Option<"guidance", "guidance", "double", "1.0",
           "The scale of classifier-free guidance">,
    Option<"conditional", "conditional", "::mlir::dit::BatchPart",
           "::mlir::dit::BatchPart::First",
           "The half of the batch that has the conditions",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::BatchPart::All, "all",
                        "All of it: no guidance"),
             clEnumValN(::mlir::dit::BatchPart::First, "first",
                        "The first one"),
             clEnumValN(::mlir::dit::BatchPart::Second, "second",
                        "The second one"))
           }]>,
    Option<"solver", "solver", "::mlir::dit::Solver",
           "::mlir::dit::Solver::Euler", "How x moves along v",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::Solver::Euler, "euler", "Euler's method"),
             clEnumValN(::mlir::dit::Solver::Adams, "adams",
                        "The method of Adams and Bashforth of order 2"),
             clEnumValN(::mlir::dit::Solver::DPM, "dpm++",
                        "DPM-Solver++ of order 2, multistep"))
           }]>
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

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

def FuseAttentionsPass : Pass<"dit-fuse-attentions"> {
  let summary = "Compute two attentions of the same queries and keys in one pass";
  let description = [{
    Makes a `dit.attention_pair` of two `dit.attention`s in one block that have
    q, k, v, bias, `kv_valid` and scale in common, where the pattern of one
    holds everything that the other one's does: it has none, or the other is an
    `and` of it. What they share, the product of queries and keys, is then
    computed once. Such two stand at the full steps after which DiTFastAttn
    keeps the residual of a window.

    Attentions with a tile list or an LSE are left alone, and so are two that
    cannot stand at one place because of what lies between them.

    Accepts and yields phases 1 and 2. Numerics do not change but in the
    rounding of a lowering.

    ```mlir
    %f = dit.attention ins(%q, %k, %v : ...) outs(%a : ...)
    %w = dit.attention ins(%q, %k, %v : ...)
        pattern(#dit.window<left = 8, right = 8>) outs(%b : ...)
    ```

    becomes

    ```mlir
    %f, %w = dit.attention_pair ins(%q, %k, %v : ...)
        within(#dit.window<left = 8, right = 8>) outs(%a, %b : ...)
    ```
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "Pairs of attentions">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect",
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
    A `dit.branch` becomes what its stages hold. Profiles and plans, which
    nothing after this reads, are removed.

    Accepts phases 1 and 2 and yields phase 2 (`dit` on tensors, no branch and no
    reuse).
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
    Statistic<"numBranches", "num-branches", "Branches inlined">,
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

    - a scale in q, in k or in the scores, the same for all or one for each row;
    - an additive bias and masks that select -inf or a large negative number,
      which become the bias;
    - masks that are proven to hide diagonals, from constants or from
      comparisons of positions, which become `#dit.causal` or `#dit.window`;
    - a softmax with or without the row's maximum, normalised before or after
      the product with v or in the logarithm, and guards of rows without a
      finite score;
    - heads of k and v that are expanded to those of q;
    - arithmetic in f32 between casts from and to bf16 or f16, which becomes the
      low-precision op.

    Sites are named `attn0`, `attn1`, ... in program order. Kinds are proven by
    following the tokens of q and k back to the arguments of the function that
    they are made of: `cross`, if those are different ones; `joint`, if q, k and
    v each join tokens of different ones; `full`, if the queries are three axes
    of one; `spatial`, if they are the two axes of a frame and a third is in the
    batch; `temporal`, if they are the third axis and the axes of a frame are in
    the batch. The axes of a frame are those that a convolution slides over
    together, that are cut into patches together, or that one attention joins
    while another one has the third. Where that does not tell, the kind is
    `self`, with a remark if an axis is in the batch.

    A remark says what was folded into each attention, which mask became a
    pattern, and which numbers were taken to hide keys; for what looks like an
    attention and was not raised, it says which step did not match
    (`--remarks-filter=dit-raise-attention`).

    Accepts and yields phase 1. Results change by rounding only; a row without
    a score above -inf gives zeros where the original without a guard gives
    NaN. Masks filled with a finite number of at most -1000 are taken to hide
    their keys from every other score of the row; they become a pattern only
    where each row sees a key. Proving a mask takes a bounded number of steps:
    the comparison of positions is solved for any extents, any other mask is
    evaluated if that takes no more than 4 million.

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

def ExportPlanPass : Pass<"dit-export-plan", "::mlir::ModuleOp"> {
  let summary = "Write a plan as JSON";
  let description = [{
    Writes a `dit.plan` of the module in one of the formats that `docs/Spec.md`,
    "Plan files", describes: as a table of modes, which says all that a plan can;
    as the configuration of pyramid attention broadcast in diffusers; or as the
    methods of xDiT. A plan that the format cannot say is an error that names
    the branch and the step.

    Where the module has sites, the plan must be for them, and branches that it
    leaves out are written as full.

    Accepts phases 1 and 2 and changes nothing.

    ```json
    {"spatial_attention_block_skip_range": 2,
     "spatial_attention_timestep_skip_range": [100, 866.6666666666666],
     "temporal_attention_block_skip_range": null,
     "cross_attention_block_skip_range": null}
    ```
  }];
  let options = [
    Option<"name", "name", "std::string", "\"\"",
           "The plan, if there are several">,
    Option<"format", "format", "::mlir::dit::PlanFormat",
           "::mlir::dit::PlanFormat::Table", "The format",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::PlanFormat::Table, "table",
                        "A table of modes"),
             clEnumValN(::mlir::dit::PlanFormat::Diffusers, "diffusers",
                        "A PyramidAttentionBroadcastConfig"),
             clEnumValN(::mlir::dit::PlanFormat::XDiT, "xdit",
                        "The methods of each block and step"))
           }]>,
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the plan, - for the standard output">
  ];
}

def ImportPlanPass : Pass<"dit-import-plan", "::mlir::ModuleOp"> {
  let summary = "Read a plan for the sites of a module from JSON";
  let description = [{
    Makes a `dit.plan` from a file in one of the formats that `docs/Spec.md`,
    "Plan files", describes: a table of modes, rules of attention broadcast, the
    configuration of diffusers, or the methods of xDiT. Rules become modes of
    the sites that the module has, so run it after raising and naming.

    A file that is malformed, that does not fit the sites of the module, or that
    reuses what was not computed gives one error at the entry at fault, and no
    plan. A key of MLP broadcast that no timestep matches is a warning.

    Accepts and yields phase 1. Numerics do not change.

    With `steps=6` and the file

    ```json
    {"broadcast": {"cross": {"period": 3, "window": [100, 850]}}}
    ```

    a module with a cross-attention of 4 heads gets

    ```mlir
    dit.plan @plan timesteps [1000, ...] fingerprint "..." {
      dit.planned "blocks.0.attn2" cross layer 0 cache after_projection
          heads 4 [full, 2 * share, full, share, full]
    }
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"", "The file of the plan">,
    Option<"name", "name", "std::string", "\"plan\"",
           "The symbol of the plan">,
    ListOption<"timesteps", "timesteps", "double",
               "The timesteps of the sampler; by default those of the file, or "
               "of the loop of --dit-build-sampler">,
    Option<"steps", "steps", "int64_t", "0",
           "The number of steps, n: timesteps 1000 (1 - i / n) in f32">,
    Option<"window", "window", "int64_t", "64",
           "Half-width, in tokens, of the windows of xDiT's methods">,
    Option<"conditional", "conditional", "::mlir::dit::BatchPart",
           "::mlir::dit::BatchPart::All",
           "The half of the batch that computes for both under xDiT's CFG "
           "sharing",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::BatchPart::All, "unknown",
                        "A plan that shares halves is an error"),
             clEnumValN(::mlir::dit::BatchPart::First, "first",
                        "The first one"),
             clEnumValN(::mlir::dit::BatchPart::Second, "second",
                        "The second one"))
           }]>
  ];
  let statistics = [
    Statistic<"numBranches", "num-branches", "Branches planned">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def ReportAttentionPass : Pass<"dit-report-attention"> {
  let summary = "Write the work of every attention as JSON";
  let description = [{
    Writes the floating-point operations of each `dit.attention`: of the full
    score matrix (`dense_flops`), of what its pattern and tile list keep
    (`kept_flops`, with `kept_share` for each head), of the scores from which
    tiles are selected (`selection_flops`), and of what runs in all iterations
    of the loops around it under the schedules of `dit.reuse`
    (`executed_flops`). A multiplication and an addition are two operations;
    the softmax is not counted. `exact` is false where a number depends on
    run-time data and stands for an upper bound or an estimate. `total` sums
    up over all iterations; attentions of dynamic extents are listed in
    `unknown`.

    Accepts phases 1 and 2 and changes nothing.

    ```json
    {"sites": [
       {"site": "blocks.0.attn1", "kept_share": [0.25, 1], ...}
     ],
     "unknown": [],
     "total": {"dense_flops": 8589934592, "executed_flops": 5368709120,
               "exact": true}}
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the report, - for the standard output">
  ];
}

def ReportBranchesPass : Pass<"dit-report-branches"> {
  let summary = "Write the residual branches of a model as JSON";
  let description = [{
    Finds the branches of a transformer in the flat form in which exporters
    write it, after attentions were raised: each value that an addition joins to
    a stream that the value itself comes from. A branch with one attention has
    its kind; streams that one attention mixes (text and video) have one branch
    with an addition for each. A branch without attention, of two contractions
    with weights or more, is an MLP.

    For each branch, writes its kind, its layer (blocks before it), the site of
    its attention, the types of what it adds, how many of these have a gate (a
    last factor that does not come from a stream), and the number of ops that run
    for the branch alone. `unknown` says why other additions to a stream are no
    branch, `loose` names attentions in no branch; both are remarks too
    (`--remarks-filter=dit-report-branches`).

    Accepts phases 1 and 2, before elementwise ops are fused, and changes
    nothing.

    ```json
    {"branches": [
       {"kind": "full", "layer": 0, "site": "attn0",
        "adds": ["tensor<2x2048x128xf32>"], "gates": 1, "ops": 71},
       {"kind": "mlp", "layer": 0, "adds": ["tensor<2x2048x128xf32>"],
        "gates": 1, "ops": 19}
     ],
     "unknown": [], "loose": []}
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the report, - for the standard output">
  ];
  let statistics = [
    Statistic<"numBranches", "num-branches", "Branches found">
  ];
}

def OutlineBranchesPass : Pass<"dit-outline-branches"> {
  let summary = "Put the residual branches of a model into ops";
  let description = [{
    Finds the branches of a transformer in the flat form in which exporters
    write it, as `--dit-report-branches` does, and moves each into a
    `dit.branch`: the site of its attention, kind, layer and heads, and the
    stages up to the attention's output, the output projection, and the gate.
    An MLP is named after the attentions of its layer (`blocks.0.mlp` beside
    `blocks.0.attn1`), or `mlp0`, `mlp1`, ... in program order;
    `--dit-annotate-sites` renames it.

    What a branch shares with the rest of the program, or one stage with another,
    stays before it. So hoist what does not change over the steps first
    (`--loop-invariant-code-motion`), and fuse nothing.

    A remark says for each branch how many ops its stages have, and for each
    addition to a stream that is no branch, why
    (`--remarks-filter=dit-outline-branches`).

    Accepts and yields phase 1. Numerics do not change.

    ```mlir
    %a = dit.attention ins(%q, %k, %v : ...) outs(%init : ...) {...}
    %p = linalg.matmul ins(%a, %w : ...) outs(%zero : ...)
    %y = linalg.generic ... %x + %p ...
    ```

    becomes

    ```mlir
    %b = dit.branch "attn0" full layer 0 heads 4 of(%x : ...) attend {
      %a = dit.attention ins(%q, %k, %v : ...) outs(%init : ...) {...}
      dit.yield %a : ...
    } project {
    ^bb0(%a: ...):
      %p = linalg.matmul ins(%a, %w : ...) outs(%zero : ...)
      dit.yield %p : ...
    } -> ...
    %y = linalg.generic ... %x + %b ...
    ```
  }];
  let statistics = [
    Statistic<"numOutlined", "num-outlined", "Branches outlined">,
    Statistic<"numMissed", "num-missed",
              "Additions and attentions that are no branch">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def InstrumentProfilePass
    : Pass<"dit-instrument-profile", "::mlir::ModuleOp"> {
  let summary = "Make a sampler measure its branches";
  let description = [{
    Adds two results to the function with the loop over the steps: the tensor
    `profile_values` with all that is measured, and the text `profile_layout`
    that says what it is. `dit-run --profile=FILE` and `dit.profile` of the
    Python package make a profile file of the two (`docs/Spec.md`, "Profile
    files"), which `--dit-import-profile` reads. A function without a loop is one
    step.

    Measured are, for each `dit.branch`, and for each `dit.attention` in none:

    - the time, by the clock of the runtime before the branch and after the
      addition that joins it to its stream;
    - `step_difference` and `guidance_difference` of what the branch adds before
      its gate. The first and the second half of the batch are taken for those
      with and without guidance;
    - for each head, the `rse` of `share` at each age up to `ages` steps, of
      `full half(first)`, of `full residual half(first)` at each age, of windows or, where there is text, arrows of the
      half-widths `windows`, and of the widest of them with a residual at each
      age;
    - for each head, the `sparsity` at each of `masses`, over one query in
      `query-stride`, if there are many.

    Windows and sparsity are left out, with a remark, where an attention has a
    mask or a bias; branches whose extents are not known are left out whole.

    `dit.branch` ops are inlined. Everything is measured after the clock has
    stopped, by ops of `dit` and `linalg`, so that all targets can do it. It costs
    time and, for the values of earlier steps, memory.

    Accepts and yields phase 1. What the function returned before does not
    change.

    ```mlir
    func.func @sample(%x: ...) -> tensor<1x3x8x32x32xf32> {
      %y = scf.for ... {
        %b = dit.branch "blocks.0.attn1" full layer 0 heads 4 of(...) ...
    ```

    becomes

    ```mlir
    func.func @sample(%x: ...) -> (tensor<1x3x8x32x32xf32>,
        tensor<3300xf64> {dit.name = "profile_values"},
        tensor<1234xi8> {dit.name = "profile_layout"}) {
      %y, %values, ... = scf.for ... {
        %start = func.call @dit_rt_seconds() : () -> f64
        %a = dit.attention ...
    ```
  }];
  let options = [
    ListOption<"timesteps", "timesteps", "double",
               "The timesteps of the sampler; by default those of the loop of "
               "--dit-build-sampler, or 1000 (1 - i / n) in f32">,
    ListOption<"masses", "masses", "double",
               "Shares of the softmax mass at which sparsity is measured; none "
               "if not given">,
    ListOption<"windows", "windows", "int64_t",
               "Half-widths of windows and arrows; an 8th, 16th, 32th and 64th "
               "of the tokens if not given">,
    Option<"ages", "ages", "int64_t", "6",
           "How many steps back values are shared">,
    Option<"queryStride", "query-stride", "int64_t", "8",
           "Sparsity is measured for one query in so many">
  ];
  let statistics = [
    Statistic<"numSites", "num-sites", "Branches and attentions measured">,
    Statistic<"numMissed", "num-missed",
              "Branches and attentions that are not measured">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::dit::DitDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def InstrumentWorkPass : Pass<"dit-instrument-work", "::mlir::ModuleOp"> {
  let summary = "Make a program count its operations";
  let description = [{
    Adds two results to the function with the work: `work_values`, with two
    numbers for each site and kind of work, and `work_layout`, a text in JSON
    that names these. The numbers are how often ops ran and how many
    floating-point operations they did, a multiplication and an addition being
    two. Kinds are

    - `attention`: QK^T and PV of the positions that masks and tile lists keep;
    - `selection`: the scores from which tiles are selected;
    - `projection`: contractions of `linalg`.

    The work of a branch is under its site, after `--dit-apply-plan` too; what
    is in no branch has an empty one.

    Everything is counted where it runs, by ops of `arith`, `linalg` and `scf`,
    so that all targets can do it: positions by asking the mask for each of them,
    tile lists by their entries, contractions by their extents.
    `--dit-report-work` gives the same numbers by analysis, where they do not
    depend on data.

    Accepts and yields phases 1 and 2. Run it last, before the lowering. What the
    function returned before does not change.

    ```mlir
    func.func @main(%x: ...) -> tensor<1x2x8x4xf32> {
      %o = dit.attention ... {site = "a"}
      return %o : tensor<1x2x8x4xf32>
    }
    ```

    becomes

    ```mlir
    func.func @main(%x: ...) -> (tensor<1x2x8x4xf32>,
        tensor<1x2xi64> {dit.name = "work_values"},
        tensor<33xi8> {dit.name = "work_layout"}) {
      %counts = memref.alloca() : memref<1x2xi64>
      %o = dit.attention ... {site = "a"}
      %before = memref.load %counts[%c0, %c0] : memref<1x2xi64>
      %after = arith.addi %before, %c1 : i64
      memref.store %after, %counts[%c0, %c0] : memref<1x2xi64>
      ...
    ```
  }];
  let statistics = [
    Statistic<"numCounted", "num-counted", "Ops whose work is counted">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ReportWorkPass : Pass<"dit-report-work"> {
  let summary = "Write the operations of a program by site as JSON";
  let description = [{
    Writes for each site, and for each kind of work that
    `--dit-instrument-work` counts, how often its ops run and how many
    floating-point operations they do, over all iterations of the loops around
    them under the schedules of `dit.reuse` and of conditions. `exact` is false
    where a number depends on run-time data and stands for an upper bound or an
    estimate.

    Accepts phases 1 and 2 and changes nothing.

    ```json
    {"work": [
       {"site": "blocks.0.attn1", "kind": "attention", "runs": 30,
        "flops": 32212254720, "exact": true}
     ],
     "total": {"attention": 32212254720, "selection": 0, "projection": 0,
               "exact": true}}
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the report, - for the standard output">
  ];
}

def ReportCachesPass : Pass<"dit-report-caches", "::mlir::ModuleOp"> {
  let summary = "Write the memory of a plan's caches as JSON";
  let description = [{
    Says which values the branches of a module keep under a `dit.plan`, before
    it is applied: for each of them the site, whether it is an output that is
    shared or a residual, its bytes, the steps that save it, and the steps after
    which it is read later. `bytes_after_step` sums up what lives after each
    step, `peak_bytes` is the largest of these, and `carried_bytes` is what a
    program takes that has room for all of them at all steps (`form=table` of
    `--dit-apply-plan`).

    Accepts phase 1 and changes nothing.

    ```json
    {"caches": [
       {"site": "blocks.0.attn1", "holds": "output", "bytes": 2097152,
        "saved": [4, 6], "live_after": [4, 6]}
     ],
     "bytes_after_step": [0, 0, 0, 0, 2097152, 0, 2097152, 0],
     "peak_bytes": 2097152, "carried_bytes": 2097152}
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the report, - for the standard output">,
    Option<"name", "name", "std::string", "\"\"",
           "The plan, if there are several">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def SparsifyAttentionPass : Pass<"dit-sparsify-attention"> {
  let summary = "Make attentions look at their best key tiles only";
  let description = [{
    Gives each `dit.attention` whose site a JSON file names a tile list: the
    key tiles with the highest scores of each query tile, a number for each
    head. The tiles are scored by the queries and keys themselves (`proxy`
    says what stands for a tile), so nothing is trained. The file holds one
    number for each head:

    ```json
    {"sites": {"blocks.0.attn1": {"keep": [0.25, 1.0]},
               "blocks.1.attn1": {"sparsity": [0.93, 0.12]}}}
    ```

    `keep` is the share of tiles to keep. `sparsity` is a measurement, 1 minus
    the share of keys that a head needs: a head below `min-sparsity` keeps
    everything, another one `margin` times what it needs. With `cube`, tokens
    are first grouped by cubes of their grid, so that a tile is near in space
    and time, and the result is put back in order. The first steps of a
    sampler decide on the whole of the picture; with `dense-steps`, which asks
    for a loop around the attention, they keep everything.

    Sites whose heads all keep everything stay as they are, and so do
    attentions with, under `cube`, a mask or dynamic lengths; a remark says
    which and why. Dynamic extents become numbers of tiles at run time.
    Accepts and yields phase 1. Numerics change.

    ```mlir
    %o = dit.attention ins(%q, %k, %v : ...) outs(%init : ...) {site = "a"}
    ```

    becomes, with `tile=64,64`,

    ```mlir
    %s = dit.low_rank_score ins(%q, %k : ...) by [64, 64] proxy <mean>
        outs(%s0 : ...)
    %num, %idx = dit.topk_mask ins(%s : ...) count(%count : ...)
        outs(%n0, %i0 : ...)
    %o = dit.attention ins(%q, %k, %v : ...)
        tiles(%num, %idx : ...) by [64, 64] outs(%init : ...) {site = "a"}
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"",
           "JSON of what each head of each site keeps or measured">,
    ListOption<"tile", "tile", "int64_t",
               "Queries and keys of a tile (default 64,64)">,
    ListOption<"cube", "cube", "int64_t",
               "Frames, height and width of the cubes to group tokens by; "
               "empty keeps their order">,
    Option<"proxy", "proxy", "::mlir::dit::Proxy", "::mlir::dit::Proxy::Mean",
           "What stands for the tokens of a tile",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::Proxy::Mean, "mean", "Their mean"),
             clEnumValN(::mlir::dit::Proxy::Center, "center",
                        "The one in the middle"),
             clEnumValN(::mlir::dit::Proxy::First, "first",
                        "The first one"))
           }]>,
    Option<"minSparsity", "min-sparsity", "double", "0.0",
           "Measured sparsity below which a head keeps everything">,
    Option<"margin", "margin", "double", "1.0",
           "Factor on the share of keys that a measurement found necessary">,
    Option<"denseSteps", "dense-steps", "int64_t", "0",
           "First steps of the loop around an attention in which it keeps "
           "everything">
  ];
  let statistics = [
    Statistic<"numSites", "num-sites", "Attentions made sparse">,
    Statistic<"numHeads", "num-heads", "Heads in them that drop tiles">,
    Statistic<"numSkipped", "num-skipped", "Attentions left alone">,
    Statistic<"savedFlops", "saved-flops",
              "Operations that one run of each attention saves, net of the "
              "selection">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::dit::DitDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // DIT_DIALECT_DIT_TRANSFORMS_PASSES_TD
