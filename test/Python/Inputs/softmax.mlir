// A softmax that belongs to no attention, and one that does: remarks on both.
func.func @main(%q: tensor<1x8x4xf32>, %k: tensor<1x8x4xf32>, %v: tensor<1x8x4xf32>) -> tensor<1x8x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x8x8xf32>
  %ek = tensor.empty() : tensor<1x4x8xf32>
  %kt = linalg.transpose ins(%k : tensor<1x8x4xf32>) outs(%ek : tensor<1x4x8xf32>) permutation = [0, 2, 1]
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<1x8x4xf32>, tensor<1x4x8xf32>) outs(%f : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<1x8x8xf32>) outs(%e : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %eo = tensor.empty() : tensor<1x8x4xf32>
  %fo = linalg.fill ins(%zero : f32) outs(%eo : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<1x8x8xf32>, tensor<1x8x4xf32>) outs(%fo : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  return %o : tensor<1x8x4xf32>
}
