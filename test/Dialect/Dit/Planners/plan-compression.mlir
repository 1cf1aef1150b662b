// RUN: split-file %s %t

// Version 1 at a threshold of 0.2, of which the first of two layers may lose a
// half. The first layer shares where that costs 0.05, and then the second one
// may lose what is left of 0.2; the value of step 1 is two steps old at step 3.

// RUN: dit-opt %t/layers.mlir --dit-plan-compression="threshold=0.2 conditional=second window=2" --remarks-filter=dit-plan-compression 2>&1 | FileCheck %s --check-prefix=V1
// V1-DAG: remark: [Passed] Branch | Category:dit-plan-compression | Function=plan | HeadSteps=8, Modes="4 full, 4 share", Site=a
// V1-DAG: remark: [Passed] Branch | Category:dit-plan-compression | Function=plan | HeadSteps=8, Modes="4 full, 2 window(2) residual half(second), 2 full half(second)", Site=b
// V1: "a" full {{.*}} cache after_projection heads 2 [2 * full, 2 * share]
// V1: "b" full {{.*}} cache after_projection heads 2 [full, window(2) residual half(second), full, full half(second)]

// The windows are an eighth of the keys where nothing else is said, and were
// not measured; a half needs to know which.
// RUN: dit-opt %t/layers.mlir --dit-plan-compression="threshold=0.2" | FileCheck %s --check-prefix=PLAIN
// PLAIN: "a" full {{.*}} [2 * full, 2 * share]
// PLAIN: "b" full {{.*}} [4 * full]
// RUN: dit-opt %t/layers.mlir --dit-plan-compression="threshold=0" | FileCheck %s --check-prefix=NOTHING
// NOTHING: "a" full {{.*}} [4 * full]
// NOTHING: "b" full {{.*}} [4 * full]

// Version 2 at a threshold of 0.2: the gate of a head is 0.15. At step 1 both
// heads pass it by sharing, and not together, so the one with the smaller error
// under a window has it; at step 2 head 1 does not pass by sharing.

// RUN: dit-opt %t/heads.mlir --dit-plan-compression="version=2 threshold=0.2" 2>&1 | FileCheck %s --check-prefix=V2
// V2: "a" full {{.*}} cache before_projection heads 2 [full, {window(2), share}, {share, full}]
// RUN: dit-opt %t/heads.mlir --dit-plan-compression="version=2 threshold=0.2 head-factor=0.5" | FileCheck %s --check-prefix=STRICT
// STRICT: "a" full {{.*}} [3 * full]

// RUN: not dit-opt %t/heads.mlir --dit-plan-compression="version=3" 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-plan-compression: expected 1 or 2 in the option version, got 3
// RUN: not dit-opt %t/heads.mlir --dit-plan-compression="threshold=-1" 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-plan-compression: expected a threshold that is not negative, got -1
// RUN: not dit-opt %t/heads.mlir --dit-plan-compression 2>&1 | FileCheck %s --check-prefix=E2
// E2: heads.mlir:1:1: error: dit-plan-compression: the profile has no output_loss of site 'a', which version 1 of the search needs; measure it or leave out its kind
// RUN: not dit-opt %t/heads.mlir --dit-plan-compression="profile=q" 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: dit-plan-compression: expected the name of a profile; the profiles are: p
// RUN: not dit-opt %t/heads.mlir --dit-plan-compression="window=-3" 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: dit-plan-compression: expected a half-width in the option window, got -3
// RUN: not dit-opt %t/heads.mlir --dit-plan-compression="head-factor=0" 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: dit-plan-compression: expected a positive number in the option head-factor, got 0

//--- layers.mlir
dit.profile @p timesteps [4, 3, 2, 1] {
  dit.measured "a" output_loss of <share> dense<[[[0.0, 0.0]], [[0.1, 0.0]], [[0.05, 0.9]], [[0.9, 0.05]]]> : tensor<4x1x2xf64>
  dit.measured "b" output_loss of <share> dense<[0.0, 0.3, 0.15, 0.3]> : tensor<4xf64>
  dit.measured "b" output_loss of <window(2) residual half(second)> dense<[0.0, 0.1, 0.15, 0.3]> : tensor<4xf64>
  dit.measured "b" output_loss of <full half(second)> dense<[0.0, 0.0, 0.16, 0.1]> : tensor<4xf64>
}
func.func @main(%q: tensor<2x2x64x4xf32>) -> tensor<2x2x64x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>)
      outs(%q : tensor<2x2x64x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>, layer = 0}
  %b = dit.attention ins(%a, %a, %a : tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>)
      outs(%q : tensor<2x2x64x4xf32>) {scale = 1.0 : f64, site = "b", kind = #dit.kind<full>, layer = 1}
  return %b : tensor<2x2x64x4xf32>
}

//--- heads.mlir
dit.profile @p timesteps [3, 2, 1] {
  dit.measured "a" rse of <share> dense<[[0.0, 0.0], [0.14, 0.12], [0.1, 0.16]]> : tensor<3x2xf64>
  dit.measured "a" rse of <window(2)> dense<[[0.0, 0.0], [0.06, 0.07], [0.2, 0.2]]> : tensor<3x2xf64>
}
func.func @main(%q: tensor<2x2x64x4xf32>) -> tensor<2x2x64x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>)
      outs(%q : tensor<2x2x64x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>, layer = 0}
  return %a : tensor<2x2x64x4xf32>
}
