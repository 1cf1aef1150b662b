// RUN: dit-opt %s --dit-raise-attention --split-input-file -o %t --remarks-filter=dit-raise-attention 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#row = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#keep = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>

// As torch-mlir exports scaled_dot_product_attention: scaled q and k, the
// maximum with its index, and a guard for rows of -inf.

// CHECK-LABEL: func.func @sdpa(
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x8x16xf32>, %[[K:.*]]: tensor<2x4x12x16xf32>, %[[V:.*]]: tensor<2x4x12x16xf32>)
// CHECK:         %[[INIT:.*]] = tensor.empty() : tensor<2x4x8x16xf32>
// CHECK-NEXT:    %[[O:.*]] = dit.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-SAME:      outs(%[[INIT]] : tensor<2x4x8x16xf32>)
// CHECK-SAME:      kind = #dit.kind<cross>, scale = 2.500000e-01 : f64, site = "attn0"
// CHECK-NEXT:    return %[[O]]
// REMARK:      Passed
// REMARK-SAME: raised attention attn0 (b=2 h=4 s=8x12 d=16 f32), folded scale of q and k, guard of empty rows
func.func @sdpa(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x12x16xf32>, %v: tensor<2x4x12x16xf32>) -> tensor<2x4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %c0_i64 = arith.constant 0 : i64
  %ninf = arith.constant 0xFF800000 : f32
  %true = arith.constant true
  %zeros = arith.constant dense<0.0> : tensor<2x4x8x12xf32>
  %ninf64 = arith.constant 0xFFF0000000000000 : f64
  %half = arith.constant 0.5 : f32
  %0 = tensor.empty() : tensor<2x4x8x16xf32>
  %qs = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%q : tensor<2x4x8x16xf32>) outs(%0 : tensor<2x4x8x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %half : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x16xf32>
  %1 = tensor.empty() : tensor<2x4x16x12xf32>
  %kt = linalg.transpose ins(%k : tensor<2x4x12x16xf32>) outs(%1 : tensor<2x4x16x12xf32>) permutation = [0, 1, 3, 2]
  %ks = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%kt : tensor<2x4x16x12xf32>) outs(%1 : tensor<2x4x16x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %half : f32
    linalg.yield %x : f32
  } -> tensor<2x4x16x12xf32>
  %qc = tensor.collapse_shape %qs [[0, 1], [2], [3]] : tensor<2x4x8x16xf32> into tensor<8x8x16xf32>
  %kc = tensor.collapse_shape %ks [[0, 1], [2], [3]] : tensor<2x4x16x12xf32> into tensor<8x16x12xf32>
  %2 = tensor.empty() : tensor<8x8x12xf32>
  %3 = linalg.fill ins(%zero : f32) outs(%2 : tensor<8x8x12xf32>) -> tensor<8x8x12xf32>
  %sc = linalg.batch_matmul ins(%qc, %kc : tensor<8x8x16xf32>, tensor<8x16x12xf32>) outs(%3 : tensor<8x8x12xf32>) -> tensor<8x8x12xf32>
  %s = tensor.expand_shape %sc [[0, 1], [2], [3]] output_shape [2, 4, 8, 12] : tensor<8x8x12xf32> into tensor<2x4x8x12xf32>
  %4 = tensor.empty() : tensor<2x4x8xi64>
  %5 = linalg.fill ins(%c0_i64 : i64) outs(%4 : tensor<2x4x8xi64>) -> tensor<2x4x8xi64>
  %6 = tensor.empty() : tensor<2x4x8xf32>
  %7 = linalg.fill ins(%ninf : f32) outs(%6 : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %max:2 = linalg.generic {indexing_maps = [#map, #row, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%s : tensor<2x4x8x12xf32>) outs(%7, %5 : tensor<2x4x8xf32>, tensor<2x4x8xi64>) {
  ^bb0(%in: f32, %out: f32, %at: i64):
    %i = linalg.index 3 : index
    %j = arith.index_cast %i : index to i64
    %m = arith.maximumf %in, %out : f32
    %c = arith.cmpf ogt, %in, %out : f32
    %n = arith.select %c, %j, %at : i64
    linalg.yield %m, %n : f32, i64
  } -> (tensor<2x4x8xf32>, tensor<2x4x8xi64>)
  %mk = tensor.expand_shape %max#0 [[0], [1], [2, 3]] output_shape [2, 4, 8, 1] : tensor<2x4x8xf32> into tensor<2x4x8x1xf32>
  %8 = tensor.empty() : tensor<2x4x8x12xf32>
  %d = linalg.generic {indexing_maps = [#map, #keep, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %mk : tensor<2x4x8x12xf32>, tensor<2x4x8x1xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.subf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %e = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%d : tensor<2x4x8x12xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = math.exp %a : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %9 = tensor.empty() : tensor<2x4x8x1xf32>
  %10 = linalg.fill ins(%zero : f32) outs(%9 : tensor<2x4x8x1xf32>) -> tensor<2x4x8x1xf32>
  %l = linalg.generic {indexing_maps = [#map, #keep], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%e : tensor<2x4x8x12xf32>) outs(%10 : tensor<2x4x8x1xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = arith.addf %a, %out : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x1xf32>
  %p = linalg.generic {indexing_maps = [#map, #keep, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%e, %l : tensor<2x4x8x12xf32>, tensor<2x4x8x1xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.divf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %11 = tensor.empty() : tensor<2x4x8x12xi1>
  %is = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x8x12xf32>) outs(%11 : tensor<2x4x8x12xi1>) {
  ^bb0(%a: f32, %out: i1):
    %x = arith.extf %a : f32 to f64
    %y = arith.cmpf oeq, %x, %ninf64 : f64
    linalg.yield %y : i1
  } -> tensor<2x4x8x12xi1>
  %12 = tensor.empty() : tensor<2x4x8x1xi1>
  %13 = linalg.fill ins(%true : i1) outs(%12 : tensor<2x4x8x1xi1>) -> tensor<2x4x8x1xi1>
  %all = linalg.generic {indexing_maps = [#map, #keep], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%is : tensor<2x4x8x12xi1>) outs(%13 : tensor<2x4x8x1xi1>) {
  ^bb0(%a: i1, %out: i1):
    %x = arith.andi %a, %out : i1
    linalg.yield %x : i1
  } -> tensor<2x4x8x1xi1>
  %pg = linalg.generic {indexing_maps = [#keep, #map, #map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%all, %zeros, %p : tensor<2x4x8x1xi1>, tensor<2x4x8x12xf32>, tensor<2x4x8x12xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %b: f32, %out: f32):
    %x = arith.select %c, %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %pc = tensor.collapse_shape %pg [[0, 1], [2], [3]] : tensor<2x4x8x12xf32> into tensor<8x8x12xf32>
  %vc = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x12x16xf32> into tensor<8x12x16xf32>
  %14 = tensor.empty() : tensor<8x8x16xf32>
  %15 = linalg.fill ins(%zero : f32) outs(%14 : tensor<8x8x16xf32>) -> tensor<8x8x16xf32>
  %oc = linalg.batch_matmul ins(%pc, %vc : tensor<8x8x12xf32>, tensor<8x12x16xf32>) outs(%15 : tensor<8x8x16xf32>) -> tensor<8x8x16xf32>
  %o = tensor.expand_shape %oc [[0, 1], [2], [3]] output_shape [2, 4, 8, 16] : tensor<8x8x16xf32> into tensor<2x4x8x16xf32>
  return %o : tensor<2x4x8x16xf32>
}

// -----

// Two dimensions, a transposed operand read through indexing maps, normalised
// after the product with v, no maximum, and a scale that divides.

#id2 = affine_map<(i, j) -> (i, j)>
#row2 = affine_map<(i, j) -> (i)>

// CHECK-LABEL: func.func @late_normalisation(
// CHECK-SAME:    %[[Q:[^ ]*]]: tensor<8x16xf32>, %[[K:[^ ]*]]: tensor<12x16xf32>, %[[V:[^ ]*]]: tensor<12x24xf32>)
// CHECK-NOT:     math.exp
// CHECK:         dit.attention
// CHECK-SAME:      tensor<1x1x8x16xf32>, tensor<1x1x12x16xf32>, tensor<1x1x12x24xf32>
// CHECK-SAME:      scale = 2.500000e-01 : f64
// REMARK:      Passed
// REMARK-SAME: raised attention attn{{[0-9]+}} (b=1 h=1 s=8x12 d=16/24 f32)
// REMARK-SAME: scale of the scores
func.func @late_normalisation(%q: tensor<8x16xf32>, %k: tensor<12x16xf32>, %v: tensor<12x24xf32>) -> tensor<8x24xf32> {
  %zero = arith.constant 0.0 : f32
  %four = arith.constant 4.0 : f32
  %s0 = tensor.empty() : tensor<8x12xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<8x12xf32>) -> tensor<8x12xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j, d) -> (i, d)>, affine_map<(i, j, d) -> (j, d)>, affine_map<(i, j, d) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%q, %k : tensor<8x16xf32>, tensor<12x16xf32>) outs(%s1 : tensor<8x12xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %x = arith.mulf %a, %b : f32
    %y = arith.addf %c, %x : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %e = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<8x12xf32>) outs(%s0 : tensor<8x12xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = arith.divf %a, %four : f32
    %y = math.exp %x : f32
    linalg.yield %y : f32
  } -> tensor<8x12xf32>
  %l0 = tensor.empty() : tensor<8xf32>
  %l1 = linalg.fill ins(%zero : f32) outs(%l0 : tensor<8xf32>) -> tensor<8xf32>
  %l = linalg.reduce ins(%e : tensor<8x12xf32>) outs(%l1 : tensor<8xf32>) dimensions = [1]
    (%a: f32, %b: f32) {
      %x = arith.addf %a, %b : f32
      linalg.yield %x : f32
    }
  %o0 = tensor.empty() : tensor<8x24xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<8x24xf32>) -> tensor<8x24xf32>
  %o = linalg.matmul ins(%e, %v : tensor<8x12xf32>, tensor<12x24xf32>) outs(%o1 : tensor<8x24xf32>) -> tensor<8x24xf32>
  %n = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]} ins(%o, %l : tensor<8x24xf32>, tensor<8xf32>) outs(%o0 : tensor<8x24xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.divf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<8x24xf32>
  return %n : tensor<8x24xf32>
}

// -----

// A named softmax, a mask of booleans that selects -inf, and a bias that the
// product accumulates into.

#id3 = affine_map<(b, i, j) -> (b, i, j)>
#mask = affine_map<(b, i, j) -> (b, j)>

// CHECK-LABEL: func.func @named_softmax(
// CHECK-SAME:    %{{.*}}: tensor<4x?x16xf32>, %{{.*}}: tensor<4x16x?xf32>, %{{.*}}: tensor<4x?x16xf32>, %[[BIAS:[^ ]*]]: tensor<4x?x?xf32>, %[[MASK:[^ ]*]]: tensor<4x?xi1>
// CHECK:         %[[SUM:.*]] = linalg.generic
// CHECK-SAME:      ins(%[[BIAS]], %[[MASK]] :
// CHECK:           arith.select
// CHECK:         %[[B4:.*]] = tensor.expand_shape %[[SUM]]
// CHECK:         dit.attention
// CHECK-SAME:      bias(%[[B4]] : tensor<4x1x?x?xf32>)
// CHECK-SAME:      k_order = #dit.order<hbds>
// REMARK:      Passed
// REMARK-SAME: additive bias, mask
func.func @named_softmax(%q: tensor<4x?x16xf32>, %k: tensor<4x16x?xf32>, %v: tensor<4x?x16xf32>, %bias: tensor<4x?x?xf32>, %mask: tensor<4x?xi1>, %s: index, %t: index) -> tensor<4x?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x?x16xf32>, tensor<4x16x?xf32>) outs(%bias : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %e = tensor.empty(%s, %t) : tensor<4x?x?xf32>
  %m = linalg.generic {indexing_maps = [#mask, #id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%mask, %p : tensor<4x?xi1>, tensor<4x?x?xf32>) outs(%e : tensor<4x?x?xf32>) {
  ^bb0(%c: i1, %a: f32, %out: f32):
    %x = arith.select %c, %a, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<4x?x?xf32>
  %w = linalg.softmax dimension(2) ins(%m : tensor<4x?x?xf32>) outs(%e : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %o0 = tensor.empty(%s) : tensor<4x?x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x?x16xf32>) -> tensor<4x?x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x?x?xf32>, tensor<4x?x16xf32>) outs(%o1 : tensor<4x?x16xf32>) -> tensor<4x?x16xf32>
  return %o : tensor<4x?x16xf32>
}

// -----

// bf16 that is widened for the arithmetic, heads of k and v that are expanded,
// and heads beside the head size on the way in and out: nothing is copied.

// CHECK-LABEL: func.func @grouped_bf16(
// CHECK-SAME:    %[[Q:[^ ]*]]: tensor<2x8x64xbf16>, %[[K:[^ ]*]]: tensor<2x12x32xbf16>, %[[V:[^ ]*]]: tensor<2x12x32xbf16>)
// CHECK-NEXT:    %[[Q4:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0], [1], [2, 3]]
// CHECK-NEXT:    %[[K4:.*]] = tensor.expand_shape %[[K]] {{\[\[}}0], [1], [2, 3]]
// CHECK-NEXT:    %[[V4:.*]] = tensor.expand_shape %[[V]] {{\[\[}}0], [1], [2, 3]]
// CHECK-NEXT:    %[[INIT:.*]] = tensor.empty() : tensor<2x8x4x16xbf16>
// CHECK-NEXT:    %[[O4:.*]] = dit.attention ins(%[[Q4]], %[[K4]], %[[V4]] : tensor<2x8x4x16xbf16>, tensor<2x12x2x16xbf16>, tensor<2x12x2x16xbf16>)
// CHECK-SAME:      k_order = #dit.order<bshd>
// CHECK-SAME:      o_order = #dit.order<bshd>, q_order = #dit.order<bshd>
// CHECK-NEXT:    %[[O:.*]] = tensor.collapse_shape %[[O4]] {{\[\[}}0], [1], [2, 3]]
// CHECK-NEXT:    return %[[O]]
// REMARK:      Passed
// REMARK-SAME: (b=2 h=4/2 s=8x12 d=16 bf16)
// REMARK-SAME: expanded heads
func.func @grouped_bf16(%q: tensor<2x8x64xbf16>, %k: tensor<2x12x32xbf16>, %v: tensor<2x12x32xbf16>) -> tensor<2x8x64xbf16> {
  %zero = arith.constant 0.0 : f32
  %q4 = tensor.expand_shape %q [[0], [1], [2, 3]] output_shape [2, 8, 4, 16] : tensor<2x8x64xbf16> into tensor<2x8x4x16xbf16>
  %k4 = tensor.expand_shape %k [[0], [1], [2, 3]] output_shape [2, 12, 2, 16] : tensor<2x12x32xbf16> into tensor<2x12x2x16xbf16>
  %v4 = tensor.expand_shape %v [[0], [1], [2, 3]] output_shape [2, 12, 2, 16] : tensor<2x12x32xbf16> into tensor<2x12x2x16xbf16>
  %e5 = tensor.empty() : tensor<2x12x2x2x16xbf16>
  %k5 = linalg.broadcast ins(%k4 : tensor<2x12x2x16xbf16>) outs(%e5 : tensor<2x12x2x2x16xbf16>) dimensions = [3]
  %v5 = linalg.broadcast ins(%v4 : tensor<2x12x2x16xbf16>) outs(%e5 : tensor<2x12x2x2x16xbf16>) dimensions = [3]
  %ke = tensor.collapse_shape %k5 [[0], [1], [2, 3], [4]] : tensor<2x12x2x2x16xbf16> into tensor<2x12x4x16xbf16>
  %ve = tensor.collapse_shape %v5 [[0], [1], [2, 3], [4]] : tensor<2x12x2x2x16xbf16> into tensor<2x12x4x16xbf16>
  %s0 = tensor.empty() : tensor<2x4x8x12xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<2x4x8x12xf32>) -> tensor<2x4x8x12xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, h, i, j, d) -> (b, i, h, d)>, affine_map<(b, h, i, j, d) -> (b, j, h, d)>, affine_map<(b, h, i, j, d) -> (b, h, i, j)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%q4, %ke : tensor<2x8x4x16xbf16>, tensor<2x12x4x16xbf16>) outs(%s1 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: bf16, %b: bf16, %c: f32):
    %af = arith.extf %a : bf16 to f32
    %bf = arith.extf %b : bf16 to f32
    %x = arith.mulf %af, %bf : f32
    %y = arith.addf %c, %x : f32
    linalg.yield %y : f32
  } -> tensor<2x4x8x12xf32>
  %w = linalg.softmax dimension(3) ins(%s : tensor<2x4x8x12xf32>) outs(%s0 : tensor<2x4x8x12xf32>) -> tensor<2x4x8x12xf32>
  %o0 = tensor.empty() : tensor<2x8x4x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<2x8x4x16xf32>) -> tensor<2x8x4x16xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(b, h, i, e, j) -> (b, h, i, j)>, affine_map<(b, h, i, e, j) -> (b, j, h, e)>, affine_map<(b, h, i, e, j) -> (b, i, h, e)>], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%w, %ve : tensor<2x4x8x12xf32>, tensor<2x12x4x16xbf16>) outs(%o1 : tensor<2x8x4x16xf32>) {
  ^bb0(%a: f32, %b: bf16, %c: f32):
    %bf = arith.extf %b : bf16 to f32
    %x = arith.mulf %a, %bf : f32
    %y = arith.addf %c, %x : f32
    linalg.yield %y : f32
  } -> tensor<2x8x4x16xf32>
  %t0 = tensor.empty() : tensor<2x8x4x16xbf16>
  %t = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%o : tensor<2x8x4x16xf32>) outs(%t0 : tensor<2x8x4x16xbf16>) {
  ^bb0(%a: f32, %out: bf16):
    %x = arith.truncf %a : f32 to bf16
    linalg.yield %x : bf16
  } -> tensor<2x8x4x16xbf16>
  %oc = tensor.collapse_shape %t [[0], [1], [2, 3]] : tensor<2x8x4x16xbf16> into tensor<2x8x64xbf16>
  return %oc : tensor<2x8x64xbf16>
}

