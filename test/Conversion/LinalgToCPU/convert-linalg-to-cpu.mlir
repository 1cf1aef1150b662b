// RUN: dit-opt %s --convert-linalg-to-cpu=vector-bits=512 --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Equal ops share a kernel. Neighbours in a row are lanes; what does not
// depend on the lane stays scalar.
// CHECK-LABEL: func.func @shared(
// CHECK: call @[[K:linalg_generic]](
// CHECK-NEXT: call @[[K]](
// CHECK: func.func private @linalg_generic(
// CHECK-SAME: %[[A:.*]]: memref<64x48xf32>, %[[S:.*]]: memref<64xf32>, %[[O:.*]]: memref<64x48xf32>)
// CHECK: scf.for %[[I:.*]] =
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-DAG: vector.load %[[A]][%[[I]], %[[J]]] : memref<64x48xf32>, vector<16xf32>
// CHECK-DAG: %[[X:.*]] = memref.load %[[S]][%[[I]]]
// CHECK: %[[E:.*]] = math.exp %[[X]] : f32
// CHECK: vector.broadcast %[[E]]
// CHECK: arith.mulf %{{.*}} : vector<16xf32>
// CHECK: vector.store %{{.*}}, %[[O]][%[[I]], %[[J]]]
func.func @shared(%a: memref<64x48xf32>, %s: memref<64xf32>, %o: memref<64x48xf32>) {
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %s : memref<64x48xf32>, memref<64xf32>) outs(%o : memref<64x48xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %e = math.exp %y : f32
    %m = arith.mulf %x, %e : f32
    linalg.yield %m : f32
  }
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%o, %s : memref<64x48xf32>, memref<64xf32>) outs(%a : memref<64x48xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %e = math.exp %y : f32
    %m = arith.mulf %x, %e : f32
    linalg.yield %m : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A sum along rows of unknown length: vector partial sums, then the tail, on
// threads.
// CHECK-LABEL: func.func @reduction(
// CHECK: func.func private @linalg_generic(
// CHECK: scf.parallel
// CHECK: scf.for {{.*}} -> (vector<64xf32>)
// CHECK: vector.load
// CHECK: arith.addf {{.*}} : vector<64xf32>
// CHECK: scf.for {{.*}} -> (f32)
// CHECK: arith.addf {{.*}} : f32
// CHECK: vector.reduction <add>
// CHECK: memref.store
func.func @reduction(%a: memref<?x?xf32>, %o: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<?x?xf32>) outs(%o : memref<?xf32>) {
  ^bb0(%x: f32, %y: f32):
    %m = arith.addf %x, %y : f32
    linalg.yield %m : f32
  }
  return
}

// -----

// A product of many rows packs its right-hand side and replaces the fill.
// CHECK-LABEL: func.func @matmul(
// CHECK-NOT: call @linalg_fill
// CHECK: call @[[K:linalg_matmul]](
// CHECK: func.func private @[[K]](
// CHECK: %[[P:.*]] = memref.alloc() {alignment = 64 : i64} : memref<1x4x64x32xf32>
// CHECK: vector.store %{{.*}}, %[[P]]
// CHECK: scf.parallel
// CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
// CHECK-COUNT-16: vector.fma
// CHECK-NOT: vector.maskedstore
func.func @matmul(%a: memref<512x64xf32>, %b: memref<64x128xf32>) -> memref<512x128xf32> {
  %zero = arith.constant 0.0 : f32
  %c = memref.alloc() : memref<512x128xf32>
  linalg.fill ins(%zero : f32) outs(%c : memref<512x128xf32>)
  linalg.matmul ins(%a, %b : memref<512x64xf32>, memref<64x128xf32>) outs(%c : memref<512x128xf32>)
  return %c : memref<512x128xf32>
}

// -----

