// RUN: dit-opt %s --fuse-rows-for-cpu=tile-rows=16 --canonicalize --cse --split-input-file | FileCheck %s
// RUN: dit-opt %s --fuse-rows-for-cpu=tile-rows=16 --split-input-file | FileCheck %s --check-prefix=INITS

#row = affine_map<(d0, d1) -> (d0)>
#col = affine_map<(d0, d1) -> (d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(m, p, w, k) -> (m, k)>
#b = affine_map<(m, p, w, k) -> (p, k, w)>
#c = affine_map<(m, p, w, k) -> (m, p, w)>

// A product, its bias and the sum of each row run tile by tile; only what is
// used outside of the loop has all rows. The activation overwrites the product.
// CHECK-LABEL: func.func @linear(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<256x8xf32>, %[[W:[a-z0-9]+]]: tensor<2x8x16xf32>, %[[B:[a-z0-9]+]]: tensor<32xf32>)
// CHECK: %[[E:.*]] = tensor.empty() : tensor<256xf32>
// CHECK: %[[R:.*]] = scf.forall (%[[I:.*]]) in (16) shared_outs(%[[OUT:.*]] = %[[E]]) -> (tensor<256xf32>)
// CHECK: %[[AT:.*]] = affine.apply #{{.*}}(%[[I]])
// CHECK: %[[O:.*]] = tensor.extract_slice %[[OUT]][%[[AT]]] [16] [1]
// CHECK: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[AT]], 0] [16, 8] [1, 1]
// CHECK: %[[F:.*]] = linalg.fill {{.*}} -> tensor<16x2x16xf32>
// CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%[[XT]], %[[W]] : tensor<16x8xf32>, tensor<2x8x16xf32>) outs(%[[F]] : tensor<16x2x16xf32>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[M]]
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[C]], %[[B]] : tensor<16x32xf32>, tensor<32xf32>)
// CHECK: %[[Z:.*]] = linalg.fill {{.*}} outs(%[[O]] : tensor<16xf32>)
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[T]] : tensor<16x32xf32>) outs(%[[Z]] : tensor<16xf32>)
// CHECK: tensor.parallel_insert_slice %[[S]] into %[[OUT]][%[[AT]]] [16] [1]
// CHECK: return %[[R]]
func.func @linear(%x: tensor<256x8xf32>, %w: tensor<2x8x16xf32>, %bias: tensor<32xf32>) -> tensor<256xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x2x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x2x16xf32>) -> tensor<256x2x16xf32>
  %m = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<256x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x2x16xf32>
  %c = tensor.collapse_shape %m [[0], [1, 2]] : tensor<256x2x16xf32> into tensor<256x32xf32>
  %e1 = tensor.empty() : tensor<256x32xf32>
  %t = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c, %bias : tensor<256x32xf32>, tensor<32xf32>) outs(%e1 : tensor<256x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %s = arith.addf %l, %r : f32
    %h = math.tanh %s : f32
    linalg.yield %h : f32
  } -> tensor<256x32xf32>
  %e2 = tensor.empty() : tensor<256xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<256xf32>) -> tensor<256xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%t : tensor<256x32xf32>) outs(%f2 : tensor<256xf32>) {
  ^bb0(%l: f32, %o: f32):
    %a = arith.addf %l, %o : f32
    linalg.yield %a : f32
  } -> tensor<256xf32>
  return %s : tensor<256xf32>
}

// -----

#a = affine_map<(m, p, w, k) -> (m, k)>
#b = affine_map<(m, p, w, k) -> (p, k, w)>
#c = affine_map<(m, p, w, k) -> (m, p, w)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#batch = affine_map<(d0, d1, d2) -> (d0, d2)>
#swap = affine_map<(d0, d1, d2) -> (d1, d0, d2)>

// The rows of [2, 128, 32] are those of [256, 2, 16]; what differs by batch is
// read at the batch of the tile. A transpose takes other rows, so it is not in
// the loop, nor what needs it.
// CHECK-LABEL: func.func @batches(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<256x8xf32>, %{{.*}}: tensor<2x8x16xf32>, %[[G:[a-z0-9]+]]: tensor<2x32xf32>)
// CHECK: %[[R:.*]] = scf.forall (%[[I:.*]]) in (16) {{.*}} -> (tensor<2x128x32xf32>)
// CHECK-DAG: %[[AT:.*]] = affine.apply #[[$BATCH:.*]](%[[I]])
// CHECK-DAG: %[[GT:.*]] = tensor.extract_slice %[[G]][%[[AT]], 0] [1, 32] [1, 1]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[GT]] : tensor<1x16x32xf32>, tensor<1x32xf32>)
// CHECK: scf.forall.in_parallel
// CHECK: linalg.generic {{.*}} ins(%[[R]] : tensor<2x128x32xf32>) outs(%{{.*}} : tensor<128x2x32xf32>)
func.func @batches(%x: tensor<256x8xf32>, %w: tensor<2x8x16xf32>, %gate: tensor<2x32xf32>) -> tensor<128x2x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x2x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x2x16xf32>) -> tensor<256x2x16xf32>
  %m = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<256x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x2x16xf32>
  %c = tensor.collapse_shape %m [[0], [1, 2]] : tensor<256x2x16xf32> into tensor<256x32xf32>
  %x3 = tensor.expand_shape %c [[0, 1], [2]] output_shape [2, 128, 32] : tensor<256x32xf32> into tensor<2x128x32xf32>
  %e1 = tensor.empty() : tensor<2x128x32xf32>
  %t = linalg.generic {indexing_maps = [#id3, #batch, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x3, %gate : tensor<2x128x32xf32>, tensor<2x32xf32>) outs(%e1 : tensor<2x128x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %s = arith.mulf %l, %r : f32
    linalg.yield %s : f32
  } -> tensor<2x128x32xf32>
  %e2 = tensor.empty() : tensor<128x2x32xf32>
  %u = linalg.generic {indexing_maps = [#swap, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t : tensor<2x128x32xf32>) outs(%e2 : tensor<128x2x32xf32>) {
  ^bb0(%l: f32, %o: f32):
    linalg.yield %l : f32
  } -> tensor<128x2x32xf32>
  return %u : tensor<128x2x32xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// A matrix that its kernel has to bring into panels first stays where it is, and
// a single op gains nothing.
// CHECK-LABEL: func.func @unpacked(
// CHECK-NOT: scf.forall
func.func @unpacked(%x: tensor<256x8xf32>, %w: tensor<8x32xf32>) -> tensor<256x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x32xf32>) -> tensor<256x32xf32>
  %m = linalg.matmul ins(%x, %w : tensor<256x8xf32>, tensor<8x32xf32>) outs(%f : tensor<256x32xf32>) -> tensor<256x32xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m : tensor<256x32xf32>) outs(%e : tensor<256x32xf32>) {
  ^bb0(%l: f32, %o: f32):
    %h = math.tanh %l : f32
    linalg.yield %h : f32
  } -> tensor<256x32xf32>
  return %t : tensor<256x32xf32>
}

