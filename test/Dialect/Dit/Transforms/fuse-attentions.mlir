// RUN: dit-opt %s --dit-fuse-attentions -split-input-file | FileCheck %s
// RUN: dit-opt %s --dit-fuse-attentions -split-input-file --remarks-filter='.*' -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The full step of a residual: the window overwrites all of the full result, so
// the pair writes elsewhere.
// REMARK-COUNT-3: AttentionsFused
// CHECK-LABEL: func.func @residual
// CHECK-SAME:    %[[Q:.*]]: tensor<1x2x64x8xf32>, %[[A:.*]]: tensor<1x2x64x8xf32>)
func.func @residual(%q: tensor<1x2x64x8xf32>, %a: tensor<1x2x64x8xf32>) -> tensor<1x2x64x8xf32> {
  // CHECK: %[[B:.*]] = tensor.empty() : tensor<1x2x64x8xf32>
  // CHECK: %[[R:.*]]:2 = dit.attention_pair ins(%[[Q]], %[[Q]], %[[Q]] : {{.*}}) within(#dit.window<left = 8, right = 8>)
  // CHECK-SAME: outs(%[[A]], %[[B]] : {{.*}}) {scale = 5.000000e-01 : f64}
  // CHECK-NOT: dit.attention
  // CHECK: linalg.sub ins(%[[R]]#0, %[[R]]#1
  %f = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    outs(%a : tensor<1x2x64x8xf32>) {scale = 0.5, site = "blocks.0.attn1"}
  %w = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.window<left = 8, right = 8>) outs(%f : tensor<1x2x64x8xf32>) {scale = 0.5, site = "blocks.0.attn1"}
  %e = tensor.empty() : tensor<1x2x64x8xf32>
  %r = linalg.sub ins(%f, %w : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>) outs(%e : tensor<1x2x64x8xf32>) -> tensor<1x2x64x8xf32>
  return %r : tensor<1x2x64x8xf32>
}

// -----

// In the other order; the result of the window is needed before the second
// attention, so the pair stands first.
// CHECK-LABEL: func.func @window_first
func.func @window_first(%q: tensor<1x2x64x8xf32>, %a: tensor<1x2x64x8xf32>) -> (tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>) {
  // CHECK: %[[R:.*]]:2 = dit.attention_pair ins({{.*}}) pattern(#dit.causal) within(#dit.and<#dit.window<left = 8, right = 8>, #dit.causal>)
  // CHECK: linalg.add ins(%[[R]]#1, %[[R]]#1
  // CHECK: return %[[R]]#0
  %w = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.and<#dit.window<left = 8, right = 8>, #dit.causal>) outs(%a : tensor<1x2x64x8xf32>) {scale = 0.5}
  %e = tensor.empty() : tensor<1x2x64x8xf32>
  %s = linalg.add ins(%w, %w : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>) outs(%e : tensor<1x2x64x8xf32>) -> tensor<1x2x64x8xf32>
  %f = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.causal) outs(%s : tensor<1x2x64x8xf32>) {scale = 0.5}
  return %f, %s : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>
}

// -----

// Bands of heads, of which none is skipped.
// CHECK-LABEL: func.func @bands
func.func @bands(%q: tensor<1x2x?x8xf32>, %a: tensor<1x2x?x8xf32>, %b: tensor<1x2x?x8xf32>) -> (tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) {
  // CHECK: %[[W:.*]] = arith.constant dense<[-1, 8]> : tensor<2xi32>
  // CHECK: dit.attention_pair ins({{.*}}) within(#dit.arrow<width = 0, text = 4>) half_widths(%[[W]] : tensor<2xi32>)
  %widths = arith.constant dense<[-1, 8]> : tensor<2xi32>
  %f = dit.attention ins(%q, %q, %q : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
    outs(%a : tensor<1x2x?x8xf32>) {scale = 0.5}
  %w = dit.attention ins(%q, %q, %q : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
    pattern(#dit.arrow<width = 0, text = 4>) half_widths(%widths : tensor<2xi32>) outs(%b : tensor<1x2x?x8xf32>) {scale = 0.5}
  return %f, %w : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>
}

// -----

// What a pair cannot say, or is none.
// REMARK-NOT: AttentionsFused
// CHECK-LABEL: func.func @alone
// CHECK-NOT: dit.attention_pair
func.func @alone(%q: tensor<1x2x64x8xf32>, %k: tensor<1x2x64x8xf32>, %l: tensor<1x2x64xf32>, %a: tensor<1x2x64x8xf32>, %b: tensor<1x2x64x8xf32>, %widths: tensor<2xi32>)
    -> (tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>) {
  %full = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    outs(%a : tensor<1x2x64x8xf32>) {scale = 0.5}
  // Heads that may be skipped.
  %0 = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    half_widths(%widths : tensor<2xi32>) outs(%b : tensor<1x2x64x8xf32>) {scale = 0.5}
  // Other keys.
  %1 = dit.attention ins(%q, %k, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.window<left = 8, right = 8>) outs(%b : tensor<1x2x64x8xf32>) {scale = 0.5}
  // Another scale.
  %2 = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.window<left = 8, right = 8>) outs(%b : tensor<1x2x64x8xf32>) {scale = 0.25}
  // A log-sum-exp.
  %3, %lse = dit.attention ins(%q, %q, %q : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.window<left = 8, right = 8>) outs(%b, %l : tensor<1x2x64x8xf32>, tensor<1x2x64xf32>) {scale = 0.5}
  // Two windows, neither known to hold the other.
  %4 = dit.attention ins(%k, %k, %k : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.window<left = 8, right = 0>) outs(%b : tensor<1x2x64x8xf32>) {scale = 0.5}
  %5 = dit.attention ins(%k, %k, %k : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    pattern(#dit.window<left = 0, right = 8>) outs(%b : tensor<1x2x64x8xf32>) {scale = 0.5}
  return %full, %0, %1, %2, %3, %4, %5 : tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>
}

// -----

// The second attention's bias depends on the first one's result.
// CHECK-LABEL: func.func @chained
// CHECK-NOT: dit.attention_pair
func.func @chained(%q: tensor<1x2x64x64xf32>, %a: tensor<1x2x64x64xf32>) -> (tensor<1x2x64x64xf32>, tensor<1x2x64x64xf32>) {
  %f = dit.attention ins(%q, %q, %q : tensor<1x2x64x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64x64xf32>)
    outs(%a : tensor<1x2x64x64xf32>) {scale = 0.5}
  %w = dit.attention ins(%q, %q, %q : tensor<1x2x64x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64x64xf32>)
    bias(%f : tensor<1x2x64x64xf32>) pattern(#dit.causal) outs(%a : tensor<1x2x64x64xf32>) {scale = 0.5}
  return %f, %w : tensor<1x2x64x64xf32>, tensor<1x2x64x64xf32>
}
