// RUN: split-file %s %t

// Rules that are given: Open-Sora's schedule for cross-attention, whose
// timesteps come with the option.

// RUN: dit-opt %t/program.mlir --dit-plan-broadcast="rules=cross:6:450:930,full:2:450:930 timesteps=1000,992,984,976,968,960,952,940,932,920,908,892,880,864,848,828,808,788,764,736,708,676,636,596,548,492,426,350,258,143" --remarks-filter=dit-plan-broadcast 2>&1 | FileCheck %s --check-prefix=GIVEN
// GIVEN-DAG: remark: [Passed] Rule | Category:dit-plan-broadcast | Function=plan | Kind=cross, Lower=450, Period=6, Reused=14, Steps=30, Upper=930
// GIVEN-DAG: remark: [Passed] Rule | Category:dit-plan-broadcast | Function=plan | Kind=full, Lower=450, Period=2, Reused=9, Steps=30, Upper=930
// GIVEN: dit.planned "a" full cache after_projection heads 2 [9 * full, 9 * (share, full), 3 * full]
// GIVEN: dit.planned "x" cross cache after_projection heads 2 [9 * full, 2 * (3 * share, full, 2 * share), 3 * share, full, share, 4 * full]

// RUN: dit-opt %t/program.mlir --dit-plan-broadcast="rules=cross:3:100:850 steps=6 cache=after_gate name=p" | FileCheck %s --check-prefix=STEPS
// STEPS: dit.plan @p timesteps [1000, 833.3333333333334, {{.*}}]
// STEPS: "a" full cache after_projection heads 2 [6 * full]
// STEPS: "x" cross cache after_gate heads 2 [2 * (full, 2 * share)]

// Rules that are chosen: cross varies little and goes first; the first and the
// last steps, which vary most, stay.

// RUN: cat %t/profile.mlir %t/program.mlir > %t/both.mlir
// RUN: dit-opt %t/both.mlir --dit-plan-broadcast="max-error=0.01" --remarks-filter=dit-plan-broadcast 2>&1 | FileCheck %s --check-prefix=CHOSEN
// CHOSEN-DAG: Kind=cross, Loss=0.0091, Lower=-1, Period=8, Reused=6, Seconds=1, Steps=8, Upper=900
// CHOSEN-DAG: Kind=full, {{.*}}, Reused=0,
// CHOSEN: "a" full {{.*}} [8 * full]
// CHOSEN: "x" cross {{.*}} [2 * full, 6 * share]
// RUN: dit-opt %t/both.mlir --dit-plan-broadcast="max-error=0" | FileCheck %s --check-prefix=NOTHING
// NOTHING: "a" full {{.*}} [8 * full]
// NOTHING: "x" cross {{.*}} [8 * full]
// RUN: dit-opt %t/both.mlir --dit-plan-broadcast="max-error=1000 kinds=full max-period=2" | FileCheck %s --check-prefix=KIND
// KIND: "a" full {{.*}} [4 * (full, share)]
// KIND: "x" cross {{.*}} [8 * full]

// One diagnostic for each mistake.

