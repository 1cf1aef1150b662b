module {
  func.func @attention_pair(%arg0: tensor<2x64x4x32xbf16>, %arg1: tensor<2x2x64x32xbf16>, %arg2: tensor<1x1x64x64xf32>, %arg3: tensor<2xi32>, %arg4: tensor<2x64x4x32xbf16>, %arg5: tensor<2x4x64x32xbf16>, %arg6: tensor<4xi32>) -> (tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64x32xbf16>) {
    %0:2 = dit.attention_pair ins(%arg0, %arg1, %arg1 : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>) bias(%arg2 : tensor<1x1x64x64xf32>) pattern(#dit.causal) within(#dit.window<left = 8, right = 8>) kv_valid(%arg3 : tensor<2xi32>) outs(%arg4, %arg5 : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>) {o_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64}
    %1:2 = dit.attention_pair ins(%arg0, %arg1, %arg1 : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>) half_widths(%arg6 : tensor<4xi32>) outs(%arg4, %arg5 : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>) {o_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64}
    return %0#0, %0#1, %1#1 : tensor<2x64x4x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64x32xbf16>
  }
  func.func @attention_pair_memref(%arg0: memref<2x4x?x32xf64>, %arg1: memref<2x4x?x32xf64>) {
    dit.attention_pair ins(%arg0, %arg0, %arg0 : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) within(#dit.causal) outs(%arg0, %arg1 : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) {scale = 1.000000e+00 : f64}
    return
  }
  func.func @attention_pair_orders(%arg0: tensor<2x64x4x32xf32>, %arg1: tensor<2x64x4x32xf32>) -> (tensor<2x64x4x32xf32>, tensor<2x64x4x32xf32>) {
    %0:2 = dit.attention_pair ins(%arg0, %arg0, %arg0 : tensor<2x64x4x32xf32>, tensor<2x64x4x32xf32>, tensor<2x64x4x32xf32>) within(#dit.causal) outs(%arg1, %arg1 : tensor<2x64x4x32xf32>, tensor<2x64x4x32xf32>) {inner_order = #dit.order<bshd>, k_order = #dit.order<bshd>, o_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64, v_order = #dit.order<bshd>}
    return %0#0, %0#1 : tensor<2x64x4x32xf32>, tensor<2x64x4x32xf32>
  }
}

