module {
  func.func @branches(%arg0: tensor<2x4xf32>, %arg1: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<3x4xf32>, tensor<2x4xf32>) {
    %0:2 = dit.branch "blocks.0.attn1" joint layer 0 heads 2 of(%arg0, %arg1 : tensor<2x4xf32>, tensor<3x4xf32>) attend {
      dit.yield %arg0 : tensor<2x4xf32>
    } project {
    ^bb0(%arg2: tensor<2x4xf32>):
      dit.yield %arg2, %arg1 : tensor<2x4xf32>, tensor<3x4xf32>
    } gate {
    ^bb0(%arg2: tensor<2x4xf32>, %arg3: tensor<3x4xf32>):
      dit.yield %arg2, %arg3 : tensor<2x4xf32>, tensor<3x4xf32>
    } -> tensor<2x4xf32>, tensor<3x4xf32>
    %1 = dit.branch "mlp" mlp of(%arg0 : tensor<2x4xf32>) project {
      dit.yield %arg0 : tensor<2x4xf32>
    } -> tensor<2x4xf32>
    return %0#0, %0#1, %1 : tensor<2x4xf32>, tensor<3x4xf32>, tensor<2x4xf32>
  }
}