// -----

// Sites that exist are kept, and new ones differ.

// CHECK-LABEL: func.func @sites(
// CHECK:         site = "attn0"
// CHECK:         site = "attn1"
func.func @sites(%q: tensor<4x8x16xf32>, %k: tensor<4x16x12xf32>, %v: tensor<4x12x16xf32>, %init: tensor<1x4x8x16xf32>, %q4: tensor<1x4x8x16xf32>, %k4: tensor<1x4x12x16xf32>) -> (tensor<1x4x8x16xf32>, tensor<4x8x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %r = dit.attention ins(%q4, %k4, %k4 : tensor<1x4x8x16xf32>, tensor<1x4x12x16xf32>, tensor<1x4x12x16xf32>) outs(%init : tensor<1x4x8x16xf32>) {scale = 1.0 : f64, site = "attn0"}
  %e = tensor.empty() : tensor<4x8x12xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8x12xf32>) -> tensor<4x8x12xf32>
  %p = linalg.batch_matmul ins(%q, %k : tensor<4x8x16xf32>, tensor<4x16x12xf32>) outs(%f : tensor<4x8x12xf32>) -> tensor<4x8x12xf32>
  %w = linalg.softmax dimension(2) ins(%p : tensor<4x8x12xf32>) outs(%e : tensor<4x8x12xf32>) -> tensor<4x8x12xf32>
  %o0 = tensor.empty() : tensor<4x8x16xf32>
  %o1 = linalg.fill ins(%zero : f32) outs(%o0 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %o = linalg.batch_matmul ins(%w, %v : tensor<4x8x12xf32>, tensor<4x12x16xf32>) outs(%o1 : tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  return %r, %o : tensor<1x4x8x16xf32>, tensor<4x8x16xf32>
}

// -----

#whole = affine_map<(b, h, s, t) -> (b, h, s, t)>
#key = affine_map<(b, h, s, t) -> (b, t)>

// A bias stored for every query that depends on none: one query's is enough.

// CHECK-LABEL: func.func @bias_repeated_over_queries(
// CHECK:         %[[FULL:.*]] = linalg.generic
// CHECK:         tensor.extract_slice %[[FULL]][0, 0, 0, 0] [2, 3, 1, 12] [1, 1, 1, 1] : tensor<2x3x8x12xf32> to tensor<2x3x12xf32>
// CHECK:         %[[BIAS:.*]] = tensor.expand_shape {{.*}} into tensor<1x6x1x12xf32>
// CHECK:         dit.attention {{.*}} bias(%[[BIAS]] : tensor<1x6x1x12xf32>)
func.func @bias_repeated_over_queries(%q: tensor<6x8x16xf32>, %kt: tensor<6x16x12xf32>, %v: tensor<6x12x16xf32>, %mask: tensor<2x12xi1>) -> tensor<6x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x3x8x12xf32>
  %bias = linalg.generic {indexing_maps = [#key, #whole], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%mask : tensor<2x12xi1>) outs(%e : tensor<2x3x8x12xf32>) {
  ^bb0(%in: i1, %out: f32):
    %x = arith.select %in, %zero, %ninf : f32
    linalg.yield %x : f32
  } -> tensor<2x3x8x12xf32>
  %0 = tensor.empty() : tensor<6x8x12xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<6x8x12xf32>) -> tensor<6x8x12xf32>
  %2 = linalg.batch_matmul ins(%q, %kt : tensor<6x8x16xf32>, tensor<6x16x12xf32>) outs(%1 : tensor<6x8x12xf32>) -> tensor<6x8x12xf32>
  %3 = tensor.expand_shape %2 [[0, 1], [2], [3]] output_shape [2, 3, 8, 12] : tensor<6x8x12xf32> into tensor<2x3x8x12xf32>
  %4 = linalg.add ins(%3, %bias : tensor<2x3x8x12xf32>, tensor<2x3x8x12xf32>) outs(%e : tensor<2x3x8x12xf32>) -> tensor<2x3x8x12xf32>
  %5 = linalg.softmax dimension(3) ins(%4 : tensor<2x3x8x12xf32>) outs(%e : tensor<2x3x8x12xf32>) -> tensor<2x3x8x12xf32>
  %6 = tensor.collapse_shape %5 [[0, 1], [2], [3]] : tensor<2x3x8x12xf32> into tensor<6x8x12xf32>
  %7 = tensor.empty() : tensor<6x8x16xf32>
  %8 = linalg.fill ins(%zero : f32) outs(%7 : tensor<6x8x16xf32>) -> tensor<6x8x16xf32>
  %9 = linalg.batch_matmul ins(%6, %v : tensor<6x8x12xf32>, tensor<6x12x16xf32>) outs(%8 : tensor<6x8x16xf32>) -> tensor<6x8x16xf32>
  return %9 : tensor<6x8x16xf32>
}

