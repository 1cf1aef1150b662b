// RUN: dit-opt %s --dit-raise-attention --split-input-file -o %t --remarks-filter=dit-raise-attention 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

// Masks that are proven to hide diagonals become patterns; what is not proven,
// or not the same, stays a bias.

// -----

// Key minus query at most zero, for any lengths.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @causal_by_positions(
// CHECK-NOT:     linalg.generic
// CHECK:         dit.attention
// CHECK-NOT:       bias
// CHECK-SAME:      pattern(#dit.causal)
// REMARK:      raised attention attn{{[0-9]+}}
// REMARK-SAME: folded mask, proved that a mask is #dit.causal
func.func @causal_by_positions(%q: tensor<4x?x16xf32>, %kt: tensor<4x16x?xf32>, %v: tensor<4x?x16xf32>, %s: index, %t: index) -> tensor<4x?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : i64
  %s0 = tensor.empty(%s, %t) : tensor<4x?x?xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x?x16xf32>, tensor<4x16x?xf32>) outs(%s1 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x?x?xf32>) outs(%s0 : tensor<4x?x?xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %i64 = arith.index_cast %i : index to i64
    %j64 = arith.index_cast %j : index to i64
    %d = arith.subi %j64, %i64 : i64
    %c = arith.cmpi sle, %d, %c0 : i64
    %x = arith.select %c, %a, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<4x?x?xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x?x?xf32>) outs(%s0 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %o0 = tensor.empty(%s) : tensor<4x?x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x?x16xf32>) -> tensor<4x?x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x?x?xf32>, tensor<4x?x16xf32>) outs(%o1 : tensor<4x?x16xf32>) -> tensor<4x?x16xf32>
  return %o : tensor<4x?x16xf32>
}

// -----

