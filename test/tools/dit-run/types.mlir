// bf16 comes as <V2 or as bits in <u2, booleans as bytes; Fortran order is
// taken.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/Inputs/npy.py %t/b.npy '<V2' 2,2 1 2 3 4
// RUN: %python %S/Inputs/npy.py %t/u.npy '<u2' 2,2 16256 16384 16448 16512
// RUN: %python %S/Inputs/npy.py %t/f.npy 'F<f4' 2,2 1 3 2 4
// RUN: %python %S/Inputs/npy.py %t/m.npy '|b1' 2,2 1 0 0 1
// RUN: %python %S/Inputs/npy.py %t/h.npy '<f2' 2,2 0.5
// RUN: %python %S/Inputs/npy.py %t/y.npy '<f4' 2,2 1.5 0.5 0.5 16.5
// RUN: %python %S/Inputs/npy.py %t/n.npy '|b1' 2,2 0 1 1 0
// RUN: dit-run %s --target reference --inputs %t/b.npy,%t/f.npy,%t/m.npy,%t/h.npy \
// RUN:   --expect %t/y.npy,%t/n.npy --tolerance 0 --outputs %t/o.npy, | FileCheck %s
// RUN: dit-run %s --target reference --inputs %t/u.npy,%t/f.npy,%t/m.npy,%t/h.npy \
// RUN:   --expect %t/o.npy,%t/n.npy --tolerance 0 | FileCheck %s
// CHECK: max abs error 0.000e+00

// RUN: dit-run %s --list-entries | FileCheck %s --check-prefix=LIST
// LIST: main(tensor<2x2xbf16>, tensor<2x2xf32>, tensor<2x2xi1>, tensor<2x2xf16>) -> (tensor<2x2xbf16>, tensor<2x2xi1>)

// RUN: dit-run --help | FileCheck %s --check-prefix=HELP
// HELP: dit-run model.mlirbc --inputs x.npy,t.npy --expect ref.npy
// HELP-DAG: --entry=<function>
// HELP-DAG: --tolerance=<number>
// HELP-NOT: --amdgpu

func.func @main(%b: tensor<2x2xbf16>, %f: tensor<2x2xf32>, %m: tensor<2x2xi1>,
                %h: tensor<2x2xf16>) -> (tensor<2x2xbf16>, tensor<2x2xi1>) {
  %0 = arith.extf %b : tensor<2x2xbf16> to tensor<2x2xf32>
  %1 = arith.extf %h : tensor<2x2xf16> to tensor<2x2xf32>
  %2 = arith.mulf %0, %f : tensor<2x2xf32>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %3 = arith.select %m, %2, %zero : tensor<2x2xi1>, tensor<2x2xf32>
  %4 = arith.addf %3, %1 : tensor<2x2xf32>
  %6 = arith.truncf %4 : tensor<2x2xf32> to tensor<2x2xbf16>
  %true = arith.constant dense<true> : tensor<2x2xi1>
  %5 = arith.xori %m, %true : tensor<2x2xi1>
  return %6, %5 : tensor<2x2xbf16>, tensor<2x2xi1>
}