// -----

// Sizes go through `affine.apply`, and the heads are split off by a reshape to
// run-time sizes.

// CHECK-LABEL: func.func @sizes_by_affine_apply(
// CHECK:         dit.attention
func.func @sizes_by_affine_apply(%q: tensor<?x16xf32>, %kt: tensor<3x16x12xf32>, %v: tensor<3x12x16xf32>, %n: tensor<?xf32>) -> tensor<?x?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c12 = arith.constant 12 : index
  %rows = tensor.dim %n, %c0 : tensor<?xf32>
  %all = affine.apply affine_map<(d0) -> (d0 * 3)>(%rows)
  %qs = tensor.extract_slice %q[0, 0] [%all, 16] [1, 1] : tensor<?x16xf32> to tensor<?x16xf32>
  %q3 = tensor.expand_shape %qs [[0, 1], [2]] output_shape [3, %rows, 16] : tensor<?x16xf32> into tensor<3x?x16xf32>
  %back = affine.apply affine_map<(d0) -> (d0 floordiv 3)>(%all)
  %0 = tensor.empty(%back) : tensor<3x?x12xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<3x?x12xf32>) -> tensor<3x?x12xf32>
  %2 = linalg.batch_matmul ins(%q3, %kt : tensor<3x?x16xf32>, tensor<3x16x12xf32>) outs(%1 : tensor<3x?x12xf32>) -> tensor<3x?x12xf32>
  %flat = affine.apply affine_map<()[s0] -> (s0 * 36)>()[%rows]
  %shape = tensor.from_elements %flat : tensor<1xindex>
  %3 = tensor.reshape %2(%shape) : (tensor<3x?x12xf32>, tensor<1xindex>) -> tensor<?xf32>
  %again = tensor.from_elements %c3, %back, %c12 : tensor<3xindex>
  %4 = tensor.reshape %3(%again) : (tensor<?xf32>, tensor<3xindex>) -> tensor<?x?x?xf32>
  %5 = tensor.cast %4 : tensor<?x?x?xf32> to tensor<3x?x12xf32>
  %6 = linalg.softmax dimension(2) ins(%5 : tensor<3x?x12xf32>) outs(%0 : tensor<3x?x12xf32>) -> tensor<3x?x12xf32>
  %7 = tensor.empty(%rows) : tensor<3x?x16xf32>
  %8 = linalg.fill ins(%zero : f32) outs(%7 : tensor<3x?x16xf32>) -> tensor<3x?x16xf32>
  %9 = linalg.batch_matmul ins(%6, %v : tensor<3x?x12xf32>, tensor<3x12x16xf32>) outs(%8 : tensor<3x?x16xf32>) -> tensor<3x?x16xf32>
  %10 = tensor.cast %9 : tensor<3x?x16xf32> to tensor<?x?x16xf32>
  return %10 : tensor<?x?x16xf32>
}

