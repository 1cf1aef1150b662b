// RUN: split-file %s %t

// Rules of broadcast, for the sites of the program. The period counts the steps
// of the sampler, the window is open, and a value from outside is reused too.

// RUN: dit-opt %t/module.mlir --dit-import-plan="file=%t/broadcast.json steps=12 name=pab" | FileCheck %s --check-prefix=RULES
// RULES: dit.plan @pab timesteps [1000, 916.6667, {{.*}}, 83.33331] fingerprint "c0961c457d60fbc4" {
// RULES-NEXT: dit.planned "blocks.0.attn1" full layer 0 cache after_gate heads 4 [3 * full, 4 * (share, full), full] grid <2x4x8>
// RULES-NEXT: dit.planned "blocks.0.attn2" cross layer 0 cache after_projection heads 4 [2 * full, 4 * share, full, 3 * share, 2 * full]
// RULES-NEXT: dit.planned "blocks.1.attn1" full layer 1 cache after_gate heads 4 [3 * full, 4 * (share, full), full] grid <2x4x8>
// RULES-NEXT: }
// RULES: dit.attention

// The rules of diffusers: spatial is all that is not temporal or cross, names
// restrict, a range that is not given is none.

// RUN: dit-opt %t/module.mlir --dit-import-plan="file=%t/diffusers.json timesteps=900,700,500,300,100" | FileCheck %s --check-prefix=DIFFUSERS
// DIFFUSERS: dit.plan @plan timesteps [900, 700, 500, 300, 100]
// DIFFUSERS-NEXT: "blocks.0.attn1" {{.*}} heads 4 [5 * full]
// DIFFUSERS-NEXT: "blocks.0.attn2" {{.*}} heads 4 [5 * full]
// DIFFUSERS-NEXT: "blocks.1.attn1" {{.*}} heads 4 [2 * (full, share), full]

// RUN: dit-opt %t/module.mlir --dit-import-plan="file=%t/diffusers-none.json steps=5" -verify-diagnostics=only-expected 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: "blocks.0.attn1" {{.*}} heads 4 [3 * full, share, full]

// Methods of xDiT, for the self-attentions in program order.

// RUN: dit-opt %t/module.mlir --dit-import-plan="file=%t/xdit.json steps=5 window=16 conditional=second" | FileCheck %s --check-prefix=XDIT
// XDIT: dit.plan @plan
// XDIT-NEXT: "blocks.0.attn1" full layer 0 cache after_projection heads 4 [full, share, window(16) residual, window(16) residual half(second), full half(second)]
// XDIT-NEXT: "blocks.1.attn1" full layer 1 cache after_projection heads 4 [4 * full, share]
// XDIT-NEXT: }

// A table says everything. Kinds, heads and grids come from the program.

// RUN: dit-opt %t/module.mlir --dit-import-plan=file=%t/table.json | FileCheck %s --check-prefix=TABLE
// TABLE: dit.plan @plan timesteps [3, 2, 1] fingerprint "c0961c457d60fbc4" {
// TABLE-NEXT: "blocks.1.attn1" full layer 1 cache before_projection heads 4 [full, {share, window(1 x 2 x 3), arrow(7, by_place) residual half(first), topk(mass 0.9)}, {share, topk(0.5), share(0), full}] grid <2x4x8> tile [8, 16] rounded
// TABLE-NEXT: "blocks.0.attn2" cross layer 7 cache after_projection heads 4 [2 * full half(second), share]
// TABLE-NEXT: }

// MLP keys that nothing matches are warnings.

// RUN: dit-opt %t/module.mlir --dit-import-plan=file=%t/keys.json 2>&1 | FileCheck %s --check-prefix=KEYS
// KEYS: warning: dit-import-plan: plan file '{{.*}}keys.json': key 650 is no timestep of the sampler and has no effect; the nearest ones are 700 and 600
// KEYS: "blocks.0.attn1" {{.*}} heads 4 [2 * full, 2 * share, full]
// KEYS: "blocks.1.attn1" {{.*}} heads 4 [5 * full]

// One diagnostic for each mistake, and no plan.

// RUN: not dit-opt %t/module.mlir --dit-import-plan 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-import-plan: expected a file of a plan: give the option file
// RUN: not dit-opt %t/module.mlir --dit-import-plan=file=%t/gone.json 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-import-plan: cannot open input file '{{.*}}gone.json': No such file or directory
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/broadcast.json name=main steps=12" 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: dit-import-plan: there is a symbol 'main' already; give another option name
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/broadcast.json" 2>&1 | FileCheck %s --check-prefix=E3
// E3: broadcast.json': expected the timesteps of the sampler, in the file or as an option when parsing plan
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/broadcast.json steps=70000" 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: dit-import-plan: expected between 1 and 65536 in the option steps, got 70000
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/broadcast.json steps=3 timesteps=1" 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: dit-import-plan: expected one of the options steps and timesteps
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/xdit.json steps=5" 2>&1 | FileCheck %s --check-prefix=E6
// E6: xdit.json': expected to be told which half of the batch is the conditional one, which computes for both at plan.block0.step3
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/xdit.json steps=6 conditional=first" 2>&1 | FileCheck %s --check-prefix=E7
// E7: xdit.json': expected step5 of 6 steps at plan.block0
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/xdit.json steps=4 conditional=first" 2>&1 | FileCheck %s --check-prefix=E8
// E8: xdit.json': expected step0 to step3 only at plan.block0.step4
// A plan for other steps than those of the sampler.
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/table.json steps=20" 2>&1 | FileCheck %s --check-prefix=E9
// E9: table.json': the plan is for other timesteps, 3 of them, than the 20 that were asked for at plan.timesteps
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/one-block.json steps=1" 2>&1 | FileCheck %s --check-prefix=E10
// E10: one-block.json': expected the methods of site 'blocks.1.attn1' at plan.block1
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/no-format.json" 2>&1 | FileCheck %s --check-prefix=E11
// E11: no-format.json': expected the key "branches" of a table of modes,
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/malformed.json" 2>&1 | FileCheck %s --check-prefix=E12
// E12: malformed.json': [2:{{.*}}]: Expected
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/not-this-model.json" 2>&1 | FileCheck %s --check-prefix=E13
// E13: not-this-model.json': it is for a program whose sites have the fingerprint 00000000deadbeef, and those of this one have c0961c457d60fbc4
// RUN: not dit-opt %t/module.mlir --dit-import-plan="file=%t/no-kind.json steps=2" 2>&1 | FileCheck %s --check-prefix=E14
// E14: no-kind.json': the program has no branch of these kinds, so that the plan would do nothing at plan.broadcast
// RUN: dit-opt %t/module.mlir --dit-import-plan="file=%t/some-kinds.json steps=2" -o /dev/null 2>&1 | FileCheck %s --check-prefix=KINDS
// KINDS: warning: {{.*}}some-kinds.json': the program has no branch of the kind temporal, whose rule has no effect

