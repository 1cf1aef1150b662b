// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @low_rank_score_c1(%q: tensor<2x4x64x8xf32>, %k: tensor<2x4x96x8xf16>, %s: tensor<2x4x4x12xf32>) {
  // expected-error @+1 {{expected k of element type 'f32' as q, got 'f16'}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x4x96x8xf16>) by [16, 8] proxy <mean>
    outs(%s : tensor<2x4x4x12xf32>)
  return
}

// -----

func.func @low_rank_score_c2(%q: tensor<2x4x64x8xf32>, %k: tensor<2x4x96x8xf32>, %s: tensor<2x4x4x12xf64>) {
  // expected-error @+1 {{expected scores of element type 'f32', got 'f64'}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x4x96x8xf32>) by [16, 8] proxy <mean>
    outs(%s : tensor<2x4x4x12xf64>)
  return
}

// -----

func.func @low_rank_score_c3(%q: tensor<2x4x64x8xf32>, %k: tensor<2x4x96x8xf32>, %s: tensor<2x4x4x12xf32>) {
  // expected-error @+1 {{expected a tile of two positive extents [queries, keys], got [16, -8]}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x4x96x8xf32>) by [16, -8] proxy <mean>
    outs(%s : tensor<2x4x4x12xf32>)
  return
}

// -----

func.func @low_rank_score_c4(%q: tensor<2x4x64x8xf32>, %k: tensor<2x4x96x7xf32>, %s: tensor<2x4x4x12xf32>) {
  // expected-error @+1 {{expected k with a rank of 8, got 7}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x4x96x7xf32>) by [16, 8] proxy <mean>
    outs(%s : tensor<2x4x4x12xf32>)
  return
}

// -----

func.func @low_rank_score_c7(%q: tensor<2x4x64x8xf32>, %k: tensor<2x3x96x8xf32>, %s: tensor<2x4x4x12xf32>) {
  // expected-error @+1 {{expected the number of query heads to be a multiple of the 3 key heads, got 4}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x3x96x8xf32>) by [16, 8] proxy <mean>
    outs(%s : tensor<2x4x4x12xf32>)
  return
}

// -----

func.func @low_rank_score_c5(%q: tensor<2x4x64x8xf32>, %k: tensor<2x4x96x8xf32>, %s: tensor<2x4x4x13xf32>) {
  // expected-error @+1 {{expected scores with a number of key tiles of 12, got 13}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x4x96x8xf32>) by [16, 8] proxy <mean>
    outs(%s : tensor<2x4x4x13xf32>)
  return
}

// -----

func.func @low_rank_score_c6(%q: tensor<2x4x64x8xf32>, %k: tensor<2x4x96x8xf32>, %s: tensor<2x4x4x12xf32>) {
  // expected-error @+1 {{expected a finite scale}}
  %0 = dit.low_rank_score ins(%q, %k : tensor<2x4x64x8xf32>, tensor<2x4x96x8xf32>) by [16, 8] proxy <mean>
    outs(%s : tensor<2x4x4x12xf32>) {scale = 0x7FF8000000000000 : f64}
  return
}

// -----

