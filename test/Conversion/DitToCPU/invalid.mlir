// RUN: dit-opt %s -split-input-file -verify-diagnostics --convert-dit-to-cpu

func.func @tensors(%a: tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32> {
  // expected-error @below {{expected memref operands to call a kernel; bufferize the module first}}
  %o = dit.attention ins(%a, %a, %a : tensor<1x4x64x16xf32>, tensor<1x4x64x16xf32>, tensor<1x4x64x16xf32>) outs(%a : tensor<1x4x64x16xf32>) {scale = 1.0 : f64}
  return %o : tensor<1x4x64x16xf32>
}

// -----

#blocked = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2 floordiv 4, d3, d2 mod 4)>
func.func @layout(%a: memref<1x4x64x16xf32, #blocked>) {
  // expected-error @below {{expected operands with a strided layout to call a kernel, got 'memref<1x4x64x16xf32, affine_map}}
  dit.attention ins(%a, %a, %a : memref<1x4x64x16xf32, #blocked>, memref<1x4x64x16xf32, #blocked>, memref<1x4x64x16xf32, #blocked>) outs(%a : memref<1x4x64x16xf32, #blocked>) {scale = 1.0 : f64}
  return
}
