// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @attention_backward_c1(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf16>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected do of element type 'f32' as q, got 'f16'}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf16>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c2(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected dk with the 3 dimensions of its order hsd, got 4}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64, dk_order = #dit.order<hsd>}
  return
}

// -----

func.func @attention_backward_c3(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x?xf32>) {
  // expected-error @+1 {{expected a static head size in dv}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x?xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c4(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<3x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected dk with a batch of 2, got 3}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<3x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c5(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x2x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected do with a head count of 4, got 2}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x2x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c5_kv(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x2x64x32xf32>) {
  // expected-error @+1 {{expected dv with a head count of 4, got 2}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x2x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c6(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x63x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected dq with a sequence length of 64, got 63}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x63x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c6_kv(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x63x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected dk with a sequence length of 64, got 63}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x63x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c7(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x16xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected dk with a head size of 32, got 16}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x16xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c7_v(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x16xf32>) {
  // expected-error @+1 {{expected dv with a head size of 32, got 16}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x16xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c8(%q: tensor<2x4x64x32xf32>, %k: tensor<2x3x64x32xf32>, %v: tensor<2x3x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x3x64x32xf32>, %dv: tensor<2x3x64x32xf32>) {
  // expected-error @+1 {{expected the number of query heads to be a multiple of the 3 key heads, got 4}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x3x64x32xf32>, tensor<2x3x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x3x64x32xf32>, tensor<2x3x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c9(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>, %b: tensor<1x1x64x64xf16>) {
  // expected-error @+1 {{expected bias of element type 'f32' or 'f32', got 'f16'}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    bias(%b : tensor<1x1x64x64xf16>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c10(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>, %b: tensor<1x1x64x32xf32>) {
  // expected-error @+1 {{expected bias with a key length of 64, got 32}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    bias(%b : tensor<1x1x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c11(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected the num and idx of a tile list and its tile together}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64, tile = array<i64: 32, 8>}
  return
}

// -----

func.func @attention_backward_c12(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>, %num: tensor<2x4x2xi32>, %idx: tensor<2x4x2x8xi32>) {
  // expected-error @+1 {{expected a tile of two positive extents [queries, keys], got [32, 0]}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x2xi32>, tensor<2x4x2x8xi32>) by [32, 0]
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c13(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>, %num: tensor<2x4x3xi32>, %idx: tensor<2x4x3x8xi32>) {
  // expected-error @+1 {{expected tile list num with 2 rows, got 3}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    tiles(%num, %idx : tensor<2x4x3xi32>, tensor<2x4x3x8xi32>) by [32, 8]
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c14(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{expected kv_valid with a batch of 2, got 3}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    kv_valid(%n : tensor<3xi32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c15(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{grid of the pattern has 60 tokens, got 64 queries}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.frame_causal<#dit.grid<1x6x10>>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c16(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf64>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected lse of element type 'f32', got 'f64'}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf64>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c17(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x63xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected lse with a sequence length of 64, got 63}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x63xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_backward_c18(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %lse: tensor<2x4x64xf32>, %do: tensor<2x4x64x32xf32>, %dq: tensor<2x4x64x32xf32>, %dk: tensor<2x4x64x32xf32>, %dv: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a finite scale}}
  %0:3 = dit.attention_backward ins(%q, %k, %v, %o, %lse, %do : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>)
    outs(%dq, %dk, %dv : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0x7FF0000000000000 : f64}
  return
}

// -----

// Two lse and no bias.
func.func @attention_backward_c19(%x: tensor<2x4x64x32xf32>, %l: tensor<2x4x64xf32>) {
  // expected-error @+1 {{expected one lse, got 2}}
  %0:3 = "dit.attention_backward"(%x, %x, %x, %x, %l, %l, %x, %x, %x, %x) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 2, 1, 0, 0, 0, 0, 1, 1, 1>, scale = 0.1 : f64}> : (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64xf32>, tensor<2x4x64xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
  return
}
