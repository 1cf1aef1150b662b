module {
  func.func @bands(%arg0: tensor<1x4x80x32xf32>, %arg1: tensor<4xi32>, %arg2: tensor<1x4x80x32xf32>, %arg3: tensor<1x4x80xf32>) -> (tensor<1x4x80x32xf32>, tensor<1x4x80xf32>) {
    %0:2 = dit.attention ins(%arg0, %arg0, %arg0 : tensor<1x4x80x32xf32>, tensor<1x4x80x32xf32>, tensor<1x4x80x32xf32>) pattern(#dit.arrow<width = 0, text = 16>) half_widths(%arg1 : tensor<4xi32>) outs(%arg2, %arg3 : tensor<1x4x80x32xf32>, tensor<1x4x80xf32>) {scale = 1.250000e-01 : f64}
    return %0#0, %0#1 : tensor<1x4x80x32xf32>, tensor<1x4x80xf32>
  }
}

