// RUN: dit-opt %s -verify-diagnostics -split-input-file

// expected-error @+1 {{expected each of the letters b, h, s, d at most once, got 'bhsdd'}}
func.func private @order_c1() attributes {value = #dit.order<bhsdd>}

// -----

// expected-error @+1 {{expected each of the letters b, h, s, d at most once, got 'bsx'}}
func.func private @order_c1_unknown() attributes {value = #dit.order<bsx>}

// -----

// expected-error @+1 {{expected the letters s and d in 'bhs'}}
func.func private @order_c2() attributes {value = #dit.order<bhs>}

// -----

// expected-error @+1 {{expected frames, height and width between 1 and 1048576, got 0 x 4 x 4}}
func.func private @grid_c1() attributes {value = #dit.grid<0x4x4>}

// -----

// expected-error @+1 {{expected frames, height and width between 1 and 1048576, got 4 x 4 x 9223372036854775807}}
func.func private @grid_c1_huge() attributes {value = #dit.grid<4x4x9223372036854775807>}

// -----

// expected-error @+1 {{expected frames x height x width, got 2 extents}}
func.func private @grid_rank() attributes {value = #dit.grid<4x4>}

// -----

// expected-error @+1 {{expected between 0 and 1048576 text tokens, got -1}}
func.func private @grid_c2() attributes {value = #dit.grid<4x4x4, text = -1>}

// -----

// expected-error @+1 {{expected text tokens with text_first}}
func.func private @grid_c3() attributes {value = #dit.grid<4x4x4, text_first>}

// -----

// expected-error @+1 {{expected at least one step}}
func.func private @schedule_c1() attributes {value = #dit.schedule<"">}

// -----

// expected-error @+1 {{expected 0 or 1 for each step, got 'x' at step 2}}
func.func private @schedule_c2() attributes {value = #dit.schedule<"10x">}

// -----

// expected-error @+1 {{expected an offset between -1099511627776 and 1099511627776, got 9223372036854775807}}
func.func private @causal_c1() attributes {value = #dit.causal<offset = 9223372036854775807>}

// -----

// expected-error @+1 {{expected widths between 0 and 1099511627776, or -1 for unlimited, got left = -2, right = 0}}
func.func private @window_c1() attributes {value = #dit.window<left = -2, right = 0>}

// -----

// expected-error @+1 {{expected half-widths between 0 and 1099511627776, or -1 for unlimited, got 1 x -2 x 1}}
func.func private @grid_window_c1() attributes {value = #dit.grid_window<#dit.grid<4x4x4>, 1 x -2 x 1>}

// -----

// expected-error @+1 {{expected width and text between 0 and 1099511627776, got width = -1, text = 0}}
func.func private @arrow_c1() attributes {value = #dit.arrow<width = -1, text = 0>}

// -----

// expected-error @+1 {{expected tile extents between 1 and 1099511627776, got 0 x 8}}
func.func private @tiled_c1() attributes {value = #dit.tiled<#dit.causal, 0 x 8>}

// -----

func.func @grid_window_c2(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{grid of the pattern has 65 tokens, got 64 queries}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.grid_window<#dit.grid<4x4x4, text = 1>, 1 x 1 x 1>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @frame_causal_c1(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{grid of the pattern has 48 tokens, got 64 queries}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.and<#dit.causal, #dit.frame_causal<#dit.grid<4x4x3>>>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}

// -----

func.func @arrow_c2(%q: tensor<2x4x64x32xf32>, %k: tensor<2x4x64x32xf32>, %v: tensor<2x4x64x32xf32>, %o: tensor<2x4x64x32xf32>) {
  // expected-error @+1 {{arrow has 65 text tokens, got 64 queries}}
  %0 = dit.attention ins(%q, %k, %v : tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>, tensor<2x4x64x32xf32>)
    pattern(#dit.or<#dit.causal, #dit.tiled<#dit.arrow<width = 1, text = 65>, 8 x 8>>)
    outs(%o : tensor<2x4x64x32xf32>) {scale = 0.1 : f64}
  return
}