// A lower triangle as a constant of the least f32. Each row sees a key, so it
// does not matter that the number is finite.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @constant_addend(
// CHECK:         dit.attention
// CHECK-NOT:       bias
// CHECK-SAME:      pattern(#dit.causal)
// REMARK: proved that a mask is #dit.causal, took scores of -3.40282e+38 for hidden keys
func.func @constant_addend(%q: tensor<4x4x16xf32>, %kt: tensor<4x16x4xf32>, %v: tensor<4x4x16xf32>) -> tensor<4x4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<[[0.0, -3.40282347E+38, -3.40282347E+38, -3.40282347E+38], [0.0, 0.0, -3.40282347E+38, -3.40282347E+38], [0.0, 0.0, 0.0, -3.40282347E+38], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %s0 = tensor.empty() : tensor<4x4x4xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x4x16xf32>, tensor<4x16x4xf32>) outs(%s1 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %b = linalg.generic {indexing_maps = [#mask, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%m, %p : tensor<4x4xf32>, tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) {
  ^bb0(%n: f32, %a: f32, %out: f32):
    %x = arith.addf %a, %n : f32
    linalg.yield %x : f32
  } -> tensor<4x4x4xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %o0 = tensor.empty() : tensor<4x4x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x4x4xf32>, tensor<4x4x16xf32>) outs(%o1 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  return %o : tensor<4x4x16xf32>
}

// -----

// The first row sees no key, and a finite number gives all keys a weight there.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @finite_empty_row(
// CHECK:         dit.attention
// CHECK-SAME:      bias(
// CHECK-NOT:       pattern
// CHECK-SAME:      outs
// REMARK: raised attention attn{{[0-9]+}} (b=4 h=1 s=4x4 d=16 f32), folded additive bias"
func.func @finite_empty_row(%q: tensor<4x4x16xf32>, %kt: tensor<4x16x4xf32>, %v: tensor<4x4x16xf32>) -> tensor<4x4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<[[-10000.0, -10000.0, -10000.0, -10000.0], [0.0, -10000.0, -10000.0, -10000.0], [0.0, 0.0, -10000.0, -10000.0], [0.0, 0.0, 0.0, -10000.0]]> : tensor<4x4xf32>
  %s0 = tensor.empty() : tensor<4x4x4xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x4x16xf32>, tensor<4x16x4xf32>) outs(%s1 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %b = linalg.generic {indexing_maps = [#mask, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%m, %p : tensor<4x4xf32>, tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) {
  ^bb0(%n: f32, %a: f32, %out: f32):
    %x = arith.addf %a, %n : f32
    linalg.yield %x : f32
  } -> tensor<4x4x4xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %o0 = tensor.empty() : tensor<4x4x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x4x4xf32>, tensor<4x4x16xf32>) outs(%o1 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  return %o : tensor<4x4x16xf32>
}

// -----

// With -inf it is the pattern that hides the keys in every row.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @infinite_empty_row(
// CHECK:         dit.attention
// CHECK-NOT:       bias
// CHECK-SAME:      pattern(#dit.causal<offset = -1>)
func.func @infinite_empty_row(%q: tensor<4x4x16xf32>, %kt: tensor<4x16x4xf32>, %v: tensor<4x4x16xf32>) -> tensor<4x4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<[[0xFF800000, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000]]> : tensor<4x4xf32>
  %s0 = tensor.empty() : tensor<4x4x4xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x4x16xf32>, tensor<4x16x4xf32>) outs(%s1 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %b = linalg.generic {indexing_maps = [#mask, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%m, %p : tensor<4x4xf32>, tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) {
  ^bb0(%n: f32, %a: f32, %out: f32):
    %x = arith.addf %a, %n : f32
    linalg.yield %x : f32
  } -> tensor<4x4x4xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %o0 = tensor.empty() : tensor<4x4x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x4x4xf32>, tensor<4x4x16xf32>) outs(%o1 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  return %o : tensor<4x4x16xf32>
}

// -----

// One key more is visible than a band has.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @not_a_band(
// CHECK:         dit.attention
// CHECK-SAME:      bias(
// CHECK-NOT:       pattern
// CHECK-SAME:      outs
func.func @not_a_band(%q: tensor<4x4x16xf32>, %kt: tensor<4x16x4xf32>, %v: tensor<4x4x16xf32>) -> tensor<4x4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %m = arith.constant dense<[[0.0, 0xFF800000, 0.0, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %s0 = tensor.empty() : tensor<4x4x4xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x4x16xf32>, tensor<4x16x4xf32>) outs(%s1 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %b = linalg.generic {indexing_maps = [#mask, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%m, %p : tensor<4x4xf32>, tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) {
  ^bb0(%n: f32, %a: f32, %out: f32):
    %x = arith.addf %a, %n : f32
    linalg.yield %x : f32
  } -> tensor<4x4x4xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %o0 = tensor.empty() : tensor<4x4x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x4x4xf32>, tensor<4x4x16xf32>) outs(%o1 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  return %o : tensor<4x4x16xf32>
}

// -----

// Of a conjunction, the part that is known becomes the pattern, and the bias is
// one row for each element of the batch.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @causal_and_padding(
// CHECK-SAME:    %[[KEEP:[^ ]*]]: tensor<4x8xi1>
// CHECK:         %[[BIAS:.*]] = linalg.generic
// CHECK-SAME:      ins(%[[KEEP]] : tensor<4x8xi1>)
// CHECK-SAME:      outs(%{{.*}} : tensor<4x8xf32>)
// CHECK:         dit.attention
// CHECK-SAME:      bias(
// CHECK-SAME:      pattern(#dit.causal)
func.func @causal_and_padding(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %keep: tensor<4x8xi1>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(b, i, j) -> (b, j)>, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%keep, %p : tensor<4x8xi1>, tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%k: i1, %a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %d = arith.cmpi sge, %i, %j : index
    %e = arith.andi %d, %k : i1
    %x = arith.select %e, %a, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// Where padding hides all that a finite mask leaves, all keys have a weight, so
// the mask stays as it is.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @finite_causal_and_padding(
// CHECK:         dit.attention
// CHECK-SAME:      bias(
// CHECK-NOT:       pattern
// CHECK-SAME:      outs
// REMARK: folded mask, took scores of -100000 for hidden keys
func.func @finite_causal_and_padding(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %keep: tensor<4x8xi1>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %least = arith.constant -1.0e5 : f32
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(b, i, j) -> (b, j)>, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%keep, %p : tensor<4x8xi1>, tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%k: i1, %a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %d = arith.cmpi sge, %i, %j : index
    %e = arith.andi %d, %k : i1
    %x = arith.select %e, %a, %least : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// A distance of at most two.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @window(
// CHECK:         dit.attention
// CHECK-NOT:       bias
// CHECK-SAME:      pattern(#dit.window<left = 2, right = 2>)
func.func @window(%q: tensor<4x?x16xf32>, %kt: tensor<4x16x?xf32>, %v: tensor<4x?x16xf32>, %s: index, %t: index) -> tensor<4x?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %c2 = arith.constant 2 : i64
  %s0 = tensor.empty(%s, %t) : tensor<4x?x?xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x?x16xf32>, tensor<4x16x?xf32>) outs(%s1 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x?x?xf32>) outs(%s0 : tensor<4x?x?xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %i64 = arith.index_cast %i : index to i64
    %j64 = arith.index_cast %j : index to i64
    %d = arith.subi %i64, %j64 : i64
    %n = math.absi %d : i64
    %c = arith.cmpi sgt, %n, %c2 : i64
    %x = arith.select %c, %ninf, %a : f32
    linalg.yield %x : f32
  } -> tensor<4x?x?xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x?x?xf32>) outs(%s0 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %o0 = tensor.empty(%s) : tensor<4x?x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x?x16xf32>) -> tensor<4x?x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x?x?xf32>, tensor<4x?x16xf32>) outs(%o1 : tensor<4x?x16xf32>) -> tensor<4x?x16xf32>
  return %o : tensor<4x?x16xf32>
}

// -----

// Frames of two tokens that see earlier ones: evaluated, and no band.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @by_frames(
// CHECK:         dit.attention
// CHECK-SAME:      bias(
// CHECK-NOT:       pattern
// CHECK-SAME:      outs
func.func @by_frames(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %c2 = arith.constant 2 : index
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %fi = arith.divsi %i, %c2 : index
    %fj = arith.divsi %j, %c2 : index
    %c = arith.cmpi sge, %fi, %fj : index
    %x = arith.select %c, %a, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}

// -----

// A part of a buffer that was made for longer sequences, from its second row.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @slice_of_buffer(
// CHECK:         dit.attention
// CHECK-NOT:       bias
// CHECK-SAME:      pattern(#dit.causal<offset = 1>)
func.func @slice_of_buffer(%q: tensor<4x4x16xf32>, %kt: tensor<4x16x4xf32>, %v: tensor<4x4x16xf32>) -> tensor<4x4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %buffer = arith.constant dense<[[true, false, false, false, false, false], [true, true, false, false, false, false], [true, true, true, false, false, false], [true, true, true, true, false, false], [true, true, true, true, true, false], [true, true, true, true, true, true]]> : tensor<6x6xi1>
  %m = tensor.extract_slice %buffer[1, 0] [4, 4] [1, 1] : tensor<6x6xi1> to tensor<4x4xi1>
  %s0 = tensor.empty() : tensor<4x4x4xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x4x16xf32>, tensor<4x16x4xf32>) outs(%s1 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %b = linalg.generic {indexing_maps = [#mask, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%m, %p : tensor<4x4xi1>, tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) {
  ^bb0(%n: i1, %a: f32, %out: f32):
    %x = arith.select %n, %a, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<4x4x4xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x4x4xf32>) outs(%s0 : tensor<4x4x4xf32>) -> tensor<4x4x4xf32>
  %o0 = tensor.empty() : tensor<4x4x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x4x4xf32>, tensor<4x4x16xf32>) outs(%o1 : tensor<4x4x16xf32>) -> tensor<4x4x16xf32>
  return %o : tensor<4x4x16xf32>
}

// -----

// A mask that hides nothing goes.
#id = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (i, j)>
// CHECK-LABEL: func.func @hides_nothing(
// CHECK:         dit.attention
// CHECK-NOT:       bias
// CHECK-NOT:       pattern
// CHECK-SAME:      outs
func.func @hides_nothing(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %s0 = tensor.empty() : tensor<4x8x8xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %p = linalg.batch_matmul ins(%q, %kt : tensor<4x8x16xf32>, tensor<4x16x8xf32>) outs(%s1 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%p : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %c = arith.cmpi sge, %i, %c0 : index
    %x = arith.select %c, %a, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<4x8x8xf32>
  %w = linalg.softmax dimension(2) ins(%b : tensor<4x8x8xf32>) outs(%s0 : tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x8xf32>, tensor<4x8x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}
