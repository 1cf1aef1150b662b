// RUN: dit-opt %s --convert-dit-to-cpu | FileCheck %s
// RUN: dit-opt %s --convert-dit-to-cpu="vector-bits=512 registers=32" | FileCheck %s --check-prefix=OPTION
// RUN: not dit-opt %s --convert-dit-to-cpu="vector-bits=96" 2>&1 | FileCheck %s --check-prefix=ERROR

// The module's description of the machine counts before the host, and options
// before both.
// CHECK:  vector.fma {{.*}} : vector<4xf32>
// OPTION: vector.fma {{.*}} : vector<16xf32>
// ERROR:  error: expected vectors of a power of two of at least 64 bits and at least 4 registers, got 96 bits and 32 registers
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"vector_bits" = 128 : i64, "vector_registers" = 32 : i64>>} {
  func.func @f(%a: memref<1x4x512x64xf32>, %o: memref<1x4x512x64xf32>) {
    dit.attention ins(%a, %a, %a : memref<1x4x512x64xf32>, memref<1x4x512x64xf32>, memref<1x4x512x64xf32>) outs(%o : memref<1x4x512x64xf32>) {scale = 0.125 : f64}
    return
  }
}
