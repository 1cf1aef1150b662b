// RUN: dit-opt %s --convert-nvvm-to-emulator --split-input-file --verify-diagnostics | FileCheck %s

// A kernel takes its arguments from an array and is known by a descriptor; its
// static shared memory is at offsets, the dynamic one behind it.

// CHECK-LABEL: func.func @host(
// CHECK-NOT: gpu.launch_func
// CHECK: %[[KERNEL:.*]] = llvm.mlir.addressof @m_k_kernel
// CHECK: llvm.call @dit_emu_launch(%[[KERNEL]], {{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()

// CHECK: llvm.mlir.global internal constant @[[$PLACE:.*]]("convert-nvvm-to-emulator.mlir:[[#]]:[[#]]: nvvm.barrier0\00")
// CHECK: llvm.func @dit_emu_barrier(i32, i32, i1, !llvm.ptr)

// CHECK-LABEL: llvm.func internal @m_k(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr, %{{.*}}: i64
// CHECK: %[[TID:.*]] = llvm.mlir.constant(0 : i32) : i32
// CHECK: llvm.call @dit_emu_register(%[[TID]])
// CHECK: %[[BASE:.*]] = llvm.call @dit_emu_shared()
// CHECK: llvm.getelementptr %[[BASE]][0]
// CHECK: %[[BASE:.*]] = llvm.call @dit_emu_shared()
// CHECK: llvm.getelementptr %[[BASE]][32]
// CHECK: %[[BYTES:.*]] = llvm.mlir.constant(4 : i64)
// CHECK: %[[READ:.*]] = llvm.mlir.constant(false)
// CHECK: llvm.call @dit_emu_access(%[[P]], %[[BYTES]], %[[READ]], %{{.*}})
// CHECK: llvm.load %[[P]]
// CHECK: %[[TEXT:.*]] = llvm.mlir.addressof @[[$PLACE]]
// CHECK: llvm.call @dit_emu_barrier(%{{.*}}, %{{.*}}, %{{.*}}, %[[TEXT]])
// CHECK: llvm.call @expf
// CHECK-LABEL: llvm.func internal @m_k_thread(%{{.*}}: !llvm.ptr)
// CHECK: llvm.call @m_k(
// CHECK: llvm.mlir.global internal constant @m_k_kernel()
// CHECK: llvm.mlir.constant(32 : i64)
module attributes {gpu.container_module} {
gpu.module @m {
  llvm.mlir.global internal @fixed() {addr_space = 3 : i32} : !llvm.array<5 x i32>
  llvm.mlir.global external @dynamic() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
  llvm.func @__nv_expf(f32) -> f32
  llvm.func @k(%p: !llvm.ptr, %n: i64) attributes {gpu.kernel, nvvm.kernel} {
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %a = llvm.mlir.addressof @fixed : !llvm.ptr<3>
      %b = llvm.mlir.addressof @dynamic : !llvm.ptr<3>
      %v = llvm.load %p : !llvm.ptr -> f32
      nvvm.barrier0
      %e = llvm.call @__nv_expf(%v) : (f32) -> f32
      llvm.return
  }
}
func.func @host(%p: !llvm.ptr, %n: i64) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%p : !llvm.ptr, %n : i64)
  return
}
}

// -----

gpu.module @m {
  llvm.func @k() attributes {gpu.kernel, nvvm.kernel} {
    // expected-error @below {{the emulator does not know inline assembly}}
    llvm.inline_asm has_side_effects "bar.sync 0;", "" : () -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @k() attributes {gpu.kernel, nvvm.kernel} {
    // expected-error @below {{the emulator does not know nvvm.cluster.arrive}}
    nvvm.cluster.arrive
    llvm.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{the emulator does not know function 'vprintf'}}
  llvm.func @vprintf(!llvm.ptr, !llvm.ptr) -> i32
  llvm.func @k() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{expected functions and globals of the LLVM dialect in a gpu.module; run --convert-gpu-to-nvvm first}}
  gpu.func @k() kernel {
    gpu.return
  }
}

// -----

module attributes {gpu.container_module} {
gpu.module @m {
  llvm.func @k(%n: i64) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @host(%n: i32) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{expected operands of types 'i64' for kernel @m::@k, got 'i32'}}
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%n : i32)
  return
}
}
