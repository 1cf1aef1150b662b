// RUN: dit-opt %s -verify-diagnostics -split-input-file

// Ops in generic form that miss operands, attributes, results or regions get a
// diagnostic before any verifier looks at what is missing.

func.func @no_operands() {
  // expected-error @+1 {{expected 3 or more operands, but found 0}}
  "dit.topk_mask"() : () -> ()
  return
}

// -----

func.func @too_few_operands(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected 4 or more operands, but found 1}}
  "dit.attention"(%x) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 1, 0, 0>, scale = 0.1 : f64}> : (tensor<4xf32>) -> ()
  return
}

// -----

func.func @attention_c21(%x: tensor<2x4x8x4xf32>) {
  // expected-error @+1 {{expected one output, got 0}}
  "dit.attention"(%x, %x, %x, %x) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0>, scale = 0.1 : f64}> : (tensor<2x4x8x4xf32>, tensor<2x4x8x4xf32>, tensor<2x4x8x4xf32>, tensor<2x4x8x4xf32>) -> ()
  return
}

// -----

func.func @no_attributes(%x: tensor<4xf32>) {
  // expected-error @+1 {{requires attribute 'cube'}}
  "dit.group_tokens"(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> ()
  return
}

// -----

func.func @no_results(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected the number of tensor results (0) to be equal to the number of output tensors (1)}}
  "dit.group_tokens"(%x, %x) <{grid = #dit.grid<1x1x4>, cube = array<i64: 1, 1, 1>, dim = 0}> : (tensor<4xf32>, tensor<4xf32>) -> ()
  return
}

// -----

func.func @wrong_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected type of operand #1 ('tensor<4xf32>') to match type of corresponding result ('tensor<?xf32>')}}
  %0 = "dit.group_tokens"(%x, %x) <{grid = #dit.grid<1x1x4>, cube = array<i64: 1, 1, 1>, dim = 0}> : (tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @no_blocks(%on: i1) {
  // expected-error @+1 {{region #0 ('computeRegion') failed to verify constraint: region with 1 blocks}}
  "dit.reuse"(%on) ({}, {}) : (i1) -> ()
  return
}

// -----

func.func @empty_block(%on: i1) {
  // expected-error @+1 {{empty block: expect at least a terminator}}
  "dit.reuse"(%on) ({^bb0:}, {}) : (i1) -> ()
  return
}

// -----

func.func @one_region(%on: i1) {
  // expected-error @+1 {{expected 2 regions}}
  "dit.reuse"(%on) ({
    "dit.yield"() : () -> ()
  }) : (i1) -> ()
  return
}

// -----

func.func @unranked(%q: tensor<*xf32>) {
  // expected-error @+1 {{operand #0 must be 2D/3D/4D tensor or memref of f64, f32, f16 or bf16}}
  dit.attention ins(%q, %q, %q : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) outs(%q : tensor<*xf32>) {scale = 1.0 : f64}
  return
}
