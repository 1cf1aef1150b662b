// RUN: dit-opt %s '--dit-build-sampler=steps=4 guidance=3' | FileCheck %s
// RUN: dit-opt %s '--dit-build-sampler=conditional=all sigmas=1,0.5,0 shift=2 solver=adams name=go' | FileCheck %s --check-prefix=ADAMS
// RUN: dit-opt %s '--dit-build-sampler=timesteps=900,600,300 solver=dpm++' | FileCheck %s --check-prefix=DPM
// RUN: not dit-opt %s '--dit-build-sampler=timesteps=900,900' 2>&1 | FileCheck %s --check-prefix=FALL
// RUN: not dit-opt %s '--dit-build-sampler=steps=2 guidance=inf' 2>&1 | FileCheck %s --check-prefix=GUIDANCE
// RUN: not dit-opt %s --dit-build-sampler 2>&1 | FileCheck %s --check-prefix=NO-STEPS
// RUN: not dit-opt %s --dit-build-sampler=sigmas=1,1,0 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not dit-opt %s '--dit-build-sampler=steps=2 sigmas=1,0' 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not dit-opt %s '--dit-build-sampler=steps=2 denoiser=main' 2>&1 | FileCheck %s --check-prefix=NO-MODEL
// RUN: not dit-opt %s '--dit-build-sampler=steps=2 denoiser=other' 2>&1 | FileCheck %s --check-prefix=SIGNATURE
// RUN: not dit-opt %s '--dit-build-sampler=steps=2 name=other' 2>&1 | FileCheck %s --check-prefix=NAME

// CHECK-LABEL: func.func private @denoise(
// CHECK-LABEL: func.func @sample(
// CHECK-SAME:      %[[NOISE:.*]]: tensor<1x4xf32> {dit.name = "noise"}, %[[TEXT:.*]]: tensor<2x3xf32> {dit.name = "text"}) -> (tensor<1x4xf32> {dit.name = "sample"})
// CHECK:         %[[T:.*]] = arith.constant dense<[1.000000e+03, 7.500000e+02, 5.000000e+02, 2.500000e+02]> : tensor<4xf32>
// CHECK:         %[[H:.*]] = arith.constant dense<-2.500000e-01> : tensor<4xf32>
// CHECK:         %[[X:.*]] = scf.for %[[I:.*]] = %{{.*}} iter_args(%[[XI:.*]] = %[[NOISE]])
// CHECK:           %[[TI:.*]] = tensor.extract %[[T]][%[[I]]]
// CHECK:           %[[HI:.*]] = tensor.extract %[[H]][%[[I]]]
// CHECK:           tensor.insert_slice %[[XI]] into %{{.*}}[0, 0] [1, 4]
// CHECK:           %[[XX:.*]] = tensor.insert_slice %[[XI]] into %{{.*}}[1, 0] [1, 4]
// CHECK:           %[[TT:.*]] = tensor.from_elements %[[TI]], %[[TI]]
// CHECK:           %[[V:.*]] = func.call @denoise(%[[XX]], %[[TT]], %[[TEXT]])
// CHECK:           tensor.extract_slice %[[V]][0, 0]
// CHECK:           tensor.extract_slice %[[V]][1, 0]
// CHECK:           linalg.generic
// CHECK:             arith.constant 3.0
// CHECK:         } {dit.timesteps = array<f64: 1.000000e+03, 7.500000e+02, 5.000000e+02, 2.500000e+02>}
// CHECK-NEXT:    return %[[X]]

// Sigmas 1, 2/3 and 0: the second step is twice as long.

// ADAMS-LABEL: func.func @go(
// ADAMS-SAME:      %{{.*}}: tensor<2x4xf32> {{.*}}, %{{.*}}: tensor<2x3xf32> {{.*}}) -> (tensor<2x4xf32>
// ADAMS:         dense<[1.000000e+03, 666.666687]>
// ADAMS:         dense<[-0.333333343, -1.33333337]>
// ADAMS:         dense<[0.000000e+00, 0.666666686]>
// ADAMS:         scf.for {{.*}} -> (tensor<2x4xf32>, tensor<2x4xf32>)

// A prediction of the data, x - sigma v, is carried, and used at the second step.

// DPM-LABEL: func.func @sample(
// DPM:         dense<[9.000000e+02, 6.000000e+02, 3.000000e+02]>
// DPM-COUNT-4: arith.constant dense<{{.*}}> : tensor<3xf32>
// DPM:         scf.for {{.*}} -> (tensor<1x4xf32>, tensor<1x4xf32>)
// DPM:         } {dit.timesteps = array<f64: 9.000000e+02, 6.000000e+02, 3.000000e+02>}

// FALL: error: dit-build-sampler: expected falling timesteps from 1000 at most to above 0, got 900 at step 1
// GUIDANCE: error: dit-build-sampler: expected a finite guidance, got inf
// NO-STEPS: error: dit-build-sampler: expected between 1 and 65536 steps, got 0
// ORDER: error: dit-build-sampler: expected sigmas that descend, got 1 after 1
// COUNT: error: dit-build-sampler: expected one sigma more than the 2 steps, got 2
// NO-MODEL: error: dit-build-sampler: there is no function 'main'; give the denoiser in the option denoiser
// SIGNATURE: error: dit-build-sampler: cannot sample with 'other': expected the arguments x, t and conditions, and one result
// NAME: error: dit-build-sampler: the symbol 'other' is taken; give another option name

func.func @denoise(%x: tensor<2x4xf32>, %t: tensor<2xf32>, %text: tensor<2x3xf32> {dit.name = "text"}) -> tensor<2x4xf32> {
  return %x : tensor<2x4xf32>
}
func.func @other(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  return %x : tensor<2x4xf32>
}
