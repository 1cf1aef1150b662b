// RUN: dit-opt %s -split-input-file --convert-dit-to-cpu="vector-bits=512 registers=32 l2-bytes=1048576" | FileCheck %s
// RUN: dit-opt %s -split-input-file --convert-dit-to-cpu="vector-bits=256 registers=16 l2-bytes=1048576" | FileCheck %s --check-prefix=AVX2

// Two layers of one configuration call one kernel, although their operands lie
// in other orders and with other strides; the third has another scale.
// CHECK-LABEL: func.func @layers
// CHECK:         %[[Q:.*]] = memref.reinterpret_cast {{.*}} to memref<1x4x512x64xf32, strided<[?, ?, ?, 1], offset: ?>>
// CHECK:         call @dit_attention_f32_q512_kv512_d64(
// CHECK:         call @dit_attention_f32_q512_kv512_d64(
// CHECK:         call @dit_attention_f32_q512_kv512_d64_0(
// CHECK-NOT:     dit.attention
func.func @layers(%a: memref<1x4x512x64xf32>, %b: memref<1x512x4x64xf32, strided<[524288, 1024, 64, 1]>>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64, site = "blocks.0.attn1"}
  dit.attention ins(%b, %a, %a : memref<1x512x4x64xf32, strided<[524288, 1024, 64, 1]>>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64, site = "blocks.1.attn1", q_order = #dit.order<bshd>}
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.25 : f64, site = "blocks.2.attn1"}
  return
}

// Panels of keys and values once per head; one task per batch, head and query
// block; nothing has the size of the scores.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64(
// CHECK-NOT:     512x512
// CHECK-COUNT-2: memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?x?x4096xf32>
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}, %{{.*}}) =
// CHECK:         scf.parallel (%{{.*}}, %{{.*}}, %{{.*}}) =
// CHECK-NEXT:      func.call @dit_attention_f32_q512_kv512_d64_block(

// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_block(
// CHECK-NOT:     512x512
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<[[ROWS:90]]x64xf32>
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<[[ROWS]]x512xf32>

// The register tile: 6 x 64 on 32 registers of 512 bits, 24 accumulators that
// the loop carries; 6 x 16 on 16 registers of 256 bits.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_block_step(
// CHECK:         scf.for
// CHECK:           scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK:             scf.for {{.*}} iter_args(
// CHECK-COUNT-4:       vector.load {{.*}} : memref<?x?x?x4096xf32>, vector<16xf32>
// CHECK-COUNT-24:      vector.fma {{.*}} : vector<16xf32>
// CHECK-NOT:           vector.fma
// CHECK:               scf.yield

// AVX2-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_block_step(
// AVX2:         scf.for
// AVX2:             scf.for {{.*}} iter_args(
// AVX2-COUNT-2:       vector.load {{.*}} : memref<?x?x?x1024xf32>, vector<8xf32>
// AVX2-COUNT-12:      vector.fma {{.*}} : vector<8xf32>
// AVX2-NOT:           vector.fma
// AVX2:               scf.yield

// -----

