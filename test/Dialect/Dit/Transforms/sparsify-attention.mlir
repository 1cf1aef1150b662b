// RUN: dit-opt %s --dit-sparsify-attention="file=%S/Inputs/shares.json tile=8,16 min-sparsity=0.5 margin=2" --canonicalize | FileCheck %s
// RUN: dit-opt %s --dit-sparsify-attention="file=%S/Inputs/shares.json tile=16,16 cube=2,2,4 proxy=center" --canonicalize | FileCheck %s --check-prefix=CUBE
// RUN: dit-opt %s --dit-sparsify-attention="file=%S/Inputs/shares.json tile=8,16" --remarks-filter=dit-sparsify-attention --remark-format=emitRemark 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: dit-opt %s --dit-sparsify-attention="file=%S/Inputs/shares.json tile=8,16" --dit-decompose | FileCheck %s --check-prefix=DECOMPOSED

// RUN: dit-opt %s --dit-sparsify-attention="file=%S/Inputs/shares.json tile=8,16 dense-steps=2" --dit-report-attention="file=%t.json" | FileCheck %s --check-prefix=STEPS
// RUN: FileCheck %s --input-file=%t.json --check-prefix=REPORT

// DECOMPOSED-NOT: dit.

// The tiles of 4 x 16 keys: head 0 keeps one, head 1 all.
// CHECK-LABEL: func.func @plain
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<2x2x64x8xf32>, %[[K:[a-z0-9]+]]: tensor<2x2x64x8xf32>, %[[V:[a-z0-9]+]]: tensor<2x2x64x8xf32>
// CHECK-DAG:     %[[COUNT:.*]] = arith.constant dense<[1, 4]> : tensor<2xi32>
// CHECK:         %[[S:.*]] = dit.low_rank_score ins(%[[Q]], %[[K]] : {{.*}}) by [8, 16] proxy <mean> outs({{.*}} : tensor<2x2x8x4xf32>)
// CHECK:         %[[LIST:.*]]:2 = dit.topk_mask ins(%[[S]] : {{.*}}) count(%[[COUNT]] : tensor<2xi32>) outs({{.*}} : tensor<2x2x8xi32>, tensor<2x2x8x4xi32>)
// CHECK:         dit.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) tiles(%[[LIST]]#0, %[[LIST]]#1 : {{.*}}) by [8, 16]
// CHECK-SAME:    site = "plain"
// REMARK: [Passed] SparsifyAttention | Category:dit-sparsify-attention | Function=plain |
// REMARK-SAME: DenseFlops=524288, KeptFlops=327680, KeptShare=6.25{{.*}}, SelectionFlops=2048, Site=plain, SparseHeads=1
// CUBE-LABEL: func.func @plain
// CUBE-NOT:     dit.topk_mask
func.func @plain(%q: tensor<2x2x64x8xf32>, %k: tensor<2x2x64x8xf32>, %v: tensor<2x2x64x8xf32>, %o: tensor<2x2x64x8xf32>) -> tensor<2x2x64x8xf32> {
  %0 = dit.attention ins(%q, %k, %v : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%o : tensor<2x2x64x8xf32>) {scale = 0.35 : f64, site = "plain"}
  return %0 : tensor<2x2x64x8xf32>
}

