//===- DitPlanOps.td - Profiles and plans ------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_IR_DITPLANOPS_TD
#define DIT_DIALECT_DIT_IR_DITPLANOPS_TD

include "dit/Dialect/Dit/IR/DitBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

// What profile and plan share: a symbol, the timesteps of the sampler, the
// fingerprint of the sites of the program that they were made for.
class Dit_StepTableOp<string mnemonic> : Dit_Op<mnemonic, [
    IsolatedFromAbove, NoTerminator, SingleBlock, Symbol]> {
  let arguments = (ins SymbolNameAttr:$sym_name,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       DenseF64ArrayAttr:$timesteps,
                       OptionalAttr<StrAttr>:$fingerprint);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    ($sym_visibility^)? $sym_name `timesteps` custom<Timesteps>($timesteps)
    (`fingerprint` $fingerprint^)? attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getNumSteps() { return getTimesteps().size(); }
  }];
}

def Dit_PlanOp : Dit_StepTableOp<"plan"> {
  let summary = "What each branch of a sampler does at each step";
  let description = [{
    Holds a `dit.planned` for each branch that does not always run in full.
    `timesteps` are those of the sampler, in the order of its steps. With
    `fingerprint`, the plan belongs to programs whose sites have it.

    ```mlir
    dit.plan @broadcast timesteps [1000, 750, 500, 250] {
      dit.planned "blocks.0.attn1" full layer 0 cache after_projection
          heads 4 [2 * (full, share)]
    }
    ```
  }];
}

def Dit_PlannedOp : Dit_Op<"planned", [HasParent<"PlanOp">]> {
  let summary = "What a branch does at each step";
  let description = [{
    The modes of the branch `site`, for each step of the plan around it.
    `cache` is where the value lies that a share takes: of the attention before
    the output projection (one for each head), after it, or after the gate.
    `grid` places the tokens; `tile` is what top-k selects of, and with
    `rounded` masks are rounded out to it.

    ```mlir
    dit.planned "blocks.0.attn1" full layer 0 cache before_projection
        heads 4 [full, {2 * share, arrow(64), full}, 2 * window(64) residual]
        grid <8x16x16>
    ```
  }];
  let arguments = (ins StrAttr:$site, Dit_BranchKind:$kind,
                       OptionalAttr<I64Attr>:$layer, Dit_CachePoint:$cache,
                       Dit_ModesAttr:$modes, OptionalAttr<Dit_GridAttr>:$grid,
                       OptionalAttr<DenseI64ArrayAttr>:$tile,
                       UnitAttr:$rounded);
  let assemblyFormat = [{
    $site $kind (`layer` $layer^)? `cache` $cache custom<Modes>($modes)
    (`grid` $grid^)? (`tile` $tile^)? (`rounded` $rounded^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Dit_ProfileOp : Dit_StepTableOp<"profile"> {
  let summary = "What was measured of the branches of a sampler";
  let description = [{
    Holds a `dit.measured` for each quantity of each branch, and a `dit.trial`
    for each whole run. `timesteps` are those at which was measured.

    ```mlir
    dit.profile @wan timesteps [750, 500] {
      dit.measured "blocks.0.attn1" sparsity at 0.9
          dense<[[0.9, 0.1], [0.95, 0.2]]> : tensor<2x2xf64>
      dit.measured "blocks.0.attn1" rse of <window(64)>
          dense<[[0.01, 0.2], [0.02, 0.4]]> : tensor<2x2xf64>
      dit.trial errors [0.0] seconds 8.5
    }
    ```
  }];
}

def Dit_Metric : I32EnumAttr<"Metric", "a quantity of a branch", [
      I32EnumAttrCase<"Sparsity", 0, "sparsity">,
      I32EnumAttrCase<"StepDifference", 1, "step_difference">,
      I32EnumAttrCase<"GuidanceDifference", 2, "guidance_difference">,
      I32EnumAttrCase<"Rse", 3, "rse">,
      I32EnumAttrCase<"Seconds", 4, "seconds">,
      I32EnumAttrCase<"OutputLoss", 5, "output_loss">,
      I32EnumAttrCase<"SampleError", 6, "sample_error">
    ]> {
  let cppNamespace = "::mlir::dit";
}

def Dit_MeasuredOp : Dit_Op<"measured", [HasParent<"ProfileOp">]> {
  let summary = "A quantity of a branch at each step";
  let description = [{
    A number for each step of the profile around it, or for each step and head:

    - `sparsity at m`: one minus the smallest share of keys that holds the
      share `m` of the softmax mass, a mean over the queries;
    - `step_difference`: the mean squared difference of the branch's output to
      that of the step before;
    - `guidance_difference`: the same between the halves of the batch;
    - `rse of <mode>`: the squared error of the output under a mode over its
      variance in full;
    - `output_loss of <mode>`: what the mode alone does to the output of the
      model at the step, a relative difference;
    - `sample_error of <mode>`: what it does to the sample, a mean squared
      difference;
    - `seconds`, `seconds of <mode>`: the time that the branch takes.

    A third dimension gives a number for each age of the value that a share or
    a residual takes: one step, two steps, and so on.

    ```mlir
    dit.measured "blocks.0.attn1" rse of <share>
        dense<[[[0.0, 0.0]], [[0.1, 0.0]], [[0.1, 0.3]]]> : tensor<3x1x2xf64>
    ```
  }];
  let arguments = (ins StrAttr:$site, Dit_Metric:$metric,
                       OptionalAttr<F64Attr>:$mass,
                       OptionalAttr<Dit_ModeAttr>:$mode, ElementsAttr:$values);
  let assemblyFormat = [{
    $site $metric (`at` custom<Mass>($mass)^)? (`of` $mode^)? $values attr-dict
  }];
  let hasVerifier = 1;
}

def Dit_TrialOp : Dit_Op<"trial", [HasParent<"ProfileOp">]> {
  let summary = "What a whole run of a sampler gave";
  let description = [{
    The mean squared difference of each sample to the one that the dense sampler
    of reference makes of the same noise, and the time of a run. The run had the
    timesteps of the profile around it and the modes of the plan `of`, or none.

    ```mlir
    dit.trial of @pab_246 errors [0.0019, 0.0005, 0.0009] seconds 5.25
    ```
  }];
  let arguments = (ins OptionalAttr<FlatSymbolRefAttr>:$plan,
                       DenseF64ArrayAttr:$errors,
                       OptionalAttr<F64Attr>:$seconds);
  let assemblyFormat = [{
    (`of` $plan^)? `errors` custom<Timesteps>($errors)
    (`seconds` custom<Mass>($seconds)^)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif // DIT_DIALECT_DIT_IR_DITPLANOPS_TD
