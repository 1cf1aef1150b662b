// RUN: dit-opt %s --dit-raise-attention --split-input-file -o %t --remarks-filter=dit-raise-attention 2>&1 | FileCheck %s
// RUN: not grep dit.attention %t

// What looks like attention and is not, or not one that the op can express:
// nothing is rewritten, and a remark says which step did not match.

// -----

// Normalised over the queries.

// CHECK: Missed
// CHECK-SAME: Function=over_queries
// CHECK-SAME: the denominator is not the sum of the weights over the keys
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
func.func @over_queries(%q: tensor<4x8x16xf32>, %k: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%f : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(1) ins(%p : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Scores through tanh.

// CHECK: Missed
// CHECK-SAME: Function=capped
// CHECK-SAME: the scores are not linear in a product of q and k: they are the result of 'math.tanh'
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
func.func @capped(%q: tensor<4x8x16xf32>, %k: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%f : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) {
  ^bb0(%a0: f32, %out: f32):
    %x = math.tanh %a0 : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%s : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// A fill that does not hide.

// CHECK: Missed
// CHECK-SAME: Function=weak_mask
// CHECK-SAME: masked scores are filled with -5
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
func.func @weak_mask(%q: tensor<4x8x16xf32>, %k: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %m: tensor<4x8x8xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%f : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %c = arith.constant -5.0 : f32
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p, %m : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %out: f32):
    %b = arith.cmpf ogt, %a1, %zero : f32
    %x = arith.select %b, %a0, %c : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%s : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Probabilities that are masked once more, otherwise than the scores.

// CHECK: Missed
// CHECK-SAME: Function=zeroed
// CHECK-SAME: probabilities or outputs are zeroed under a condition that is neither a test for rows of -inf nor a mask of the scores
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
func.func @zeroed(%q: tensor<4x8x16xf32>, %k: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %m: tensor<4x8x8xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%f : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %n = linalg.softmax dimension(2) ins(%p : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%n, %m : tensor<4x8x8xf32>, tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) {
  ^bb0(%a0: f32, %a1: f32, %out: f32):
    %b = arith.cmpf ogt, %a1, %zero : f32
    %x = arith.select %b, %a0, %zero : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Divided by the sum of other weights.

// CHECK: Missed
// CHECK-SAME: Function=other_sum
// CHECK-SAME: the denominator is not the sum of the weights over the keys
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
func.func @other_sum(%q: tensor<4x8x16xf32>, %k: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%f : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %l0 = tensor.empty() : tensor<4x8xf32>
  %l1 = linalg.fill ins(%zero : f32) outs(%l0 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %l = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]} ins(%p : tensor<4x8x8xf32>) outs(%l1 : tensor<4x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %y = arith.addf %a, %a : f32
    %z = math.exp %y : f32
    %x = arith.addf %z, %out : f32
    linalg.yield %x : f32
  } -> tensor<4x8xf32>
  %w = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p, %l : tensor<4x8x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %y = math.exp %a : f32
    %x = arith.divf %y, %b : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// A gate is no softmax: no remark.

// CHECK-NOT: Missed
#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
func.func @gated(%q: tensor<4x8x16xf32>, %k: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%f : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x8x8xf32>) outs(%e : tensor<4x8x8xf32>) {
  ^bb0(%a0: f32, %out: f32):
    %n = arith.negf %a0 : f32
    %y = math.exp %n : f32
    %one = arith.constant 1.0 : f32
    %d = arith.addf %y, %one : f32
    %x = arith.divf %one, %d : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// A sink: one more score that takes weight and has no value.

// CHECK: Missed
// CHECK-SAME: Function=sink
// CHECK-SAME: they are the result of 'tensor.extract_slice', which is not looked through
func.func @sink(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %sink: tensor<4x8x1xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %c = tensor.concat dim(2) %p, %sink : (tensor<4x8x8xf32>, tensor<4x8x1xf32>) -> tensor<4x8x9xf32>
  %e = tensor.empty() : tensor<4x8x9xf32>
  %n = linalg.softmax dimension(2) ins(%c : tensor<4x8x9xf32>) outs(%e : tensor<4x8x9xf32>) -> tensor<4x8x9xf32>
  %w = tensor.extract_slice %n[0, 0, 0] [4, 8, 8] [1, 1, 1] : tensor<4x8x9xf32> to tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Heads that a matrix mixes after the softmax.

// CHECK: Missed
// CHECK-SAME: Function=talking_heads
// CHECK-SAME: a contraction stands between the exponential and the product with the values
func.func @talking_heads(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %mix = arith.constant dense<0.25> : tensor<4x4xf32>
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %n = linalg.softmax dimension(2) ins(%p : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(h, i, j, g) -> (g, i, j)>, affine_map<(h, i, j, g) -> (g, h)>, affine_map<(h, i, j, g) -> (h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%n, %mix : tensor<4x8x8xf32>, tensor<4x4xf32>) outs(%s1 : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.mulf %a, %b : f32
    %y = arith.addf %out, %x : f32
    linalg.yield %y : f32
  } -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Probabilities of one row that are broadcast if there is one, by a condition
// that is not that of their extent.

// CHECK: Missed
// CHECK-SAME: Function=broadcast
// CHECK-SAME: the probabilities are not a quotient of an exponential: they are a gather, or a broadcast along a dimension that is not known to be of extent one ('linalg.generic')
func.func @broadcast(%q: tensor<4x?x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %s: index, %one: i1) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %s0 = tensor.empty(%s) : tensor<4x?x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x?x8xf32>) -> tensor<4x?x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x?x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x?x8xf32>) -> tensor<4x?x8xf32>
  %n = linalg.softmax dimension(2) ins(%p : tensor<4x?x8xf32>) outs(%s0 : tensor<4x?x8xf32>) -> tensor<4x?x8xf32>
  %e = tensor.empty() : tensor<4x8x8xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(b, i, j) -> (b, i, j)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%e : tensor<4x8x8xf32>) {
  ^bb0(%out: f32):
    %b = linalg.index 0 : index
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %r = arith.select %one, %c0, %i : index
    %x = tensor.extract %n[%b, %r, %j] : tensor<4x?x8xf32>
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Values that are multiplied by their weights one by one, and then summed.

// CHECK: Missed
// CHECK-SAME: Function=by_elements
// CHECK-SAME: the probabilities and the values are multiplied element by element and summed, which is no contraction
#all = affine_map<(b, i, j, d) -> (b, i, j, d)>
func.func @by_elements(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%p : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %e = tensor.empty() : tensor<4x8x8x16xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(b, i, j, d) -> (b, i, j)>, affine_map<(b, i, j, d) -> (b, j, d)>, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%e : tensor<4x8x8x16xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.mulf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8x16xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.reduce ins(%m : tensor<4x8x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) dimensions = [2]
    (%a: f32, %out: f32) {
      %x = arith.addf %a, %out : f32
      linalg.yield %x : f32
    }
  return %o : tensor<4x8x16xf32>
}

// -----

// Softmax over the tokens of projected features, as in linear attention: the
// scores are a linear layer.

// CHECK: Missed
// CHECK-SAME: Function=features
// CHECK-SAME: the scores are a product with a weight
func.func @features(%x: tensor<8x16xf32>, %v: tensor<8x16xf32>) -> tensor<16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %matrix = arith.constant dense_resource<matrix> : tensor<16x16xf32>
  %e = tensor.empty() : tensor<16x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x8xf32>) -> tensor<16x8xf32>
  %t0 = tensor.empty() : tensor<16x8xf32>
  %t = linalg.transpose ins(%x : tensor<8x16xf32>) outs(%t0 : tensor<16x8xf32>) permutation = [1, 0]
  %p = linalg.matmul ins(%matrix, %t : tensor<16x16xf32>, tensor<16x8xf32>) outs(%f : tensor<16x8xf32>) -> tensor<16x8xf32>
  %w = linalg.softmax dimension(1) ins(%p : tensor<16x8xf32>) outs(%e : tensor<16x8xf32>) -> tensor<16x8xf32>
  %o0 = tensor.empty() : tensor<16x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<16x16xf32>) -> tensor<16x16xf32>
  %o = linalg.matmul ins(%w, %v : tensor<16x8xf32>, tensor<8x16xf32>) outs(%o1 : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %o : tensor<16x16xf32>
}

{-#
  dialect_resources: {
    builtin: {
      matrix: "0x0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    }
  }
#-}
