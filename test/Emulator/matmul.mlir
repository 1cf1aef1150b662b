// A product of f16 matrices with asynchronous copies into two stages, and what
// the emulator says of its mistakes.

// RUN: dit-run %s --entry inputs --target emulator --outputs %t.a.npy,%t.b.npy
// RUN: dit-run %s --entry reference --target emulator --inputs %t.a.npy,%t.b.npy --outputs %t.c.npy
// DEFINE: %{schedules} = sh %S/Inputs/schedules.sh 24
// DEFINE: %{run} = --entry main --inputs %t.a.npy,%t.b.npy --expect %t.c.npy --tolerance 1e-6 --cache-dir %t.cache

// RUN: %{schedules} %s %{run} | FileCheck %s --check-prefix=RIGHT
// RIGHT: 24 schedules pass

// The copies into the stage that is read are not waited for.

// RUN: sed 's/numGroups = 1/numGroups = 2/' %s > %t.wait.mlir
// RUN: %{schedules} %t.wait.mlir %{run} | FileCheck %s --check-prefix=WAIT
// WAIT: wait.mlir:[[#]]:[[#]]: nvvm.ldmatrix: kernel kernels_matmul, CTA (0, 0, 0), thread
// WAIT-SAME: race: ldmatrix: it may come before the end of the asynchronous copy that was issued by thread [[#]] at {{.*}}wait.mlir:[[#]]:[[#]]: nvvm.cp.async.shared.global

// They are, but only by the threads that issued them.

// RUN: sed '/FILLED/d' %s > %t.filled.mlir
// RUN: %{schedules} %t.filled.mlir %{run} | FileCheck %s --check-prefix=FILLED
// FILLED: nvvm.ldmatrix: {{.*}} race: ldmatrix: nothing orders it after the write of thread [[#]] at {{.*}}: nvvm.cp.async.shared.global

// A stage is filled again while others still read it.

// RUN: sed '/CONSUMED/d' %s > %t.consumed.mlir
// RUN: %{schedules} %t.consumed.mlir %{run} | FileCheck %s --check-prefix=CONSUMED
// CONSUMED: nvvm.cp.async.shared.global: {{.*}} race: cp.async: nothing orders it after the read of thread [[#]] at {{.*}}: nvvm.ldmatrix

// The wrong stage is read: in the first round one that nothing has filled, whose
// garbage makes the result NaN, or the race says so first.

// RUN: sed 's/tage = arith.remui %k,/tage = arith.remui %next,/' %s > %t.stage.mlir
// RUN: %{schedules} %t.stage.mlir %{run} | FileCheck %s --check-prefix=STAGE
// STAGE: {{race: ldmatrix|max rel error}}

// Rows of a matrix that are not where ldmatrix can read them.

// RUN: sed 's/%ac = arith.muli %ah, %c8/%ac = arith.muli %ah, %c4/' %s > %t.aligned.mlir
// RUN: %{schedules} %t.aligned.mlir %{run} | FileCheck %s --check-prefix=ALIGNED
// ALIGNED: ldmatrix at byte [[#]] of shared memory, by lane 16: expected a multiple of 16

// RUN: sed 's/%br = arith.addi %b0, %b1/%br = arith.muli %b0, %c32/' %s > %t.bounds.mlir
// RUN: %{schedules} %t.bounds.mlir %{run} | FileCheck %s --check-prefix=BOUNDS
// BOUNDS: out of bounds: ldmatrix of 16 bytes at byte 2048 of a shared memory of 2048 bytes, by lane 1

// RUN: sed 's/%row = arith.divui %lane, %c2/%row = arith.muli %lane, %c2/' %s > %t.rows.mlir
// RUN: %{schedules} %t.rows.mlir %{run} | FileCheck %s --check-prefix=ROWS
// ROWS: out of bounds: cp.async

// A warp that is not whole.

