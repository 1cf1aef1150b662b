// RUN: dit-opt %s -verify-diagnostics -split-input-file

func.func @group_tokens_c1(%i: tensor<2x64x8xf32>, %o: tensor<2x64x9xf32>) {
  // expected-error @+1 {{expected input and output of the same shape and element type, got 'tensor<2x64x8xf32>' and 'tensor<2x64x9xf32>'}}
  %0 = dit.group_tokens ins(%i : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2, 2]
    outs(%o : tensor<2x64x9xf32>)
  return
}

// -----

func.func @group_tokens_c2(%i: tensor<2x64x8xf32>, %o: tensor<2x64x8xf32>) {
  // expected-error @+1 {{expected dim between 0 and 2, got 3}}
  %0 = dit.group_tokens ins(%i : tensor<2x64x8xf32>) dim 3 grid <4x4x4> cube [2, 2, 2]
    outs(%o : tensor<2x64x8xf32>)
  return
}

// -----

func.func @group_tokens_c2_negative(%i: tensor<2x64x8xf32>, %o: tensor<2x64x8xf32>) {
  // expected-error @+1 {{expected dim between 0 and 2, got -1}}
  %0 = dit.ungroup_tokens ins(%i : tensor<2x64x8xf32>) dim -1 grid <4x4x4> cube [2, 2, 2]
    outs(%o : tensor<2x64x8xf32>)
  return
}

// -----

func.func @group_tokens_c3(%i: tensor<2x64x8xf32>, %o: tensor<2x64x8xf32>) {
  // expected-error @+1 {{expected a cube of three extents [frames, height, width] between 1 and 1048576, got [2, 2]}}
  %0 = dit.group_tokens ins(%i : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [2, 2]
    outs(%o : tensor<2x64x8xf32>)
  return
}

// -----

func.func @group_tokens_c3_huge(%i: tensor<2x64x8xf32>, %o: tensor<2x64x8xf32>) {
  // expected-error @+1 {{expected a cube of three extents [frames, height, width] between 1 and 1048576, got [1, 1, 9223372036854775807]}}
  %0 = dit.group_tokens ins(%i : tensor<2x64x8xf32>) dim 1 grid <4x4x4> cube [1, 1, 9223372036854775807]
    outs(%o : tensor<2x64x8xf32>)
  return
}

// -----

func.func @group_tokens_c4(%i: tensor<2x64x8xf32>, %o: tensor<2x64x8xf32>) {
  // expected-error @+1 {{expected a token dimension with the grid's number of tokens, of 65, got 64}}
  %0 = dit.ungroup_tokens ins(%i : tensor<2x64x8xf32>) dim 1 grid <4x4x4, text = 1> cube [2, 2, 2]
    outs(%o : tensor<2x64x8xf32>)
  return
}
