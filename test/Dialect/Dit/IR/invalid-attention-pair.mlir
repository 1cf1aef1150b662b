// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @attention_pair_c1(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf16>) {
  // expected-error @+1 {{expected inner of element type 'f32' as q, got 'f16'}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf16>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c2(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected inner with the 3 dimensions of its order hsd, got 4}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64, inner_order = #dit.order<hsd>}
  return
}

// -----

func.func @attention_pair_c3(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x?xf32>) {
  // expected-error @+1 {{expected a static head size in inner}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x?xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c4(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<3x4x64x32xf32>) {
  // expected-error @+1 {{expected inner with a batch of 2, got 3}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<3x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c5(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x2x64x32xf32>) {
  // expected-error @+1 {{expected inner with a head count of 4, got 2}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x2x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c6(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x63x32xf32>) {
  // expected-error @+1 {{expected inner with a sequence length of 64, got 63}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x63x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c7(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x16xf32>) {
  // expected-error @+1 {{expected inner with a head size of 32, got 16}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x16xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c8(%q: tensor<2x4x64x32xf32>, %k: tensor<2x3x64x32xf32>, %v: tensor<2x3x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected the number of query heads to be a multiple of the 3 key heads, got 4}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x3x64x32xf32>, tensor<2x3x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c9(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>, %b: tensor<1x1x64x64xf16>) {
  // expected-error @+1 {{expected bias of element type 'f32' or 'f32', got 'f16'}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    bias(%b : tensor<1x1x64x64xf16>) within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c10(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>, %b: tensor<1x1x64x63xf32>) {
  // expected-error @+1 {{expected bias with a key length of 64, got 63}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    bias(%b : tensor<1x1x64x63xf32>) within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c11(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{expected kv_valid with a batch of 2, got 3}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) kv_valid(%n : tensor<3xi32>) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c12(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{grid of the pattern has 60 tokens, got 64 queries}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.frame_causal<#dit.grid<1x6x10>>) within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c18(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{grid of the pattern has 60 tokens, got 64 queries}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.frame_causal<#dit.grid<1x6x10>>) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c13(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a finite scale}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    within(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0x7FF0000000000000 : f64}
  return
}

// -----

func.func @attention_pair_c14(%q: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected one v, got 2}}
  %0:2 = "dit.attention_pair"(%q, %q, %q, %q, %o, %o) <{operandSegmentSizes = array<i32: 1, 1, 2, 0, 0, 0, 1, 1>, scale = 0.1 : f64, within = #dit.causal}>
    : (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) -> (tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
  return
}

// -----

func.func @attention_pair_c15(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{expected a second pattern, by within or half_widths, got neither}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.causal) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c16(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>, %w: tensor<4xi32>) {
  // expected-error @+1 {{expected half_widths without a pattern; put what limits both results into a bias or kv_valid}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.causal) half_widths(%w : tensor<4xi32>) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @attention_pair_c17(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>, %i: tensor<2x4x64x32xf32>, %w: tensor<3xi32>) {
  // expected-error @+1 {{expected half_widths with a head count of 4, got 3}}
  %0:2 = dit.attention_pair ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    half_widths(%w : tensor<3xi32>) outs(%o, %i : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}
