// RUN: dit-opt %s --optimize-linalg-for-cpu --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>

// The weight is stored transposed; the sums of the product begin as the bias,
// and the activation is one op after it. Arguments stay the caller's.
// CHECK-LABEL: func.func @linear(
// CHECK-SAME: tensor<4x2xf32> {bufferization.writable = false}
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<3xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense_resource<dit_transposed> : tensor<2x3xf32>
// CHECK-NOT: linalg.transpose
// CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[W]], %[[B]] : tensor<4x2xf32>, tensor<2x3xf32>, tensor<3xf32>)
// CHECK-NEXT: ^bb0(%[[L:.*]]: f32, %[[RIGHT:.*]]: f32, %[[BIAS:.*]]: f32, %[[OUT:.*]]: f32)
// CHECK: %[[K:.*]] = linalg.index 2
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[K]], %{{.*}}
// CHECK: %[[START:.*]] = arith.select %[[FIRST]], %[[BIAS]], %[[OUT]]
// CHECK: %[[P:.*]] = arith.mulf %[[L]], %[[RIGHT]]
// CHECK: arith.addf %[[START]], %[[P]]
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[M]] : tensor<4x3xf32>)
// CHECK-NEXT: ^bb0
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

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A sum of squares is no product of matrices: the subtraction moves into it and
// nothing of the size of %x is stored.
// CHECK-LABEL: func.func @variance(
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: arith.extf
// CHECK: arith.subf
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @variance(%x: tensor<4x8xf32>, %mean: tensor<4xf64>) -> tensor<4xf64> {
  %zero = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<4x8xf64>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %mean : tensor<4x8xf32>, tensor<4xf64>) outs(%e : tensor<4x8xf64>) {
  ^bb0(%a: f32, %m: f64, %o: f64):
    %w = arith.extf %a : f32 to f64
    %s = arith.subf %w, %m : f64
    linalg.yield %s : f64
  } -> tensor<4x8xf64>
  %q = linalg.mul ins(%d, %d : tensor<4x8xf64>, tensor<4x8xf64>) outs(%e : tensor<4x8xf64>) -> tensor<4x8xf64>
  %e1 = tensor.empty() : tensor<4xf64>
  %f = linalg.fill ins(%zero : f64) outs(%e1 : tensor<4xf64>) -> tensor<4xf64>
  %v = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%q : tensor<4x8xf64>) outs(%f : tensor<4xf64>) {
  ^bb0(%a: f64, %o: f64):
    %s = arith.addf %a, %o : f64
    linalg.yield %s : f64
  } -> tensor<4xf64>
  return %v : tensor<4xf64>
}

// -----

#id4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#out = affine_map<(d0, d1, d2, d3) -> (d0, d1)>
#in = affine_map<(d0, d1, d2, d3) -> (d2, d3)>

// Dimensions that are neighbours in every operand become one.
// CHECK-LABEL: func.func @merge(
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<6x64xf32>, tensor<6xf32>, tensor<64xf32>)
func.func @merge(%x: tensor<2x3x4x16xf32>, %s: tensor<2x3xf32>, %w: tensor<4x16xf32>) -> tensor<2x3x4x16xf32> {
  %e = tensor.empty() : tensor<2x3x4x16xf32>
  %r = linalg.generic {indexing_maps = [#id4, #out, #in, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %s, %w : tensor<2x3x4x16xf32>, tensor<2x3xf32>, tensor<4x16xf32>) outs(%e : tensor<2x3x4x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %n = arith.mulf %m, %c : f32
    linalg.yield %n : f32
  } -> tensor<2x3x4x16xf32>
  return %r : tensor<2x3x4x16xf32>
}

// -----

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#to = affine_map<(d0, d1, d2) -> (d0, d2, d1)>

// Two transposes that undo each other are none.
// CHECK-LABEL: func.func @there_and_back(
// CHECK-NOT: affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @there_and_back(%x: tensor<2x5x16xf32>) -> tensor<2x5x16xf32> {
  %e = tensor.empty() : tensor<2x16x5xf32>
  %t = linalg.generic {indexing_maps = [#to, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x5x16xf32>) outs(%e : tensor<2x16x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x16x5xf32>
  %e1 = tensor.empty() : tensor<2x5x16xf32>
  %u = linalg.generic {indexing_maps = [#to, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t : tensor<2x16x5xf32>) outs(%e1 : tensor<2x5x16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<2x5x16xf32>
  return %u : tensor<2x5x16xf32>
}

// -----

#window = affine_map<(d0, d1, d2, d3) -> (d0 * 2 + d2, d1 * 2 + d3)>
#shape = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#out = affine_map<(d0, d1, d2, d3) -> (d0, d1)>

// The dimensions of a window are no neighbours in what it slides over.
// CHECK-LABEL: func.func @pool(
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x8xf32>, tensor<2x2xf32>) outs(%{{.*}} : tensor<4x4xf32>)
func.func @pool(%x: tensor<8x8xf32>, %s: tensor<2x2xf32>, %o: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %r = linalg.generic {indexing_maps = [#window, #shape, #out], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %s : tensor<8x8xf32>, tensor<2x2xf32>) outs(%o : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.maximumf %a, %c : f32
    linalg.yield %m : f32
  } -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A bias stays where it is if it has no element for each column, if the sums
// begin as something else, or if more than this op uses the product.
// CHECK-LABEL: func.func @no_bias(
// CHECK-COUNT-3: linalg.matmul
func.func @no_bias(%x: tensor<4x2xf32>, %y: tensor<4x2xf32>, %w: tensor<2x4xf32>, %b: tensor<4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %m = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %b : tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %f1 = linalg.fill ins(%one : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %m1 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x4xf32>) outs(%f1 : tensor<4x4xf32>) -> tensor<4x4xf32>
  %r1 = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m1, %b : tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %m2 = linalg.matmul ins(%y, %w : tensor<4x2xf32>, tensor<2x4xf32>) outs(%f2 : tensor<4x4xf32>) -> tensor<4x4xf32>
  %r2 = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m2, %b : tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %r, %r1, %m2, %r2 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}
