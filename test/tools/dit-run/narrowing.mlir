// Conversions for which the processor may have no instruction.

// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/Inputs/npy.py %t/x.npy '<f8' 3 1.00390625 0.75 -3
// RUN: %python %S/Inputs/npy.py %t/b.npy '<V2' 3 1 0.75 -3
// RUN: %python %S/Inputs/npy.py %t/h.npy '<f2' 3 1.00390625 0.75 -3
// RUN: dit-run %s --target reference --inputs %t/x.npy --expect %t/b.npy,%t/h.npy --tolerance 0
// RUN: dit-run %s --target cpu --inputs %t/x.npy --expect %t/b.npy,%t/h.npy --tolerance 0

func.func @main(%x: tensor<3xf64>) -> (tensor<3xbf16>, tensor<3xf16>) {
  %b = arith.truncf %x : tensor<3xf64> to tensor<3xbf16>
  %h = arith.truncf %x : tensor<3xf64> to tensor<3xf16>
  return %b, %h : tensor<3xbf16>, tensor<3xf16>
}
