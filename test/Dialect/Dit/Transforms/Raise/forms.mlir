// RUN: dit-opt %s --dit-raise-attention --split-input-file -o %t --remarks-filter=dit-raise-attention 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

// Other ways to write softmax attention.

// -----

// What is added to all scores of a row changes no weight, unless it is -inf.
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
#keep = affine_map<(b, i, j) -> (b, i, 0)>
// CHECK-LABEL: func.func @bias_of_rows(
// CHECK:         dit.attention
// CHECK-SAME:      bias(%{{.*}} : tensor<4x1x8x1xf32>)
func.func @bias_of_rows(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %rows: tensor<4x8xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [#row, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%rows, %p : tensor<4x8xf32>, tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%r: f32, %a: f32, %out: f32):
    %x = arith.addf %a, %r : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Of two products in the scores, the one with a vector for each key is that of
// q and k; the other one, with a table of each query, is a bias.
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
#keep = affine_map<(b, i, j) -> (b, i, 0)>
// CHECK-LABEL: func.func @relative_positions(
// CHECK-SAME:    %[[Q:[^ ]*]]: tensor<4x8x16xf32>, %{{.*}}, %{{.*}}, %[[TABLE:[^ ]*]]: tensor<8x8x16xf32>
// CHECK:         %[[R:.*]] = linalg.generic
// CHECK-SAME:      ins(%[[Q]], %[[TABLE]] :
// CHECK-NOT:     linalg.batch_matmul
// CHECK:         %[[B:.*]] = tensor.expand_shape %[[R]]
// CHECK:         dit.attention
// CHECK-SAME:      bias(%[[B]]
func.func @relative_positions(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %table: tensor<8x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %r0 = linalg.generic {indexing_maps = [affine_map<(b, i, j, d) -> (b, i, d)>, affine_map<(b, i, j, d) -> (i, j, d)>, affine_map<(b, i, j, d) -> (b, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%q, %table : tensor<4x8x16xf32>, tensor<8x8x16xf32>) outs(%s1 : tensor<4x8x8xf32>) {
  ^bb0(%l: f32, %m: f32, %n: f32):
    %x = arith.mulf %l, %m : f32
    %y = arith.addf %n, %x : f32
    linalg.yield %y : f32
  } -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r0, %p : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%r: f32, %a: f32, %out: f32):
    %x = arith.addf %r, %a : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Scores and bias are scaled together by a value of each row.
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
#keep = affine_map<(b, i, j) -> (b, i, 0)>
// CHECK-LABEL: func.func @scale_after_bias(
// CHECK:         arith.divf
// CHECK:         linalg.generic
// CHECK:           arith.divf
// CHECK:         dit.attention
// CHECK-SAME:      bias(
// REMARK:      Function=scale_after_bias
// REMARK-SAME: folded scale of each row, additive bias
func.func @scale_after_bias(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %bias: tensor<4x8x8xf32>, %rows: tensor<4x8xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%bias, %p, %rows : tensor<4x8x8xf32>, tensor<4x8x8xf32>, tensor<4x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%c: f32, %a: f32, %r: f32, %out: f32):
    %s = arith.addf %a, %c : f32
    %x = arith.divf %s, %r : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Powers of two, as exporters write exp2, and a sum that is taken after the
// product.

#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
#keep = affine_map<(b, i, j) -> (b, i, 0)>
// CHECK-LABEL: func.func @powers(
// CHECK-NOT:     math.powf
// CHECK:         dit.attention
// CHECK-SAME:      scale = 0.69314718055994529 : f64
func.func @powers(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = math.powf %two, %a : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %l0 = tensor.empty() : tensor<4x8xf32>
  %l1 = linalg.fill ins(%zero : f32) outs(%l0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %l = linalg.reduce ins(%w : tensor<4x8x8xf32>) outs(%l1 : tensor<4x8xf32>) dimensions = [2]
    (%a: f32, %out: f32) {
      %x = arith.addf %a, %out : f32
      linalg.yield %x : f32
    }
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%o, %l : tensor<4x8x16xf32>, tensor<4x8xf32>) outs(%o0 : tensor<4x8x16xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.divf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<4x8x16xf32>
  return %r : tensor<4x8x16xf32>
}

// -----

// The exponential of scores less their log-sum-exp, which is computed with
// another shift than the maximum.

#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
#keep = affine_map<(b, i, j) -> (b, i, 0)>
// CHECK-LABEL: func.func @log_sum_exp(
// CHECK-NOT:     math.log
// CHECK:         dit.attention
func.func @log_sum_exp(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %l0 = tensor.empty() : tensor<4x8x1xf32>
  %l1 = linalg.fill ins(%zero : f32) outs(%l0 : tensor<4x8x1xf32>) -> tensor<4x8x1xf32>
  %l = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "parallel", "reduction"]} ins(%p : tensor<4x8x8xf32>) outs(%l1 : tensor<4x8x1xf32>) {
  ^bb0(%a: f32, %out: f32):
    %d = arith.subf %a, %one : f32
    %x = math.exp %d : f32
    %y = arith.addf %x, %out : f32
    linalg.yield %y : f32
  } -> tensor<4x8x1xf32>
  %w = linalg.generic {indexing_maps = [#id, #keep, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p, %l : tensor<4x8x8xf32>, tensor<4x8x1xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %c = math.log %b : f32
    %d = arith.addf %c, %one : f32
    %x = arith.subf %a, %d : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// One key has the whole weight, as with a single token of context.

// CHECK-LABEL: func.func @one_key(
// CHECK:         dit.attention
// CHECK-SAME:      tensor<1x4x8x16xf32>
// REMARK:      Function=one_key
// REMARK-SAME: s=8x1 d=16
func.func @one_key(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x1xf32>, %v: tensor<4x1x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty() : tensor<4x8x1xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x1xf32>) -> tensor<4x8x1xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x1xf32>) outs(%s1 : tensor<4x8x1xf32>) -> tensor<4x8x1xf32>
  %w = linalg.softmax dimension(2) ins(%p : tensor<4x8x1xf32>) outs(%s0 : tensor<4x8x1xf32>) -> tensor<4x8x1xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x1xf32>, tensor<4x1x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Queries of each head that are weights; a linear layer shares no dimension
// with its input.

// CHECK-LABEL: func.func @learned_queries(
// CHECK:         dit.attention
func.func @learned_queries(%kt: tensor<4x2x3xf32>, %v: tensor<4x3x2xf32>) -> tensor<4x2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %q = arith.constant dense<[[[1.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.5, 2.0]], [[1.0, 1.5], [0.5, 1.0]], [[1.0, 0.5], [3.0, 1.0]]]> : tensor<4x2x2xf32>
  %s0 = tensor.empty() : tensor<4x2x3xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x2x3xf32>) -> tensor<4x2x3xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x2x2xf32>, tensor<4x2x3xf32>) outs(%s1 : tensor<4x2x3xf32>) -> tensor<4x2x3xf32>
  %w = linalg.softmax dimension(2) ins(%p : tensor<4x2x3xf32>) outs(%s0 : tensor<4x2x3xf32>) -> tensor<4x2x3xf32>
  %o0 = tensor.empty() : tensor<4x2x2xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x2x2xf32>) -> tensor<4x2x2xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x2x3xf32>, tensor<4x3x2xf32>) outs(%o1 : tensor<4x2x2xf32>) -> tensor<4x2x2xf32>
  return %o : tensor<4x2x2xf32>
}

// -----

// Values that are scaled stay scaled.

#id = affine_map<(b, i, j) -> (b, i, j)>
// CHECK-LABEL: func.func @scaled_values(
// CHECK:         %[[V:.*]] = linalg.generic
// CHECK:           arith.mulf
// CHECK:         %[[V4:.*]] = tensor.expand_shape %[[V]]
// CHECK:         dit.attention ins(%{{.*}}, %{{.*}}, %[[V4]] :
func.func @scaled_values(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %three = arith.constant 3.0 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%p : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %vs = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%v : tensor<4x8x16xf32>) outs(%o0 : tensor<4x8x16xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = arith.mulf %a, %three : f32
    linalg.yield %x : f32
  } -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %vs : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}
