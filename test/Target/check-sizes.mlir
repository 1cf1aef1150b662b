// RUN: dit-opt %s --dit-check-sizes -split-input-file -verify-diagnostics
// RUN: not dit-opt %s --pass-pipeline='builtin.module(dit-to-cpu)' -split-input-file 2>&1 | FileCheck %s
// RUN: not dit-opt %s --pass-pipeline='builtin.module(dit-to-reference)' -split-input-file 2>&1 | FileCheck %s

// CHECK-COUNT-4: error: expected values of at most 2^47 bytes

// What is not too large: an unknown extent, none at all, 2^47 bytes.
func.func @fits(%a: tensor<?x1048576xf32>, %b: tensor<0x9223372036854775807x4xf64>, %c: tensor<35184372088832xf32>) {
  return
}

// -----

// expected-error @below {{expected values of at most 2^47 bytes, which is what a process can address, got 'tensor<35184372088833xf32>'; split it, or make an extent smaller}}
func.func @one_more(%a: tensor<35184372088833xf32>) {
  return
}

// -----

// The product of all extents is 0 in 64 bits.
// expected-error @below {{got 'tensor<4294967296x4294967296x?xi1>'}}
func.func @product_overflows(%a: tensor<4294967296x4294967296x?xi1>) {
  return
}

// -----

func.func @result() -> tensor<9223372036854775807xindex> {
  // expected-error @below {{got 'tensor<9223372036854775807xindex>'}}
  %0 = tensor.empty() : tensor<9223372036854775807xindex>
  return %0 : tensor<9223372036854775807xindex>
}

// -----

// expected-error @below {{got 'tensor<1x1x9223372036854775807x64xf32>'}}
func.func @attention(%q: tensor<1x1x9223372036854775807x64xf32>) -> tensor<1x1x9223372036854775807x64xf32> {
  %o = dit.attention ins(%q, %q, %q : tensor<1x1x9223372036854775807x64xf32>, tensor<1x1x9223372036854775807x64xf32>, tensor<1x1x9223372036854775807x64xf32>)
      outs(%q : tensor<1x1x9223372036854775807x64xf32>) {scale = 1.0 : f64}
  return %o : tensor<1x1x9223372036854775807x64xf32>
}