// Narrow types accumulate in f32 and round once; columns that do not fill a
// panel are masked; the old contents are added.
// CHECK-LABEL: func.func @matmul_bf16(
// CHECK: func.func private @linalg_matmul(
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: scf.if
// CHECK: vector.maskedload
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: arith.truncf {{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.maskedstore
func.func @matmul_bf16(%a: memref<?x?xbf16>, %b: memref<?x?xbf16>, %c: memref<?x?xbf16>) {
  linalg.matmul ins(%a, %b : memref<?x?xbf16>, memref<?x?xbf16>) outs(%c : memref<?x?xbf16>)
  return
}

// -----

// Few rows read the right-hand side in place.
// CHECK-LABEL: func.func @matmul_few_rows(
// CHECK: func.func private @linalg_matmul(
// CHECK-SAME: %{{[^:]*}}: memref<2x64xf32>, %[[B:.*]]: memref<64x128xf32>, %
// CHECK-NOT: memref.alloc
// CHECK: vector.load %[[B]]
func.func @matmul_few_rows(%a: memref<2x64xf32>, %b: memref<64x128xf32>, %c: memref<2x128xf32>) {
  linalg.matmul ins(%a, %b : memref<2x64xf32>, memref<64x128xf32>) outs(%c : memref<2x128xf32>)
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#n = affine_map<(m, n, k) -> (n)>
#c = affine_map<(m, n, k) -> (m, n)>

// The sums begin as the bias; what the output held does not matter.
// CHECK-LABEL: func.func @biased(
// CHECK: func.func private @linalg_generic(
// CHECK-SAME: %[[BIAS:[a-z0-9]+]]: memref<32xf32>, %[[C:[a-z0-9]+]]: memref<64x32xf32>)
// CHECK-NOT: vector.load %[[C]]
// CHECK: %[[S0:.*]] = vector.load %[[BIAS]]
// CHECK: %[[S1:.*]] = vector.load %[[BIAS]]
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[S0]], %{{.*}} = %[[S1]], %{{.*}} = %[[S0]],
// CHECK: vector.fma
// CHECK-NOT: vector.load %[[C]]
func.func @biased(%a: memref<64x8xf32>, %b: memref<8x32xf32>, %bias: memref<32xf32>, %c: memref<64x32xf32>) {
  %zero = arith.constant 0 : index
  linalg.generic {indexing_maps = [#a, #b, #n, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b, %bias : memref<64x8xf32>, memref<8x32xf32>, memref<32xf32>) outs(%c : memref<64x32xf32>) {
  ^bb0(%l: f32, %r: f32, %q: f32, %o: f32):
    %k = linalg.index 2 : index
    %first = arith.cmpi eq, %k, %zero : index
    %start = arith.select %first, %q, %o : f32
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %start, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(d0) -> (d0)>

// i1 is a byte in memory and a bit in a vector: lane by lane. Gathers too.
// CHECK-LABEL: func.func @bools_and_gathers(
// CHECK: func.func private @linalg_generic(
// CHECK-NOT: vector.load {{.*}}xi1>
// CHECK: vector.from_elements {{.*}} : vector<16xi1>
// CHECK: vector.extract
// CHECK: memref.load
func.func @bools_and_gathers(%p: memref<16xi1>, %i: memref<16xindex>, %t: memref<99xf32>, %o: memref<16xf32>) {
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%p, %i : memref<16xi1>, memref<16xindex>) outs(%o : memref<16xf32>) {
  ^bb0(%c: i1, %k: index, %z: f32):
    %x = memref.load %t[%k] : memref<99xf32>
    %y = arith.negf %x : f32
    %s = arith.select %c, %x, %y : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// A copy between layouts is a kernel; one between equal layouts is not.
// CHECK-LABEL: func.func @copies(
// CHECK: memref.copy
// CHECK-NEXT: call @linalg_generic(
func.func @copies(%a: memref<8x16xf32>, %b: memref<8x16xf32>, %c: memref<8x16xf32, strided<[32, 2]>>) {
  memref.copy %a, %b : memref<8x16xf32> to memref<8x16xf32>
  memref.copy %a, %c : memref<8x16xf32> to memref<8x16xf32, strided<[32, 2]>>
  return
}

// -----

#a = affine_map<(m, p, w, k) -> (m, k)>
#b = affine_map<(m, p, w, k) -> (p, k, w)>
#c = affine_map<(m, p, w, k) -> (m, p, w)>

// A right-hand side that is stored in panels is read as it is. A loop over tasks
// is a function of its own; each iteration is for one thread.
// CHECK-LABEL: func.func @task(
// CHECK: call @linalg_rows(
// CHECK: func.func private @linalg_generic(
// CHECK-NOT: scf.parallel
// CHECK-NOT: memref.alloc()
// CHECK: vector.load %[[W:.*]][%[[P:.*]], %[[K:.*]], %{{.*}}] : memref<2x8x32xf32>, vector<16xf32>
// CHECK: vector.fma
// CHECK: vector.store %{{.*}}, %{{.*}}[%{{.*}}, %[[P]], %{{.*}}] : memref<16x2x32xf32
// CHECK: func.func private @linalg_rows(
// CHECK: scf.parallel
// CHECK: call @linalg_generic(
// CHECK: scf.reduce
func.func @task(%x: memref<256x8xf32>, %w: memref<2x8x32xf32>, %o: memref<256x2x32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    %r = arith.muli %i, %c16 : index
    %xt = memref.subview %x[%r, 0] [16, 8] [1, 1] : memref<256x8xf32> to memref<16x8xf32, strided<[8, 1], offset: ?>>
    %ot = memref.subview %o[%r, 0, 0] [16, 2, 32] [1, 1, 1] : memref<256x2x32xf32> to memref<16x2x32xf32, strided<[64, 32, 1], offset: ?>>
    linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
        ins(%xt, %w : memref<16x8xf32, strided<[8, 1], offset: ?>>, memref<2x8x32xf32>) outs(%ot : memref<16x2x32xf32, strided<[64, 32, 1], offset: ?>>) {
    ^bb0(%l: f32, %m: f32, %n: f32):
      %p = arith.mulf %l, %m : f32
      %s = arith.addf %n, %p : f32
      linalg.yield %s : f32
    }
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Every second element: two loads that end with the last one, and stores that
// leave what is between alone.
// CHECK-LABEL: func.func @every_second(
// CHECK: func.func private @linalg_generic(
// CHECK: %[[LOW:.*]] = vector.load
// CHECK: %[[HIGH:.*]] = vector.load
// CHECK: vector.shuffle %[[LOW]], %[[HIGH]] [0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31]
// CHECK: %[[MASK:.*]] = arith.constant dense<[true, false, true, false, true, false, true, false, true, false, true, false, true, false, true, false]> : vector<16xi1>
// CHECK: vector.shuffle {{.*}} [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
// CHECK: vector.maskedstore %{{.*}}, %[[MASK]]
// CHECK: vector.shuffle {{.*}} [8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15]
// CHECK: vector.maskedstore %{{.*}}, %[[MASK]]
func.func @every_second(%a: memref<64x16xf32, strided<[32, 2], offset: 1>>, %o: memref<64x16xf32, strided<[32, 2]>>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<64x16xf32, strided<[32, 2], offset: 1>>) outs(%o : memref<64x16xf32, strided<[32, 2]>>) {
  ^bb0(%x: f32, %z: f32):
    %e = arith.negf %x : f32
    linalg.yield %e : f32
  }
  return
}
