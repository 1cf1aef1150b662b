// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @destination_c1(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %n: memref<2xi32>) {
  // expected-error @+1 {{expected all operands to be tensors or all to be memrefs, got both}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    kv_valid(%n : memref<2xi32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c1(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf16>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected v of element type 'f32' as q, got 'f16'}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf16>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c2(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected k with the 3 dimensions of its order hsd, got 4}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64, k_order = #dit.order<hsd>}
  return
}

// -----

func.func @attention_c3(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x?xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a static head size in k}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x?xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c4(%q: tensor<2x4x64x32xf32>, %k: tensor<3x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected k with a batch of 2, got 3}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<3x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

// The batch of q is not known, those of k and v differ.
func.func @attention_c4_dynamic(%q: tensor<?x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<3x4x64x32xf32>) {
  // expected-error @+1 {{expected v with a batch of 2, got 3}}
  %0 = dit.attention ins(%q, %k, %v : tensor<?x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<3x4x64x32xf32>)
    outs(%q : tensor<?x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

// An order without b means a batch of 1.
func.func @attention_c4_missing_letter(%q: tensor<4x64x32xf32>, %k: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected k with a batch of 1, got 2}}
  %0 = dit.attention ins(%q, %k, %k : tensor<4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<4x64x32xf32>) {scale = 0.1 : f64, q_order = #dit.order<hsd>, o_order = #dit.order<hsd>}
  return
}

// -----

func.func @attention_c5(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x2x64x32xf32>) {
  // expected-error @+1 {{expected output with a head count of 4, got 2}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x2x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c5_kv(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x2x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected v with a head count of 4, got 2}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x2x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c6(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x63x32xf32>) {
  // expected-error @+1 {{expected output with a sequence length of 64, got 63}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x63x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c6_kv(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x63x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected v with a sequence length of 64, got 63}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x63x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c7(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x16xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected k with a head size of 32, got 16}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x16xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c7_v(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x16xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected output with a head size of 16, got 32}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x16xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c8(%q: tensor<2x4x64x32xf32>, %k: tensor<2x3x64x32xf32>, %v: tensor<2x3x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected the number of query heads to be a multiple of the 3 key heads, got 4}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x3x64x32xf32>, tensor<2x3x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c8_zero(%q: tensor<2x4x64x32xf32>, %k: tensor<2x0x64x32xf32>, %v: tensor<2x0x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected the number of query heads to be a multiple of the 0 key heads, got 4}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x0x64x32xf32>, tensor<2x0x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c9(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %b: tensor<1x1x64x64xf16>) {
  // expected-error @+1 {{expected bias of element type 'f32' or 'f32', got 'f16'}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    bias(%b : tensor<1x1x64x64xf16>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c10(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %b: tensor<1x1x32x64xf32>) {
  // expected-error @+1 {{expected bias with a query length of 64, got 32}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    bias(%b : tensor<1x1x32x64xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c11(%q: tensor<2x4x64x32xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected the num and idx of a tile list and its tile together}}
  %0 = "dit.attention"(%q, %q, %q, %num, %idx, %q) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 1, 0, 1, 0, 0>, scale = 0.1 : f64}> : (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x2xi32>, tensor<2x4x2x8xi32>, tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32>
  return
}

// -----

func.func @attention_c11_without_num(%q: tensor<2x4x64x32xf32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected the num and idx of a tile list and its tile together}}
  %0 = "dit.attention"(%q, %q, %q, %idx, %q) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 1, 0, 0>, scale = 0.1 : f64, tile = array<i64: 32, 8>}> : (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x2x8xi32>, tensor<2x4x64x32xf32>) -> tensor<2x4x64x32xf32>
  return
}

// -----

func.func @attention_c11_tile_alone(%q: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected the num and idx of a tile list and its tile together}}
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%q : tensor<2x4x64x32xf32>) {scale = 0.1 : f64, tile = array<i64: 32, 8>}
  return
}

