// RUN: split-file %s %t

// Numbers for each step, for each head, and for each age; trials of a plan and
// of the dense sampler. Written again, the same comes out.

// RUN: dit-opt %t/module.mlir --dit-import-profile=file=%t/profile.json | FileCheck %s
// RUN: dit-opt %t/module.mlir --dit-import-profile=file=%t/profile.json --dit-export-profile=file=%t/again.json -o /dev/null
// RUN: dit-opt %t/module.mlir --dit-import-profile=file=%t/again.json | FileCheck %s
// CHECK: dit.profile @profile timesteps [900, 600, 300] fingerprint "{{[0-9a-f]+}}" {
// CHECK-NEXT: dit.measured "a" seconds dense<[5.000000e-01, 2.500000e-01, 1.250000e-01]> : tensor<3xf64>
// CHECK-NEXT: dit.measured "a" seconds of <window(2)> dense<1.000000e+00> : tensor<3xf64>
// CHECK-NEXT: dit.measured "a" sparsity at 0.9 dense<{{.*}}> : tensor<3x2xf64>
// CHECK-NEXT: dit.measured "a" rse of <share> dense<{{\[\[\[}}0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00]], {{.*}}> : tensor<3x2x2xf64>
// CHECK-NEXT: dit.measured "a" sample_error of <window(1 x 0 x 1) residual half(first)> dense<2.000000e-01> : tensor<3xf64>
// CHECK-NEXT: dit.trial errors [0, 0.25] seconds 2.5
// CHECK-NEXT: dit.trial of @pab errors [0.5]
// CHECK-NEXT: }

// One diagnostic for each mistake, at the entry, and no profile.

// RUN: not dit-opt %t/module.mlir --dit-import-profile 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-import-profile: expected a file of a profile: give the option file
// RUN: not dit-opt %t/module.mlir --dit-import-profile=file=%t/gone.json 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-import-profile: cannot open input file '{{.*}}gone.json': No such file or directory
// RUN: not dit-opt %t/module.mlir --dit-import-profile="file=%t/profile.json name=pab" 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: dit-import-profile: there is a symbol 'pab' already; give another option name
// RUN: %python %S/Inputs/wrong-profiles.py dit-opt %t/module.mlir %t/profile.json %t | FileCheck %s --check-prefix=WRONG
// WRONG: no timesteps: expected the timesteps of the sampler, in the file or as an option when parsing profile
// WRONG-NEXT: unknown site: the program has no site 'b'; its sites are: a at profile.measured[0].site
// WRONG-NEXT: unknown metric: expected sparsity, {{.*}}, got 'speed' at profile.measured[0].metric
// WRONG-NEXT: too few steps: expected values of 3 steps, got 2 at profile.measured[0].values
// WRONG-NEXT: ragged heads: expected values of 2 heads, got 1 at profile.measured[2].values[1]
// WRONG-NEXT: other heads: site 'a' has 2 heads in the program, got values of 3 at profile.measured[2].values
// WRONG-NEXT: ages of a window: expected ages only of the error of a share or of a residual at profile.measured[1].values
// WRONG-NEXT: not a number: [{{.*}}]: Invalid JSON value
// WRONG-NEXT: infinite: expected a finite number that is not negative at profile.measured[0].values[1]
// WRONG-NEXT: negative: expected a finite number that is not negative at profile.measured[0].values[2]
// WRONG-NEXT: text: expected number at profile.measured[0].values[0]
// WRONG-NEXT: sparsity above 1: expected a number between 0 and 1 at profile.measured[2].values[0][1]
// WRONG-NEXT: no mass: expected the share of the mass of a sparsity and of nothing else at profile.measured[2].at
// WRONG-NEXT: mass of 1: expected a share between 0 and 1 at profile.measured[2].at
// WRONG-NEXT: no mode: expected the mode of an rse, an output_loss or a sample_error, and of nothing else but seconds at profile.measured[3].mode
// WRONG-NEXT: unknown mode: expected full, window, arrow, topk or share, got 'skip' at profile.measured[3].mode
// WRONG-NEXT: source: expected a mode without the step that it takes a value of at profile.measured[3].mode.from
// WRONG-NEXT: twice: expected each quantity of a site once; site 'a' has seconds twice at profile.measured[5]
// WRONG-NEXT: unknown key: unknown key at profile.measured[0].unit
// WRONG-NEXT: other program: it is of a program whose sites have the fingerprint 0000000000000000, {{.*}} at profile.fingerprint
// WRONG-NEXT: unknown plan: the module has no plan 'gone'; import it before the profile at profile.trials[1].plan
// WRONG-NEXT: no errors: expected the error of a sample or more at profile.trials[0].errors
// WRONG-NEXT: two dense trials: expected one trial of each plan at profile.trials[1]

//--- module.mlir
dit.plan @pab timesteps [900, 600, 300] {
  dit.planned "a" full cache after_projection heads 2 [full, share, full]
}
func.func @main(%q: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %init = tensor.empty() : tensor<1x2x8x4xf32>
  %o = dit.attention ins(%q, %q, %q : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>)
      outs(%init : tensor<1x2x8x4xf32>)
      {scale = 1.0 : f64, site = "a", kind = #dit.kind<full>, grid = #dit.grid<2x2x2>}
  return %o : tensor<1x2x8x4xf32>
}

//--- profile.json
{"timesteps": [900, 600, 300],
 "measured": [
   {"site": "a", "metric": "seconds", "values": [0.5, 0.25, 0.125]},
   {"site": "a", "metric": "seconds", "mode": {"mode": "window", "width": 2}, "values": [1, 1, 1]},
   {"site": "a", "metric": "sparsity", "at": 0.9, "values": [[0.5, 0.25], [0.75, 1], [0, 0.5]]},
   {"site": "a", "metric": "rse", "mode": "share", "values": [[[0, 0], [0, 0]], [[0.1, 0], [0.2, 0]], [[0.1, 0.3], [0.2, 0.4]]]},
   {"site": "a", "metric": "sample_error", "mode": {"mode": "window", "width": [1, 0, 1], "residual": true, "half": "first"}, "values": [0.2, 0.2, 0.2]}
 ],
 "trials": [{"errors": [0, 0.25], "seconds": 2.5}, {"plan": "pab", "errors": [0.5]}]}