// RUN: not dit-opt %t/many-heads.mlir --dit-import-plan="file=%t/no-rules.json steps=300" 2>&1 | FileCheck %s --check-prefix=E15
// E15: error: dit-import-plan: {{.*}}a plan holds at most 1048576 modes of a branch, and site 'a' has 4000 heads at 300 steps

//--- many-heads.mlir
func.func @main(%q: tensor<1x4000x1x1xf32>) -> tensor<1x4000x1x1xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<1x4000x1x1xf32>, tensor<1x4000x1x1xf32>, tensor<1x4000x1x1xf32>)
    outs(%q : tensor<1x4000x1x1xf32>) {scale = 1.0 : f64, site = "a"}
  return %0 : tensor<1x4000x1x1xf32>
}
//--- no-rules.json
{"broadcast": {}}
//--- module.mlir
func.func @main(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x4x32xf32>) -> tensor<2x4x64x32xf32> {
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "blocks.0.attn1", kind = #dit.kind<full>, layer = 0, grid = #dit.grid<2x4x8>}
  %1 = dit.attention ins(%0, %k, %k : tensor<2x4x64x32xf32>, tensor<2x4x4x32xf32>, tensor<2x4x4x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "blocks.0.attn2", kind = #dit.kind<cross>, layer = 0}
  %2 = dit.attention ins(%1, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64, site = "blocks.1.attn1", kind = #dit.kind<full>, layer = 1, grid = #dit.grid<2x4x8>}
  return %2 : tensor<2x4x64x32xf32>
}

//--- broadcast.json
{"broadcast": {"full": {"period": 2, "window": [100, 850], "cache": "after_gate"},
               "cross": {"period": 6, "window": [200, 900]}}}
//--- diffusers.json
{"spatial_attention_block_skip_range": 2, "spatial_attention_timestep_skip_range": [100, 800],
 "spatial_attention_block_identifiers": ["blocks\\.[1-9]"],
 "temporal_attention_block_skip_range": null, "current_timestep_callback": null}
//--- diffusers-none.json
{"spatial_attention_timestep_skip_range": [300, 500]}
//--- xdit.json
{"block0": {"step0": "FULL_ATTN", "step1": "OUTPUT_SHARE", "step2": "RESIDUAL_WINDOW_ATTN",
            "step3": "RESIDUAL_WINDOW_ATTN_CFG_SHARE", "step4": "FULL_ATTN_CFG_SHARE"},
 "block1": {"step0": "FULL_ATTN", "step1": "FULL_ATTN", "step2": "FULL_ATTN",
            "step3": "FULL_ATTN", "step4": "OUTPUT_SHARE"}}
//--- table.json
{"timesteps": [3, 2, 1],
 "branches": [
   {"site": "blocks.1.attn1", "kind": "full", "heads": 4, "cache": "before_projection", "tile": [8, 16], "rounded": true,
    "modes": ["full",
              ["share", {"mode": "window", "width": [1, 2, 3]},
               {"mode": "arrow", "width": 7, "by_place": true, "residual": true, "half": "first"},
               {"mode": "topk", "mass": 0.9}],
              ["share", {"mode": "topk", "fraction": 0.5}, {"mode": "share", "from": 0}, "full"]]},
   {"site": "blocks.0.attn2", "layer": 7,
    "modes": [{"mode": "full", "half": "second"}, {"mode": "full", "half": "second"}, "share"]}]}
//--- keys.json
{"timesteps": [900, 800.5, 700, 600, 500],
 "broadcast": {"full": {"keys": [{"timestep": 800, "skip": 2, "layers": [0]}, {"timestep": 650, "skip": 1}]}}}
//--- one-block.json
{"block0": {"step0": "FULL_ATTN"}}
//--- no-format.json
{"sites": {}}
//--- malformed.json
{"block0": {"step0": "FULL_ATTN"}
//--- not-this-model.json
{"timesteps": [1], "fingerprint": "00000000deadbeef", "branches": []}
//--- some-kinds.json
{"broadcast": {"cross": {"period": 2, "window": [0, 1000]}, "temporal": {"period": 2, "window": [0, 1000]}}}
//--- no-kind.json
{"broadcast": {"temporal": {"period": 2, "window": [0, 1000]}}}
