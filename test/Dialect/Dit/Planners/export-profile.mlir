// RUN: split-file %s %t
// RUN: dit-opt %t/two.mlir --dit-export-profile=name=b | FileCheck %s
// CHECK: "timesteps": [
// CHECK-NEXT: 2,
// CHECK-NEXT: 1
// CHECK: "metric": "sparsity",
// CHECK-NEXT: "at": 0.5,
// CHECK-NEXT: "values": [
// CHECK-NEXT: 0.25,
// CHECK-NEXT: 0.75
// CHECK-NOT: trials

// RUN: not dit-opt %t/two.mlir --dit-export-profile 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: dit-export-profile: expected the name of a profile; the profiles are: a, b
// RUN: not dit-opt %t/none.mlir --dit-export-profile 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: dit-export-profile: the module has no profile; --dit-import-profile reads one
// RUN: not dit-opt %t/two.mlir --dit-export-profile="name=a file=%t" 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: dit-export-profile: cannot open output file

//--- two.mlir
dit.profile @a timesteps [1] {}
dit.profile @b timesteps [2, 1] {
  dit.measured "x" sparsity at 0.5 dense<[0.25, 0.75]> : tensor<2xf64>
}

//--- none.mlir
module {}