// A tile list becomes a loop over its entries: what is not listed is never
// queued. kv_valid cuts the ranges.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_t64x64_block(
// CHECK-SAME:    {{.*}}%[[NUM:[^:]+]]: memref<1x4x8xi32, strided<[?, ?, 1], offset: ?>>, %[[IDX:[^:]+]]: memref<1x4x8x?xi32, strided<[?, ?, ?, 1], offset: ?>>, %[[VALID:[^:]+]]: memref<1xi32,
// CHECK:         %[[VALID0:.*]] = memref.load %[[VALID]]
// CHECK:         %[[LISTED:.*]] = memref.load %[[NUM]]
// CHECK:         %[[LISTED_INDEX:.*]] = arith.index_cast %[[LISTED]]
// CHECK:         %[[ENTRIES:.*]] = arith.minsi %[[LISTED_INDEX]]
// CHECK:         scf.for %[[ENTRY:.*]] = %{{.*}} to %[[ENTRIES]]
// CHECK:           memref.load %[[IDX]][%{{.*}}, %{{.*}}, %{{.*}}, %[[ENTRY]]]
// CHECK:           scf.for
// CHECK:             func.call @dit_attention_f32_q512_kv512_d64_t64x64_block_step
func.func @tiles(%a: memref<1x4x512x64xf32>, %num: memref<1x1x8xi32>, %idx: memref<1x1x8x?xi32>, %valid: memref<1xi32>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) tiles(%num, %idx : memref<1x1x8xi32>, memref<1x1x8x?xi32>) by [64, 64] kv_valid(%valid : memref<1xi32>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// The token lists of query groups: keys are gathered, nothing is packed ahead.
// CHECK-LABEL: func.func private @dit_attention_bf16_qd_kvd_d64_t32x1(
// CHECK-NOT:     memref.alloc(
// CHECK:         scf.parallel
// CHECK-LABEL: func.func private @dit_attention_bf16_qd_kvd_d64_t32x1_block(
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<128xindex>
func.func @tokens(%a: memref<?x?x?x64xbf16>, %num: memref<?x?x?xi32>, %idx: memref<?x?x?x?xi32>, %o: memref<?x?x?x64xbf16>) {
  dit.attention ins(%a, %a, %a : memref<?x?x?x64xbf16>, memref<?x?x?x64xbf16>, memref<?x?x?x64xbf16>) tiles(%num, %idx : memref<?x?x?xi32>, memref<?x?x?x?xi32>) by [32, 1] outs(%o : memref<?x?x?x64xbf16>) {scale = 0.125 : f64}
  return
}

// -----

// The window gives the bounds of the loop over panels. Register tiles note which
// columns their rows look at (6 rows of 90, 8 panels); a tile that does not need
// all of a panel computes one vector of its columns after the other, and the
// product with the values reads the columns that are looked at. The mask is
// applied where the window does not cover them.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_window_block(
// CHECK:         %[[BEGIN:.*]] = arith.minsi
// CHECK:         %[[END:.*]] = arith.minsi
// CHECK:         scf.for
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_window_block_step(
// CHECK-SAME:    %[[COLUMNS:[^:]+]]: memref<15x8x2xindex>, %[[PANELS:[^:]+]]: memref<15x2xindex>,
// CHECK:         memref.store %{{.*}}, %[[COLUMNS]]
// CHECK:         memref.store %{{.*}}, %[[PANELS]]
// CHECK:         memref.load %[[COLUMNS]]
// CHECK:         scf.if
// CHECK-COUNT-24:  vector.fma
// CHECK:         } else {
// CHECK:           scf.for
// CHECK-COUNT-6:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
// CHECK:         arith.cmpi sle
// CHECK:         scf.if
// CHECK:         %[[FIRST:.*]] = memref.load %[[PANELS]]
// CHECK:         %[[LAST:.*]] = memref.load %[[PANELS]]
// CHECK:         scf.for %{{.*}} = %[[FIRST]] to %[[LAST]]
func.func @window(%a: memref<1x4x512x64xf32>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) pattern(#dit.window<left = 100, right = 20>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// Keys and values are packed only of heads that some query head reads: those of
// a half-width of 0 are skipped.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_bands(
// CHECK-SAME:    %[[WIDTHS:[^:]+]]: memref<4xi32
// CHECK:         scf.parallel
// CHECK:           %[[READ:.*]] = scf.for {{.*}} iter_args(
// CHECK:             memref.load %[[WIDTHS]]
// CHECK:           scf.if %[[READ]] {
// CHECK:             vector.shuffle
func.func @bands(%a: memref<1x4x512x64xf32>, %k: memref<1x2x512x64xf32>, %w: memref<4xi32>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %k, %k : memref<1x4x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512x64xf32>) half_widths(%w : memref<4xi32>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// A block of queries that looks at no key of a part is noted and left out, also
// of the sum over the parts.
// CHECK-LABEL: func.func private @dit_attention_backward_f32_q512_kv512_d64_window(
// CHECK:         %[[TOUCHED:.*]] = memref.alloc({{.*}}) : memref<?x?x?x?xi1>
// CHECK:         scf.parallel
// CHECK:         scf.parallel
// CHECK:           %[[ADDS:.*]] = memref.load %[[TOUCHED]]
// CHECK:           scf.if %[[ADDS]] -> (vector<16xf32>)
// CHECK-LABEL: func.func private @dit_attention_backward_f32_q512_kv512_d64_window_task_block(
// CHECK:         %[[FOUND:.*]] = memref.load %{{.*}}[] : memref<i1>
// CHECK:         memref.store %[[FOUND]], %{{.*}} : memref<?x?x?x?xi1>
// CHECK:         scf.if %[[FOUND]] {
func.func @window_gradient(%q: memref<1x2x512x64xf32>, %l: memref<1x2x512xf32>) {
  dit.attention_backward ins(%q, %q, %q, %q, %l, %q : memref<1x2x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512xf32>, memref<1x2x512x64xf32>) pattern(#dit.window<left = 30, right = 20>) outs(%q, %q, %q : memref<1x2x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// One task per batch, key head and part of the keys; then the gradients of the
// queries are summed over the parts. Nothing has the size of the scores.
// CHECK-LABEL: func.func private @dit_attention_backward_f32_q512_kv512_d64(
// CHECK-NOT:     512x512
// CHECK-COUNT-3: memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?x?x4096xf32>
// CHECK-COUNT-2: memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?x?x64xf32>
// CHECK:         memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?x?x?x64xf32>
// CHECK:         scf.parallel
// CHECK-NEXT:      func.call @dit_attention_backward_f32_q512_kv512_d64_task(
// CHECK:         scf.parallel
// CHECK:           scf.for
// CHECK:             scf.for {{.*}} iter_args(
// CHECK:               arith.addf {{.*}} : vector<16xf32>

// Query heads of the key head, then blocks of queries, one after the other.
// CHECK-LABEL: func.func private @dit_attention_backward_f32_q512_kv512_d64_task(
// CHECK-NOT:     scf.parallel
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             func.call @dit_attention_backward_f32_q512_kv512_d64_task_block(

// Five products; those by columns have 4 keys x 64 elements in registers.
// CHECK-LABEL: func.func private @dit_attention_backward_f32_q512_kv512_d64_task_block_step(
// CHECK-COUNT-24: vector.fma
// CHECK:          scf.yield
// CHECK-COUNT-24: vector.fma
// CHECK:          scf.yield
// CHECK:          arith.bitcast
// CHECK:          scf.for {{.*}} iter_args(
// CHECK-COUNT-16: vector.fma
// CHECK-NOT:      vector.fma
// CHECK:          scf.yield
// CHECK:          scf.for {{.*}} iter_args(
// CHECK-COUNT-16: vector.fma
// CHECK-NOT:      vector.fma
// CHECK:          scf.yield
// CHECK-COUNT-24: vector.fma
func.func @gradient(%q: memref<1x4x512x64xf32>, %k: memref<1x2x512x64xf32>, %l: memref<1x4x512xf32>, %dq: memref<1x4x512x64xf32>, %dk: memref<1x2x512x64xf32>) {
  dit.attention_backward ins(%q, %k, %k, %q, %l, %q : memref<1x4x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512xf32>, memref<1x4x512x64xf32>) outs(%dq, %dk, %dk : memref<1x4x512x64xf32>, memref<1x2x512x64xf32>, memref<1x2x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// A pair has one product of queries and keys; what its second pattern looks at
// is copied, masked and has a softmax and a product of its own, where there is
// any of it.
// CHECK-LABEL: func.func private @dit_attention_pair_f32_q512_kv512_d64_window(
// CHECK-LABEL: func.func private @dit_attention_pair_f32_q512_kv512_d64_window_block_step(
// CHECK:          %{{.*}}:24 = scf.for
// CHECK-COUNT-4:  arith.select {{.*}} : vector<16xi1>, vector<16xf32>
// CHECK-NOT:      %{{.*}}:24 = scf.for
// CHECK:          %[[SCORE:.*]] = vector.load %{{.*}}[%{{.*}}] : memref<90x512xf32>, vector<16xf32>
// CHECK-NEXT:     vector.store %[[SCORE]], %{{.*}} : memref<90x512xf32>
// CHECK:          arith.cmpi sle
// CHECK:          scf.if
// CHECK:            arith.bitcast
// CHECK-COUNT-2:    %{{.*}}:24 = scf.for
// CHECK:          arith.bitcast
// CHECK-COUNT-2:  %{{.*}}:24 = scf.for
// CHECK-NOT:      %{{.*}}:24 = scf.for
func.func @pair(%a: memref<1x4x512x64xf32>, %o: memref<1x4x512x64xf32>, %w: memref<1x4x512x64xf32>) {
  dit.attention_pair ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) within(#dit.window<left = 100, right = 20>) outs(%o, %w : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// Where lengths and widths are small numbers, the pattern is evaluated for a
// vector of keys at a time, in 32 bits; what depends on the query alone stays an
// index.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_grid_window_block_step(
// CHECK:         vector.broadcast %{{.*}} : i32 to vector<16xi32>
// CHECK:         arith.divui %{{.*}} : index
// CHECK:         arith.remui %{{.*}} : vector<16xi32>
// CHECK:         arith.cmpi sle, %{{.*}} : vector<16xi32>
// CHECK:         arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
func.func @vector_mask(%a: memref<1x4x512x64xf32>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) pattern(#dit.grid_window<#dit.grid<8x8x8>, 1 x 2 x 3>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// A number that does not depend on the key may be of any size.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_window_block_step(
// CHECK:         arith.cmpi sle, %{{.*}} : vector<16xi32>
func.func @wide(%a: memref<1x4x512x64xf32>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) pattern(#dit.window<left = 8, right = 1099511627776>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  return
}

// -----

// Text before the video has places below zero, which divisions without a sign
// would not survive in other widths; and lengths that are not known.
// CHECK-LABEL: func.func private @dit_attention_f32_q512_kv512_d64_grid_window_block_step(
// CHECK-NOT:     arith.cmpi {{.*}} : vector<16xi32>
// CHECK-LABEL: func.func private @dit_attention_f32_qd_kvd_d64_window_block_step(
// CHECK-NOT:     arith.cmpi {{.*}} : vector<16xi32>
// CHECK:         return
func.func @scalar_masks(%a: memref<1x4x512x64xf32>, %d: memref<1x4x?x64xf32>, %o: memref<1x4x512x64xf32>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) pattern(#dit.grid_window<#dit.grid<1x25x20, text = 12, text_first>, 1 x 2 x 3>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
  dit.attention ins(%d, %d, %d : memref<1x4x?x64xf32>, memref<1x4x?x64xf32>, memref<1x4x?x64xf32>) pattern(#dit.window<left = 8, right = 8>) outs(%d : memref<1x4x?x64xf32>) {scale = 0.125 : f64}
  return
}
