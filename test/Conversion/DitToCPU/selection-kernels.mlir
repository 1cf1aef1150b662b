// RUN: dit-opt %s -split-input-file --convert-dit-to-cpu="vector-bits=512 registers=32 compress=1" | FileCheck %s
// RUN: dit-opt %s -split-input-file --convert-dit-to-cpu="vector-bits=512 registers=32 compress=0" | FileCheck %s --check-prefix=BITS

// Proxies are made once per tile, those of the keys transposed; a row of scores
// is a sum of vectors.
// CHECK-LABEL: func.func @score
// CHECK:         call @dit_low_rank_score(
// CHECK-NOT:     dit.low_rank_score
// CHECK-LABEL: func.func private @dit_low_rank_score(
// CHECK:         memref.alloc
// CHECK:         scf.parallel
// CHECK:         memref.alloc
// CHECK:         scf.parallel
// CHECK:         scf.parallel
// CHECK:           vector.fma {{.*}} : vector<16xf32>
// CHECK:           vector.maskedstore
func.func @score(%q: memref<1x4x512x16xf32>, %s: memref<1x4x16x512xf32>) {
  dit.low_rank_score ins(%q, %q : memref<1x4x512x16xf32>, memref<1x4x512x16xf32>) by [32, 1] proxy <center> outs(%s : memref<1x4x16x512xf32>)
  return
}

// -----

// Two ops of one kind share the kernel, another share of the tiles has its own.
// 64 slots take one integer per tile each, and some for candidates, whatever the
// number of rows. Rows of 4096 tiles and more are sampled, every 16th vector;
// candidates and the tiles of the list are moved to the front of their vectors,
// or are stored bit by bit of the mask.
// CHECK-LABEL: func.func @topk
// CHECK-COUNT-2: call @dit_topk_mask(
// CHECK:         call @dit_topk_mask_0(
// CHECK-LABEL: func.func private @dit_topk_mask(
// CHECK:         %[[ROWS:.*]] = arith.constant 64 : index
// CHECK-COUNT-2: memref.alloc(%{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?xi32>
// CHECK-NOT:     memref.alloc(
// CHECK:         scf.parallel (%[[SLOT:.*]]) =
// CHECK:           memref.subview %{{.*}}[%[[SLOT]], 0] [1, %{{.*}}] [1, 1]
// CHECK:           scf.for %{{.*}} = %[[SLOT]] to
// CHECK:             scf.if
// CHECK:               %[[STRIDE:.*]] = arith.constant 256 : index
// CHECK:               scf.for {{.*}} step %[[STRIDE]]
// CHECK:             x86vector.avx512.mask.compress
// CHECK:             x86vector.avx512.mask.compress
// CHECK:             vector.maskedstore
// CHECK-LABEL: func.func private @dit_topk_mask_0(
// BITS-LABEL: func.func private @dit_topk_mask(
// BITS-NOT:     x86vector
// BITS-COUNT-2: math.cttz
// BITS-LABEL: func.func private @dit_topk_mask_0(
func.func @topk(%s: memref<1x4x16x512xf32>, %num: memref<1x4x16xi32>, %idx: memref<1x4x16x64xi32>) {
  dit.topk_mask ins(%s : memref<1x4x16x512xf32>) fraction(0.1) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  dit.topk_mask ins(%s : memref<1x4x16x512xf32>) fraction(0.1) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  dit.topk_mask ins(%s : memref<1x4x16x512xf32>) fraction(0.2) keep(#dit.window<left = 1, right = 1>) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @lists
// CHECK:         call @dit_tiles_union(
// CHECK:         call @dit_tiles_slice({{.*}}) : (memref<1x4x16xi32, {{.*}}>, {{.*}}, index, index, index) -> ()
// CHECK:         call @dit_tiles_transpose(
// CHECK-LABEL: func.func private @dit_tiles_union(
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}, %{{.*}}) =
// CHECK-LABEL: func.func private @dit_tiles_slice(
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}, %{{.*}}) =
// CHECK-LABEL: func.func private @dit_tiles_transpose(
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}) =
func.func @lists(%num: memref<1x4x16xi32>, %idx: memref<1x4x16x64xi32>, %one: memref<1x1x16xi32>, %onex: memref<1x1x16x64xi32>, %snum: memref<1x2x8xi32>, %sidx: memref<1x2x8x64xi32>, %o: index) {
  dit.tiles_union ins((%one, %onex), (%num, %idx) : memref<1x1x16xi32>, memref<1x1x16x64xi32>, memref<1x4x16xi32>, memref<1x4x16x64xi32>) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  dit.tiles_slice ins(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>) at(%o, %o, %o) outs(%snum, %sidx : memref<1x2x8xi32>, memref<1x2x8x64xi32>)
  dit.tiles_transpose ins(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @tokens_and_merge
// CHECK:         call @dit_group_tokens(
// CHECK:         call @dit_ungroup_tokens(
// CHECK:         call @dit_attention_merge(
// CHECK-LABEL: func.func private @dit_group_tokens(
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}, %{{.*}}) =
// CHECK-LABEL: func.func private @dit_attention_merge(
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}, %{{.*}}) =
// CHECK:           vector.fma
func.func @tokens_and_merge(%x: memref<2x128x4xf32>, %y: memref<2x128x4xf32>, %o: memref<1x4x512x64xbf16>, %lse: memref<1x4x512xf32>) {
  dit.group_tokens ins(%x : memref<2x128x4xf32>) dim 1 grid <2x8x8> cube [2, 4, 4] outs(%y : memref<2x128x4xf32>)
  dit.ungroup_tokens ins(%y : memref<2x128x4xf32>) dim 1 grid <2x8x8> cube [2, 4, 4] outs(%x : memref<2x128x4xf32>)
  dit.attention_merge ins((%o, %lse), (%o, %lse) : memref<1x4x512x64xbf16>, memref<1x4x512xf32>, memref<1x4x512x64xbf16>, memref<1x4x512xf32>) outs(%o, %lse : memref<1x4x512x64xbf16>, memref<1x4x512xf32>)
  return
}

