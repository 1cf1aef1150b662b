// RUN: dit-opt %s --dit-raise-attention --split-input-file | FileCheck %s

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#row = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#keep = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>

// As torch-mlir exports scaled_dot_product_attention: scaled q and k, the
// maximum with its index, and a guard for rows of -inf.

// CHECK-LABEL: func.func @sdpa(
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x8x16xf32>, %[[K:.*]]: tensor<2x4x12x16xf32>, %[[V:.*]]: tensor<2x4x12x16xf32>)
// CHECK-NEXT:    %[[INIT:.*]] = tensor.empty() : tensor<2x4x8x16xf32>
// CHECK-NEXT:    %[[O:.*]] = dit.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-SAME:      outs(%[[INIT]] : tensor<2x4x8x16xf32>)
// CHECK-SAME:      kind = #dit.kind<cross>, scale = 2.500000e-01 : f64, site = "attn0"
// CHECK-NEXT:    return %[[O]]
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
