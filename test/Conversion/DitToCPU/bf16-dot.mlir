// RUN: dit-opt %s --convert-dit-to-cpu="vector-bits=512 registers=32 bf16-dot=1" | FileCheck %s
// RUN: dit-opt %s --convert-dit-to-cpu="vector-bits=512 registers=32 bf16-dot=0" | FileCheck %s --check-prefix=NONE

// Panels hold pairs: 32 pairs x 64 keys, and 32 pairs of keys x 64 elements.
// CHECK-LABEL: func.func private @dit_attention_bf16_q512_kv512_d64(
// CHECK-COUNT-2: memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?x?x2048xi32>
// The values of two keys in one word.
// CHECK:         arith.extui {{.*}} : vector<16xi16> to vector<16xi32>
// CHECK:         arith.shli
// CHECK:         arith.ori

// Scores are not scaled before the softmax; weights are rounded there.
// CHECK-LABEL: func.func private @dit_attention_bf16_q512_kv512_d64_block_step(
// CHECK-COUNT-24: x86vector.avx512.dot {{.*}} : vector<32xbf16> -> vector<16xf32>
// CHECK-NOT:      x86vector.avx512.dot
// CHECK:          vector.fma
// CHECK:          x86vector.avx512.cvt.packed.f32_to_bf16 {{.*}} : vector<16xf32> -> vector<16xbf16>
// CHECK-COUNT-24: x86vector.avx512.dot

// NONE-NOT: x86vector
func.func @dense(%a: memref<1x4x512x64xbf16>, %o: memref<1x4x512x64xbf16>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xbf16>, memref<1x4x512x64xbf16>, memref<1x4x512x64xbf16>) outs(%o : memref<1x4x512x64xbf16>) {scale = 0.125 : f64}
  return
}

// Masked scores would not stay -inf under a scale of zero.
// CHECK-LABEL: func.func private @dit_attention_bf16_q512_kv512_d64_0_block_step(
// CHECK-NOT: x86vector
func.func @scale_of_zero(%a: memref<1x4x512x64xbf16>, %o: memref<1x4x512x64xbf16>) {
  dit.attention ins(%a, %a, %a : memref<1x4x512x64xbf16>, memref<1x4x512x64xbf16>, memref<1x4x512x64xbf16>) outs(%o : memref<1x4x512x64xbf16>) {scale = 0.0 : f64}
  return
}
