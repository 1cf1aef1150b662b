// RUN: dit-opt %s --optimize-linalg-for-cpu --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>

// The weight is stored transposed; the broadcast bias and the activation are
// one op after the product. Arguments stay the caller's.
// CHECK-LABEL: func.func @linear(
// CHECK-SAME: tensor<4x2xf32> {bufferization.writable = false}
// CHECK-DAG: arith.constant dense_resource<dit_transposed> : tensor<2x3xf32>
// CHECK-NOT: linalg.transpose
// CHECK: %[[M:.*]] = linalg.matmul
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[M]], %{{.*}} : tensor<4x3xf32>, tensor<3xf32>)
// CHECK: arith.addf
// CHECK-NEXT: math.tanh
// CHECK-NOT: linalg.generic
// CHECK: return %[[R]]
func.func @linear(%x: tensor<4x2xf32>, %bias: tensor<3xf32>) -> tensor<4x3xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x2xf32>) outs(%e : tensor<2x3xf32>) permutation = [1, 0]
  %o = tensor.empty() : tensor<4x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%o : tensor<4x3xf32>) -> tensor<4x3xf32>
  %m = linalg.matmul ins(%x, %t : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  %b = linalg.generic {indexing_maps = [#col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%bias : tensor<3xf32>) outs(%o : tensor<4x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x3xf32>
  %a = linalg.add ins(%m, %b : tensor<4x3xf32>, tensor<4x3xf32>) outs(%o : tensor<4x3xf32>) -> tensor<4x3xf32>
  %r = linalg.tanh ins(%a : tensor<4x3xf32>) outs(%o : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// -----

// A transpose that is not constant goes into the product's indexing map.
// CHECK-LABEL: func.func @transposed(
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x2xf32>, tensor<3x2xf32>)
func.func @transposed(%x: tensor<4x2xf32>, %w: tensor<3x2xf32>, %init: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %e = tensor.empty() : tensor<2x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x2xf32>) outs(%e : tensor<2x3xf32>) permutation = [1, 0]
  %m = linalg.matmul ins(%x, %t : tensor<4x2xf32>, tensor<2x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %m : tensor<4x3xf32>
}

// -----

// CHECK-LABEL: func.func @same_weight_for_all_batches(
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : tensor<2x?x8xf32> into tensor<?x8xf32>
// CHECK: linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8x16xf32>)
// CHECK: tensor.expand_shape
func.func @same_weight_for_all_batches(%x: tensor<2x?x8xf32>, %w: tensor<8x16xf32>, %init: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %e = tensor.empty() : tensor<2x8x16xf32>
  %b = linalg.broadcast ins(%w : tensor<8x16xf32>) outs(%e : tensor<2x8x16xf32>) dimensions = [0]
  %m = linalg.batch_matmul ins(%x, %b : tensor<2x?x8xf32>, tensor<2x8x16xf32>) outs(%init : tensor<2x?x16xf32>) -> tensor<2x?x16xf32>
  return %m : tensor<2x?x16xf32>
}

// -----

// Windows that do not overlap are rows of a product.
// CHECK-LABEL: func.func @patches(
// CHECK-NOT: linalg.conv
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<32x12xf32>, tensor<8x12xf32>)
// CHECK-LABEL: func.func @overlap(
// CHECK: linalg.conv_2d_nchw_fchw
func.func @patches(%x: tensor<2x3x8x8xf32>, %w: tensor<8x3x2x2xf32>, %init: tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32> {
  %c = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<2x3x8x8xf32>, tensor<8x3x2x2xf32>) outs(%init : tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  return %c : tensor<2x8x4x4xf32>
}
func.func @overlap(%x: tensor<2x3x9x9xf32>, %w: tensor<8x3x3x3xf32>, %init: tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32> {
  %c = linalg.conv_2d_nchw_fchw {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<2x3x9x9xf32>, tensor<8x3x3x3xf32>) outs(%init : tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  return %c : tensor<2x8x4x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A cheap cast is repeated in both sums, each of which starts from a fill of
// its own.
// CHECK-LABEL: func.func @norm(
// CHECK-COUNT-2: linalg.fill
// CHECK-NOT: tensor<4x8xf64>
// CHECK: return
func.func @norm(%x: tensor<4x8xf32>) -> (tensor<4xf64>, tensor<4xf64>) {
  %zero = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<4x8xf64>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf64>) {
  ^bb0(%in: f32, %out: f64):
    %0 = arith.extf %in : f32 to f64
    linalg.yield %0 : f64
  } -> tensor<4x8xf64>
  %s = tensor.empty() : tensor<4xf64>
  %f = linalg.fill ins(%zero : f64) outs(%s : tensor<4xf64>) -> tensor<4xf64>
  %a = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%w : tensor<4x8xf64>) outs(%f : tensor<4xf64>) {
  ^bb0(%in: f64, %out: f64):
    %0 = arith.addf %in, %out : f64
    linalg.yield %0 : f64
  } -> tensor<4xf64>
  %b = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%w : tensor<4x8xf64>) outs(%f : tensor<4xf64>) {
  ^bb0(%in: f64, %out: f64):
    %0 = arith.maximumf %in, %out : f64
    linalg.yield %0 : f64
  } -> tensor<4xf64>
  return %a, %b : tensor<4xf64>, tensor<4xf64>
}
