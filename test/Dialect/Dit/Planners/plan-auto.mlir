// RUN: split-file %s %t

// The cheapest plan for a bound on the error. Step 1 varies, steps 2 and 3 do
// not, and only the first of two heads is local.

// RUN: dit-opt %t/heads.mlir --dit-plan-auto="max-error=0.1" --remarks-filter=dit-plan-auto 2>&1 | FileCheck %s --check-prefix=HEADS
// HEADS-DAG: remark: [Passed] Profile | Category:dit-plan-auto | Function=p | Error=0.08, Metric=sample_error, Seconds=1.5, Steps=4, Trials=0
// HEADS-DAG: remark: [Passed] Plan | Category:dit-plan-auto | Function=plan | DenseSeconds=4, Error=0.08, Optimal=yes, PSNR=16.9897, Profile=p, Seconds=1.5, Steps=4
// HEADS-DAG: remark: [Passed] Branch | Category:dit-plan-auto | Function=plan | HeadSteps=8, Modes="2 window(2), 2 full, 4 share", Site=a
// HEADS: "a" full cache before_projection heads 2 [{{.*}}{window(2), full}{{.*}}share
// RUN: dit-opt %t/heads.mlir --dit-plan-auto="max-error=0" | FileCheck %s --check-prefix=NOTHING
// NOTHING: "a" full cache after_projection heads 2 [4 * full]
// RUN: dit-opt %t/heads.mlir --dit-plan-auto="max-error=0.1 by-head=false cache=after_gate" | FileCheck %s --check-prefix=WHOLE
// WHOLE: "a" full cache after_gate heads 2 [2 * full, 2 * share]

// The best plan in a time. Shares of the windows lose less than those of a full
// step that is longer ago.
// RUN: dit-opt %t/heads.mlir --dit-plan-auto="max-seconds=1" | FileCheck %s --check-prefix=TIME
// TIME: "a" full cache after_projection heads 2 [2 * window(2), 2 * share]

// Two profiles of different steps: four steps can share most, but the rest of
// each step costs time too. With a strict bound two steps are too few.

// RUN: dit-opt %t/steps.mlir --dit-plan-auto="min-psnr=9.999 peak=1" --remarks-filter=dit-plan-auto 2>&1 | FileCheck %s --check-prefix=FEW
// FEW-DAG: Function=four | Error=0.1, Metric=rse, Seconds=5, Steps=4, Trials=1
// FEW-DAG: Function=two | {{.*}} Seconds=4, Steps=2, Trials=1
// FEW: dit.plan @plan timesteps [4, 2]
// RUN: dit-opt %t/steps.mlir --dit-plan-auto="max-error=0.04" --remarks-filter=dit-plan-auto 2>&1 | FileCheck %s --check-prefix=MANY
// MANY-DAG: remark: [Missed] Profile | Category:dit-plan-auto | Function=two | DenseError=0.05, Reason="no plan at these steps keeps to the bound", Steps=2
// MANY: dit.plan @plan timesteps [4, 3, 2, 1]
// RUN: dit-opt %t/steps.mlir --dit-plan-auto="max-error=0.09 profiles=four" | FileCheck %s --check-prefix=NAMED
// NAMED: dit.plan @plan timesteps [4, 3, 2, 1]

// RUN: not dit-opt %t/heads.mlir --dit-plan-auto 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-plan-auto: expected one of the options max-error, min-psnr and max-seconds
// RUN: not dit-opt %t/heads.mlir --dit-plan-auto="max-seconds=0.4" 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-plan-auto: no plan keeps to the bound at the steps of any of the 1 profiles; allow more
// RUN: not dit-opt %t/heads.mlir --dit-plan-auto="max-error=1 metric=rse" 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: dit-plan-auto: the profile has no rse
// RUN: not dit-opt %t/steps.mlir --dit-plan-auto="max-error=1 profiles=five" 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: dit-plan-auto: expected the name of a profile; the profiles are: four, two
// RUN: not dit-opt %t/steps.mlir --dit-plan-auto="min-psnr=10 profiles=two peak=0" 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: dit-plan-auto: expected a positive number in the option peak, got 0
// RUN: not dit-opt %t/steps.mlir --dit-plan-auto="min-psnr=10 profiles=two" 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: dit-plan-auto: the profile has no trial of a plan whose modes were measured, to tell what error of a sample comes of a loss by rse; add one or give max-error in its unit

//--- heads.mlir
dit.profile @p timesteps [4, 3, 2, 1] {
  dit.measured "a" seconds dense<1.0> : tensor<4xf64>
  dit.measured "a" seconds of <window(2)> dense<0.5> : tensor<4xf64>
  dit.measured "a" sample_error of <share> dense<[
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.4, 0.0, 0.0], [0.4, 0.0, 0.0]],
    [[0.01, 0.5, 0.0], [0.01, 0.5, 0.0]], [[0.01, 0.02, 0.5], [0.01, 0.02, 0.5]]]> : tensor<4x2x3xf64>
  dit.measured "a" sample_error of <window(2)> dense<[[0.005, 0.3], [0.005, 0.3], [0.005, 0.3], [0.005, 0.3]]> : tensor<4x2xf64>
}
func.func @main(%q: tensor<2x2x64x4xf32>) -> tensor<2x2x64x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>)
      outs(%q : tensor<2x2x64x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>}
  return %a : tensor<2x2x64x4xf32>
}

//--- steps.mlir
dit.plan @probe timesteps [4, 3, 2, 1] {
  dit.planned "a" full cache after_projection heads 2 [full, share, full, full]
}
dit.profile @four timesteps [4, 3, 2, 1] {
  dit.measured "a" seconds dense<1.5> : tensor<4xf64>
  dit.measured "a" rse of <share> dense<[0.0, 0.1, 0.08, 0.1]> : tensor<4xf64>
  dit.trial errors [0.0, 0.0] seconds 8.0
  dit.trial of @probe errors [0.03, 0.05]
}
dit.profile @two timesteps [4, 2] {
  dit.measured "a" seconds dense<1.5> : tensor<2xf64>
  dit.measured "a" rse of <share> dense<[0.0, 0.4]> : tensor<2xf64>
  dit.trial errors [0.02, 0.05] seconds 4.0
}
func.func @main(%q: tensor<2x2x64x4xf32>) -> tensor<2x2x64x4xf32> {
  %a = dit.attention ins(%q, %q, %q : tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>, tensor<2x2x64x4xf32>)
      outs(%q : tensor<2x2x64x4xf32>) {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>}
  return %a : tensor<2x2x64x4xf32>
}
