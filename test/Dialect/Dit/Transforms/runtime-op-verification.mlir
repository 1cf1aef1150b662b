// RUN: dit-opt %s --generate-runtime-verification | FileCheck %s

// CHECK-LABEL: func.func @attention
// CHECK-SAME: (%{{.*}}: memref<2x4x64x32xf32>, %[[K:.*]]: memref<2x?x4x32xf32>, %[[NUM:.*]]: memref<1x4x2xi32>, %[[IDX:.*]]: memref<1x4x2x?xi32>, %[[N:.*]]: memref<2xi32>)
func.func @attention(%q: memref<2x4x64x32xf32>, %k: memref<2x?x4x32xf32>, %num: memref<1x4x2xi32>, %idx: memref<1x4x2x?xi32>, %n: memref<2xi32>) {
  // The keys are dimension 1 of k, in tiles of 8.
  // CHECK: %[[KEYS:.*]] = memref.dim %[[K]], %{{.*}} : memref<2x?x4x32xf32>
  // CHECK: %[[TILES:.*]] = arith.ceildivui %[[KEYS]], %{{.*}}
  // CHECK: %[[CAP:.*]] = memref.dim %[[IDX]]
  // CHECK-COUNT-3: scf.for
  // CHECK: %[[LOAD:.*]] = memref.load %[[NUM]]
  // CHECK: %[[COUNT:.*]] = arith.index_cast %[[LOAD]]
  // CHECK: %[[LOW:.*]] = arith.cmpi sge, %[[COUNT]]
  // CHECK: %[[HIGH:.*]] = arith.cmpi sle, %[[COUNT]], %[[CAP]]
  // CHECK: %[[IN:.*]] = arith.andi %[[LOW]], %[[HIGH]]
  // CHECK: cf.assert %[[IN]], {{.*}}number of listed tiles is negative or above the capacity
  // CHECK: scf.for %[[E:.*]] = %{{.*}} to %[[COUNT]] step %{{.*}} iter_args(%[[BEFORE:.*]] = %{{.*}}) -> (index)
  // CHECK: memref.load %[[IDX]][%{{.*}}, %{{.*}}, %{{.*}}, %[[E]]]
  // CHECK: %[[ENTRY:.*]] = arith.index_cast
  // CHECK: %[[UP:.*]] = arith.cmpi slt, %[[BEFORE]], %[[ENTRY]]
  // CHECK: cf.assert %[[UP]], {{.*}}listed tiles are negative or do not ascend
  // CHECK: %[[INSIDE:.*]] = arith.cmpi slt, %[[ENTRY]], %[[TILES]]
  // CHECK: cf.assert %[[INSIDE]], {{.*}}listed tile is beyond the last tile
  // CHECK: scf.yield %[[ENTRY]]
  // CHECK: scf.for
  // CHECK: memref.load %[[N]]
  // CHECK: arith.cmpi sle, %{{.*}}, %[[KEYS]]
  // CHECK: cf.assert {{.*}}kv_valid is negative or above the number of keys
  // CHECK: dit.attention
  dit.attention ins(%q, %k, %k : memref<2x4x64x32xf32>, memref<2x?x4x32xf32>, memref<2x?x4x32xf32>)
    tiles(%num, %idx : memref<1x4x2xi32>, memref<1x4x2x?xi32>) by [32, 8]
    kv_valid(%n : memref<2xi32>) outs(%q : memref<2x4x64x32xf32>)
    {scale = 1.0 : f64, k_order = #dit.order<bshd>, v_order = #dit.order<bshd>}
  return
}

// CHECK-LABEL: func.func @bands
// CHECK-SAME:    %[[W:[a-z0-9]+]]: memref<4xi32>
func.func @bands(%q: memref<2x4x64x32xf32>, %w: memref<4xi32>) {
  // CHECK: %[[WIDTH:.*]] = memref.load %[[W]]
  // CHECK: %[[INDEX:.*]] = arith.index_cast %[[WIDTH]]
  // CHECK: %[[OK:.*]] = arith.cmpi sle, %{{.*}}, %[[INDEX]]
  // CHECK: cf.assert %[[OK]], {{.*}}half-width is below -1
  // CHECK: dit.attention
  dit.attention ins(%q, %q, %q : memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64x32xf32>)
    half_widths(%w : memref<4xi32>) outs(%q : memref<2x4x64x32xf32>) {scale = 1.0 : f64}
  return
}

// Dense attention has nothing to check.
// CHECK-LABEL: func.func @dense
// CHECK-NEXT: dit.attention
func.func @dense(%q: memref<2x4x64x32xf32>) {
  dit.attention ins(%q, %q, %q : memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64x32xf32>)
    outs(%q : memref<2x4x64x32xf32>) {scale = 1.0 : f64}
  return
}

// CHECK-LABEL: func.func @lists
// CHECK-SAME: (%[[N:.*]]: tensor<2x4x8xi32>, %[[X:.*]]: tensor<2x4x8x6xi32>, %[[N1:.*]]: tensor<1x1x8xi32>, %[[X1:.*]]: tensor<1x1x8x?xi32>, %[[O:.*]]: index)
func.func @lists(%n: tensor<2x4x8xi32>, %x: tensor<2x4x8x6xi32>, %n1: tensor<1x1x8xi32>, %x1: tensor<1x1x8x?xi32>, %o: index)
    -> (tensor<2x4x8xi32>, tensor<2x4x8xi32>, tensor<1x1x8xi32>) {
  // CHECK: tensor.extract %[[N]]
  // CHECK: tensor.extract %[[X]]
  // CHECK: tensor.extract %[[N1]]
  // CHECK: tensor.extract %[[X1]]
  // CHECK-NOT: beyond the last tile
  // CHECK: dit.tiles_union
  %0:2 = dit.tiles_union ins((%n, %x), (%n1, %x1) : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>, tensor<1x1x8xi32>, tensor<1x1x8x?xi32>)
    outs(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>)
  // CHECK-COUNT-3: cf.assert {{.*}}slice is not inside its source
  // CHECK: dit.tiles_slice
  %1:2 = dit.tiles_slice ins(%n1, %x1 : tensor<1x1x8xi32>, tensor<1x1x8x?xi32>) at(%o, %o, %o) outs(%n1, %x1 : tensor<1x1x8xi32>, tensor<1x1x8x?xi32>)
  // CHECK: cf.assert {{.*}}listed tile is beyond the last tile
  // CHECK: dit.tiles_transpose
  %2:2 = dit.tiles_transpose ins(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>) outs(%n, %x : tensor<2x4x8xi32>, tensor<2x4x8x6xi32>)
  return %0#0, %2#0, %1#0 : tensor<2x4x8xi32>, tensor<2x4x8xi32>, tensor<1x1x8xi32>
}

// A gradient is checked like its attention.
// CHECK-LABEL: func.func @gradient
func.func @gradient(%q: memref<2x4x64x32xf32>, %l: memref<2x4x64xf32>, %num: memref<1x4x2xi32>, %idx: memref<1x4x2x?xi32>, %n: memref<2xi32>) {
  // CHECK: cf.assert {{.*}}number of listed tiles is negative or above the capacity
  // CHECK: cf.assert {{.*}}listed tiles are negative or do not ascend
  // CHECK: cf.assert {{.*}}listed tile is beyond the last tile
  // CHECK: cf.assert {{.*}}kv_valid is negative or above the number of keys
  // CHECK: dit.attention_backward
  dit.attention_backward
    ins(%q, %q, %q, %q, %l, %q : memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64xf32>, memref<2x4x64x32xf32>)
    tiles(%num, %idx : memref<1x4x2xi32>, memref<1x4x2x?xi32>) by [32, 8]
    kv_valid(%n : memref<2xi32>)
    outs(%q, %q, %q : memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64x32xf32>) {scale = 1.0 : f64}
  return
}

// So is a pair.
// CHECK-LABEL: func.func @pair
func.func @pair(%q: memref<2x4x64x32xf32>, %o: memref<2x4x64x32xf32>, %n: memref<2xi32>, %w: memref<4xi32>) {
  // CHECK: cf.assert {{.*}}half
  // CHECK: cf.assert {{.*}}kv_valid is negative or above the number of keys
  // CHECK: dit.attention_pair
  dit.attention_pair ins(%q, %q, %q : memref<2x4x64x32xf32>, memref<2x4x64x32xf32>, memref<2x4x64x32xf32>)
    kv_valid(%n : memref<2xi32>) half_widths(%w : memref<4xi32>)
    outs(%q, %o : memref<2x4x64x32xf32>, memref<2x4x64x32xf32>) {scale = 1.0 : f64}
  return
}
