// RUN: dit-opt %s --dit-raise-attention --split-input-file -o %t --remarks-filter=dit-raise-attention 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t

// Kinds are proven by where the tokens of an attention come from.

// -----

// One attention joins two axes of the input and another one has the third: space
// is two axes and time is one.

// CHECK-LABEL: func.func @factorised(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<spatial>
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<temporal>
func.func @factorised(%x: tensor<2x3x4x5x8xf32>) -> tensor<40x3x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v1 = tensor.collapse_shape %x [[0, 1], [2, 3], [4]] : tensor<2x3x4x5x8xf32> into tensor<6x20x8xf32>
  %v2 = tensor.collapse_shape %v1 [[0, 1], [2]] : tensor<6x20x8xf32> into tensor<120x8xf32>
  %v3 = tensor.empty() : tensor<120x8xf32>
  %v4 = linalg.fill ins(%zero : f32) outs(%v3 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v5 = linalg.matmul ins(%v2, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v4 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v6 = tensor.expand_shape %v5 [[0, 1], [2]] output_shape [6, 20, 8] : tensor<120x8xf32> into tensor<6x20x8xf32>
  %v7 = tensor.collapse_shape %v1 [[0, 1], [2]] : tensor<6x20x8xf32> into tensor<120x8xf32>
  %v8 = tensor.empty() : tensor<120x8xf32>
  %v9 = linalg.fill ins(%zero : f32) outs(%v8 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v10 = linalg.matmul ins(%v7, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v9 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v11 = tensor.expand_shape %v10 [[0, 1], [2]] output_shape [6, 20, 8] : tensor<120x8xf32> into tensor<6x20x8xf32>
  %v12 = tensor.collapse_shape %v1 [[0, 1], [2]] : tensor<6x20x8xf32> into tensor<120x8xf32>
  %v13 = tensor.empty() : tensor<120x8xf32>
  %v14 = linalg.fill ins(%zero : f32) outs(%v13 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v15 = linalg.matmul ins(%v12, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v14 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v16 = tensor.expand_shape %v15 [[0, 1], [2]] output_shape [6, 20, 8] : tensor<120x8xf32> into tensor<6x20x8xf32>
  %v17 = tensor.empty() : tensor<6x8x20xf32>
  %v18 = linalg.transpose ins(%v11 : tensor<6x20x8xf32>) outs(%v17 : tensor<6x8x20xf32>) permutation = [0, 2, 1]
  %v19 = tensor.empty() : tensor<6x20x20xf32>
  %v20 = linalg.fill ins(%zero : f32) outs(%v19 : tensor<6x20x20xf32>) -> tensor<6x20x20xf32>
  %v21 = linalg.batch_matmul ins(%v6, %v18 : tensor<6x20x8xf32>, tensor<6x8x20xf32>) outs(%v20 : tensor<6x20x20xf32>) -> tensor<6x20x20xf32>
  %v23 = tensor.empty() : tensor<6x20x20xf32>
  %v22 = linalg.softmax dimension(2) ins(%v21 : tensor<6x20x20xf32>) outs(%v23 : tensor<6x20x20xf32>) -> tensor<6x20x20xf32>
  %v24 = tensor.empty() : tensor<6x20x8xf32>
  %v25 = linalg.fill ins(%zero : f32) outs(%v24 : tensor<6x20x8xf32>) -> tensor<6x20x8xf32>
  %v26 = linalg.batch_matmul ins(%v22, %v16 : tensor<6x20x20xf32>, tensor<6x20x8xf32>) outs(%v25 : tensor<6x20x8xf32>) -> tensor<6x20x8xf32>
  %v27 = tensor.expand_shape %v26 [[0, 1], [2], [3]] output_shape [2, 3, 20, 8] : tensor<6x20x8xf32> into tensor<2x3x20x8xf32>
  %v28 = tensor.empty() : tensor<2x20x3x8xf32>
  %v29 = linalg.transpose ins(%v27 : tensor<2x3x20x8xf32>) outs(%v28 : tensor<2x20x3x8xf32>) permutation = [0, 2, 1, 3]
  %v30 = tensor.collapse_shape %v29 [[0, 1], [2], [3]] : tensor<2x20x3x8xf32> into tensor<40x3x8xf32>
  %v31 = tensor.collapse_shape %v30 [[0, 1], [2]] : tensor<40x3x8xf32> into tensor<120x8xf32>
  %v32 = tensor.empty() : tensor<120x8xf32>
  %v33 = linalg.fill ins(%zero : f32) outs(%v32 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v34 = linalg.matmul ins(%v31, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v33 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v35 = tensor.expand_shape %v34 [[0, 1], [2]] output_shape [40, 3, 8] : tensor<120x8xf32> into tensor<40x3x8xf32>
  %v36 = tensor.collapse_shape %v30 [[0, 1], [2]] : tensor<40x3x8xf32> into tensor<120x8xf32>
  %v37 = tensor.empty() : tensor<120x8xf32>
  %v38 = linalg.fill ins(%zero : f32) outs(%v37 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v39 = linalg.matmul ins(%v36, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v38 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v40 = tensor.expand_shape %v39 [[0, 1], [2]] output_shape [40, 3, 8] : tensor<120x8xf32> into tensor<40x3x8xf32>
  %v41 = tensor.collapse_shape %v30 [[0, 1], [2]] : tensor<40x3x8xf32> into tensor<120x8xf32>
  %v42 = tensor.empty() : tensor<120x8xf32>
  %v43 = linalg.fill ins(%zero : f32) outs(%v42 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v44 = linalg.matmul ins(%v41, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v43 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v45 = tensor.expand_shape %v44 [[0, 1], [2]] output_shape [40, 3, 8] : tensor<120x8xf32> into tensor<40x3x8xf32>
  %v46 = tensor.empty() : tensor<40x8x3xf32>
  %v47 = linalg.transpose ins(%v40 : tensor<40x3x8xf32>) outs(%v46 : tensor<40x8x3xf32>) permutation = [0, 2, 1]
  %v48 = tensor.empty() : tensor<40x3x3xf32>
  %v49 = linalg.fill ins(%zero : f32) outs(%v48 : tensor<40x3x3xf32>) -> tensor<40x3x3xf32>
  %v50 = linalg.batch_matmul ins(%v35, %v47 : tensor<40x3x8xf32>, tensor<40x8x3xf32>) outs(%v49 : tensor<40x3x3xf32>) -> tensor<40x3x3xf32>
  %v52 = tensor.empty() : tensor<40x3x3xf32>
  %v51 = linalg.softmax dimension(2) ins(%v50 : tensor<40x3x3xf32>) outs(%v52 : tensor<40x3x3xf32>) -> tensor<40x3x3xf32>
  %v53 = tensor.empty() : tensor<40x3x8xf32>
  %v54 = linalg.fill ins(%zero : f32) outs(%v53 : tensor<40x3x8xf32>) -> tensor<40x3x8xf32>
  %v55 = linalg.batch_matmul ins(%v51, %v45 : tensor<40x3x3xf32>, tensor<40x3x8xf32>) outs(%v54 : tensor<40x3x8xf32>) -> tensor<40x3x8xf32>
  return %v55 : tensor<40x3x8xf32>
}

// -----

// Of two axes, either may be time.

// CHECK-LABEL: func.func @either(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
// REMARK: Analysis
// REMARK-SAME: kind of attn0 is self: an axis of the tokens is in the batch, and nothing proves whether that is time or space
// REMARK: Analysis
// REMARK-SAME: kind of attn1 is self
func.func @either(%x: tensor<2x3x20x8xf32>) -> tensor<40x3x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v56 = tensor.collapse_shape %x [[0, 1], [2], [3]] : tensor<2x3x20x8xf32> into tensor<6x20x8xf32>
  %v57 = tensor.collapse_shape %v56 [[0, 1], [2]] : tensor<6x20x8xf32> into tensor<120x8xf32>
  %v58 = tensor.empty() : tensor<120x8xf32>
  %v59 = linalg.fill ins(%zero : f32) outs(%v58 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v60 = linalg.matmul ins(%v57, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v59 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v61 = tensor.expand_shape %v60 [[0, 1], [2]] output_shape [6, 20, 8] : tensor<120x8xf32> into tensor<6x20x8xf32>
  %v62 = tensor.collapse_shape %v56 [[0, 1], [2]] : tensor<6x20x8xf32> into tensor<120x8xf32>
  %v63 = tensor.empty() : tensor<120x8xf32>
  %v64 = linalg.fill ins(%zero : f32) outs(%v63 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v65 = linalg.matmul ins(%v62, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v64 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v66 = tensor.expand_shape %v65 [[0, 1], [2]] output_shape [6, 20, 8] : tensor<120x8xf32> into tensor<6x20x8xf32>
  %v67 = tensor.collapse_shape %v56 [[0, 1], [2]] : tensor<6x20x8xf32> into tensor<120x8xf32>
  %v68 = tensor.empty() : tensor<120x8xf32>
  %v69 = linalg.fill ins(%zero : f32) outs(%v68 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v70 = linalg.matmul ins(%v67, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v69 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v71 = tensor.expand_shape %v70 [[0, 1], [2]] output_shape [6, 20, 8] : tensor<120x8xf32> into tensor<6x20x8xf32>
  %v72 = tensor.empty() : tensor<6x8x20xf32>
  %v73 = linalg.transpose ins(%v66 : tensor<6x20x8xf32>) outs(%v72 : tensor<6x8x20xf32>) permutation = [0, 2, 1]
  %v74 = tensor.empty() : tensor<6x20x20xf32>
  %v75 = linalg.fill ins(%zero : f32) outs(%v74 : tensor<6x20x20xf32>) -> tensor<6x20x20xf32>
  %v76 = linalg.batch_matmul ins(%v61, %v73 : tensor<6x20x8xf32>, tensor<6x8x20xf32>) outs(%v75 : tensor<6x20x20xf32>) -> tensor<6x20x20xf32>
  %v78 = tensor.empty() : tensor<6x20x20xf32>
  %v77 = linalg.softmax dimension(2) ins(%v76 : tensor<6x20x20xf32>) outs(%v78 : tensor<6x20x20xf32>) -> tensor<6x20x20xf32>
  %v79 = tensor.empty() : tensor<6x20x8xf32>
  %v80 = linalg.fill ins(%zero : f32) outs(%v79 : tensor<6x20x8xf32>) -> tensor<6x20x8xf32>
  %v81 = linalg.batch_matmul ins(%v77, %v71 : tensor<6x20x20xf32>, tensor<6x20x8xf32>) outs(%v80 : tensor<6x20x8xf32>) -> tensor<6x20x8xf32>
  %v82 = tensor.expand_shape %v81 [[0, 1], [2], [3]] output_shape [2, 3, 20, 8] : tensor<6x20x8xf32> into tensor<2x3x20x8xf32>
  %v83 = tensor.empty() : tensor<2x20x3x8xf32>
  %v84 = linalg.transpose ins(%v82 : tensor<2x3x20x8xf32>) outs(%v83 : tensor<2x20x3x8xf32>) permutation = [0, 2, 1, 3]
  %v85 = tensor.collapse_shape %v84 [[0, 1], [2], [3]] : tensor<2x20x3x8xf32> into tensor<40x3x8xf32>
  %v86 = tensor.collapse_shape %v85 [[0, 1], [2]] : tensor<40x3x8xf32> into tensor<120x8xf32>
  %v87 = tensor.empty() : tensor<120x8xf32>
  %v88 = linalg.fill ins(%zero : f32) outs(%v87 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v89 = linalg.matmul ins(%v86, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v88 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v90 = tensor.expand_shape %v89 [[0, 1], [2]] output_shape [40, 3, 8] : tensor<120x8xf32> into tensor<40x3x8xf32>
  %v91 = tensor.collapse_shape %v85 [[0, 1], [2]] : tensor<40x3x8xf32> into tensor<120x8xf32>
  %v92 = tensor.empty() : tensor<120x8xf32>
  %v93 = linalg.fill ins(%zero : f32) outs(%v92 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v94 = linalg.matmul ins(%v91, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v93 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v95 = tensor.expand_shape %v94 [[0, 1], [2]] output_shape [40, 3, 8] : tensor<120x8xf32> into tensor<40x3x8xf32>
  %v96 = tensor.collapse_shape %v85 [[0, 1], [2]] : tensor<40x3x8xf32> into tensor<120x8xf32>
  %v97 = tensor.empty() : tensor<120x8xf32>
  %v98 = linalg.fill ins(%zero : f32) outs(%v97 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v99 = linalg.matmul ins(%v96, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v98 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v100 = tensor.expand_shape %v99 [[0, 1], [2]] output_shape [40, 3, 8] : tensor<120x8xf32> into tensor<40x3x8xf32>
  %v101 = tensor.empty() : tensor<40x8x3xf32>
  %v102 = linalg.transpose ins(%v95 : tensor<40x3x8xf32>) outs(%v101 : tensor<40x8x3xf32>) permutation = [0, 2, 1]
  %v103 = tensor.empty() : tensor<40x3x3xf32>
  %v104 = linalg.fill ins(%zero : f32) outs(%v103 : tensor<40x3x3xf32>) -> tensor<40x3x3xf32>
  %v105 = linalg.batch_matmul ins(%v90, %v102 : tensor<40x3x8xf32>, tensor<40x8x3xf32>) outs(%v104 : tensor<40x3x3xf32>) -> tensor<40x3x3xf32>
  %v107 = tensor.empty() : tensor<40x3x3xf32>
  %v106 = linalg.softmax dimension(2) ins(%v105 : tensor<40x3x3xf32>) outs(%v107 : tensor<40x3x3xf32>) -> tensor<40x3x3xf32>
  %v108 = tensor.empty() : tensor<40x3x8xf32>
  %v109 = linalg.fill ins(%zero : f32) outs(%v108 : tensor<40x3x8xf32>) -> tensor<40x3x8xf32>
  %v110 = linalg.batch_matmul ins(%v106, %v100 : tensor<40x3x3xf32>, tensor<40x3x8xf32>) outs(%v109 : tensor<40x3x8xf32>) -> tensor<40x3x8xf32>
  return %v110 : tensor<40x3x8xf32>
}

// -----

// A convolution slides over the axes of a frame, and there is one more in the
// batch.

// CHECK-LABEL: func.func @convolution(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<spatial>
func.func @convolution(%x: tensor<2x3x4x8x8xf32>) -> tensor<6x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v111 = tensor.collapse_shape %x [[0, 1], [2], [3], [4]] : tensor<2x3x4x8x8xf32> into tensor<6x4x8x8xf32>
  %v112 = tensor.empty() : tensor<6x8x4x4xf32>
  %v113 = linalg.fill ins(%zero : f32) outs(%v112 : tensor<6x8x4x4xf32>) -> tensor<6x8x4x4xf32>
  %f = arith.constant dense<0.5> : tensor<8x4x2x2xf32>
  %v114 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>} ins(%v111, %f : tensor<6x4x8x8xf32>, tensor<8x4x2x2xf32>) outs(%v113 : tensor<6x8x4x4xf32>) -> tensor<6x8x4x4xf32>
  %v115 = tensor.collapse_shape %v114 [[0], [1], [2, 3]] : tensor<6x8x4x4xf32> into tensor<6x8x16xf32>
  %v116 = tensor.empty() : tensor<6x16x8xf32>
  %v117 = linalg.transpose ins(%v115 : tensor<6x8x16xf32>) outs(%v116 : tensor<6x16x8xf32>) permutation = [0, 2, 1]
  %v118 = tensor.collapse_shape %v117 [[0, 1], [2]] : tensor<6x16x8xf32> into tensor<96x8xf32>
  %v119 = tensor.empty() : tensor<96x8xf32>
  %v120 = linalg.fill ins(%zero : f32) outs(%v119 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v121 = linalg.matmul ins(%v118, %w : tensor<96x8xf32>, tensor<8x8xf32>) outs(%v120 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v122 = tensor.expand_shape %v121 [[0, 1], [2]] output_shape [6, 16, 8] : tensor<96x8xf32> into tensor<6x16x8xf32>
  %v123 = tensor.collapse_shape %v117 [[0, 1], [2]] : tensor<6x16x8xf32> into tensor<96x8xf32>
  %v124 = tensor.empty() : tensor<96x8xf32>
  %v125 = linalg.fill ins(%zero : f32) outs(%v124 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v126 = linalg.matmul ins(%v123, %w : tensor<96x8xf32>, tensor<8x8xf32>) outs(%v125 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v127 = tensor.expand_shape %v126 [[0, 1], [2]] output_shape [6, 16, 8] : tensor<96x8xf32> into tensor<6x16x8xf32>
  %v128 = tensor.collapse_shape %v117 [[0, 1], [2]] : tensor<6x16x8xf32> into tensor<96x8xf32>
  %v129 = tensor.empty() : tensor<96x8xf32>
  %v130 = linalg.fill ins(%zero : f32) outs(%v129 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v131 = linalg.matmul ins(%v128, %w : tensor<96x8xf32>, tensor<8x8xf32>) outs(%v130 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v132 = tensor.expand_shape %v131 [[0, 1], [2]] output_shape [6, 16, 8] : tensor<96x8xf32> into tensor<6x16x8xf32>
  %v133 = tensor.empty() : tensor<6x8x16xf32>
  %v134 = linalg.transpose ins(%v127 : tensor<6x16x8xf32>) outs(%v133 : tensor<6x8x16xf32>) permutation = [0, 2, 1]
  %v135 = tensor.empty() : tensor<6x16x16xf32>
  %v136 = linalg.fill ins(%zero : f32) outs(%v135 : tensor<6x16x16xf32>) -> tensor<6x16x16xf32>
  %v137 = linalg.batch_matmul ins(%v122, %v134 : tensor<6x16x8xf32>, tensor<6x8x16xf32>) outs(%v136 : tensor<6x16x16xf32>) -> tensor<6x16x16xf32>
  %v139 = tensor.empty() : tensor<6x16x16xf32>
  %v138 = linalg.softmax dimension(2) ins(%v137 : tensor<6x16x16xf32>) outs(%v139 : tensor<6x16x16xf32>) -> tensor<6x16x16xf32>
  %v140 = tensor.empty() : tensor<6x16x8xf32>
  %v141 = linalg.fill ins(%zero : f32) outs(%v140 : tensor<6x16x8xf32>) -> tensor<6x16x8xf32>
  %v142 = linalg.batch_matmul ins(%v138, %v132 : tensor<6x16x16xf32>, tensor<6x16x8xf32>) outs(%v141 : tensor<6x16x8xf32>) -> tensor<6x16x8xf32>
  return %v142 : tensor<6x16x8xf32>
}

// -----

// An image is one frame.

// CHECK-LABEL: func.func @image(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
func.func @image(%x: tensor<2x4x8x8xf32>) -> tensor<2x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v143 = tensor.empty() : tensor<2x8x4x4xf32>
  %v144 = linalg.fill ins(%zero : f32) outs(%v143 : tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  %f = arith.constant dense<0.5> : tensor<8x4x2x2xf32>
  %v145 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>} ins(%x, %f : tensor<2x4x8x8xf32>, tensor<8x4x2x2xf32>) outs(%v144 : tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  %v146 = tensor.collapse_shape %v145 [[0], [1], [2, 3]] : tensor<2x8x4x4xf32> into tensor<2x8x16xf32>
  %v147 = tensor.empty() : tensor<2x16x8xf32>
  %v148 = linalg.transpose ins(%v146 : tensor<2x8x16xf32>) outs(%v147 : tensor<2x16x8xf32>) permutation = [0, 2, 1]
  %v149 = tensor.collapse_shape %v148 [[0, 1], [2]] : tensor<2x16x8xf32> into tensor<32x8xf32>
  %v150 = tensor.empty() : tensor<32x8xf32>
  %v151 = linalg.fill ins(%zero : f32) outs(%v150 : tensor<32x8xf32>) -> tensor<32x8xf32>
  %v152 = linalg.matmul ins(%v149, %w : tensor<32x8xf32>, tensor<8x8xf32>) outs(%v151 : tensor<32x8xf32>) -> tensor<32x8xf32>
  %v153 = tensor.expand_shape %v152 [[0, 1], [2]] output_shape [2, 16, 8] : tensor<32x8xf32> into tensor<2x16x8xf32>
  %v154 = tensor.collapse_shape %v148 [[0, 1], [2]] : tensor<2x16x8xf32> into tensor<32x8xf32>
  %v155 = tensor.empty() : tensor<32x8xf32>
  %v156 = linalg.fill ins(%zero : f32) outs(%v155 : tensor<32x8xf32>) -> tensor<32x8xf32>
  %v157 = linalg.matmul ins(%v154, %w : tensor<32x8xf32>, tensor<8x8xf32>) outs(%v156 : tensor<32x8xf32>) -> tensor<32x8xf32>
  %v158 = tensor.expand_shape %v157 [[0, 1], [2]] output_shape [2, 16, 8] : tensor<32x8xf32> into tensor<2x16x8xf32>
  %v159 = tensor.collapse_shape %v148 [[0, 1], [2]] : tensor<2x16x8xf32> into tensor<32x8xf32>
  %v160 = tensor.empty() : tensor<32x8xf32>
  %v161 = linalg.fill ins(%zero : f32) outs(%v160 : tensor<32x8xf32>) -> tensor<32x8xf32>
  %v162 = linalg.matmul ins(%v159, %w : tensor<32x8xf32>, tensor<8x8xf32>) outs(%v161 : tensor<32x8xf32>) -> tensor<32x8xf32>
  %v163 = tensor.expand_shape %v162 [[0, 1], [2]] output_shape [2, 16, 8] : tensor<32x8xf32> into tensor<2x16x8xf32>
  %v164 = tensor.empty() : tensor<2x8x16xf32>
  %v165 = linalg.transpose ins(%v158 : tensor<2x16x8xf32>) outs(%v164 : tensor<2x8x16xf32>) permutation = [0, 2, 1]
  %v166 = tensor.empty() : tensor<2x16x16xf32>
  %v167 = linalg.fill ins(%zero : f32) outs(%v166 : tensor<2x16x16xf32>) -> tensor<2x16x16xf32>
  %v168 = linalg.batch_matmul ins(%v153, %v165 : tensor<2x16x8xf32>, tensor<2x8x16xf32>) outs(%v167 : tensor<2x16x16xf32>) -> tensor<2x16x16xf32>
  %v170 = tensor.empty() : tensor<2x16x16xf32>
  %v169 = linalg.softmax dimension(2) ins(%v168 : tensor<2x16x16xf32>) outs(%v170 : tensor<2x16x16xf32>) -> tensor<2x16x16xf32>
  %v171 = tensor.empty() : tensor<2x16x8xf32>
  %v172 = linalg.fill ins(%zero : f32) outs(%v171 : tensor<2x16x8xf32>) -> tensor<2x16x8xf32>
  %v173 = linalg.batch_matmul ins(%v169, %v163 : tensor<2x16x16xf32>, tensor<2x16x8xf32>) outs(%v172 : tensor<2x16x8xf32>) -> tensor<2x16x8xf32>
  return %v173 : tensor<2x16x8xf32>
}

// -----

// All three axes.

// CHECK-LABEL: func.func @full(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<full>
func.func @full(%x: tensor<2x3x4x5x8xf32>) -> tensor<2x60x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v174 = tensor.collapse_shape %x [[0], [1, 2, 3], [4]] : tensor<2x3x4x5x8xf32> into tensor<2x60x8xf32>
  %v175 = tensor.collapse_shape %v174 [[0, 1], [2]] : tensor<2x60x8xf32> into tensor<120x8xf32>
  %v176 = tensor.empty() : tensor<120x8xf32>
  %v177 = linalg.fill ins(%zero : f32) outs(%v176 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v178 = linalg.matmul ins(%v175, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v177 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v179 = tensor.expand_shape %v178 [[0, 1], [2]] output_shape [2, 60, 8] : tensor<120x8xf32> into tensor<2x60x8xf32>
  %v180 = tensor.collapse_shape %v174 [[0, 1], [2]] : tensor<2x60x8xf32> into tensor<120x8xf32>
  %v181 = tensor.empty() : tensor<120x8xf32>
  %v182 = linalg.fill ins(%zero : f32) outs(%v181 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v183 = linalg.matmul ins(%v180, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v182 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v184 = tensor.expand_shape %v183 [[0, 1], [2]] output_shape [2, 60, 8] : tensor<120x8xf32> into tensor<2x60x8xf32>
  %v185 = tensor.collapse_shape %v174 [[0, 1], [2]] : tensor<2x60x8xf32> into tensor<120x8xf32>
  %v186 = tensor.empty() : tensor<120x8xf32>
  %v187 = linalg.fill ins(%zero : f32) outs(%v186 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v188 = linalg.matmul ins(%v185, %w : tensor<120x8xf32>, tensor<8x8xf32>) outs(%v187 : tensor<120x8xf32>) -> tensor<120x8xf32>
  %v189 = tensor.expand_shape %v188 [[0, 1], [2]] output_shape [2, 60, 8] : tensor<120x8xf32> into tensor<2x60x8xf32>
  %v190 = tensor.empty() : tensor<2x8x60xf32>
  %v191 = linalg.transpose ins(%v184 : tensor<2x60x8xf32>) outs(%v190 : tensor<2x8x60xf32>) permutation = [0, 2, 1]
  %v192 = tensor.empty() : tensor<2x60x60xf32>
  %v193 = linalg.fill ins(%zero : f32) outs(%v192 : tensor<2x60x60xf32>) -> tensor<2x60x60xf32>
  %v194 = linalg.batch_matmul ins(%v179, %v191 : tensor<2x60x8xf32>, tensor<2x8x60xf32>) outs(%v193 : tensor<2x60x60xf32>) -> tensor<2x60x60xf32>
  %v196 = tensor.empty() : tensor<2x60x60xf32>
  %v195 = linalg.softmax dimension(2) ins(%v194 : tensor<2x60x60xf32>) outs(%v196 : tensor<2x60x60xf32>) -> tensor<2x60x60xf32>
  %v197 = tensor.empty() : tensor<2x60x8xf32>
  %v198 = linalg.fill ins(%zero : f32) outs(%v197 : tensor<2x60x8xf32>) -> tensor<2x60x8xf32>
  %v199 = linalg.batch_matmul ins(%v195, %v189 : tensor<2x60x60xf32>, tensor<2x60x8xf32>) outs(%v198 : tensor<2x60x8xf32>) -> tensor<2x60x8xf32>
  return %v199 : tensor<2x60x8xf32>
}

// -----

// A window is a part of a frame.

// CHECK-LABEL: func.func @windows(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
func.func @windows(%x: tensor<2x3x4x4x8xf32>) -> tensor<24x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v200 = tensor.expand_shape %x [[0], [1], [2, 3], [4, 5], [6]] output_shape [2, 3, 2, 2, 2, 2, 8] : tensor<2x3x4x4x8xf32> into tensor<2x3x2x2x2x2x8xf32>
  %v201 = tensor.empty() : tensor<2x3x2x2x2x2x8xf32>
  %v202 = linalg.transpose ins(%v200 : tensor<2x3x2x2x2x2x8xf32>) outs(%v201 : tensor<2x3x2x2x2x2x8xf32>) permutation = [0, 1, 2, 4, 3, 5, 6]
  %v203 = tensor.collapse_shape %v202 [[0, 1, 2, 3], [4, 5], [6]] : tensor<2x3x2x2x2x2x8xf32> into tensor<24x4x8xf32>
  %v204 = tensor.collapse_shape %v203 [[0, 1], [2]] : tensor<24x4x8xf32> into tensor<96x8xf32>
  %v205 = tensor.empty() : tensor<96x8xf32>
  %v206 = linalg.fill ins(%zero : f32) outs(%v205 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v207 = linalg.matmul ins(%v204, %w : tensor<96x8xf32>, tensor<8x8xf32>) outs(%v206 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v208 = tensor.expand_shape %v207 [[0, 1], [2]] output_shape [24, 4, 8] : tensor<96x8xf32> into tensor<24x4x8xf32>
  %v209 = tensor.collapse_shape %v203 [[0, 1], [2]] : tensor<24x4x8xf32> into tensor<96x8xf32>
  %v210 = tensor.empty() : tensor<96x8xf32>
  %v211 = linalg.fill ins(%zero : f32) outs(%v210 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v212 = linalg.matmul ins(%v209, %w : tensor<96x8xf32>, tensor<8x8xf32>) outs(%v211 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v213 = tensor.expand_shape %v212 [[0, 1], [2]] output_shape [24, 4, 8] : tensor<96x8xf32> into tensor<24x4x8xf32>
  %v214 = tensor.collapse_shape %v203 [[0, 1], [2]] : tensor<24x4x8xf32> into tensor<96x8xf32>
  %v215 = tensor.empty() : tensor<96x8xf32>
  %v216 = linalg.fill ins(%zero : f32) outs(%v215 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v217 = linalg.matmul ins(%v214, %w : tensor<96x8xf32>, tensor<8x8xf32>) outs(%v216 : tensor<96x8xf32>) -> tensor<96x8xf32>
  %v218 = tensor.expand_shape %v217 [[0, 1], [2]] output_shape [24, 4, 8] : tensor<96x8xf32> into tensor<24x4x8xf32>
  %v219 = tensor.empty() : tensor<24x8x4xf32>
  %v220 = linalg.transpose ins(%v213 : tensor<24x4x8xf32>) outs(%v219 : tensor<24x8x4xf32>) permutation = [0, 2, 1]
  %v221 = tensor.empty() : tensor<24x4x4xf32>
  %v222 = linalg.fill ins(%zero : f32) outs(%v221 : tensor<24x4x4xf32>) -> tensor<24x4x4xf32>
  %v223 = linalg.batch_matmul ins(%v208, %v220 : tensor<24x4x8xf32>, tensor<24x8x4xf32>) outs(%v222 : tensor<24x4x4xf32>) -> tensor<24x4x4xf32>
  %v225 = tensor.empty() : tensor<24x4x4xf32>
  %v224 = linalg.softmax dimension(2) ins(%v223 : tensor<24x4x4xf32>) outs(%v225 : tensor<24x4x4xf32>) -> tensor<24x4x4xf32>
  %v226 = tensor.empty() : tensor<24x4x8xf32>
  %v227 = linalg.fill ins(%zero : f32) outs(%v226 : tensor<24x4x8xf32>) -> tensor<24x4x8xf32>
  %v228 = linalg.batch_matmul ins(%v224, %v218 : tensor<24x4x4xf32>, tensor<24x4x8xf32>) outs(%v227 : tensor<24x4x8xf32>) -> tensor<24x4x8xf32>
  return %v228 : tensor<24x4x8xf32>
}

// -----

// Two streams with projections of their own, and then one sequence of both: a
// slice of the first attention holds the tokens of one stream.

// CHECK-LABEL: func.func @joint(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<joint>
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<joint>
func.func @joint(%x: tensor<2x6x8xf32>, %t: tensor<2x4x8xf32>) -> tensor<2x10x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %w1 = arith.constant dense<0.2> : tensor<8x8xf32>
  %v229 = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x4x8xf32> into tensor<8x8xf32>
  %v230 = tensor.empty() : tensor<8x8xf32>
  %v231 = linalg.fill ins(%zero : f32) outs(%v230 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %v232 = linalg.matmul ins(%v229, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%v231 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %v233 = tensor.expand_shape %v232 [[0, 1], [2]] output_shape [2, 4, 8] : tensor<8x8xf32> into tensor<2x4x8xf32>
  %v234 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v235 = tensor.empty() : tensor<12x8xf32>
  %v236 = linalg.fill ins(%zero : f32) outs(%v235 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v237 = linalg.matmul ins(%v234, %w1 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v236 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v238 = tensor.expand_shape %v237 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v239 = tensor.concat dim(1) %v233, %v238 : (tensor<2x4x8xf32>, tensor<2x6x8xf32>) -> tensor<2x10x8xf32>
  %v240 = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x4x8xf32> into tensor<8x8xf32>
  %v241 = tensor.empty() : tensor<8x8xf32>
  %v242 = linalg.fill ins(%zero : f32) outs(%v241 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %v243 = linalg.matmul ins(%v240, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%v242 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %v244 = tensor.expand_shape %v243 [[0, 1], [2]] output_shape [2, 4, 8] : tensor<8x8xf32> into tensor<2x4x8xf32>
  %v245 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v246 = tensor.empty() : tensor<12x8xf32>
  %v247 = linalg.fill ins(%zero : f32) outs(%v246 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v248 = linalg.matmul ins(%v245, %w1 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v247 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v249 = tensor.expand_shape %v248 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v250 = tensor.concat dim(1) %v244, %v249 : (tensor<2x4x8xf32>, tensor<2x6x8xf32>) -> tensor<2x10x8xf32>
  %v251 = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x4x8xf32> into tensor<8x8xf32>
  %v252 = tensor.empty() : tensor<8x8xf32>
  %v253 = linalg.fill ins(%zero : f32) outs(%v252 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %v254 = linalg.matmul ins(%v251, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%v253 : tensor<8x8xf32>) -> tensor<8x8xf32>
  %v255 = tensor.expand_shape %v254 [[0, 1], [2]] output_shape [2, 4, 8] : tensor<8x8xf32> into tensor<2x4x8xf32>
  %v256 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v257 = tensor.empty() : tensor<12x8xf32>
  %v258 = linalg.fill ins(%zero : f32) outs(%v257 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v259 = linalg.matmul ins(%v256, %w1 : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v258 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v260 = tensor.expand_shape %v259 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v261 = tensor.concat dim(1) %v255, %v260 : (tensor<2x4x8xf32>, tensor<2x6x8xf32>) -> tensor<2x10x8xf32>
  %v262 = tensor.empty() : tensor<2x8x10xf32>
  %v263 = linalg.transpose ins(%v250 : tensor<2x10x8xf32>) outs(%v262 : tensor<2x8x10xf32>) permutation = [0, 2, 1]
  %v264 = tensor.empty() : tensor<2x10x10xf32>
  %v265 = linalg.fill ins(%zero : f32) outs(%v264 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v266 = linalg.batch_matmul ins(%v239, %v263 : tensor<2x10x8xf32>, tensor<2x8x10xf32>) outs(%v265 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v268 = tensor.empty() : tensor<2x10x10xf32>
  %v267 = linalg.softmax dimension(2) ins(%v266 : tensor<2x10x10xf32>) outs(%v268 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v269 = tensor.empty() : tensor<2x10x8xf32>
  %v270 = linalg.fill ins(%zero : f32) outs(%v269 : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  %v271 = linalg.batch_matmul ins(%v267, %v261 : tensor<2x10x10xf32>, tensor<2x10x8xf32>) outs(%v270 : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  %v272 = tensor.extract_slice %v271[0, 0, 0] [2, 4, 8] [1, 1, 1] : tensor<2x10x8xf32> to tensor<2x4x8xf32>
  %v273 = tensor.extract_slice %v271[0, 4, 0] [2, 6, 8] [1, 1, 1] : tensor<2x10x8xf32> to tensor<2x6x8xf32>
  %v274 = tensor.concat dim(1) %v273, %v272 : (tensor<2x6x8xf32>, tensor<2x4x8xf32>) -> tensor<2x10x8xf32>
  %v275 = tensor.collapse_shape %v274 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v276 = tensor.empty() : tensor<20x8xf32>
  %v277 = linalg.fill ins(%zero : f32) outs(%v276 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v278 = linalg.matmul ins(%v275, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v277 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v279 = tensor.expand_shape %v278 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v280 = tensor.collapse_shape %v274 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v281 = tensor.empty() : tensor<20x8xf32>
  %v282 = linalg.fill ins(%zero : f32) outs(%v281 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v283 = linalg.matmul ins(%v280, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v282 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v284 = tensor.expand_shape %v283 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v285 = tensor.collapse_shape %v274 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v286 = tensor.empty() : tensor<20x8xf32>
  %v287 = linalg.fill ins(%zero : f32) outs(%v286 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v288 = linalg.matmul ins(%v285, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v287 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v289 = tensor.expand_shape %v288 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v290 = tensor.empty() : tensor<2x8x10xf32>
  %v291 = linalg.transpose ins(%v284 : tensor<2x10x8xf32>) outs(%v290 : tensor<2x8x10xf32>) permutation = [0, 2, 1]
  %v292 = tensor.empty() : tensor<2x10x10xf32>
  %v293 = linalg.fill ins(%zero : f32) outs(%v292 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v294 = linalg.batch_matmul ins(%v279, %v291 : tensor<2x10x8xf32>, tensor<2x8x10xf32>) outs(%v293 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v296 = tensor.empty() : tensor<2x10x10xf32>
  %v295 = linalg.softmax dimension(2) ins(%v294 : tensor<2x10x10xf32>) outs(%v296 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v297 = tensor.empty() : tensor<2x10x8xf32>
  %v298 = linalg.fill ins(%zero : f32) outs(%v297 : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  %v299 = linalg.batch_matmul ins(%v295, %v289 : tensor<2x10x10xf32>, tensor<2x10x8xf32>) outs(%v298 : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  return %v299 : tensor<2x10x8xf32>
}

// -----

// Learned tokens are no stream.

// CHECK-LABEL: func.func @registers(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
func.func @registers(%x: tensor<2x6x8xf32>) -> tensor<2x10x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %r = arith.constant dense<0.5> : tensor<2x4x8xf32>
  %v300 = tensor.concat dim(1) %r, %x : (tensor<2x4x8xf32>, tensor<2x6x8xf32>) -> tensor<2x10x8xf32>
  %v301 = tensor.collapse_shape %v300 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v302 = tensor.empty() : tensor<20x8xf32>
  %v303 = linalg.fill ins(%zero : f32) outs(%v302 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v304 = linalg.matmul ins(%v301, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v303 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v305 = tensor.expand_shape %v304 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v306 = tensor.collapse_shape %v300 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v307 = tensor.empty() : tensor<20x8xf32>
  %v308 = linalg.fill ins(%zero : f32) outs(%v307 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v309 = linalg.matmul ins(%v306, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v308 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v310 = tensor.expand_shape %v309 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v311 = tensor.collapse_shape %v300 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v312 = tensor.empty() : tensor<20x8xf32>
  %v313 = linalg.fill ins(%zero : f32) outs(%v312 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v314 = linalg.matmul ins(%v311, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v313 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v315 = tensor.expand_shape %v314 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v316 = tensor.empty() : tensor<2x8x10xf32>
  %v317 = linalg.transpose ins(%v310 : tensor<2x10x8xf32>) outs(%v316 : tensor<2x8x10xf32>) permutation = [0, 2, 1]
  %v318 = tensor.empty() : tensor<2x10x10xf32>
  %v319 = linalg.fill ins(%zero : f32) outs(%v318 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v320 = linalg.batch_matmul ins(%v305, %v317 : tensor<2x10x8xf32>, tensor<2x8x10xf32>) outs(%v319 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v322 = tensor.empty() : tensor<2x10x10xf32>
  %v321 = linalg.softmax dimension(2) ins(%v320 : tensor<2x10x10xf32>) outs(%v322 : tensor<2x10x10xf32>) -> tensor<2x10x10xf32>
  %v323 = tensor.empty() : tensor<2x10x8xf32>
  %v324 = linalg.fill ins(%zero : f32) outs(%v323 : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  %v325 = linalg.batch_matmul ins(%v321, %v315 : tensor<2x10x10xf32>, tensor<2x10x8xf32>) outs(%v324 : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  return %v325 : tensor<2x10x8xf32>
}

// -----

// Keys of another sequence of the same length.

// CHECK-LABEL: func.func @cross(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<cross>
func.func @cross(%x: tensor<2x6x8xf32>, %t: tensor<2x6x8xf32>) -> tensor<2x6x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v326 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v327 = tensor.empty() : tensor<12x8xf32>
  %v328 = linalg.fill ins(%zero : f32) outs(%v327 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v329 = linalg.matmul ins(%v326, %w : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v328 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v330 = tensor.expand_shape %v329 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v331 = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v332 = tensor.empty() : tensor<12x8xf32>
  %v333 = linalg.fill ins(%zero : f32) outs(%v332 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v334 = linalg.matmul ins(%v331, %w : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v333 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v335 = tensor.expand_shape %v334 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v336 = tensor.collapse_shape %t [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v337 = tensor.empty() : tensor<12x8xf32>
  %v338 = linalg.fill ins(%zero : f32) outs(%v337 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v339 = linalg.matmul ins(%v336, %w : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v338 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v340 = tensor.expand_shape %v339 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v341 = tensor.empty() : tensor<2x8x6xf32>
  %v342 = linalg.transpose ins(%v335 : tensor<2x6x8xf32>) outs(%v341 : tensor<2x8x6xf32>) permutation = [0, 2, 1]
  %v343 = tensor.empty() : tensor<2x6x6xf32>
  %v344 = linalg.fill ins(%zero : f32) outs(%v343 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %v345 = linalg.batch_matmul ins(%v330, %v342 : tensor<2x6x8xf32>, tensor<2x8x6xf32>) outs(%v344 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %v347 = tensor.empty() : tensor<2x6x6xf32>
  %v346 = linalg.softmax dimension(2) ins(%v345 : tensor<2x6x6xf32>) outs(%v347 : tensor<2x6x6xf32>) -> tensor<2x6x6xf32>
  %v348 = tensor.empty() : tensor<2x6x8xf32>
  %v349 = linalg.fill ins(%zero : f32) outs(%v348 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  %v350 = linalg.batch_matmul ins(%v346, %v340 : tensor<2x6x6xf32>, tensor<2x6x8xf32>) outs(%v349 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  return %v350 : tensor<2x6x8xf32>
}

// -----

// Every other token is of the same sequence.

// CHECK-LABEL: func.func @fewer_keys(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
func.func @fewer_keys(%x: tensor<2x6x8xf32>) -> tensor<2x6x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v351 = tensor.extract_slice %x[0, 0, 0] [2, 3, 8] [1, 2, 1] : tensor<2x6x8xf32> to tensor<2x3x8xf32>
  %v352 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v353 = tensor.empty() : tensor<12x8xf32>
  %v354 = linalg.fill ins(%zero : f32) outs(%v353 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v355 = linalg.matmul ins(%v352, %w : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v354 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v356 = tensor.expand_shape %v355 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v357 = tensor.collapse_shape %v351 [[0, 1], [2]] : tensor<2x3x8xf32> into tensor<6x8xf32>
  %v358 = tensor.empty() : tensor<6x8xf32>
  %v359 = linalg.fill ins(%zero : f32) outs(%v358 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %v360 = linalg.matmul ins(%v357, %w : tensor<6x8xf32>, tensor<8x8xf32>) outs(%v359 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %v361 = tensor.expand_shape %v360 [[0, 1], [2]] output_shape [2, 3, 8] : tensor<6x8xf32> into tensor<2x3x8xf32>
  %v362 = tensor.collapse_shape %v351 [[0, 1], [2]] : tensor<2x3x8xf32> into tensor<6x8xf32>
  %v363 = tensor.empty() : tensor<6x8xf32>
  %v364 = linalg.fill ins(%zero : f32) outs(%v363 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %v365 = linalg.matmul ins(%v362, %w : tensor<6x8xf32>, tensor<8x8xf32>) outs(%v364 : tensor<6x8xf32>) -> tensor<6x8xf32>
  %v366 = tensor.expand_shape %v365 [[0, 1], [2]] output_shape [2, 3, 8] : tensor<6x8xf32> into tensor<2x3x8xf32>
  %v367 = tensor.empty() : tensor<2x8x3xf32>
  %v368 = linalg.transpose ins(%v361 : tensor<2x3x8xf32>) outs(%v367 : tensor<2x8x3xf32>) permutation = [0, 2, 1]
  %v369 = tensor.empty() : tensor<2x6x3xf32>
  %v370 = linalg.fill ins(%zero : f32) outs(%v369 : tensor<2x6x3xf32>) -> tensor<2x6x3xf32>
  %v371 = linalg.batch_matmul ins(%v356, %v368 : tensor<2x6x8xf32>, tensor<2x8x3xf32>) outs(%v370 : tensor<2x6x3xf32>) -> tensor<2x6x3xf32>
  %v373 = tensor.empty() : tensor<2x6x3xf32>
  %v372 = linalg.softmax dimension(2) ins(%v371 : tensor<2x6x3xf32>) outs(%v373 : tensor<2x6x3xf32>) -> tensor<2x6x3xf32>
  %v374 = tensor.empty() : tensor<2x6x8xf32>
  %v375 = linalg.fill ins(%zero : f32) outs(%v374 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  %v376 = linalg.batch_matmul ins(%v372, %v366 : tensor<2x6x3xf32>, tensor<2x3x8xf32>) outs(%v375 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  return %v376 : tensor<2x6x8xf32>
}

// -----

// Keys of both sequences, queries of one: neither cross nor joint.

// CHECK-LABEL: func.func @own_and_other_keys(
// CHECK:         dit.attention
// CHECK-SAME:      kind = #dit.kind<self>
func.func @own_and_other_keys(%x: tensor<2x6x8xf32>, %t: tensor<2x4x8xf32>) -> tensor<2x6x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.1> : tensor<8x8xf32>
  %v377 = tensor.concat dim(1) %x, %t : (tensor<2x6x8xf32>, tensor<2x4x8xf32>) -> tensor<2x10x8xf32>
  %v378 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x6x8xf32> into tensor<12x8xf32>
  %v379 = tensor.empty() : tensor<12x8xf32>
  %v380 = linalg.fill ins(%zero : f32) outs(%v379 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v381 = linalg.matmul ins(%v378, %w : tensor<12x8xf32>, tensor<8x8xf32>) outs(%v380 : tensor<12x8xf32>) -> tensor<12x8xf32>
  %v382 = tensor.expand_shape %v381 [[0, 1], [2]] output_shape [2, 6, 8] : tensor<12x8xf32> into tensor<2x6x8xf32>
  %v383 = tensor.collapse_shape %v377 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v384 = tensor.empty() : tensor<20x8xf32>
  %v385 = linalg.fill ins(%zero : f32) outs(%v384 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v386 = linalg.matmul ins(%v383, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v385 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v387 = tensor.expand_shape %v386 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v388 = tensor.collapse_shape %v377 [[0, 1], [2]] : tensor<2x10x8xf32> into tensor<20x8xf32>
  %v389 = tensor.empty() : tensor<20x8xf32>
  %v390 = linalg.fill ins(%zero : f32) outs(%v389 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v391 = linalg.matmul ins(%v388, %w : tensor<20x8xf32>, tensor<8x8xf32>) outs(%v390 : tensor<20x8xf32>) -> tensor<20x8xf32>
  %v392 = tensor.expand_shape %v391 [[0, 1], [2]] output_shape [2, 10, 8] : tensor<20x8xf32> into tensor<2x10x8xf32>
  %v393 = tensor.empty() : tensor<2x8x10xf32>
  %v394 = linalg.transpose ins(%v387 : tensor<2x10x8xf32>) outs(%v393 : tensor<2x8x10xf32>) permutation = [0, 2, 1]
  %v395 = tensor.empty() : tensor<2x6x10xf32>
  %v396 = linalg.fill ins(%zero : f32) outs(%v395 : tensor<2x6x10xf32>) -> tensor<2x6x10xf32>
  %v397 = linalg.batch_matmul ins(%v382, %v394 : tensor<2x6x8xf32>, tensor<2x8x10xf32>) outs(%v396 : tensor<2x6x10xf32>) -> tensor<2x6x10xf32>
  %v399 = tensor.empty() : tensor<2x6x10xf32>
  %v398 = linalg.softmax dimension(2) ins(%v397 : tensor<2x6x10xf32>) outs(%v399 : tensor<2x6x10xf32>) -> tensor<2x6x10xf32>
  %v400 = tensor.empty() : tensor<2x6x8xf32>
  %v401 = linalg.fill ins(%zero : f32) outs(%v400 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  %v402 = linalg.batch_matmul ins(%v398, %v392 : tensor<2x6x10xf32>, tensor<2x10x8xf32>) outs(%v401 : tensor<2x6x8xf32>) -> tensor<2x6x8xf32>
  return %v402 : tensor<2x6x8xf32>
}
