// Samples a clip in 30 steps with a guidance of 2: one function with the step
// loop inside. The model comes from denoise.mlirbc, which is linked.
//
// With u(i) = 1 - i / 30, each step evaluates the model at t = 1000 u(i) for
// the clip's text and for the null text, and moves x along
// v = v_null + 2 (v_text - v_null) by u(i + 1) - u(i).

#all = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>

func.func private @denoise(%x: tensor<2x3x8x32x32xf32>, %t: tensor<2xf32>,
    %text: tensor<2x4x32xf32>) -> tensor<2x3x8x32x32xf32>

// `noise` is what x starts as; `texts` holds three clips and the null text.
func.func @sample(%noise: tensor<1x3x8x32x32xf32>, %texts: tensor<4x4x32xf32>)
    -> tensor<1x3x8x32x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %steps = arith.constant 30 : index
  %one = arith.constant 1.0 : f64
  %thirty = arith.constant 30.0 : f64
  %thousand = arith.constant 1000.0 : f64
  %guidance = arith.constant 2.0 : f32

  %clip = tensor.extract_slice %texts[0, 0, 0] [1, 4, 32] [1, 1, 1]
      : tensor<4x4x32xf32> to tensor<1x4x32xf32>
  %null = tensor.extract_slice %texts[3, 0, 0] [1, 4, 32] [1, 1, 1]
      : tensor<4x4x32xf32> to tensor<1x4x32xf32>
  %text_init = tensor.empty() : tensor<2x4x32xf32>
  %text_0 = tensor.insert_slice %clip into %text_init[0, 0, 0] [1, 4, 32] [1, 1, 1]
      : tensor<1x4x32xf32> into tensor<2x4x32xf32>
  %text = tensor.insert_slice %null into %text_0[1, 0, 0] [1, 4, 32] [1, 1, 1]
      : tensor<1x4x32xf32> into tensor<2x4x32xf32>

  %video = scf.for %i = %c0 to %steps step %c1 iter_args(%x = %noise)
      -> (tensor<1x3x8x32x32xf32>) {
    // u(i) and u(i + 1) in f64, like the sampler that trained the model.
    %i_int = arith.index_cast %i : index to i64
    %i_f64 = arith.sitofp %i_int : i64 to f64
    %next_f64 = arith.addf %i_f64, %one : f64
    %share = arith.divf %i_f64, %thirty : f64
    %next_share = arith.divf %next_f64, %thirty : f64
    %u = arith.subf %one, %share : f64
    %next_u = arith.subf %one, %next_share : f64
    %t_f64 = arith.mulf %u, %thousand : f64
    %t_f32 = arith.truncf %t_f64 : f64 to f32
    %delta_f64 = arith.subf %next_u, %u : f64
    %delta = arith.truncf %delta_f64 : f64 to f32

    %t = tensor.from_elements %t_f32, %t_f32 : tensor<2xf32>
    %xx_init = tensor.empty() : tensor<2x3x8x32x32xf32>
    %xx_0 = tensor.insert_slice %x into %xx_init[0, 0, 0, 0, 0] [1, 3, 8, 32, 32] [1, 1, 1, 1, 1]
        : tensor<1x3x8x32x32xf32> into tensor<2x3x8x32x32xf32>
    %xx = tensor.insert_slice %x into %xx_0[1, 0, 0, 0, 0] [1, 3, 8, 32, 32] [1, 1, 1, 1, 1]
        : tensor<1x3x8x32x32xf32> into tensor<2x3x8x32x32xf32>
    %v = func.call @denoise(%xx, %t, %text)
        : (tensor<2x3x8x32x32xf32>, tensor<2xf32>, tensor<2x4x32xf32>)
        -> tensor<2x3x8x32x32xf32>
    %v_text = tensor.extract_slice %v[0, 0, 0, 0, 0] [1, 3, 8, 32, 32] [1, 1, 1, 1, 1]
        : tensor<2x3x8x32x32xf32> to tensor<1x3x8x32x32xf32>
    %v_null = tensor.extract_slice %v[1, 0, 0, 0, 0] [1, 3, 8, 32, 32] [1, 1, 1, 1, 1]
        : tensor<2x3x8x32x32xf32> to tensor<1x3x8x32x32xf32>
    // Updates x in place.
    %next = linalg.generic {
        indexing_maps = [#all, #all, #all],
        iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
        ins(%v_text, %v_null : tensor<1x3x8x32x32xf32>, tensor<1x3x8x32x32xf32>)
        outs(%x : tensor<1x3x8x32x32xf32>) {
    ^bb0(%te: f32, %ne: f32, %xe: f32):
      %difference = arith.subf %te, %ne : f32
      %scaled = arith.mulf %difference, %guidance : f32
      %guided = arith.addf %ne, %scaled : f32
      %move = arith.mulf %guided, %delta : f32
      %sum = arith.addf %xe, %move : f32
      linalg.yield %sum : f32
    } -> tensor<1x3x8x32x32xf32>
    // The loop carries x in one buffer.
    %stored = bufferization.materialize_in_destination %next in %x
        : (tensor<1x3x8x32x32xf32>, tensor<1x3x8x32x32xf32>)
        -> tensor<1x3x8x32x32xf32>
    scf.yield %stored : tensor<1x3x8x32x32xf32>
  }
  return %video : tensor<1x3x8x32x32xf32>
}