// -----

// Scores that only the selection reads are made in its kernel, a register tile
// of 6 rows for each slot; the matrix of them is gone.
// CHECK-LABEL: func.func @scored
// CHECK-NOT:     memref.alloc() : memref<1x4x16x512xf32>
// CHECK:         call @dit_low_rank_topk(
// CHECK-NOT:     dit.
// CHECK:         return
// CHECK-LABEL: func.func private @dit_low_rank_topk(
// CHECK:         scf.parallel
// CHECK:         scf.parallel
// CHECK-COUNT-2: memref.alloc(%{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?xi32>
// CHECK:         memref.alloc(%{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x6x?xf32>
// CHECK-NOT:     memref.alloc
// CHECK:         scf.parallel (%{{.*}}) =
// CHECK:           vector.fma {{.*}} : vector<16xf32>
// CHECK:           vector.maskedstore {{.*}} : memref<?x6x?xf32>
// CHECK:           vector.maskedload {{.*}} : memref<?x6x?xf32>
func.func @scored(%q: memref<1x4x512x16xf32>, %num: memref<1x4x16xi32>, %idx: memref<1x4x16x64xi32>) {
  %s = memref.alloc() : memref<1x4x16x512xf32>
  dit.low_rank_score ins(%q, %q : memref<1x4x512x16xf32>, memref<1x4x512x16xf32>) by [32, 1] proxy <center> outs(%s : memref<1x4x16x512xf32>)
  %other = memref.alloc() : memref<4xf32>
  dit.topk_mask ins(%s : memref<1x4x16x512xf32>) fraction(0.1) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  return
}

// -----

// What the scores are made of is overwritten before the selection; and scores
// that are read twice.
// CHECK-LABEL: func.func @apart
// CHECK:         call @dit_low_rank_score(
// CHECK:         call @dit_topk_mask(
// CHECK:         call @dit_low_rank_score(
// CHECK:         call @dit_topk_mask(
// CHECK:         call @dit_topk_mask
func.func @apart(%q: memref<1x4x512x16xf32>, %p: memref<1x4x512x16xf32>, %num: memref<1x4x16xi32>, %idx: memref<1x4x16x64xi32>) {
  %s = memref.alloc() : memref<1x4x16x512xf32>
  dit.low_rank_score ins(%q, %q : memref<1x4x512x16xf32>, memref<1x4x512x16xf32>) by [32, 1] proxy <center> outs(%s : memref<1x4x16x512xf32>)
  memref.copy %p, %q : memref<1x4x512x16xf32> to memref<1x4x512x16xf32>
  dit.topk_mask ins(%s : memref<1x4x16x512xf32>) fraction(0.1) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  %t = memref.alloc() : memref<1x4x16x512xf32>
  dit.low_rank_score ins(%q, %q : memref<1x4x512x16xf32>, memref<1x4x512x16xf32>) by [32, 1] proxy <center> outs(%t : memref<1x4x16x512xf32>)
  dit.topk_mask ins(%t : memref<1x4x16x512xf32>) fraction(0.1) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  dit.topk_mask ins(%t : memref<1x4x16x512xf32>) fraction(0.2) outs(%num, %idx : memref<1x4x16xi32>, memref<1x4x16x64xi32>)
  return
}
