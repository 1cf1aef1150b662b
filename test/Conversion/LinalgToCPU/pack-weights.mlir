// RUN: dit-opt %s --optimize-linalg-for-cpu=vector-bits=64 --split-input-file | FileCheck %s

// Vectors of 2 and tiles of 2 vectors: four columns make a panel, and what a
// product of many rows reads is [panel, k, column].
// CHECK-LABEL: func.func @panels(
// CHECK: %[[W:.*]] = arith.constant dense_resource<dit_packed> : tensor<2x2x4xf32>
// CHECK: %[[M:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%{{.*}}, %[[W]] : tensor<32x2xf32>, tensor<2x2x4xf32>) outs(%{{.*}} : tensor<32x2x4xf32>)
// CHECK: tensor.collapse_shape %[[M]] {{\[\[}}0], [1, 2]] : tensor<32x2x4xf32> into tensor<32x8xf32>
// 0, 1, 2, 3 and 8, 9, 10, 11, then 4 to 7 and 12 to 15.
// CHECK: dit_packed: "0x04000000000000000000803F00000040000040400000004100001041000020410000304100008040
func.func @panels(%x: tensor<32x2xf32>) -> tensor<32x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
                             [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]]> : tensor<2x8xf32>
  %e = tensor.empty() : tensor<32x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x8xf32>) -> tensor<32x8xf32>
  %m = linalg.matmul ins(%x, %w : tensor<32x2xf32>, tensor<2x8xf32>) outs(%f : tensor<32x8xf32>) -> tensor<32x8xf32>
  return %m : tensor<32x8xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>

// A bias is cut into panels, too; nothing is left of the op that added it.
// CHECK-LABEL: func.func @biased_panels(
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<8xf32>
// CHECK: %[[COLUMNS:.*]] = tensor.expand_shape %[[B]] {{\[\[}}0, 1]] output_shape [2, 4]
// CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %[[COLUMNS]] : tensor<32x2xf32>, tensor<2x2x4xf32>, tensor<2x4xf32>)
// CHECK: %[[R:.*]] = tensor.collapse_shape %[[M]]
// CHECK: return %[[R]]
func.func @biased_panels(%x: tensor<32x2xf32>, %b: tensor<8xf32>) -> tensor<32x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
                             [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]]> : tensor<2x8xf32>
  %e = tensor.empty() : tensor<32x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x8xf32>) -> tensor<32x8xf32>
  %m = linalg.matmul ins(%x, %w : tensor<32x2xf32>, tensor<2x8xf32>) outs(%f : tensor<32x8xf32>) -> tensor<32x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %b : tensor<32x8xf32>, tensor<8xf32>) outs(%e : tensor<32x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %q, %p : f32
    linalg.yield %s : f32
  } -> tensor<32x8xf32>
  return %r : tensor<32x8xf32>
}

// -----

// Few rows read the matrix in place, and panels with gaps are left to the kernel.
// CHECK-LABEL: func.func @matrix(
// CHECK: linalg.matmul {{.*}} tensor<2x8xf32>
// CHECK: linalg.matmul {{.*}} tensor<2x7xf32>
func.func @matrix(%x: tensor<8x2xf32>, %y: tensor<32x2xf32>) -> (tensor<8x8xf32>, tensor<32x7xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
                             [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]]> : tensor<2x8xf32>
  %v = arith.constant dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                             [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0]]> : tensor<2x7xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m = linalg.matmul ins(%x, %w : tensor<8x2xf32>, tensor<2x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %e1 = tensor.empty() : tensor<32x7xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<32x7xf32>) -> tensor<32x7xf32>
  %n = linalg.matmul ins(%y, %v : tensor<32x2xf32>, tensor<2x7xf32>) outs(%f1 : tensor<32x7xf32>) -> tensor<32x7xf32>
  return %m, %n : tensor<8x8xf32>, tensor<32x7xf32>
}