// -----

#a = affine_map<(m, p, w, k) -> (m, k)>
#b = affine_map<(m, p, w, k) -> (p, k, w)>
#c = affine_map<(m, p, w, k) -> (m, p, w)>

// One product fills a group, so the second one goes to the group that waits for
// the transpose, although it needs nothing of it and stands before the end of
// the first group.
// CHECK-LABEL: func.func @overflow(
// CHECK: %[[FIRST:.*]]:2 = scf.forall
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[FIRST]]#0 : tensor<256x2x16xf32>) outs(%{{.*}} : tensor<2x16x256xf32>)
// CHECK: %[[SECOND:.*]]:2 = scf.forall
// CHECK: tensor.extract_slice %[[T]]
// CHECK: return %[[FIRST]]#1, %[[SECOND]]#0, %[[SECOND]]#1
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"L2_cache_size_in_bytes" = 1500 : i64>>} {
func.func @overflow(%x: tensor<256x8xf32>, %w: tensor<2x8x16xf32>, %w2: tensor<2x8x16xf32>) -> (tensor<256x2x16xf32>, tensor<256x2x16xf32>, tensor<256x2x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x2x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x2x16xf32>) -> tensor<256x2x16xf32>
  %m = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<256x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x2x16xf32>
  %te = tensor.empty() : tensor<2x16x256xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(p, w, m) -> (m, p, w)>, affine_map<(p, w, m) -> (p, w, m)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%m : tensor<256x2x16xf32>) outs(%te : tensor<2x16x256xf32>) {
  ^bb0(%l: f32, %o: f32):
    linalg.yield %l : f32
  } -> tensor<2x16x256xf32>
  %u = linalg.generic {indexing_maps = [affine_map<(m, p, w) -> (p, w, m)>, affine_map<(m, p, w) -> (m, p, w)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t : tensor<2x16x256xf32>) outs(%e : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %o: f32):
    %h = math.tanh %l : f32
    linalg.yield %h : f32
  } -> tensor<256x2x16xf32>
  %m2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w2 : tensor<256x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x2x16xf32>
  %last = linalg.generic {indexing_maps = [affine_map<(m, p, w) -> (m, p, w)>, affine_map<(m, p, w) -> (m, p, w)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%m : tensor<256x2x16xf32>) outs(%e : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %o: f32):
    %h = math.tanh %l : f32
    linalg.yield %h : f32
  } -> tensor<256x2x16xf32>
  return %last, %u, %m2 : tensor<256x2x16xf32>, tensor<256x2x16xf32>, tensor<256x2x16xf32>
}
}

// -----

#a = affine_map<(m, p, w, k) -> (m, k)>
#b = affine_map<(m, p, w, k) -> (p, k, w)>
#c = affine_map<(m, p, w, k) -> (m, p, w)>

// Two products read the same tile, which is one slice, but begin as zeros of
// their own: a shared fill would have to be copied.
// INITS-LABEL: func.func @inits(
// INITS: scf.forall
// INITS: tensor.extract_slice %arg0
// INITS-NOT: tensor.extract_slice %arg0
// INITS: %[[F:.*]] = linalg.fill
// INITS: linalg.generic {{.*}} outs(%[[F]]
// INITS: %[[G:.*]] = linalg.fill
// INITS: linalg.generic {{.*}} outs(%[[G]]
func.func @inits(%x: tensor<256x8xf32>, %w: tensor<2x8x16xf32>, %w2: tensor<2x8x16xf32>) -> (tensor<256x2x16xf32>, tensor<256x2x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x2x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x2x16xf32>) -> tensor<256x2x16xf32>
  %m = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<256x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x2x16xf32>
  %m2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w2 : tensor<256x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<256x2x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<256x2x16xf32>
  return %m, %m2 : tensor<256x2x16xf32>, tensor<256x2x16xf32>
}