// Twice the share of keys that head 0 needs, ceil(0.2 * 4) tiles; head 1 is
// below the threshold. Orders other than [B, H, S, D] are transposed for the
// scores alone.
// CHECK-LABEL: func.func @measured
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<64x2x8xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x64x8xf32>
// CHECK-DAG:     arith.constant dense<[1, 4]> : tensor<2xi32>
// CHECK:         %[[EXPANDED:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0, 1], [2], [3]] output_shape [1, 64, 2, 8]
// CHECK:         %[[T:.*]] = linalg.transpose ins(%[[EXPANDED]] : {{.*}}) outs({{.*}} : tensor<1x2x64x8xf32>) permutation = [0, 2, 1, 3]
// CHECK:         dit.low_rank_score ins(%[[T]], %[[K]] :
// CHECK:         dit.attention ins(%[[Q]], %[[K]],
// Grouped by cubes, q, k and v are in the order of the cubes, and o is not.
// CUBE-LABEL: func.func @measured
// CUBE-SAME:    %[[Q:[a-z0-9]+]]: tensor<64x2x8xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x64x8xf32>, %[[V:[a-z0-9]+]]: tensor<1x2x64x8xf32>
// CUBE:         %[[GQ:.*]] = dit.group_tokens ins(%[[Q]] : {{.*}}) dim 0 grid <4x4x4> cube [2, 2, 4]
// CUBE:         %[[GK:.*]] = dit.group_tokens ins(%[[K]] : {{.*}}) dim 2 grid <4x4x4> cube [2, 2, 4]
// CUBE:         %[[GV:.*]] = dit.group_tokens ins(%[[V]] :
// CUBE:         dit.low_rank_score ins({{.*}}, %[[GK]] : {{.*}}) by [16, 16] proxy <center>
// CUBE:         %[[O:.*]]:2 = dit.attention ins(%[[GQ]], %[[GK]], %[[GV]] :
// CUBE-NOT:     grid = 
// CUBE:         dit.ungroup_tokens ins(%[[O]]#0 : {{.*}}) dim 0 grid <4x4x4>
// CUBE:         dit.ungroup_tokens ins(%[[O]]#1 : {{.*}}) dim 2 grid <4x4x4>
func.func @measured(%q: tensor<64x2x8xf32>, %k: tensor<1x2x64x8xf32>, %v: tensor<1x2x64x8xf32>, %o: tensor<64x2x8xf32>, %l: tensor<1x2x64xf32>) -> (tensor<64x2x8xf32>, tensor<1x2x64xf32>) {
  %0, %1 = dit.attention ins(%q, %k, %v : tensor<64x2x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>)
    outs(%o, %l : tensor<64x2x8xf32>, tensor<1x2x64xf32>)
    {scale = 0.35 : f64, site = "measured", grid = #dit.grid<4x4x4>, q_order = #dit.order<shd>, o_order = #dit.order<shd>}
  return %0, %1 : tensor<64x2x8xf32>, tensor<1x2x64xf32>
}

// CHECK-LABEL: func.func @untouched
// CHECK-NOT:     dit.topk_mask
// REMARK-DAG: [Missed] {{.*}} Reason="none of its heads is sparse"
// REMARK-DAG: [Missed] {{.*}} Reason="the number of shares is not its number of heads"
// REMARK-DAG: [Missed] {{.*}} Reason="the file has no such site"
func.func @untouched(%x: tensor<2x2x64x8xf32>) -> (tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>) {
  %0 = dit.attention ins(%x, %x, %x : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%x : tensor<2x2x64x8xf32>) {scale = 0.35 : f64, site = "dense"}
  %1 = dit.attention ins(%x, %x, %x : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%x : tensor<2x2x64x8xf32>) {scale = 0.35 : f64, site = "heads"}
  %2 = dit.attention ins(%x, %x, %x : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%x : tensor<2x2x64x8xf32>) {scale = 0.35 : f64}
  return %0, %1, %2 : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>
}

// Four query heads share two key heads; each has a list of its own.
// CHECK-LABEL: func.func @grouped
// CHECK-DAG:     arith.constant dense<[2, 2, 4, 4]> : tensor<4xi32>
// CHECK:         dit.low_rank_score ins(%{{.*}}, %{{.*}} : tensor<2x4x64x8xf32>, tensor<2x2x64x8xf32>) by [8, 16] proxy <mean> outs({{.*}} : tensor<2x4x8x4xf32>)
// CHECK:         dit.topk_mask {{.*}} outs({{.*}} : tensor<2x4x8xi32>, tensor<2x4x8x4xi32>)
func.func @grouped(%x: tensor<2x2x64x8xf32>, %q: tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32> {
  %0 = dit.attention ins(%q, %x, %x : tensor<2x4x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
    outs(%q : tensor<2x4x64x8xf32>) {scale = 0.35 : f64, site = "grouped"}
  return %0 : tensor<2x4x64x8xf32>
}

// The number of tiles is that of the run: ceil(0.5 * tiles) in one head, all in
// the other.
// CHECK-LABEL: func.func @dynamic
// CHECK:         arith.sitofp
// CHECK:         %[[UP:.*]] = math.ceil
// CHECK:         %[[HALF:.*]] = arith.fptosi %[[UP]] : f64 to i32
// CHECK:         %[[COUNTS:.*]] = tensor.from_elements %[[HALF]], %{{.*}} : tensor<2xi32>
// CHECK:         dit.low_rank_score {{.*}} outs({{.*}} : tensor<?x2x?x?xf32>)
// CHECK:         dit.topk_mask {{.*}} count(%[[COUNTS]] :
// REMARK: [Passed] {{.*}}Function=dynamic{{.*}}KeptShare=7.5{{.*}}, Site=dynamic, SparseHeads=1
func.func @dynamic(%x: tensor<?x?x2x8xf32>) -> tensor<?x?x2x8xf32> {
  %0 = dit.attention ins(%x, %x, %x : tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>)
    outs(%x : tensor<?x?x2x8xf32>) {scale = 0.35 : f64, site = "dynamic", q_order = #dit.order<bshd>, k_order = #dit.order<bshd>, v_order = #dit.order<bshd>, o_order = #dit.order<bshd>}
  return %0 : tensor<?x?x2x8xf32>
}

// A bias stays, with tiles but not with cubes.
// CHECK-LABEL: func.func @biased
// CHECK:         dit.attention ins({{.*}}) bias({{.*}}) tiles(
// CUBE-LABEL: func.func @biased
// CUBE-NOT:     tiles(
func.func @biased(%x: tensor<2x2x64x8xf32>, %b: tensor<1x1x64x64xf32>) -> tensor<2x2x64x8xf32> {
  %0 = dit.attention ins(%x, %x, %x : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>) bias(%b : tensor<1x1x64x64xf32>)
    outs(%x : tensor<2x2x64x8xf32>) {scale = 0.35 : f64, site = "biased", grid = #dit.grid<4x4x4>}
  return %0 : tensor<2x2x64x8xf32>
}

// The first two of four steps keep everything; outside a loop there are none.
// STEPS-LABEL: func.func @plain
// STEPS-NOT:     dit.topk_mask
// STEPS-LABEL: func.func @steps
// STEPS:         scf.for %[[I:[a-z0-9]+]] = %
// STEPS-DAG:       %[[ALL:.*]] = arith.constant dense<4> : tensor<2xi32>
// STEPS-DAG:       %[[SOME:.*]] = arith.constant dense<[1, 4]> : tensor<2xi32>
// STEPS-DAG:       %[[DENSE:.*]] = arith.cmpi ult, %[[I]], %{{.*}} : index
// STEPS:           %[[COUNT:.*]] = arith.select %[[DENSE]], %[[ALL]], %[[SOME]]
// STEPS:           dit.topk_mask {{.*}} count(%[[COUNT]] :
// REPORT:      "site": "plain"
// REPORT:      "site": "plain"
// REPORT:      "kept_share": [
// REPORT-NEXT:   {{0.625|6.25.*e-01}}
// REPORT-NEXT:   1
// REPORT:      "exact": true
func.func @steps(%x0: tensor<2x2x64x8xf32>) -> tensor<2x2x64x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%x = %x0) -> (tensor<2x2x64x8xf32>) {
    %0 = dit.attention ins(%x, %x, %x : tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>, tensor<2x2x64x8xf32>)
      outs(%x0 : tensor<2x2x64x8xf32>) {scale = 0.35 : f64, site = "plain"}
    scf.yield %0 : tensor<2x2x64x8xf32>
  }
  return %r : tensor<2x2x64x8xf32>
}
