// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/npy.py %t/x.npy '<f4' 2,1,16,4 0.5 -0.25 1 0.75 0.125
// RUN: dit-opt %s --dit-instrument-profile='masses=0.9 windows=2' -o %t/instrumented.mlir
// RUN: dit-run %t/instrumented.mlir --inputs %t/x.npy --profile %t/profile.json
// RUN: FileCheck %s --check-prefix=FILE < %t/profile.json
// It is what the planners read.
// RUN: dit-opt %s --dit-import-profile=file=%t/profile.json | FileCheck %s --check-prefix=IMPORT

// FILE:      "measured": [
// FILE:        "metric": "seconds",
// FILE-NEXT:   "site": "blocks.0.attn1",
// FILE-NEXT:   "values": [
// FILE-NEXT:     {{[0-9.e-]+}}
// FILE:        "mode": {
// FILE-NEXT:     "half": "first",
// FILE-NEXT:     "mode": "full"
// FILE:        "at": 0.{{9|9000.*|8999.*}},
// FILE-NEXT:   "metric": "sparsity",
// FILE:        "timesteps": [
// FILE-NEXT:     1000

// IMPORT:     dit.profile @profile timesteps [1000]
// IMPORT-DAG: dit.measured "blocks.0.attn1" seconds
// IMPORT-DAG: dit.measured "blocks.0.attn1" rse of <window(2)>

// RUN: not dit-run %s --inputs %t/x.npy --profile %t/none.json 2>&1 | FileCheck %s --check-prefix=PLAIN
// PLAIN: dit-run: error: --profile: function 'main' has no result 'profile_values'; dit-opt --dit-instrument-profile makes programs that have it

// RUN: not dit-run %t/instrumented.mlir --inputs %t/x.npy --profile %t/no/profile.json 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: dit-run: error: --profile: {{.*}}profile.json

!t = tensor<2x1x16x4xf32>
func.func @main(%x: !t) -> !t {
  %e = tensor.empty() : !t
  %o = dit.attention ins(%x, %x, %x : !t, !t, !t) outs(%e : !t) {scale = 1.0 : f64, site = "blocks.0.attn1"}
  return %o : !t
}
