// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/Inputs/npy.py %t/a.npy '<f4' 2 1 2
// RUN: %python %S/Inputs/npy.py %t/b.npy '<f4' 2 2 4
// RUN: dit-run %s --target reference --opt-level 0 --inputs %t/a.npy --expect %t/b.npy --tolerance 0
// RUN: not dit-run %s --target reference --opt-level 4 --inputs %t/a.npy 2>&1 | FileCheck %s

// CHECK: --opt-level: expected 0 to 3, got 4
func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
  %sum = arith.addf %a, %a : tensor<2xf32>
  return %sum : tensor<2xf32>
}