// -----

func.func @attention_c12(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected a tile of two positive extents [queries, keys], got [32, 0]}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 0]
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c12_three_extents(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected a tile of two positive extents [queries, keys], got [32, 8, 1]}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 8, 1]
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c13(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %num: tensor<2x4x3xi32>, %idx: tensor<2x4x3x8xi32>) {
  // expected-error @+1 {{expected tile list num with 2 rows, got 3}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x3xi32>, tensor<2x4x3x8xi32>) by [32, 8]
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c13_heads(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %num: tensor<2x2x2xi32>, %idx: tensor<2x2x2x8xi32>) {
  // expected-error @+1 {{expected tile list num with 4 heads or 1, got 2}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x2x2xi32>, tensor<2x2x2x8xi32>) by [32, 8]
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c13_idx(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x1x2x8xi32>) {
  // expected-error @+1 {{expected tile list idx with the 4 heads of num, got 1}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x2xi32>, tensor<2x1x2x8xi32>) by [32, 8]
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c13_idx_dynamic(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %num: tensor<2x4x?xi32>, %idx: tensor<2x4x3x8xi32>) {
  // expected-error @+1 {{expected tile list idx with 2 rows, got 3}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x?xi32>, tensor<2x4x3x8xi32>) by [32, 8]
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c14(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{expected kv_valid with a batch of 2, got 3}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    kv_valid(%n : tensor<3xi32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c15(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{grid of the pattern has 60 tokens, got 64 queries}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.frame_causal<#dit.grid<1x6x10>>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c16(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf64>) {
  // expected-error @+1 {{expected lse of element type 'f32', got 'f64'}}
  %0:2 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o, %l : tensor<2x4x64x32xf32>, tensor<2x4x64xf64>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c17(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %l: tensor<2x4x63xf32>) {
  // expected-error @+1 {{expected lse with a sequence length of 64, got 63}}
  %0:2 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o, %l : tensor<2x4x64x32xf32>, tensor<2x4x63xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_c18(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a finite scale}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0x7FF0000000000000 : f64}
  return
}

// -----

func.func @attention_c19(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a site name that is not empty}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64, site = ""}
  return
}

// -----

func.func @attention_c20(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a query length equal to the grid's number of tokens, of 60, got 64}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64, grid = #dit.grid<1x6x10>}
  return
}

// -----

func.func @attention_merge_c1(%o1: tensor<2x4x64x32xf32>, %l1: tensor<2x4x64xf32>, %o2: tensor<2x4x64x32xf32>, %l2: tensor<2x4x64xf64>, %o: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf32>) {
  // expected-error @+1 {{expected lse2 of element type 'f32', got 'f64'}}
  %0:2 = dit.attention_merge ins((%o1, %l1), (%o2, %l2) : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf64>)
    outs(%o, %l : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>)
  return
}

// -----

func.func @attention_merge_c2(%o1: tensor<2x4x64x32xf32>, %l1: tensor<2x4x64xf32>, %o2: tensor<2x4x64x32xf32>, %l2: tensor<2x4x64xf32>, %o: tensor<2x4x65x32xf32>, %l: tensor<2x4x64xf32>) {
  // expected-error @+1 {{expected output with an extent in dimension 2 of 64, got 65}}
  %0:2 = dit.attention_merge ins((%o1, %l1), (%o2, %l2) : tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>)
    outs(%o, %l : tensor<2x4x65x32xf32>, tensor<2x4x64xf32>)
  return
}

// -----

func.func @attention_c22(%q: tensor<2x4x64x32xf32>, %w: tensor<3xi32>) {
  // expected-error @+1 {{expected half_widths with a head count of 4, got 3}}
  %0 = dit.attention ins(%q, %q, %q : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    half_widths(%w : tensor<3xi32>) outs(%q : tensor<2x4x64x32xf32>) {scale = 1.0 : f64}
  return
}