// RUN: sed 's/%c1) threads in (%c64/%c1) threads in (%c1/' %s > %t.warp.mlir
// RUN: %{schedules} %t.warp.mlir %{run} | FileCheck %s --check-prefix=WARP
// WARP: ldmatrix without lanes 0xfffffffe, which have ended or never were

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @matmul(%a: memref<16x64xf16>, %b: memref<16x64xf16>, %out: memref<16x16xf32>)
        workgroup(%as: memref<2x16x16xf16, #gpu.address_space<workgroup>>,
                  %bs: memref<2x16x16xf16, #gpu.address_space<workgroup>>) kernel {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      %c8 = arith.constant 8 : index
      %c16 = arith.constant 16 : index
      %c32 = arith.constant 32 : index
      %tid = gpu.thread_id x
      %lane = arith.remui %tid, %c32 : index
      %warp = arith.divui %tid, %c32 : index
      %loadsA = arith.cmpi ult, %tid, %c32 : index
      // Chunk of 8 elements: row lane / 2, column 8 * (lane % 2).
      %row = arith.divui %lane, %c2 : index
      %half = arith.remui %lane, %c2 : index
      %column = arith.muli %half, %c8 : index
      %zero = arith.constant dense<0.0> : vector<2x2xf32>

      scf.if %loadsA {
        %copy = nvgpu.device_async_copy %a[%row, %column], %as[%c0, %row, %column], 8 : memref<16x64xf16> to memref<2x16x16xf16, #gpu.address_space<workgroup>>
      } else {
        %copy = nvgpu.device_async_copy %b[%row, %column], %bs[%c0, %row, %column], 8 : memref<16x64xf16> to memref<2x16x16xf16, #gpu.address_space<workgroup>>
      }
      %first = nvgpu.device_async_create_group {}
      %d = scf.for %k = %c0 to %c4 step %c1 iter_args(%c = %zero) -> (vector<2x2xf32>) {
        %next = arith.addi %k, %c1 : index
        %stage = arith.remui %k, %c2 : index
        %nextStage = arith.remui %next, %c2 : index
        %more = arith.cmpi ult, %next, %c4 : index
        %base = arith.muli %next, %c16 : index
        %from = arith.addi %base, %column : index
        scf.if %more {
          scf.if %loadsA {
            %copy = nvgpu.device_async_copy %a[%row, %from], %as[%nextStage, %row, %column], 8 : memref<16x64xf16> to memref<2x16x16xf16, #gpu.address_space<workgroup>>
          } else {
            %copy = nvgpu.device_async_copy %b[%row, %from], %bs[%nextStage, %row, %column], 8 : memref<16x64xf16> to memref<2x16x16xf16, #gpu.address_space<workgroup>>
          }
        }
        %group = nvgpu.device_async_create_group {}
        nvgpu.device_async_wait %group {numGroups = 1 : i32}
        gpu.barrier // FILLED
        %ar = arith.remui %lane, %c16 : index
        %ah = arith.divui %lane, %c16 : index
        %ac = arith.muli %ah, %c8 : index
        %fa = nvgpu.ldmatrix %as[%stage, %ar, %ac] {numTiles = 4 : i32, transpose = false} : memref<2x16x16xf16, #gpu.address_space<workgroup>> -> vector<4x2xf16>
        %b0 = arith.remui %lane, %c8 : index
        %b1 = arith.muli %warp, %c8 : index
        %br = arith.addi %b0, %b1 : index
        %b2 = arith.divui %lane, %c8 : index
        %b3 = arith.remui %b2, %c2 : index
        %bc = arith.muli %b3, %c8 : index
        %fb = nvgpu.ldmatrix %bs[%stage, %br, %bc] {numTiles = 2 : i32, transpose = false} : memref<2x16x16xf16, #gpu.address_space<workgroup>> -> vector<2x2xf16>
        %e = nvgpu.mma.sync(%fa, %fb, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
        gpu.barrier // CONSUMED
        scf.yield %e : vector<2x2xf32>
      }
      %g = arith.divui %lane, %c4 : index
      %t = arith.remui %lane, %c4 : index
      %t2 = arith.muli %t, %c2 : index
      %n0 = arith.muli %warp, %c8 : index
      %col = arith.addi %t2, %n0 : index
      %g8 = arith.addi %g, %c8 : index
      %d0 = vector.extract %d[0] : vector<2xf32> from vector<2x2xf32>
      %d1 = vector.extract %d[1] : vector<2xf32> from vector<2x2xf32>
      vector.store %d0, %out[%g, %col] : memref<16x16xf32>, vector<2xf32>
      vector.store %d1, %out[%g8, %col] : memref<16x16xf32>, vector<2xf32>
      gpu.return
    }
  }
  func.func @inputs() -> (tensor<16x64xf16>, tensor<16x64xf16>) {
    %e = tensor.empty() : tensor<16x64xf16>
    %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        outs(%e : tensor<16x64xf16>) {
    ^bb0(%old: f16):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %c7 = arith.constant 7 : index
      %c3 = arith.constant 3 : index
      %ij = arith.muli %i, %j : index
      %0 = arith.addi %ij, %i : index
      %1 = arith.remui %0, %c7 : index
      %2 = arith.index_cast %1 : index to i32
      %3 = arith.sitofp %2 : i32 to f16
      %offset = arith.constant 3.0 : f16
      %4 = arith.subf %3, %offset : f16
      linalg.yield %4 : f16
    } -> tensor<16x64xf16>
    %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        outs(%e : tensor<16x64xf16>) {
    ^bb0(%old: f16):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %c5 = arith.constant 5 : index
      %0 = arith.addi %i, %j : index
      %1 = arith.remui %0, %c5 : index
      %2 = arith.index_cast %1 : index to i32
      %3 = arith.sitofp %2 : i32 to f16
      linalg.yield %3 : f16
    } -> tensor<16x64xf16>
    return %a, %b : tensor<16x64xf16>, tensor<16x64xf16>
  }

  func.func @reference(%a: tensor<16x64xf16>, %b: tensor<16x64xf16>) -> tensor<16x16xf32> {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<16x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x16xf32>) -> tensor<16x16xf32>
    %c = linalg.matmul indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>]
        ins(%a, %b : tensor<16x64xf16>, tensor<16x64xf16>) outs(%f : tensor<16x16xf32>) -> tensor<16x16xf32>
    return %c : tensor<16x16xf32>
  }

  func.func @main(%a: tensor<16x64xf16>, %b: tensor<16x64xf16>) -> tensor<16x16xf32> {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %am = bufferization.to_buffer %a read_only : tensor<16x64xf16> to memref<16x64xf16>
    %bm = bufferization.to_buffer %b read_only : tensor<16x64xf16> to memref<16x64xf16>
    %out = memref.alloc() : memref<16x16xf32>
    gpu.launch_func @kernels::@matmul blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
        args(%am : memref<16x64xf16>, %bm : memref<16x64xf16>, %out : memref<16x16xf32>)
    %r = bufferization.to_tensor %out restrict : memref<16x16xf32> to tensor<16x16xf32>
    return %r : tensor<16x16xf32>
  }
}