func.func @topk_mask_c1(%s: tensor<2x4x2x8xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected exactly one of count, fraction and mass, got 2}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(0.5) mass(0.5)
    outs(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @topk_mask_c1_none(%s: tensor<2x4x2x8xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected exactly one of count, fraction and mass, got 0}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>)
    outs(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @topk_mask_c2(%s: tensor<2x4x2x8xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{expected count with one value or one for each of the 4 heads, got 3}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) count(%n : tensor<3xi32>)
    outs(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @topk_mask_c3(%s: tensor<2x4x2x8xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected a fraction between 0 and 1, got 1.5}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(1.5)
    outs(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @topk_mask_c3_nan(%s: tensor<2x4x2x8xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected a mass between 0 and 1, got}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) mass(0x7FF8000000000000)
    outs(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @topk_mask_c4(%s: tensor<2x4x2x8xf32>, %num: tensor<2x1x2xi32>, %idx: tensor<2x1x2x8xi32>) {
  // expected-error @+1 {{expected result num with 4 heads, got 1}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(0.5)
    outs(%num, %idx : tensor<2x1x2xi32>, tensor<2x1x2x8xi32>)
  return
}

// -----

func.func @topk_mask_c5(%s: tensor<2x4x2x8xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{arrow has 4 text tokens, got 2 queries}}
  %0:2 = dit.topk_mask ins(%s : tensor<2x4x2x8xf32>) fraction(0.5) keep(#dit.arrow<width = 1, text = 4>)
    outs(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @tiles_union_c1(%n1: tensor<2x4x2xi32>, %x1: tensor<2x4x2x8xi32>, %n2: tensor<1x3x2xi32>, %x2: tensor<1x3x2x8xi32>, %n: tensor<2x4x2xi32>, %x: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected second num with 4 heads or 1, got 3}}
  %0:2 = dit.tiles_union ins((%n1, %x1), (%n2, %x2) : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>, tensor<1x3x2xi32>, tensor<1x3x2x8xi32>)
    outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @tiles_union_c1_idx(%n1: tensor<2x4x2xi32>, %x1: tensor<2x4x3x8xi32>, %n2: tensor<1x4x2xi32>, %x2: tensor<1x4x2x8xi32>, %n: tensor<2x4x2xi32>, %x: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected first idx with 2 rows, got 3}}
  %0:2 = dit.tiles_union ins((%n1, %x1), (%n2, %x2) : tensor<2x4x2xi32>, tensor<2x4x3x8xi32>, tensor<1x4x2xi32>, tensor<1x4x2x8xi32>)
    outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @tiles_union_c2(%n1: tensor<1x4x2xi32>, %x1: tensor<1x4x2x8xi32>, %n2: tensor<1x4x2xi32>, %x2: tensor<1x4x2x8xi32>, %n: tensor<2x4x2xi32>, %x: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected result num with 1 batches, got 2}}
  %0:2 = dit.tiles_union ins((%n1, %x1), (%n2, %x2) : tensor<1x4x2xi32>, tensor<1x4x2x8xi32>, tensor<1x4x2xi32>, tensor<1x4x2x8xi32>)
    outs(%n, %x : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>)
  return
}

// -----

func.func @tiles_slice_c1(%n1: tensor<2x4x4xi32>, %x1: tensor<2x4x5x8xi32>, %n: tensor<1x4x2xi32>, %x: tensor<1x4x2x8xi32>, %i: index) {
  // expected-error @+1 {{expected source idx with 4 rows, got 5}}
  %0:2 = dit.tiles_slice ins(%n1, %x1 : tensor<2x4x4xi32>, tensor<2x4x5x8xi32>) at(%i, %i, %i)
    outs(%n, %x : tensor<1x4x2xi32>, tensor<1x4x2x8xi32>)
  return
}

// -----

func.func @tiles_slice_c1_result(%n1: tensor<2x4x4xi32>, %x1: tensor<2x4x4x8xi32>, %n: tensor<1x4x2xi32>, %x: tensor<1x4x3x8xi32>, %i: index) {
  // expected-error @+1 {{expected result idx with 2 rows, got 3}}
  %0:2 = dit.tiles_slice ins(%n1, %x1 : tensor<2x4x4xi32>, tensor<2x4x4x8xi32>) at(%i, %i, %i)
    outs(%n, %x : tensor<1x4x2xi32>, tensor<1x4x3x8xi32>)
  return
}

// -----

func.func @tiles_slice_c2(%n1: tensor<2x4x4xi32>, %x1: tensor<2x4x4x8xi32>, %n: tensor<3x4x2xi32>, %x: tensor<3x4x2x8xi32>, %i: index) {
  // expected-error @+1 {{expected a result of at most 2 in dimension 0 as the source, got 3}}
  %0:2 = dit.tiles_slice ins(%n1, %x1 : tensor<2x4x4xi32>, tensor<2x4x4x8xi32>) at(%i, %i, %i)
    outs(%n, %x : tensor<3x4x2xi32>, tensor<3x4x2x8xi32>)
  return
}

// -----

func.func @tiles_slice_c3(%n1: tensor<2x4x4xi32>, %x1: tensor<2x4x4x8xi32>, %n: tensor<1x4x2xi32>, %x: tensor<1x4x2x9xi32>, %i: index) {
  // expected-error @+1 {{expected a result with a capacity of 8, got 9}}
  %0:2 = dit.tiles_slice ins(%n1, %x1 : tensor<2x4x4xi32>, tensor<2x4x4x8xi32>) at(%i, %i, %i)
    outs(%n, %x : tensor<1x4x2xi32>, tensor<1x4x2x9xi32>)
  return
}

// -----

func.func @tiles_transpose_c1(%n1: tensor<2x4x4xi32>, %x1: tensor<2x1x4x8xi32>, %n: tensor<2x4x8xi32>, %x: tensor<2x4x8x4xi32>) {
  // expected-error @+1 {{expected source idx with 4 heads, got 1}}
  %0:2 = dit.tiles_transpose ins(%n1, %x1 : tensor<2x4x4xi32>, tensor<2x1x4x8xi32>)
    outs(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x4xi32>)
  return
}

// -----

func.func @tiles_transpose_c2(%n1: tensor<2x4x4xi32>, %x1: tensor<2x4x4x8xi32>, %n: tensor<2x1x8xi32>, %x: tensor<2x1x8x4xi32>) {
  // expected-error @+1 {{expected result num with 4 heads, got 1}}
  %0:2 = dit.tiles_transpose ins(%n1, %x1 : tensor<2x4x4xi32>, tensor<2x4x4x8xi32>)
    outs(%n, %x : tensor<2x1x8xi32>, tensor<2x1x8x4xi32>)
  return
}
