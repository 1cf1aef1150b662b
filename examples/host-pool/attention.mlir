!qkv = tensor<1x4x512x32xf32>

func.func @attention(%q: !qkv, %k: !qkv, %v: !qkv) -> !qkv {
  %init = tensor.empty() : !qkv
  %o = dit.attention ins(%q, %k, %v : !qkv, !qkv, !qkv)
      pattern(#dit.causal) outs(%init : !qkv) {scale = 0.17 : f64}
  return %o : !qkv
}
