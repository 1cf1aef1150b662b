// RUN: dit-opt %s --dit-decompose --canonicalize --split-input-file | FileCheck %s

// Kept tiles precede all others and each other by index; then the score
// decides, then the index.

// CHECK-LABEL: func.func @topk(
// CHECK-SAME:    %[[S:.*]]: tensor<2x4x8x16xf32>, %[[K:.*]]: tensor<1xi32>,
// A NaN counts as -inf.
// CHECK:         linalg.generic {{.*}} ins(%[[S]]
// CHECK:           arith.cmpf uno
// CHECK:         %[[NUMBERS:.*]] = linalg.generic
// CHECK:           tensor.extract %[[K]][%c0]
// CHECK:         %[[KEPT:.*]] = linalg.generic
// CHECK:           linalg.yield %{{.*}} : i1
// CHECK:         %[[RANKS:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK:           arith.cmpf ogt
// CHECK:           arith.cmpf oeq
// CHECK:           arith.cmpi slt
// CHECK:         %[[LIMITS:.*]] = linalg.generic {{.*}} ins(%[[NUMBERS]]
// CHECK:           arith.maxsi
// CHECK:           arith.minsi %{{.*}}, %c8
// CHECK:         scf.for
// CHECK:           %[[LIMIT:.*]] = tensor.extract %[[LIMITS]]
// CHECK:             %[[RANK:.*]] = tensor.extract %[[RANKS]]
// CHECK:             arith.cmpi slt, %[[RANK]], %[[LIMIT]]
// CHECK:             scf.if
// CHECK:               tensor.insert
func.func @topk(%s: tensor<2x4x8x16xf32>, %k: tensor<1xi32>, %n: tensor<2x4x8xi32>, %i: tensor<2x4x8x8xi32>) -> (tensor<2x4x8xi32>, tensor<2x4x8x8xi32>) {
  %r:2 = dit.topk_mask ins(%s : tensor<2x4x8x16xf32>) count(%k : tensor<1xi32>) keep(#dit.window<left = 1, right = 1>) outs(%n, %i : tensor<2x4x8xi32>, tensor<2x4x8x8xi32>)
  return %r#0, %r#1 : tensor<2x4x8xi32>, tensor<2x4x8x8xi32>
}

// -----

// CHECK-LABEL: func.func @mass(
// CHECK:         math.exp
// CHECK:         arith.cmpf olt
// CHECK-NOT:     dit.
func.func @mass(%s: tensor<1x1x8x?xf64>, %n: tensor<1x1x8xi32>, %i: tensor<1x1x8x8xi32>) -> (tensor<1x1x8xi32>, tensor<1x1x8x8xi32>) {
  %r:2 = dit.topk_mask ins(%s : tensor<1x1x8x?xf64>) mass(0.9) outs(%n, %i : tensor<1x1x8xi32>, tensor<1x1x8x8xi32>)
  return %r#0, %r#1 : tensor<1x1x8xi32>, tensor<1x1x8x8xi32>
}

// -----

// CHECK-LABEL: func.func @union(
// CHECK-SAME:    %[[N1:.*]]: tensor<1x4x8xi32>, %[[I1:.*]]: tensor<1x4x8x5xi32>, %[[N2:.*]]: tensor<2x1x8xi32>, %[[I2:.*]]: tensor<2x1x8x3xi32>,
// CHECK:         scf.for %[[B:.*]] = %c0 to %c2
// CHECK:           scf.for %[[H:.*]] = %c0 to %c4
// CHECK:             scf.for %[[A:.*]] = %c0 to %c8
// CHECK:               tensor.extract %[[N1]][%c0, %[[H]], %[[A]]]
// CHECK:               tensor.extract %[[N2]][%[[B]], %c0, %[[A]]]
// CHECK:               scf.for
// CHECK:                 tensor.extract %[[I1]][%c0, %[[H]], %[[A]], %{{.*}}]
// CHECK:                 tensor.extract %[[I2]][%[[B]], %c0, %[[A]], %{{.*}}]
// CHECK:                 arith.minsi
// CHECK:                 tensor.insert
func.func @union(%n1: tensor<1x4x8xi32>, %i1: tensor<1x4x8x5xi32>, %n2: tensor<2x1x8xi32>, %i2: tensor<2x1x8x3xi32>, %n: tensor<2x4x8xi32>, %i: tensor<2x4x8x6xi32>) -> (tensor<2x4x8xi32>, tensor<2x4x8x6xi32>) {
  %r:2 = dit.tiles_union ins((%n1, %i1), (%n2, %i2) : tensor<1x4x8xi32>, tensor<1x4x8x5xi32>, tensor<2x1x8xi32>, tensor<2x1x8x3xi32>) outs(%n, %i : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>)
  return %r#0, %r#1 : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>
}

// -----

// A batch of extent 1 stands for all, whatever the offset; entries past the
// number are not copied.

// CHECK-LABEL: func.func @slice(
// CHECK-SAME:    %[[N:.*]]: tensor<1x4x8xi32>, %[[I:.*]]: tensor<1x4x8x5xi32>, %{{.*}}: index, %[[H:.*]]: index, %[[Q:.*]]: index,
// CHECK-DAG:         %[[FH:.*]] = arith.addi %{{.*}}, %[[H]]
// CHECK-DAG:         %[[FQ:.*]] = arith.addi %{{.*}}, %[[Q]]
// CHECK:         %[[COUNT:.*]] = tensor.extract %[[N]][%{{.*}}, %[[FH]], %[[FQ]]]
// CHECK:         %[[END:.*]] = arith.index_cast %[[COUNT]]
// CHECK:         scf.for %[[E:.*]] = %c0 to %[[END]]
// CHECK:           tensor.extract %[[I]][%{{.*}}, %[[FH]], %[[FQ]], %[[E]]]
func.func @slice(%n: tensor<1x4x8xi32>, %i: tensor<1x4x8x5xi32>, %ob: index, %oh: index, %oq: index, %n0: tensor<1x2x3xi32>, %i0: tensor<1x2x3x5xi32>) -> (tensor<1x2x3xi32>, tensor<1x2x3x5xi32>) {
  %r:2 = dit.tiles_slice ins(%n, %i : tensor<1x4x8xi32>, tensor<1x4x8x5xi32>) at(%ob, %oh, %oq) outs(%n0, %i0 : tensor<1x2x3xi32>, tensor<1x2x3x5xi32>)
  return %r#0, %r#1 : tensor<1x2x3xi32>, tensor<1x2x3x5xi32>
}

// -----

// CHECK-LABEL: func.func @transpose(
// CHECK-SAME:    %[[N:.*]]: tensor<1x1x8xi32>, %[[I:.*]]: tensor<1x1x8x5xi32>, %[[N0:.*]]: tensor<1x1x4xi32>,
// CHECK:         linalg.fill ins(%c0_i32 : i32) outs(%[[N0]]
// CHECK:         scf.for %[[A:.*]] = %c0 to %c8
// CHECK:           tensor.extract %[[N]]
// CHECK:           scf.for
// CHECK:             tensor.extract %[[I]]
// CHECK:             arith.cmpi slt, %{{.*}}, %c6
// CHECK:             scf.if
// CHECK:               tensor.insert
func.func @transpose(%n: tensor<1x1x8xi32>, %i: tensor<1x1x8x5xi32>, %n0: tensor<1x1x4xi32>, %i0: tensor<1x1x4x6xi32>) -> (tensor<1x1x4xi32>, tensor<1x1x4x6xi32>) {
  %r:2 = dit.tiles_transpose ins(%n, %i : tensor<1x1x8xi32>, tensor<1x1x8x5xi32>) outs(%n0, %i0 : tensor<1x1x4xi32>, tensor<1x1x4x6xi32>)
  return %r#0, %r#1 : tensor<1x1x4xi32>, tensor<1x1x4x6xi32>
}
