// RUN: dit-opt %s -canonicalize -split-input-file | FileCheck %s

//===----------------------------------------------------------------------===//
// Operands that change nothing
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @full_patterns
func.func @full_patterns(%q: tensor<2x4x64x32xf32>, %d: tensor<2x4x?x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x?x32xf32>) {
  // CHECK-NOT: pattern
  // CHECK: return
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.window<left = 63, right = 63>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.or<#dit.causal, #dit.tiled<#dit.grid_window<#dit.grid<1x6x10, text = 4>, -1 x 5 x 9>, 8 x 8>>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %2 = dit.attention ins(%d, %d, %d : tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>)
    pattern(#dit.window<left = -1, right = -1>) outs(%d : tensor<2x4x?x32xf32>) {scale = 1.0 : f64}
  return %0, %1, %2 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x?x32xf32>
}

// One position short of everything.
// CHECK-LABEL: func.func @almost_full_patterns
func.func @almost_full_patterns(%q: tensor<2x4x64x32xf32>, %d: tensor<2x4x?x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x?x32xf32>) {
  // CHECK: pattern(#dit.window<left = 63, right = 62>)
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.window<left = 63, right = 62>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  // CHECK: pattern(#dit.window<left = 1000, right = 1000>)
  %1 = dit.attention ins(%d, %d, %d : tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>)
    pattern(#dit.window<left = 1000, right = 1000>) outs(%d : tensor<2x4x?x32xf32>) {scale = 1.0 : f64}
  return %0, %1 : tensor<2x4x64x32xf32>, tensor<2x4x?x32xf32>
}

// CHECK-LABEL: func.func @nested_patterns
func.func @nested_patterns(%q: tensor<2x4x64x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {
  // CHECK: pattern(#dit.and<#dit.causal, #dit.window<left = 8, right = 8>, #dit.or<#dit.arrow<width = 1, text = 4>, #dit.causal<offset = -1>>>)
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.and<#dit.causal, #dit.and<#dit.window<left = 8, right = 8>, #dit.causal, #dit.window<left = -1, right = 64>>,
      #dit.or<#dit.arrow<width = 1, text = 4>, #dit.or<#dit.causal<offset = -1>, #dit.arrow<width = 1, text = 4>>>>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  // CHECK: pattern(#dit.causal)
  %1 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.and<#dit.tiled<#dit.or<#dit.causal>, 1 x 1>>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return %0, %1 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>
}

// CHECK-LABEL: func.func @zero_bias
func.func @zero_bias(%q: tensor<2x4x64x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {
  %zero = arith.constant dense<0.0> : tensor<1x1x64x64xf32>
  %one = arith.constant dense<1.0> : tensor<1x1x64x64xf32>
  // CHECK: dit.attention ins
  // CHECK-NOT: bias
  // CHECK: dit.attention ins
  // CHECK-SAME: bias(%{{.*}} : tensor<1x1x64x64xf32>)
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    bias(%zero : tensor<1x1x64x64xf32>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    bias(%one : tensor<1x1x64x64xf32>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return %0, %1 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>
}

// CHECK-LABEL: func.func @full_kv_valid
func.func @full_kv_valid(%q: tensor<2x4x64x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {
  %all = arith.constant dense<64> : tensor<2xi32>
  %some = arith.constant dense<[64, 63]> : tensor<2xi32>
  // CHECK: dit.attention ins
  // CHECK-NOT: kv_valid
  // CHECK: dit.attention ins
  // CHECK-SAME: kv_valid(
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    kv_valid(%all : tensor<2xi32>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    kv_valid(%some : tensor<2xi32>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return %0, %1 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>
}

// CHECK-LABEL: func.func @unused_lse
func.func @unused_lse(%q: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf32>) -> tensor<2x4x64x32xf32> {
  // CHECK: %[[O:.*]] = dit.attention ins({{.*}}) outs(%{{.*}} : tensor<2x4x64x32xf32>) {note = 1 : i32, scale = 1.000000e+00 : f64}
  // CHECK: return %[[O]]
  %0:2 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q, %l : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>) {scale = 1.0 : f64, note = 1 : i32}
  return %0#0 : tensor<2x4x64x32xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Tile lists
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @all_tiles
func.func @all_tiles(%q: tensor<2x4x64x32xf32>, %s: tensor<2x4x2x8xf32>, %n: tensor<2x4x2xi32>, %x: tensor<2x4x2x8xi32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {
  %k = arith.constant dense<[8, 9, 8, 8]> : tensor<4xi32>
  // CHECK-NOT: dit.topk_mask
  %num, %idx = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) count(%k : tensor<4xi32>) outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  %num1, %idx1 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(1.0) outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  // CHECK: dit.attention ins
  // CHECK-NOT: tile
  // CHECK: dit.attention ins
  // CHECK-NOT: tile
  // CHECK: return
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 8] outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num1, %idx1 : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 8] outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return %0, %1 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>
}

// A count below, room for fewer, tiles that end before the keys do, and a mass
// of 1, which leaves out tiles of score -inf.
// CHECK-LABEL: func.func @not_all_tiles
func.func @not_all_tiles(%q: tensor<2x4x64x32xf32>, %s: tensor<2x4x2x8xf32>, %n: tensor<2x4x2xi32>, %x: tensor<2x4x2x8xi32>, %x7: tensor<2x4x2x7xi32>)
    -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {
  %k = arith.constant dense<[8, 9, 7, 8]> : tensor<4xi32>
  // CHECK-COUNT-4: by {{.*}} outs
  %a:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) count(%k : tensor<4xi32>) outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  %b:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(1.0) outs(%n, %x7 : tensor<2x4x2xi32>, tensor<2x4x2x7xi32>)
  %c:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(1.0) outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  %d:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) mass(1.0) outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%a#0, %a#1 : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 8] outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%b#0, %b#1 : tensor<2x4x2xi32>, tensor<2x4x2x7xi32>) by [32, 8] outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %2 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%c#0, %c#1 : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 7] outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %3 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%d#0, %d#1 : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 8] outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return %0, %1, %2, %3 : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>
}

// CHECK-LABEL: func.func @list_of_itself
// CHECK-SAME: (%[[N:.*]]: tensor<2x4x8xi32>, %[[X:.*]]: tensor<2x4x8x6xi32>
func.func @list_of_itself(%n: tensor<2x4x8xi32>, %x: tensor<2x4x8x6xi32>, %d: tensor<2x4x8x?xi32>)
    -> (tensor<2x4x8xi32>, tensor<2x4x8x6xi32>, tensor<2x4x8x?xi32>) {
  // Room that is not known may be too little.
  // CHECK-NEXT: %[[U:.*]]:2 = dit.tiles_union {{.*}} outs(%{{.*}}, %{{.*}} : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>)
  // CHECK-NEXT: return %[[N]], %[[X]], %[[U]]#1
  %0:2 = dit.tiles_union ins((%n, %x), (%n, %x) : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>, tensor<2x4x8xi32>, tensor<2x4x8x6xi32>)
    outs(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>)
  %1:2 = dit.tiles_union ins((%n, %d), (%n, %d) : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>, tensor<2x4x8xi32>, tensor<2x4x8x?xi32>)
    outs(%n, %d : tensor<2x4x8xi32>, tensor<2x4x8x?xi32>)
  return %0#0, %0#1, %1#1 : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>, tensor<2x4x8x?xi32>
}

// CHECK-LABEL: func.func @slice_of_all
// CHECK-SAME: (%[[N:.*]]: tensor<1x4x8xi32>, %[[X:.*]]: tensor<1x4x8x6xi32>
func.func @slice_of_all(%n: tensor<1x4x8xi32>, %x: tensor<1x4x8x6xi32>, %b: index)
    -> (tensor<1x4x8xi32>, tensor<1x4x8x6xi32>, tensor<1x4x8xi32>) {
  %zero = arith.constant 0 : index
  // The batch of extent 1 is kept whole at any offset, the heads are not.
  // CHECK: %[[S:.*]]:2 = dit.tiles_slice
  // CHECK-NEXT: return %[[N]], %[[X]], %[[S]]#0
  %0:2 = dit.tiles_slice ins(%n, %x : tensor<1x4x8xi32>, tensor<1x4x8x6xi32>) at(%b, %zero, %zero) outs(%n, %x : tensor<1x4x8xi32>, tensor<1x4x8x6xi32>)
  %1:2 = dit.tiles_slice ins(%n, %x : tensor<1x4x8xi32>, tensor<1x4x8x6xi32>) at(%zero, %b, %zero) outs(%n, %x : tensor<1x4x8xi32>, tensor<1x4x8x6xi32>)
  return %0#0, %0#1, %1#0 : tensor<1x4x8xi32>, tensor<1x4x8x6xi32>, tensor<1x4x8xi32>
}

// Ops on tensors without users go; those on memrefs write.
// CHECK-LABEL: func.func @dead
func.func @dead(%q: tensor<2x4x64x8xf32>, %s: tensor<2x4x2x8xf32>, %n: tensor<2x4x2xi32>, %x: tensor<2x4x2x8xi32>,
                %sm: memref<2x4x2x8xf32>, %nm: memref<2x4x2xi32>, %xm: memref<2x4x2x8xi32>) {
  // CHECK-NEXT: dit.topk_mask ins(%{{.*}} : memref
  // CHECK-NEXT: return
  %0 = dit.low_rank_score ins(%q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>) by [32, 8] proxy <first> outs(%s : tensor<2x4x2x8xf32>)
  %1:2 = dit.topk_mask ins(%0 : tensor<2x4x2x8xf32>) fraction(0.5) outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  dit.topk_mask ins(%sm : memref<2x4x2x8xf32>) fraction(0.5) outs(%nm, %xm : memref<2x4x2xi32>, memref<2x4x2x8xi32>)
  return
}

// -----

//===----------------------------------------------------------------------===//
// Dimension orders
//===----------------------------------------------------------------------===//

// q and the output by transposes, k by a generic that is one.
#map = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// CHECK-LABEL: func.func @transposes
// CHECK-SAME: (%[[Q:[a-z0-9]*]]: tensor<2x64x4x32xf32>, %[[K:[a-z0-9]*]]: tensor<2x48x4x32xf32>, %[[V:[a-z0-9]*]]: tensor<2x4x48x16xf32>
func.func @transposes(%q: tensor<2x64x4x32xf32>, %k: tensor<2x48x4x32xf32>, %v: tensor<2x4x48x16xf32>, %o: tensor<2x64x4x16xf32>) -> tensor<2x64x4x16xf32> {
  %e0 = tensor.empty() : tensor<2x4x64x32xf32>
  %e1 = tensor.empty() : tensor<2x4x48x32xf32>
  %e2 = tensor.empty() : tensor<2x4x64x16xf32>
  %qt = linalg.transpose ins(%q : tensor<2x64x4x32xf32>) outs(%e0 : tensor<2x4x64x32xf32>) permutation = [0, 2, 1, 3]
  %kt = linalg.generic {indexing_maps = [#map, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%k : tensor<2x48x4x32xf32>) outs(%e1 : tensor<2x4x48x32xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x4x48x32xf32>
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<2x64x4x16xf32>
  // CHECK-NEXT: %[[O:.*]] = dit.attention ins(%[[Q]], %[[K]], %[[V]] : tensor<2x64x4x32xf32>, tensor<2x48x4x32xf32>, tensor<2x4x48x16xf32>)
  // CHECK-SAME: outs(%[[E]] : tensor<2x64x4x16xf32>) {k_order = #dit.order<bshd>, o_order = #dit.order<bshd>, q_order = #dit.order<bshd>, scale
  // CHECK-NEXT: return %[[O]]
  %a = dit.attention ins(%qt, %kt, %v : tensor<2x4x64x32xf32>, tensor<2x4x48x32xf32>, tensor<2x4x48x16xf32>)
    outs(%e2 : tensor<2x4x64x16xf32>) {scale = 1.0 : f64}
  %t = linalg.transpose ins(%a : tensor<2x4x64x16xf32>) outs(%o : tensor<2x64x4x16xf32>) permutation = [0, 2, 1, 3]
  return %t : tensor<2x64x4x16xf32>
}

// A permutation that is not its own inverse; it brings sdbh into bhsd, twice
// applied orders are dropped again.
// CHECK-LABEL: func.func @rotation
// CHECK-SAME: (%[[Q:[a-z0-9]*]]: tensor<64x32x2x4xf32>, %[[K:[a-z0-9]*]]: tensor<2x4x64x32xf32>
func.func @rotation(%q: tensor<64x32x2x4xf32>, %k: tensor<2x4x64x32xf32>) -> (tensor<4x64x32x2xf32>, tensor<2x4x64xf32>) {
  %e0 = tensor.empty() : tensor<2x4x64x32xf32>
  %e1 = tensor.empty() : tensor<64x32x2x4xf32>
  %e2 = tensor.empty() : tensor<4x64x32x2xf32>
  %l = tensor.empty() : tensor<2x4x64xf32>
  %qt = linalg.transpose ins(%q : tensor<64x32x2x4xf32>) outs(%e0 : tensor<2x4x64x32xf32>) permutation = [2, 3, 0, 1]
  %kt = linalg.transpose ins(%k : tensor<2x4x64x32xf32>) outs(%e1 : tensor<64x32x2x4xf32>) permutation = [2, 3, 0, 1]
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<4x64x32x2xf32>
  // CHECK: %[[O:.*]]:2 = dit.attention ins(%[[Q]], %[[K]], %[[K]] :
  // CHECK-SAME: outs(%[[E]], %{{.*}} : tensor<4x64x32x2xf32>, tensor<2x4x64xf32>) {o_order = #dit.order<hsdb>, q_order = #dit.order<sdbh>, scale
  // CHECK-NEXT: return %[[O]]#0, %[[O]]#1
  %a:2 = dit.attention ins(%qt, %kt, %k : tensor<2x4x64x32xf32>, tensor<64x32x2x4xf32>, tensor<2x4x64x32xf32>)
    outs(%e0, %l : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>) {scale = 1.0 : f64, k_order = #dit.order<sdbh>}
  %t = linalg.transpose ins(%a#0 : tensor<2x4x64x32xf32>) outs(%e2 : tensor<4x64x32x2xf32>) permutation = [1, 2, 3, 0]
  return %t, %a#1 : tensor<4x64x32x2xf32>, tensor<2x4x64xf32>
}

// CHECK-LABEL: func.func @unit_dimensions
// CHECK-SAME: (%[[Q:[a-z0-9]*]]: tensor<4x64x32xf32>, %[[K:[a-z0-9]*]]: tensor<4x1x48x32xf32>, %[[V:[a-z0-9]*]]: tensor<1x4x48x32xf32>)
func.func @unit_dimensions(%q: tensor<4x64x32xf32>, %k: tensor<4x1x48x32xf32>, %v: tensor<1x4x48x32xf32>) -> tensor<4x64x32xf32> {
  %qe = tensor.expand_shape %q [[0, 1], [2], [3]] output_shape [1, 4, 64, 32] : tensor<4x64x32xf32> into tensor<1x4x64x32xf32>
  %kc = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<4x1x48x32xf32> into tensor<4x48x32xf32>
  %e = tensor.empty() : tensor<1x4x64x32xf32>
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<4x64x32xf32>
  // CHECK-NEXT: %[[O:.*]] = dit.attention ins(%[[Q]], %[[K]], %[[V]] : tensor<4x64x32xf32>, tensor<4x1x48x32xf32>, tensor<1x4x48x32xf32>)
  // CHECK-SAME: outs(%[[E]] : tensor<4x64x32xf32>) {k_order = #dit.order<hbsd>, o_order = #dit.order<hsd>, q_order = #dit.order<hsd>, scale
  // CHECK-NEXT: return %[[O]]
  %a = dit.attention ins(%qe, %kc, %v : tensor<1x4x64x32xf32>, tensor<4x48x32xf32>, tensor<1x4x48x32xf32>)
    outs(%e : tensor<1x4x64x32xf32>) {scale = 1.0 : f64, k_order = #dit.order<hsd>}
  %c = tensor.collapse_shape %a [[0, 1], [2], [3]] : tensor<1x4x64x32xf32> into tensor<4x64x32xf32>
  return %c : tensor<4x64x32xf32>
}

// The output gains unit dimensions, here with an unknown length.
// CHECK-LABEL: func.func @expanded_output
func.func @expanded_output(%q: tensor<?x32xf32>, %n: index) -> tensor<?x1x1x32xf32> {
  // CHECK: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?x1x1x32xf32>
  // CHECK: %[[O:.*]] = dit.attention ins
  // CHECK-SAME: outs(%[[E]] : tensor<?x1x1x32xf32>) {{{.*}}o_order = #dit.order<sbhd>
  // CHECK-NEXT: return %[[O]]
  %a = dit.attention ins(%q, %q, %q : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) outs(%q : tensor<?x32xf32>)
    {scale = 1.0 : f64, q_order = #dit.order<sd>, k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  %x = tensor.expand_shape %a [[0, 1, 2], [3]] output_shape [%n, 1, 1, 32] : tensor<?x32xf32> into tensor<?x1x1x32xf32>
  return %x : tensor<?x1x1x32xf32>
}

// Dimensions that are split or joined, the sequence of extent 1, and an output
// with two users stay.
// CHECK-LABEL: func.func @not_layouts
func.func @not_layouts(%q: tensor<8x64x32xf32>, %k: tensor<2x4x64x32xf32>, %s: tensor<4x32xf32>, %e: tensor<2x64x4x32xf32>)
    -> (tensor<8x64x32xf32>, tensor<4x32xf32>, tensor<2x64x4x32xf32>, tensor<2x4x64x32xf32>) {
  // CHECK: tensor.expand_shape %{{.*}} {{.*}}[0, 1], [2], [3]
  // CHECK: dit.attention
  // CHECK: tensor.collapse_shape
  %qe = tensor.expand_shape %q [[0, 1], [2], [3]] output_shape [2, 4, 64, 32] : tensor<8x64x32xf32> into tensor<2x4x64x32xf32>
  %a = dit.attention ins(%qe, %k, %k : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%k : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %c = tensor.collapse_shape %a [[0, 1], [2], [3]] : tensor<2x4x64x32xf32> into tensor<8x64x32xf32>
  // CHECK: %[[S:.*]] = tensor.expand_shape %{{.*}} {{.*}}[0, 1], [2]
  // CHECK: dit.attention ins(%[[S]],
  %se = tensor.expand_shape %s [[0, 1], [2]] output_shape [4, 1, 32] : tensor<4x32xf32> into tensor<4x1x32xf32>
  %b = dit.attention ins(%se, %se, %se : tensor<4x1x32xf32>, tensor<4x1x32xf32>, tensor<4x1x32xf32>)
    outs(%se : tensor<4x1x32xf32>) {scale = 1.0 : f64, q_order = #dit.order<hsd>, k_order = #dit.order<hsd>, v_order = #dit.order<hsd>, o_order = #dit.order<hsd>}
  // CHECK: tensor.collapse_shape
  %bc = tensor.collapse_shape %b [[0, 1], [2]] : tensor<4x1x32xf32> into tensor<4x32xf32>
  // CHECK: dit.attention
  // CHECK: transpose
  %d = dit.attention ins(%k, %k, %k : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%k : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %t = linalg.transpose ins(%d : tensor<2x4x64x32xf32>) outs(%e : tensor<2x64x4x32xf32>) permutation = [0, 2, 1, 3]
  return %c, %bc, %t, %d : tensor<8x64x32xf32>, tensor<4x32xf32>, tensor<2x64x4x32xf32>, tensor<2x4x64x32xf32>
}

// CHECK-LABEL: func.func @casts
func.func @casts(%q: tensor<2x4x64x32xf32>, %m: memref<2x4x64x32xf32>) -> tensor<?x4x?x32xf32> {
  %c = tensor.cast %q : tensor<2x4x64x32xf32> to tensor<?x4x?x32xf32>
  // CHECK: %[[O:.*]] = dit.attention ins({{.*}} : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) outs(%{{.*}} : tensor<2x4x64x32xf32>)
  // CHECK: tensor.cast %[[O]]
  %0 = dit.attention ins(%c, %c, %c : tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>)
    outs(%c : tensor<?x4x?x32xf32>) {scale = 1.0 : f64}
  // CHECK-NOT: memref.cast
  // CHECK: dit.attention ins({{.*}}) outs(%{{.*}} : memref<2x4x64x32xf32>)
  %mc = memref.cast %m : memref<2x4x64x32xf32> to memref<?x4x?x32xf32>
  dit.attention ins(%mc, %mc, %mc : memref<?x4x?x32xf32>, memref<?x4x?x32xf32>, memref<?x4x?x32xf32>)
    outs(%mc : memref<?x4x?x32xf32>) {scale = 1.0 : f64}
  return %0 : tensor<?x4x?x32xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Reuse
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @scheduled
func.func @scheduled(%s: index) -> (i1, i1, i1, i1, i1) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c9 = arith.constant 9 : index
  // CHECK-DAG: %[[T:.*]] = arith.constant true
  // CHECK-DAG: %[[F:.*]] = arith.constant false
  // CHECK: %[[ON:.*]] = dit.scheduled
  // CHECK: return %[[T]], %[[F]], %[[T]], %[[T]], %[[ON]]
  %ones = dit.scheduled %s, #dit.schedule<"111">
  %off = dit.scheduled %c1, #dit.schedule<"1001">
  %on = dit.scheduled %c3, #dit.schedule<"1001">
  %beyond = dit.scheduled %c9, #dit.schedule<"1000">
  %open = dit.scheduled %s, #dit.schedule<"1001">
  return %ones, %off, %on, %beyond, %open : i1, i1, i1, i1, i1
}

// CHECK-LABEL: func.func @reuse_that_always_computes
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<4xf32>, %{{.*}}: index)
func.func @reuse_that_always_computes(%x: tensor<4xf32>, %c0: tensor<4xf32>, %s: index) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // CHECK-NEXT: %[[E:.*]] = linalg.exp ins(%[[X]] : tensor<4xf32>) outs(%[[C]] : tensor<4xf32>)
  // CHECK-NEXT: return %[[E]], %[[E]], %[[C]]
  %on = dit.scheduled %s, #dit.schedule<"1">
  %y, %c1, %c2 = dit.reuse compute(%on) state(%c0, %c0 : tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>, %same: tensor<4xf32>):
    %e = linalg.exp ins(%x : tensor<4xf32>) outs(%d : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %e, %e, %same : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  return %y, %c1, %c2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @reuse_that_never_computes
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[C:.*]]: tensor<4xf32>)
func.func @reuse_that_never_computes(%x: tensor<4xf32>, %c0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %off = arith.constant false
  // CHECK-NEXT: %[[A:.*]] = linalg.abs ins(%[[C]] : tensor<4xf32>) outs(%[[X]] : tensor<4xf32>)
  // CHECK-NEXT: return %[[C]], %[[C]], %[[A]], %[[C]]
  %y, %c1 = dit.reuse compute(%off) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    %e = linalg.exp ins(%x : tensor<4xf32>) outs(%d : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %e, %e : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  %z, %c2 = dit.reuse compute(%off) state(%c0 : tensor<4xf32>) {
  ^bb0(%d: tensor<4xf32>):
    %e = linalg.exp ins(%x : tensor<4xf32>) outs(%d : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %e, %e : tensor<4xf32>, tensor<4xf32>
  } otherwise {
  ^bb0(%s: tensor<4xf32>):
    %a = linalg.abs ins(%s : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
    dit.yield %a : tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return %y, %c1, %z, %c2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Token order
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @inverse_orders
// CHECK-SAME: (%[[X:.*]]: tensor<2x64x8xf32>, %[[E:.*]]: tensor<2x64x8xf32>)
func.func @inverse_orders(%x: tensor<2x64x8xf32>, %e: tensor<2x64x8xf32>) -> (tensor<2x64x8xf32>, tensor<2x64x8xf32>, tensor<2x64x8xf32>, tensor<2x64x8xf32>) {
  // Other cubes are no inverse.
  // CHECK-NEXT: %[[G:.*]] = dit.group_tokens ins(%[[X]] : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2]
  // CHECK-NEXT: %[[U:.*]] = dit.ungroup_tokens ins(%[[G]] : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 4]
  // CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[U]]
  %g = dit.group_tokens ins(%x : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%e : tensor<2x64x8xf32>)
  %0 = dit.ungroup_tokens ins(%g : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%e : tensor<2x64x8xf32>)
  %u = dit.ungroup_tokens ins(%x : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%e : tensor<2x64x8xf32>)
  %1 = dit.group_tokens ins(%u : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2] outs(%e : tensor<2x64x8xf32>)
  %2 = dit.group_tokens ins(%x : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [1, 1, 1] outs(%e : tensor<2x64x8xf32>)
  %3 = dit.ungroup_tokens ins(%g : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 4] outs(%e : tensor<2x64x8xf32>)
  return %0, %1, %2, %3 : tensor<2x64x8xf32>, tensor<2x64x8xf32>, tensor<2x64x8xf32>, tensor<2x64x8xf32>
}

// The fold would change the type.
// CHECK-LABEL: func.func @order_with_other_type
func.func @order_with_other_type(%x: tensor<2x64x8xf32>, %e: tensor<?x64x8xf32>) -> tensor<?x64x8xf32> {
  // CHECK: dit.group_tokens
  %0 = dit.group_tokens ins(%x : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [1, 1, 1] outs(%e : tensor<?x64x8xf32>)
  return %0 : tensor<?x64x8xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

// Layouts go into the orders of inputs and of results; what holds everything
// goes.
// CHECK-LABEL: func.func @gradient
// CHECK-SAME: (%[[Q:.*]]: tensor<2x64x4x32xf32>, %[[K:.*]]: tensor<2x4x64x32xf32>, %[[L:.*]]: tensor<2x4x64xf32>, %[[D:.*]]: tensor<64x2x4x32xf32>, %{{.*}}: tensor<2x4x64x32xf32>, %{{.*}}: tensor<2x64x4x32xf32>)
func.func @gradient(%q: tensor<2x64x4x32xf32>, %k: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf32>, %d: tensor<64x2x4x32xf32>,
                    %e: tensor<2x4x64x32xf32>, %f: tensor<2x64x4x32xf32>)
    -> (tensor<2x4x64x32xf32>, tensor<2x64x4x32xf32>, tensor<2x4x64x32xf32>) {
  // CHECK-NEXT: %[[INIT:.*]] = tensor.empty() : tensor<2x64x4x32xf32>
  // CHECK-NEXT: %[[R:.*]]:3 = dit.attention_backward ins(%[[Q]], %[[K]], %[[K]], %[[K]], %[[L]], %[[D]] :
  // CHECK-NOT: pattern
  // CHECK-SAME: outs(%{{.*}}, %[[INIT]], %{{.*}} : tensor<2x4x64x32xf32>, tensor<2x64x4x32xf32>, tensor<2x4x64x32xf32>)
  // CHECK-SAME: {dk_order = #dit.order<bshd>, do_order = #dit.order<sbhd>, q_order = #dit.order<bshd>, scale = 1.250000e-01 : f64}
  // CHECK-NEXT: return %[[R]]#0, %[[R]]#1, %[[R]]#2
  %t = linalg.transpose ins(%q : tensor<2x64x4x32xf32>) outs(%e : tensor<2x4x64x32xf32>) permutation = [0, 2, 1, 3]
  %u = linalg.transpose ins(%d : tensor<64x2x4x32xf32>) outs(%e : tensor<2x4x64x32xf32>) permutation = [1, 2, 0, 3]
  %dq, %dk, %dv = dit.attention_backward
    ins(%t, %k, %k, %k, %l, %u : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.window<left = -1, right = 64>)
    outs(%e, %e, %e : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.125 : f64, k_order = #dit.order<bhsd>}
  %w = linalg.transpose ins(%dk : tensor<2x4x64x32xf32>) outs(%f : tensor<2x64x4x32xf32>) permutation = [0, 2, 1, 3]
  return %dq, %w, %dv : tensor<2x4x64x32xf32>, tensor<2x64x4x32xf32>, tensor<2x4x64x32xf32>
}

// -----

// Upstream's verifiers look at the lower half of the indices of a
// reassociation; with such ones it is no reshape over unit dimensions.

// CHECK-LABEL: func.func @foreign_reassociation
// CHECK: tensor.expand_shape
// CHECK: dit.attention
// CHECK: tensor.expand_shape
func.func @foreign_reassociation(%q: tensor<?x32xf32>, %n: index) -> tensor<?x1x1x32xf32> {
  %e = tensor.expand_shape %q [[1099511627776, 1, 2], [3]] output_shape [%n, 1, 1, 32] : tensor<?x32xf32> into tensor<?x1x1x32xf32>
  %a = dit.attention ins(%e, %q, %q : tensor<?x1x1x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) outs(%q : tensor<?x32xf32>)
    {scale = 1.0 : f64, q_order = #dit.order<sbhd>, k_order = #dit.order<sd>, v_order = #dit.order<sd>, o_order = #dit.order<sd>}
  %x = tensor.expand_shape %a [[1099511627776, 1, 2], [3]] output_shape [%n, 1, 1, 32] : tensor<?x32xf32> into tensor<?x1x1x32xf32>
  return %x : tensor<?x1x1x32xf32>
}

// -----

// Half-widths of one value are a pattern; -1 is none. A pattern that holds all
// stays beside bands, which would be all there is without it.
// CHECK-LABEL: func.func @uniform_half_widths
func.func @uniform_half_widths(%q: tensor<1x2x64x32xf32>, %w: tensor<2xi32>) -> (tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>) {
  %five = arith.constant dense<5> : tensor<2xi32>
  %all = arith.constant dense<-1> : tensor<2xi32>
  %none = arith.constant dense<0> : tensor<2xi32>
  // CHECK: dit.attention ins({{.*}}) pattern(#dit.window<left = 5, right = 5>) outs
  %0 = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    half_widths(%five : tensor<2xi32>) outs(%q : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  // CHECK: dit.attention ins({{.*}}) pattern(#dit.or<#dit.arrow<width = 0, text = 3>, #dit.window<left = 5, right = 5>>) outs
  %1 = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    pattern(#dit.arrow<width = 0, text = 3>) half_widths(%five : tensor<2xi32>) outs(%q : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  // CHECK: dit.attention ins({{.*}}xf32>) outs
  %2 = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    pattern(#dit.causal) half_widths(%all : tensor<2xi32>) outs(%q : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  // CHECK: dit.attention ins({{.*}}) half_widths(
  %3 = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    half_widths(%none : tensor<2xi32>) outs(%q : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  // CHECK: dit.attention ins({{.*}}) pattern(#dit.window<left = 64, right = 64>) half_widths(
  %4 = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    pattern(#dit.window<left = 64, right = 64>) half_widths(%w : tensor<2xi32>) outs(%q : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  return %0, %1, %2, %3, %4 : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>
}

// The LSE goes, the half-widths behind it stay.
// CHECK-LABEL: func.func @unused_lse_before_half_widths
// CHECK: dit.attention ins({{.*}}) half_widths(%{{.*}} : tensor<2xi32>) outs(%{{.*}} : tensor<1x2x64x32xf32>)
func.func @unused_lse_before_half_widths(%q: tensor<1x2x64x32xf32>, %l: tensor<1x2x64xf32>, %w: tensor<2xi32>) -> tensor<1x2x64x32xf32> {
  %0, %1 = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    half_widths(%w : tensor<2xi32>) outs(%q, %l : tensor<1x2x64x32xf32>, tensor<1x2x64xf32>) {scale = 1.0 : f64}
  return %0 : tensor<1x2x64x32xf32>
}

// -----

// Heads of half-width 0 keep what outs holds, so a result changes its layout
// only with it.
// CHECK-LABEL: func.func @skipped_heads_keep_outs
func.func @skipped_heads_keep_outs(%q: tensor<1x2x64x32xf32>, %w: tensor<2xi32>, %known: tensor<1x2x64x32xf32>)
    -> (tensor<1x64x2x32xf32>, tensor<1x64x2x32xf32>, tensor<1x64x2x32xf32>) {
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty() : tensor<1x2x64x32xf32>
  %ones = linalg.fill ins(%one : f32) outs(%empty : tensor<1x2x64x32xf32>) -> tensor<1x2x64x32xf32>
  %e = tensor.empty() : tensor<1x64x2x32xf32>
  // CHECK: %[[ONES:.*]] = linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<1x64x2x32xf32>)
  // CHECK: dit.attention {{.*}} outs(%[[ONES]] : tensor<1x64x2x32xf32>) {{.*}}o_order = #dit.order<bshd>
  %a = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    half_widths(%w : tensor<2xi32>) outs(%ones : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  %at = linalg.transpose ins(%a : tensor<1x2x64x32xf32>) outs(%e : tensor<1x64x2x32xf32>) permutation = [0, 2, 1, 3]
  // CHECK: dit.attention {{.*}} outs(%{{.*}} : tensor<1x64x2x32xf32>) {{.*}}o_order = #dit.order<bshd>
  %b = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    half_widths(%w : tensor<2xi32>) outs(%empty : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  %bt = linalg.transpose ins(%b : tensor<1x2x64x32xf32>) outs(%e : tensor<1x64x2x32xf32>) permutation = [0, 2, 1, 3]
  // CHECK: %[[KEPT:.*]] = dit.attention {{.*}} outs(%arg2 : tensor<1x2x64x32xf32>)
  // CHECK: linalg.transpose ins(%[[KEPT]]
  %c = dit.attention ins(%q, %q, %q : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
    half_widths(%w : tensor<2xi32>) outs(%known : tensor<1x2x64x32xf32>) {scale = 1.0 : f64}
  %ct = linalg.transpose ins(%c : tensor<1x2x64x32xf32>) outs(%e : tensor<1x64x2x32xf32>) permutation = [0, 2, 1, 3]
  return %at, %bt, %ct : tensor<1x64x2x32xf32>, tensor<1x64x2x32xf32>, tensor<1x64x2x32xf32>
}

// A pair, like an attention. The second pattern stays, as there has to be one.
// CHECK-LABEL: func.func @pair
func.func @pair(%q: tensor<2x4x64x32xf32>, %k: tensor<2x64x4x32xf32>, %t: tensor<2x64x4x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x64x4x32xf32>) {
  %kt = linalg.transpose ins(%k : tensor<2x64x4x32xf32>) outs(%q : tensor<2x4x64x32xf32>) permutation = [0, 2, 1, 3]
  // CHECK-NOT: linalg.transpose
  // CHECK: %[[R:.*]]:2 = dit.attention_pair ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<2x4x64x32xf32>, tensor<2x64x4x32xf32>, tensor<2x64x4x32xf32>)
  // CHECK-SAME: within(#dit.window<left = 63, right = 63>)
  // CHECK-SAME: {inner_order = #dit.order<bshd>, k_order = #dit.order<bshd>, scale = 1.000000e+00 : f64, v_order = #dit.order<bshd>}
  // CHECK-NEXT: return %[[R]]#0, %[[R]]#1
  %0:2 = dit.attention_pair ins(%q, %kt, %kt : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.window<left = 63, right = 63>) within(#dit.window<left = 63, right = 63>)
    outs(%q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  %1 = linalg.transpose ins(%0#1 : tensor<2x4x64x32xf32>) outs(%t : tensor<2x64x4x32xf32>) permutation = [0, 2, 1, 3]
  return %0#0, %1 : tensor<2x4x64x32xf32>, tensor<2x64x4x32xf32>
}