// RUN: not dit-opt %t/program.mlir --dit-plan-broadcast="rules=cross:6:450" 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-plan-broadcast: the module has no profile; --dit-import-profile reads one
// RUN: not dit-opt %t/program.mlir --dit-plan-broadcast="steps=4 rules=cross:6:450" 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-plan-broadcast: expected kind:period:lower:upper in the option rules, such as cross:6:100:850, got 'cross:6:450'
// RUN: not dit-opt %t/program.mlir --dit-plan-broadcast="steps=4 rules=cross:6:450:900,cross:2:0:9" 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: dit-plan-broadcast: expected one rule for the kind cross
// RUN: not dit-opt %t/program.mlir --dit-plan-broadcast="steps=4 timesteps=1 rules=cross:6:450:900" 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: dit-plan-broadcast: expected one of the options steps and timesteps
// RUN: not dit-opt %t/program.mlir --dit-plan-broadcast="steps=4" 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: dit-plan-broadcast: expected the timesteps of the profile, not those of an option, to choose by it
// RUN: not dit-opt %t/both.mlir --dit-plan-broadcast 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: dit-plan-broadcast: expected one of the options max-error and min-psnr
// RUN: not dit-opt %t/both.mlir --dit-plan-broadcast="min-psnr=30" 2>&1 | FileCheck %s --check-prefix=E6
// E6: error: dit-plan-broadcast: the profile has no trial of a plan whose modes were measured, to tell what error of a sample comes of a loss by step_difference; add one or give max-error in its unit
// RUN: not dit-opt %t/both.mlir --dit-plan-broadcast="max-error=1 kinds=fool" 2>&1 | FileCheck %s --check-prefix=E7
// E7: error: dit-plan-broadcast: expected kinds of self, full, spatial, temporal, cross, joint and mlp, got 'fool'
// RUN: not dit-opt %t/both.mlir --dit-plan-broadcast="max-error=1 max-period=1" 2>&1 | FileCheck %s --check-prefix=E8
// E8: error: dit-plan-broadcast: expected a period between 2 and 64 in the option max-period, got 1
// RUN: not dit-opt %t/both.mlir --dit-plan-broadcast="max-error=1 metric=speed" 2>&1 | FileCheck %s --check-prefix=E9
// E9: error: dit-plan-broadcast: expected sample_error, output_loss, rse or step_difference in the option metric, got 'speed'
// RUN: not dit-opt %t/other-site.mlir --dit-plan-broadcast="max-error=1" 2>&1 | FileCheck %s --check-prefix=E10
// E10: other-site.mlir:2:{{.*}} error: dit-plan-broadcast: the program has no site 'b'; its sites are: a
// RUN: not dit-opt %t/some-seconds.mlir --dit-plan-broadcast="max-error=1" 2>&1 | FileCheck %s --check-prefix=E11
// E11: error: dit-plan-broadcast: the profile has seconds of some sites and none of 'x'; measure all of them or none
// RUN: not dit-opt %t/both.mlir --dit-plan-broadcast="max-error=1 name=main" 2>&1 | FileCheck %s --check-prefix=E12
// E12: error: dit-plan-broadcast: there is a symbol 'main' already; give another option name

//--- program.mlir
func.func @main(%q: tensor<1x2x8x4xf32>, %k: tensor<1x2x4x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
      outs(%q : tensor<1x2x8x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>}
  %x = dit.attention ins(%a, %k, %k : tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>)
      outs(%q : tensor<1x2x8x4xf32>) {scale = 1.0 : f64, site = "x", kind = #dit.kind<cross>}
  return %x : tensor<1x2x8x4xf32>
}

//--- profile.mlir
dit.profile @p timesteps [1000, 900, 800, 700, 600, 500, 400, 300] {
  dit.measured "a" step_difference dense<[0.0, 0.9, 0.5, 0.1, 0.1, 0.1, 0.1, 0.5]> : tensor<8xf64>
  dit.measured "x" step_difference dense<[0.0, 0.9, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001]> : tensor<8xf64>
  dit.measured "a" seconds dense<1.0> : tensor<8xf64>
  dit.measured "x" seconds dense<0.5> : tensor<8xf64>
}

//--- other-site.mlir
dit.profile @p timesteps [1000] {
  dit.measured "b" step_difference dense<0.5> : tensor<1xf64>
}
func.func @main(%q: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
      outs(%q : tensor<1x2x8x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>}
  return %a : tensor<1x2x8x4xf32>
}

//--- some-seconds.mlir
dit.profile @p timesteps [1000] {
  dit.measured "a" step_difference dense<0.5> : tensor<1xf64>
  dit.measured "a" seconds dense<0.5> : tensor<1xf64>
}
func.func @main(%q: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
      outs(%q : tensor<1x2x8x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>}
  %x = dit.attention ins(%a, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
      outs(%q : tensor<1x2x8x4xf32>) {scale = 1.0 : f64, site = "x", kind = #dit.kind<cross>}
  return %x : tensor<1x2x8x4xf32>
}
