// A loop of four steps over an attention.
func.func @sample(%x: tensor<1x2x16x8xf32>) -> tensor<1x2x16x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%y = %x) -> (tensor<1x2x16x8xf32>) {
    %init = tensor.empty() : tensor<1x2x16x8xf32>
    %o = dit.attention ins(%y, %y, %y : tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>)
      outs(%init : tensor<1x2x16x8xf32>) {scale = 0.35 : f64, site = "attn1", kind = #dit.kind<full>}
    scf.yield %o : tensor<1x2x16x8xf32>
  }
  return %r : tensor<1x2x16x8xf32>
}
