//===- Passes.td - Profiles and planners -------------------*- tablegen -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_PASSES_TD
#define DIT_DIALECT_DIT_PLANNERS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExportProfilePass : Pass<"dit-export-profile", "::mlir::ModuleOp"> {
  let summary = "Write a profile as JSON";
  let description = [{
    Writes a `dit.profile` of the module in the format that `docs/Spec.md`,
    "Profile files", describes. Plans of trials are named, not written; use
    `--dit-export-plan` for them.

    Accepts phases 1 and 2 and changes nothing.

    ```json
    {"timesteps": [750, 500],
     "measured": [
       {"site": "blocks.0.attn1", "metric": "seconds", "values": [0.25, 0.25]}
     ]
    }
    ```
  }];
  let options = [
    Option<"name", "name", "std::string", "\"\"",
           "The profile, if there are several">,
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the profile, - for the standard output">
  ];
}

def ImportProfilePass : Pass<"dit-import-profile", "::mlir::ModuleOp"> {
  let summary = "Read a profile for the sites of a module from JSON";
  let description = [{
    Makes a `dit.profile` from a file in the format that `docs/Spec.md`, "Profile
    files", describes. The sites of its entries are those of the module, so run
    it after raising and naming, and after the plans of its trials were imported.

    A file that is malformed, that holds a number that is not finite, or that
    does not fit the module gives one error at the entry at fault, and no
    profile.

    A profile of the same model at another resolution needs the option `grid`,
    the tokens of the video there: widths of windows and arrows then become those
    that cover the same share of the grid that a site has here, and times are
    left out, so that planners compare operations instead. Windows of sites
    without a grid are left out, too.

    Accepts and yields phase 1. Numerics do not change.

    ```mlir
    dit.profile @profile timesteps [750, 500] fingerprint "..." {
      dit.measured "blocks.0.attn1" seconds dense<0.25> : tensor<2xf64>
    }
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "\"\"", "The file of the profile">,
    Option<"name", "name", "std::string", "\"profile\"",
           "The symbol of the profile">,
    ListOption<"grid", "grid", "int64_t",
               "Frames, height and width, in tokens, of the video that was "
               "profiled, if this program has another one">
  ];
  let statistics = [
    Statistic<"numMeasured", "num-measured", "Quantities read">,
    Statistic<"numTrials", "num-trials", "Trials read">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def PlanAutoPass : Pass<"dit-plan-auto", "::mlir::ModuleOp"> {
  let summary = "Find the best plan of all modes for a bound";
  let description = [{
    Makes the `dit.plan` of least predicted time with an error of at most
    `max-error`, or a signal-to-noise ratio of at least `min-psnr` decibels to
    `peak`; or, with `max-seconds`, the one of least error. It chooses for each
    branch and step among the modes whose error a `dit.profile` of the module
    has: shares from earlier steps, windows and arrows with and without residual,
    halves of the batch, top-k, and any of them head by head where errors were
    measured so. Each profile offers its own steps; the best one of them is
    taken, so profiles of several step counts make the number and the placement
    of steps a choice of the search.

    The time of a mode is measured (`seconds of`), or that of the branch in full
    scaled by the operations that are left; without any seconds, operations
    stand for time. A plan's loss is the sum of the errors that were measured
    of single modes, taken as independent, and a share keeps the loss of the
    step whose value it takes. The predicted error is that of the dense run at
    the same steps plus the loss, of which each branch has a weight: those that
    come closest to the errors of the trials in the profile, made large enough
    that none of them is predicted too good. So trials of plans that change one
    kind of branch at a time help most, and then one of the plan that came out.

    For each branch, sequences of modes on the lower convex hull of time and
    loss come from a dynamic programme; one sequence of each branch is chosen
    exactly. Remarks (`--remarks-filter=dit-plan-auto`) say what each profile
    offers and what each branch does.

    Accepts and yields phase 1. Numerics do not change.

    With

    ```mlir
    dit.profile @p timesteps [3, 2, 1] {
      dit.measured "a" seconds dense<0.5> : tensor<3xf64>
      dit.measured "a" sample_error of <share> dense<[0.0, 0.5, 0.01]> : tensor<3xf64>
    }
    ```

    and `max-error=0.1`, a program of one site gets

    ```mlir
    dit.plan @plan timesteps [3, 2, 1] fingerprint "..." {
      dit.planned "a" full cache after_projection heads 4 [2 * full, share]
    }
    ```
  }];
  let options = [
    ListOption<"profiles", "profiles", "std::string",
               "The profiles to choose from; all when empty">,
    Option<"name", "name", "std::string", "\"plan\"",
           "The symbol of the plan">,
    Option<"maxError", "max-error", "double", "-1.0",
           "The largest error: the mean squared one of a sample where the "
           "profile has trials or sample errors, else in the metric's unit">,
    Option<"minPsnr", "min-psnr", "double", "-1.0",
           "The smallest signal-to-noise ratio of a sample in decibels">,
    Option<"maxSeconds", "max-seconds", "double", "-1.0",
           "The longest time (operations, if no time was measured)">,
    Option<"peak", "peak", "double", "2.0",
           "The range of samples, for decibels">,
    Option<"metric", "metric", "std::string", "\"\"",
           "What losses are: sample_error, output_loss, rse or "
           "step_difference; the first of them that is there when empty">,
    Option<"cache", "cache", "::mlir::dit::CachePoint",
           "::mlir::dit::CachePoint::AfterProjection",
           "Where the value of a branch that shares as a whole lies",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::CachePoint::AfterProjection,
                        "after_projection", "After the output projection"),
             clEnumValN(::mlir::dit::CachePoint::AfterGate, "after_gate",
                        "After the gate"))
           }]>,
    Option<"byHead", "by-head", "bool", "true",
           "Whether heads may have modes of their own">
  ];
  let statistics = [
    Statistic<"numBranches", "num-branches", "Branches that are not full">,
    Statistic<"numShared", "num-shared", "Steps at which a branch shares">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def PlanBroadcastPass : Pass<"dit-plan-broadcast", "::mlir::ModuleOp"> {
  let summary = "Plan attention broadcast by rules or by a profile";
  let description = [{
    Makes a `dit.plan` of pyramid attention broadcast (arXiv 2408.12588): a
    period and an open window of timesteps for each kind of branch. `rules` gives
    them as `kind:period:lower:upper`; timesteps come from an option or from the
    profile. Without `rules` they are chosen: of all periods up to `max-period`
    and all windows, those that together cost least with a predicted error of
    at most `max-error` or a signal-to-noise ratio of at least `min-psnr`. The
    profile needs `step_difference` of the sites, or an error of `<share>`; see
    `--dit-plan-auto` for the predictions.

    A remark for each rule says what it reuses and what it is predicted to
    cost and to lose (`--remarks-filter=dit-plan-broadcast`).

    Accepts and yields phase 1. Numerics do not change.

    With `rules=cross:3:100:850 steps=6`, a cross-attention of 4 heads gets

    ```mlir
    dit.plan @plan timesteps [1000, ...] fingerprint "..." {
      dit.planned "blocks.0.attn2" cross layer 0 cache after_projection
          heads 4 [full, 2 * share, full, share, full]
    }
    ```
  }];
  let options = [
    Option<"profile", "profile", "std::string", "\"\"",
           "The profile, if there are several">,
    Option<"name", "name", "std::string", "\"plan\"",
           "The symbol of the plan">,
    ListOption<"rules", "rules", "std::string",
               "Rules as kind:period:lower:upper; chosen when empty">,
    ListOption<"timesteps", "timesteps", "double",
               "The timesteps of the sampler, instead of those of a profile">,
    Option<"steps", "steps", "int64_t", "0",
           "The number of steps, n: timesteps 1000 (n - i) / n">,
    ListOption<"kinds", "kinds", "std::string",
               "Kinds to choose rules for; all when empty">,
    Option<"maxPeriod", "max-period", "int64_t", "8",
           "The longest period to choose">,
    Option<"maxError", "max-error", "double", "-1.0",
           "The largest error: the mean squared one of a sample where the "
           "profile has trials or sample errors, else in the metric's unit">,
    Option<"minPsnr", "min-psnr", "double", "-1.0",
           "The smallest signal-to-noise ratio of a sample in decibels">,
    Option<"peak", "peak", "double", "2.0",
           "The range of samples, for decibels">,
    Option<"metric", "metric", "std::string", "\"\"",
           "What losses are: sample_error, output_loss, rse or "
           "step_difference; the first of them that is there when empty">,
    Option<"cache", "cache", "::mlir::dit::CachePoint",
           "::mlir::dit::CachePoint::AfterProjection",
           "Where the value that is reused lies",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::CachePoint::AfterProjection,
                        "after_projection", "After the output projection"),
             clEnumValN(::mlir::dit::CachePoint::AfterGate, "after_gate",
                        "After the gate"))
           }]>
  ];
  let statistics = [
    Statistic<"numRules", "num-rules", "Kinds with a rule">,
    Statistic<"numReused", "num-reused", "Steps that reuse, over the rules">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def PlanCompressionPass : Pass<"dit-plan-compression", "::mlir::ModuleOp"> {
  let summary = "Plan as DiTFastAttn and its version 2 do";
  let description = [{
    Makes a `dit.plan` by the searches of DiTFastAttn. Both leave the first step
    in full and take the rest in order, the layers of a step in order.

    `version=1` (arXiv 2406.08552) takes, for the i-th of n layers, the first of
    share, residual window for half of the batch, residual window, half of the
    batch whose loss (`output_loss` of the modes of this step, added up) is
    below i / n of `threshold`; else full. The half is `conditional`; without it
    there are no halves. `window` is the half-width, by default an eighth of the
    tokens.

    `version=2` (arXiv 2503.22796) plans head by head: of the modes whose `rse`
    was measured for the head and is below `head-factor` / heads of
    `threshold`, it takes those that save most with a sum of errors of at most
    `threshold`, exactly. What a mode saves comes from seconds in the profile,
    or from operations. The cache lies before the projection.

    A remark for each branch counts its modes
    (`--remarks-filter=dit-plan-compression`).

    Accepts and yields phase 1. Numerics do not change.

    ```mlir
    dit.plan @plan timesteps [3, 2, 1] fingerprint "..." {
      dit.planned "a" full cache before_projection
          heads 2 [full, {share, window(64)}, {full, share}, full]
    }
    ```
  }];
  let options = [
    Option<"profile", "profile", "std::string", "\"\"",
           "The profile, if there are several">,
    Option<"name", "name", "std::string", "\"plan\"",
           "The symbol of the plan">,
    Option<"searchVersion", "version", "int64_t", "1",
           "The version of the search, 1 or 2">,
    Option<"threshold", "threshold", "double", "0.1",
           "The largest loss, delta">,
    Option<"window", "window", "int64_t", "0",
           "Half-width of the windows of version 1, in tokens; 0 is an eighth "
           "of the keys">,
    Option<"conditional", "conditional", "::mlir::dit::BatchPart",
           "::mlir::dit::BatchPart::All",
           "The half of the batch that computes for both in version 1",
           [{::llvm::cl::values(
             clEnumValN(::mlir::dit::BatchPart::All, "unknown",
                        "No half is shared"),
             clEnumValN(::mlir::dit::BatchPart::First, "first",
                        "The first one"),
             clEnumValN(::mlir::dit::BatchPart::Second, "second",
                        "The second one"))
           }]>,
    Option<"headFactor", "head-factor", "double", "1.5",
           "The factor c of a head's part of the threshold in version 2">,
    ListOption<"kinds", "kinds", "std::string",
               "Kinds to plan for; all but cross and mlp when empty">
  ];
  let statistics = [
    Statistic<"numBranches", "num-branches", "Branches that are not full">,
    Statistic<"numTried", "num-tried", "Candidates with a known loss">
  ];
  let dependentDialects = ["::mlir::dit::DitDialect"];
}

def ReportPlanPass : Pass<"dit-report-plan", "::mlir::ModuleOp"> {
  let summary = "Write the work that a plan leaves as JSON";
  let description = [{
    Writes the floating-point operations of all steps under a `dit.plan`, and
    without it: of the attention (QK^T and PV of the positions that the modes
    keep, row by row, so that windows are cut at the edges), of the windows that
    full steps compute for later residuals, and of the projections (an MLP is
    all projection), for each branch, for each mode of it, for each step, and in
    total. `attention_share` is what is left of the attention alone, `share`
    with projections; `computed_steps` are those at which a branch computes. A
    multiplication and an addition are two operations; softmax, norms and
    elementwise work are not counted. `exact` is false where a number depends on
    run-time data.

    Projections are known where branches were outlined, or where the model has
    the flat form that `--dit-outline-branches` takes.

    Accepts phase 1 and changes nothing.

    ```json
    {"branches": [
       {"site": "blocks.0.attn1", "kind": "full", "computed_steps": 16,
        "attention_share": 0.53, "share": 0.53, ...}
     ],
     "steps": [1234, ...],
     "total": {"attention_share": 0.53, "share": 0.53, "exact": true, ...}}
    ```
  }];
  let options = [
    Option<"name", "name", "std::string", "\"\"",
           "The plan, if there are several">,
    Option<"file", "file", "std::string", "\"-\"",
           "Where to write the report, - for the standard output">
  ];
}

#endif // DIT_DIALECT_DIT_PLANNERS_PASSES_TD