// -----

// A token stands before a dynamic number of others: sizes are sums, here in
// three spellings.

// CHECK-LABEL: func.func @sizes_are_sums(
// CHECK:         dit.attention ins({{.*}} : tensor<1x2x?x16xf32>
func.func @sizes_are_sums(%q: tensor<2x?x16xf32>, %first: tensor<2x16x1xf32>, %kt: tensor<2x16x?xf32>, %v: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c1 : tensor<2x?x16xf32>
  %n = tensor.dim %kt, %c2 : tensor<2x16x?xf32>
  %n1 = arith.addi %n, %c1 : index
  %k = tensor.concat dim(2) %first, %kt : (tensor<2x16x1xf32>, tensor<2x16x?xf32>) -> tensor<2x16x?xf32>
  %0 = tensor.empty(%rows, %n1) : tensor<2x?x?xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %2 = linalg.batch_matmul ins(%q, %k : tensor<2x?x16xf32>, tensor<2x16x?xf32>) outs(%1 : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %flat = affine.apply affine_map<()[s0] -> (s0 * 2 + 2)>()[%n]
  %all = arith.muli %flat, %rows : index
  %shape = tensor.from_elements %all : tensor<1xindex>
  %3 = tensor.reshape %2(%shape) : (tensor<2x?x?xf32>, tensor<1xindex>) -> tensor<?xf32>
  %twice = affine.apply affine_map<()[s0] -> (s0 * 2 + 2)>()[%n]
  %half = arith.divsi %twice, %c2 : index
  %again = tensor.from_elements %c2, %rows, %half : tensor<3xindex>
  %4 = tensor.reshape %3(%again) : (tensor<?xf32>, tensor<3xindex>) -> tensor<2x?x?xf32>
  %5 = tensor.empty(%rows, %half) : tensor<2x?x?xf32>
  %6 = linalg.softmax dimension(2) ins(%4 : tensor<2x?x?xf32>) outs(%5 : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %7 = tensor.empty(%rows) : tensor<2x?x16xf32>
  %8 = linalg.fill ins(%zero : f32) outs(%7 : tensor<2x?x16xf32>) -> tensor<2x?x16xf32>
  %vs = tensor.extract_slice %v[0, 0, 0] [2, %half, 16] [1, 1, 1] : tensor<2x?x16xf32> to tensor<2x?x16xf32>
  %9 = linalg.batch_matmul ins(%6, %vs : tensor<2x?x?xf32>, tensor<2x?x16xf32>) outs(%8 : tensor<2x?x16xf32>) -> tensor<2x?x16xf32>
  return %9 : tensor<2x?x16xf32>
}

// -----

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#row = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#keep = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>

// As torch-mlir exports it under a mask that is true everywhere: the guard sees
// the scores with a constant added.

// CHECK-LABEL: func.func @sdpa_zero_bias(
// CHECK-NOT:     linalg
// CHECK:         dit.attention
// CHECK-NOT:     bias
// CHECK:         return
func.func @sdpa_zero_bias(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x12x16xf32>, %v: tensor<2x4x12x16xf32>) -> tensor<2x4x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %c0_i64 = arith.constant 0 : i64
  %ninf = arith.constant 0xFF800000 : f32
  %true = arith.constant true
  %zeros = arith.constant dense<0.0> : tensor<2x4x8x12xf32>
  %ninf64 = arith.constant 0xFFF0000000000000 : f64
  %half = arith.constant 0.5 : f32
  %0 = tensor.empty() : tensor<2x4x8x16xf32>
  %qs = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%q : tensor<2x4x8x16xf32>) outs(%0 : tensor<2x4x8x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %half : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x16xf32>
  %1 = tensor.empty() : tensor<2x4x16x12xf32>
  %kt = linalg.transpose ins(%k : tensor<2x4x12x16xf32>) outs(%1 : tensor<2x4x16x12xf32>) permutation = [0, 1, 3, 2]
  %ks = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%kt : tensor<2x4x16x12xf32>) outs(%1 : tensor<2x4x16x12xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %half : f32
    linalg.yield %x : f32
  } -> tensor<2x4x16x12xf32>
  %qc = tensor.collapse_shape %qs [[0, 1], [2], [3]] : tensor<2x4x8x16xf32> into tensor<8x8x16xf32>
  %kc = tensor.collapse_shape %ks [[0, 1], [2], [3]] : tensor<2x4x16x12xf32> into tensor<8x16x12xf32>
  %2 = tensor.empty() : tensor<8x8x12xf32>
  %3 = linalg.fill ins(%zero : f32) outs(%2 : tensor<8x8x12xf32>) -> tensor<8x8x12xf32>
  %sc = linalg.batch_matmul ins(%qc, %kc : tensor<8x8x16xf32>, tensor<8x16x12xf32>) outs(%3 : tensor<8x8x12xf32>) -> tensor<8x8x12xf32>
  %s0 = tensor.expand_shape %sc [[0, 1], [2], [3]] output_shape [2, 4, 8, 12] : tensor<8x8x12xf32> into tensor<2x4x8x12xf32>
  %es = tensor.empty() : tensor<2x4x8x12xf32>
  %s = linalg.add ins(%s0, %zeros : tensor<2x4x8x12xf32>, tensor<2x4x8x12xf32>) outs(%es : tensor<2x4x8x12xf32>) -> tensor<2x4x8x12xf32>
  %4 = tensor.empty() : tensor<2x4x8xi64>
  %5 = linalg.fill ins(%c0_i64 : i64) outs(%4 : tensor<2x4x8xi64>) -> tensor<2x4x8xi64>
  %6 = tensor.empty() : tensor<2x4x8xf32>
  %7 = linalg.fill ins(%ninf : f32) outs(%6 : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %max:2 = linalg.generic {indexing_maps = [#map, #row, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%s : tensor<2x4x8x12xf32>) outs(%7, %5 : tensor<2x4x8xf32>, tensor<2x4x8xi64>) {
  ^bb0(%in: f32, %out: f32, %at: i64):
    %i = linalg.index 3 : index
    %j = arith.index_cast %i : index to i64
    %m = arith.maximumf %in, %out : f32
    %c = arith.cmpf ogt, %in, %out : f32
    %n = arith.select %c, %j, %at : i64
    linalg.yield %m, %n : f32, i64
  } -> (tensor<2x4x8xf32>, tensor<2x4x8xi64>)
  %mk = tensor.expand_shape %max#0 [[0], [1], [2, 3]] output_shape [2, 4, 8, 1] : tensor<2x4x8xf32> into tensor<2x4x8x1xf32>
  %8 = tensor.empty() : tensor<2x4x8x12xf32>
  %d = linalg.generic {indexing_maps = [#map, #keep, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %mk : tensor<2x4x8x12xf32>, tensor<2x4x8x1xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.subf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %e = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%d : tensor<2x4x8x12xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = math.exp %a : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %9 = tensor.empty() : tensor<2x4x8x1xf32>
  %10 = linalg.fill ins(%zero : f32) outs(%9 : tensor<2x4x8x1xf32>) -> tensor<2x4x8x1xf32>
  %l = linalg.generic {indexing_maps = [#map, #keep], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%e : tensor<2x4x8x12xf32>) outs(%10 : tensor<2x4x8x1xf32>) {
  ^bb0(%a: f32, %out: f32):
    %x = arith.addf %a, %out : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x1xf32>
  %p = linalg.generic {indexing_maps = [#map, #keep, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%e, %l : tensor<2x4x8x12xf32>, tensor<2x4x8x1xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %x = arith.divf %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %11 = tensor.empty() : tensor<2x4x8x12xi1>
  %is = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s : tensor<2x4x8x12xf32>) outs(%11 : tensor<2x4x8x12xi1>) {
  ^bb0(%a: f32, %out: i1):
    %x = arith.extf %a : f32 to f64
    %y = arith.cmpf oeq, %x, %ninf64 : f64
    linalg.yield %y : i1
  } -> tensor<2x4x8x12xi1>
  %12 = tensor.empty() : tensor<2x4x8x1xi1>
  %13 = linalg.fill ins(%true : i1) outs(%12 : tensor<2x4x8x1xi1>) -> tensor<2x4x8x1xi1>
  %all = linalg.generic {indexing_maps = [#map, #keep], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%is : tensor<2x4x8x12xi1>) outs(%13 : tensor<2x4x8x1xi1>) {
  ^bb0(%a: i1, %out: i1):
    %x = arith.andi %a, %out : i1
    linalg.yield %x : i1
  } -> tensor<2x4x8x1xi1>
  %pg = linalg.generic {indexing_maps = [#keep, #map, #map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%all, %zeros, %p : tensor<2x4x8x1xi1>, tensor<2x4x8x12xf32>, tensor<2x4x8x12xf32>) outs(%8 : tensor<2x4x8x12xf32>) {
  ^bb0(%c: i1, %a: f32, %b: f32, %out: f32):
    %x = arith.select %c, %a, %b : f32
    linalg.yield %x : f32
  } -> tensor<2x4x8x12xf32>
  %pc = tensor.collapse_shape %pg [[0, 1], [2], [3]] : tensor<2x4x8x12xf32> into tensor<8x8x12xf32>
  %vc = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<2x4x12x16xf32> into tensor<8x12x16xf32>
  %14 = tensor.empty() : tensor<8x8x16xf32>
  %15 = linalg.fill ins(%zero : f32) outs(%14 : tensor<8x8x16xf32>) -> tensor<8x8x16xf32>
  %oc = linalg.batch_matmul ins(%pc, %vc : tensor<8x8x12xf32>, tensor<8x12x16xf32>) outs(%15 : tensor<8x8x16xf32>) -> tensor<8x8x16xf32>
  %o = tensor.expand_shape %oc [[0, 1], [2], [3]] output_shape [2, 4, 8, 16] : tensor<8x8x16xf32> into tensor<2x4x8x16xf32>
  return %o : tensor<2x4x8x16xf32>
}
