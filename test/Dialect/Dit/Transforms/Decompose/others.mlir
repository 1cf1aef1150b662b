// RUN: dit-opt %s --dit-decompose --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @merge(
// CHECK-SAME:    %[[O1:.*]]: tensor<1x2x8x4xf16>, %[[L1:.*]]: tensor<1x2x8xf32>, %[[O2:.*]]: tensor<1x2x8x4xf16>, %[[L2:.*]]: tensor<1x2x8xf32>,
// CHECK:         %[[O:.*]] = linalg.generic {{.*}} ins(%[[O1]], %[[L1]], %[[O2]], %[[L2]]
// CHECK:           arith.maximumf
// CHECK:           arith.cmpf oeq
// CHECK-COUNT-2:   math.exp
// CHECK-COUNT-2:   arith.extf
// CHECK:           arith.divf
// CHECK:           arith.truncf
// CHECK:         %[[L:.*]] = linalg.generic {{.*}} ins(%[[L1]], %[[L2]]
// CHECK:           math.log
// CHECK:         return %[[O]], %[[L]]
func.func @merge(%o1: tensor<1x2x8x4xf16>, %l1: tensor<1x2x8xf32>, %o2: tensor<1x2x8x4xf16>, %l2: tensor<1x2x8xf32>, %o: tensor<1x2x8x4xf16>, %l: tensor<1x2x8xf32>) -> (tensor<1x2x8x4xf16>, tensor<1x2x8xf32>) {
  %r:2 = dit.attention_merge ins((%o1, %l1), (%o2, %l2) : tensor<1x2x8x4xf16>, tensor<1x2x8xf32>, tensor<1x2x8x4xf16>, tensor<1x2x8xf32>) outs(%o, %l : tensor<1x2x8x4xf16>, tensor<1x2x8xf32>)
  return %r#0, %r#1 : tensor<1x2x8x4xf16>, tensor<1x2x8xf32>
}

// -----

// The middle token of a tile of 5 is its third; the last tile has 2 tokens.

// CHECK-LABEL: func.func @center(
// CHECK:         linalg.generic
// CHECK:           arith.muli %{{.*}}, %c5
// CHECK:           arith.addi %{{.*}}, %c2
// CHECK:           arith.minsi %{{.*}}, %c16
// CHECK:         iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK-NOT:     dit.
func.func @center(%q: tensor<1x2x17x4xf32>, %s: tensor<1x2x4x17xf32>) -> tensor<1x2x4x17xf32> {
  %r = dit.low_rank_score ins(%q, %q : tensor<1x2x17x4xf32>, tensor<1x2x17x4xf32>) by [5, 1] proxy <center> outs(%s : tensor<1x2x4x17xf32>)
  return %r : tensor<1x2x4x17xf32>
}

// -----

// CHECK-LABEL: func.func @mean(
// The mean of a ragged tile is over the tokens that exist.
// CHECK:         %[[EXISTS:.*]] = arith.cmpi slt, %{{.*}}, %c17
// CHECK:         arith.select %[[EXISTS]]
// CHECK:         %[[COUNT:.*]] = arith.minsi %{{.*}}, %c5
// CHECK:         arith.divf
func.func @mean(%q: tensor<1x2x17x4xf32>, %s: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %r = dit.low_rank_score ins(%q, %q : tensor<1x2x17x4xf32>, tensor<1x2x17x4xf32>) by [5, 5] proxy <mean> outs(%s : tensor<1x2x4x4xf32>)
  return %r : tensor<1x2x4x4xf32>
}

// -----

// One text token, then 1x2x4 video tokens in cubes of 2x2.

// CHECK-LABEL: func.func @group(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<2x9x3xi8>,
// CHECK:         %[[TABLE:.*]] = arith.constant dense<[0, 1, 2, 5, 6, 3, 4, 7, 8]>
// CHECK:         linalg.generic {{.*}} ins(%[[TABLE]]
// CHECK:           %[[T:.*]] = arith.index_cast
// CHECK:           tensor.extract %[[X]][%{{.*}}, %[[T]], %{{.*}}]
func.func @group(%x: tensor<2x9x3xi8>, %o: tensor<2x9x3xi8>) -> tensor<2x9x3xi8> {
  %r = dit.group_tokens ins(%x : tensor<2x9x3xi8>) dim 1 grid #dit.grid<1x2x4, text = 1, text_first> cube [1, 2, 2] outs(%o : tensor<2x9x3xi8>)
  return %r : tensor<2x9x3xi8>
}

// -----

// CHECK-LABEL: func.func @ungroup(
// CHECK:         arith.constant dense<[0, 1, 4, 5, 2, 3, 6, 7]>
func.func @ungroup(%x: tensor<8xf32>, %o: tensor<8xf32>) -> tensor<8xf32> {
  %r = dit.ungroup_tokens ins(%x : tensor<8xf32>) dim 0 grid #dit.grid<1x2x4> cube [1, 2, 2] outs(%o : tensor<8xf32>)
  return %r : tensor<8xf32>
}
