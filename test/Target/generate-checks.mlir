// RUN: dit-opt %s --dit-generate-checks | FileCheck %s

// What the verifier knows is not asked again.

// CHECK-LABEL: func.func @fits(
// CHECK-NEXT: linalg.copy
// CHECK-NEXT: return
func.func @fits(%a: memref<4xf32>, %b: memref<4xf32>) {
  linalg.copy ins(%a : memref<4xf32>) outs(%b : memref<4xf32>)
  return
}

// CHECK-LABEL: func.func @unknown(
// CHECK: cf.assert %{{.*}}, "dimension #0 of input/output operand #1 is incompatible with inferred dimension size, Location: loc({{.*}})"
// CHECK: linalg.copy
func.func @unknown(%a: memref<?xf32>, %b: memref<4xf32>) {
  linalg.copy ins(%a : memref<?xf32>) outs(%b : memref<4xf32>)
  return
}

// Static shapes say nothing of indices.

// CHECK-LABEL: func.func @index(
// CHECK: cf.assert %{{.*}}, "out-of-bounds access, Location: loc({{.*}})"
// CHECK: memref.load
func.func @index(%a: memref<4xf32>, %i: index) -> f32 {
  %x = memref.load %a[%i] : memref<4xf32>
  return %x : f32
}

// CHECK-LABEL: func.func @keys(
// CHECK: cf.assert %{{.*}}, "{{[^,]*}}, Location: loc({{.*}})"
// CHECK: dit.attention
func.func @keys(%q: memref<1x1x4x16xf32>, %n: memref<1xi32>) {
  dit.attention ins(%q, %q, %q : memref<1x1x4x16xf32>, memref<1x1x4x16xf32>, memref<1x1x4x16xf32>)
      kv_valid(%n : memref<1xi32>) outs(%q : memref<1x1x4x16xf32>) {scale = 1.0 : f64}
  return
}

// -----

// A slice that is within its source wherever the loop is needs no check.

// CHECK-LABEL: func.func @tiles(
// CHECK-NOT: cf.assert
// CHECK: return
func.func @tiles(%x: memref<2x2048x128xf32>, %s: f32) {
  scf.forall (%i) in (64) {
    %b = affine.apply affine_map<(d0) -> (d0 floordiv 32)>(%i)
    %r = affine.apply affine_map<(d0) -> ((d0 mod 32) * 64)>(%i)
    %t = memref.subview %x[%b, %r, 0] [1, 64, 128] [1, 1, 1] : memref<2x2048x128xf32> to memref<1x64x128xf32, strided<[262144, 128, 1], offset: ?>>
    linalg.fill ins(%s : f32) outs(%t : memref<1x64x128xf32, strided<[262144, 128, 1], offset: ?>>)
  }
  return
}

// -----

// One that may reach beyond it does.

// CHECK-LABEL: func.func @beyond(
// CHECK: cf.assert
func.func @beyond(%x: memref<100x8xf32>, %s: f32) {
  scf.forall (%i) in (7) {
    %r = affine.apply affine_map<(d0) -> (d0 * 16)>(%i)
    %t = memref.subview %x[%r, 0] [16, 8] [1, 1] : memref<100x8xf32> to memref<16x8xf32, strided<[8, 1], offset: ?>>
    linalg.fill ins(%s : f32) outs(%t : memref<16x8xf32, strided<[8, 1], offset: ?>>)
  }
  return
}
