module {
  func.func @attention_everything(%arg0: tensor<2x64x4x32xbf16>, %arg1: tensor<2x2x64x32xbf16>, %arg2: tensor<1x1x64x64xf32>, %arg3: tensor<1x4x2xi32>, %arg4: tensor<1x4x2x?xi32>, %arg5: tensor<2xi32>, %arg6: tensor<2x64x4x32xbf16>, %arg7: tensor<2x4x64xf32>) -> (tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>) {
    %0:2 = dit.attention ins(%arg0, %arg1, %arg1 : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>) bias(%arg2 : tensor<1x1x64x64xf32>) pattern(#dit.window<left = 8, right = -1>) tiles(%arg3, %arg4 : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1] kv_valid(%arg5 : tensor<2xi32>) outs(%arg6, %arg7 : tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>) {grid = #dit.grid<3x4x5, text = 4, text_first>, kind = #dit.kind<joint>, layer = 3 : i64, o_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64, site = "blocks.3.attn1"}
    return %0#0, %0#1 : tensor<2x64x4x32xbf16>, tensor<2x4x64xf32>
  }
  func.func @attention_dynamic(%arg0: tensor<?x4x?x32xf16>, %arg1: tensor<?x4x?x32xf16>, %arg2: tensor<?x4x?x32xf16>) -> tensor<?x4x?x32xf16> {
    %0 = dit.attention ins(%arg0, %arg1, %arg1 : tensor<?x4x?x32xf16>, tensor<?x4x?x32xf16>, tensor<?x4x?x32xf16>) outs(%arg2 : tensor<?x4x?x32xf16>) {scale = 1.000000e+00 : f64}
    return %0 : tensor<?x4x?x32xf16>
  }
  func.func @attention_backward(%arg0: tensor<2x64x4x32xbf16>, %arg1: tensor<2x2x64x32xbf16>, %arg2: tensor<2x4x64x32xbf16>, %arg3: tensor<2x4x64xf32>, %arg4: tensor<1x1x64x64xf32>, %arg5: tensor<1x4x2xi32>, %arg6: tensor<1x4x2x?xi32>, %arg7: tensor<2xi32>, %arg8: tensor<64x2x2x32xbf16>) -> (tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>) {
    %0:3 = dit.attention_backward ins(%arg0, %arg1, %arg1, %arg2, %arg3, %arg2 : tensor<2x64x4x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x2x64x32xbf16>, tensor<2x4x64x32xbf16>, tensor<2x4x64xf32>, tensor<2x4x64x32xbf16>) bias(%arg4 : tensor<1x1x64x64xf32>) pattern(#dit.causal) tiles(%arg5, %arg6 : tensor<1x4x2xi32>, tensor<1x4x2x?xi32>) by [32, 1] kv_valid(%arg7 : tensor<2xi32>) outs(%arg0, %arg8, %arg1 : tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>) {dk_order = #dit.order<sbhd>, dq_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale = 1.700000e-01 : f64}
    return %0#0, %0#1, %0#2 : tensor<2x64x4x32xbf16>, tensor<64x2x2x32xbf16>, tensor<2x2x64x32xbf16>
  }
  func.func @attention_backward_memref(%arg0: memref<2x4x?x32xf64>, %arg1: memref<2x4x?xf64>) {
    dit.attention_backward ins(%arg0, %arg0, %arg0, %arg0, %arg1, %arg0 : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?xf64>, memref<2x4x?x32xf64>) outs(%arg0, %arg0, %arg0 : memref<2x4x?x32xf64>, memref<2x4x?x32xf64>, memref<2x4x?x32xf64>) {scale = 1.000000e+00 : f64}
    return
  }
  func.func @attention_backward_orders(%arg0: tensor<8x4xf32>, %arg1: tensor<1x1x8xf32>) {
    %0:3 = dit.attention_backward ins(%arg0, %arg0, %arg0, %arg0, %arg1, %arg0 : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<1x1x8xf32>, tensor<8x4xf32>) outs(%arg0, %arg0, %arg0 : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {dk_order = #dit.order<sd>, do_order = #dit.order<sd>, dq_order = #dit.order<sd>, dv_order = #dit.order<sd>, k_order = #dit.order<sd>, o_order = #dit.order<sd>, q_order = #dit.order<sd>, scale = 1.000000e+00 : f64, v_order = #dit.order<sd>}
    return
  }
  func.func private @enumerations() attributes {kinds = [#dit.kind<self>, #dit.kind<full>, #dit.kind<spatial>, #dit.kind<temporal>, #dit.kind<cross>, #dit.kind<joint>], proxies = [#dit.proxy<center>, #dit.proxy<first>, #dit.proxy<mean>]}
  func.func @attention_memref(%arg0: memref<64x8xf64>, %arg1: memref<1x1x64xf64>) {
    dit.attention ins(%arg0, %arg0, %arg0 : memref<64x8xf64>, memref<64x8xf64>, memref<64x8xf64>) outs(%arg0, %arg1 : memref<64x8xf64>, memref<1x1x64xf64>) {k_order = #dit.order<sd>, o_order = #dit.order<sd>, q_order = #dit.order<sd>, scale = 1.000000e+00 : f64, v_order = #dit.order<sd>}
    return
  }
  func.func @patterns(%arg0: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
    %0 = dit.attention ins(%arg0, %arg0, %arg0 : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) pattern(#dit.and<#dit.or<#dit.causal, #dit.causal<offset = -3>>, #dit.tiled<#dit.frame_causal<#dit.grid<1x6x10, text = 4>>, 32 x 64>, #dit.grid_window<#dit.grid<1x6x10, text = 4>, 1 x 2 x -1>, #dit.arrow<width = 3, text = 4>, #dit.arrow<width = 3, text = 4, text_first>>) outs(%arg0 : tensor<?x?x8xf32>) {k_order = #dit.order<bsd>, o_order = #dit.order<bsd>, q_order = #dit.order<bsd>, scale = 1.000000e+00 : f64, v_order = #dit.order<bsd>}
    return %0 : tensor<?x?x8xf32>
  }
  func.func @merge(%arg0: tensor<?x4x?x32xf16>, %arg1: tensor<?x4x?xf32>, %arg2: memref<?x4x?x32xf16>, %arg3: memref<?x4x?xf32>) -> tensor<?x4x?x32xf16> {
    %0:2 = dit.attention_merge ins((%arg0, %arg1), (%arg0, %arg1) : tensor<?x4x?x32xf16>, tensor<?x4x?xf32>, tensor<?x4x?x32xf16>, tensor<?x4x?xf32>) outs(%arg0, %arg1 : tensor<?x4x?x32xf16>, tensor<?x4x?xf32>)
    dit.attention_merge ins((%arg2, %arg3), (%arg2, %arg3) : memref<?x4x?x32xf16>, memref<?x4x?xf32>, memref<?x4x?x32xf16>, memref<?x4x?xf32>) outs(%arg2, %arg3 : memref<?x4x?x32xf16>, memref<?x4x?xf32>)
    return %0#0 : tensor<?x4x?x32xf16>
  }
  func.func @low_rank_score(%arg0: tensor<?x4x?x8xf32>, %arg1: tensor<?x4x?x?xf32>, %arg2: memref<?x4x?x8xf32>, %arg3: memref<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> {
    %0 = dit.low_rank_score ins(%arg0, %arg0 : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) by [32, 1] proxy <center> outs(%arg1 : tensor<?x4x?x?xf32>)
    dit.low_rank_score ins(%arg2, %arg2 : memref<?x4x?x8xf32>, memref<?x4x?x8xf32>) by [32, 1] proxy <mean> outs(%arg3 : memref<?x4x?x?xf32>) {scale = 5.000000e-01 : f64}
    return %0 : tensor<?x4x?x?xf32>
  }
  func.func @topk_mask(%arg0: tensor<2x4x?x?xf32>, %arg1: tensor<4xi32>, %arg2: tensor<2x4x?xi32>, %arg3: tensor<2x4x?x?xi32>, %arg4: memref<2x4x?x?xf32>, %arg5: memref<2x4x?xi32>, %arg6: memref<2x4x?x?xi32>) {
    %0:2 = dit.topk_mask ins(%arg0 : tensor<2x4x?x?xf32>) count(%arg1 : tensor<4xi32>) keep(#dit.window<left = 0, right = 0>) outs(%arg2, %arg3 : tensor<2x4x?xi32>, tensor<2x4x?x?xi32>)
    %1:2 = dit.topk_mask ins(%arg0 : tensor<2x4x?x?xf32>) fraction(5.000000e-01) outs(%arg2, %arg3 : tensor<2x4x?xi32>, tensor<2x4x?x?xi32>)
    dit.topk_mask ins(%arg4 : memref<2x4x?x?xf32>) mass(9.000000e-01) outs(%arg5, %arg6 : memref<2x4x?xi32>, memref<2x4x?x?xi32>)
    return
  }
  func.func @tile_lists(%arg0: tensor<2x4x8xi32>, %arg1: tensor<2x4x8x?xi32>, %arg2: tensor<1x1x8xi32>, %arg3: tensor<1x1x8x16xi32>, %arg4: tensor<?x?x?xi32>, %arg5: tensor<?x?x?x?xi32>, %arg6: index) {
    %0:2 = dit.tiles_union ins((%arg0, %arg1), (%arg2, %arg3) : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>, tensor<1x1x8xi32>, tensor<1x1x8x16xi32>) outs(%arg0, %arg1 : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>)
    %1:2 = dit.tiles_slice ins(%arg0, %arg1 : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>) at(%arg6, %arg6, %arg6) outs(%arg4, %arg5 : tensor<?x?x?xi32>, tensor<?x?x?x?xi32>)
    %2:2 = dit.tiles_transpose ins(%arg0, %arg1 : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>) outs(%arg4, %arg5 : tensor<?x?x?xi32>, tensor<?x?x?x?xi32>)
    return
  }
  func.func @tile_lists_memref(%arg0: memref<2x4x8xi32>, %arg1: memref<2x4x8x?xi32>, %arg2: index) {
    dit.tiles_union ins((%arg0, %arg1), (%arg0, %arg1) : memref<2x4x8xi32>, memref<2x4x8x?xi32>, memref<2x4x8xi32>, memref<2x4x8x?xi32>) outs(%arg0, %arg1 : memref<2x4x8xi32>, memref<2x4x8x?xi32>)
    dit.tiles_slice ins(%arg0, %arg1 : memref<2x4x8xi32>, memref<2x4x8x?xi32>) at(%arg2, %arg2, %arg2) outs(%arg0, %arg1 : memref<2x4x8xi32>, memref<2x4x8x?xi32>)
    dit.tiles_transpose ins(%arg0, %arg1 : memref<2x4x8xi32>, memref<2x4x8x?xi32>) outs(%arg0, %arg1 : memref<2x4x8xi32>, memref<2x4x8x?xi32>)
    return
  }
  func.func @reuse(%arg0: index, %arg1: tensor<?x4xf32>, %arg2: memref<4xf32>) {
    %0 = dit.scheduled %arg0, #dit.schedule<"1001">
    %1:2 = dit.reuse compute(%0) state(%arg1 : tensor<?x4xf32>) {
    ^bb0(%arg3: tensor<?x4xf32>):
      dit.yield %arg3, %arg3 : tensor<?x4xf32>, tensor<?x4xf32>
    } {site = "blocks.0"} -> tensor<?x4xf32>, tensor<?x4xf32>
    %2 = dit.reuse compute(%0) state(%arg2 : memref<4xf32>) {
    ^bb0(%arg3: memref<4xf32>):
      dit.yield %arg3 : memref<4xf32>
    } otherwise {
    ^bb0(%arg3: memref<4xf32>):
      dit.yield
    } -> memref<4xf32>
    dit.reuse compute(%0) {
      dit.yield
    }
    return
  }
  func.func @tokens(%arg0: tensor<?x64x8xf32>, %arg1: memref<2x65x8xi8>) -> tensor<?x64x8xf32> {
    %0 = dit.group_tokens ins(%arg0 : tensor<?x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%arg0 : tensor<?x64x8xf32>)
    dit.ungroup_tokens ins(%arg1 : memref<2x65x8xi8>) dim 1 grid <4x4x4, text = 1, text_first> cube [2, 3, 2] outs(%arg1 : memref<2x65x8xi8>)
    return %0 : tensor<?x64x8xf32>
  }
}

