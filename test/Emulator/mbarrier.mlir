// Four rows of 64 numbers go one by one through two stages of shared memory: one
// thread lets bulk copies fill them, a warp sums what it reads. Every
// mistake in who waits for whom, or for how much, is reported.

// DEFINE: %{schedules} = sh %S/Inputs/schedules.sh 24
// DEFINE: %{run} = --entry main --inputs %t.x.npy --expect %t.y.npy --cache-dir %t.cache
// RUN: dit-run %s --entry input --target emulator --outputs %t.x.npy,%t.y.npy

// RUN: %{schedules} %s %{run} | FileCheck %s --check-prefix=RIGHT
// RIGHT: 24 schedules pass

// RUN: sed '/WAIT-FULL/d' %s > %t.full.mlir
// RUN: %{schedules} %t.full.mlir %{run} | FileCheck %s --check-prefix=FULL
// FULL: {{race: a load: it may come before the end of the asynchronous copy|deadlock: no thread can go on}}

// RUN: sed '/WAIT-EMPTY/d' %s > %t.empty.mlir
// RUN: %{schedules} %t.empty.mlir %{run} | FileCheck %s --check-prefix=EMPTY
// EMPTY: {{race: cp.async.bulk|deadlock: no thread can go on}}

// RUN: sed 's/arity = llvm.xor \(.*\), .one/arity = llvm.or \1, %zero/' %s > %t.parity.mlir
// RUN: %{schedules} %t.parity.mlir %{run} | FileCheck %s --check-prefix=PARITY
// PARITY: deadlock: no thread can go on
// PARITY: nvvm.mbarrier.try_wait.parity: 1 threads, the first is thread 32 (32, 0, 0), wait for a phase of the mbarrier at byte {{[0-9]+}}, which expects 32 more arrivals and 0 more bytes in its phase 0

// RUN: sed 's/constant(256 : i32)/constant(272 : i32)/' %s > %t.bytes.mlir
// RUN: %{schedules} %t.bytes.mlir %{run} | FileCheck %s --check-prefix=BYTES
// BYTES: nvvm.cp.async.bulk.shared.cluster.global: {{.*}} race: cp.async.bulk: nothing orders it after the read of thread {{.*}}: nvvm.mbarrier

// RUN: sed 's/init %empty, %count/init %empty, %bytes/' %s > %t.count.mlir
// RUN: %{schedules} %t.count.mlir %{run} | FileCheck %s --check-prefix=COUNT
// COUNT: deadlock: no thread can go on
// COUNT: expects 224 more arrivals and 0 more bytes

// RUN: sed '/INITIALISED/d' %s > %t.init.mlir
// RUN: %{schedules} %t.init.mlir %{run} | FileCheck %s --check-prefix=INIT
// INIT: {{what is no mbarrier: nothing has initialised it|race: mbarrier}}

module attributes {gpu.container_module} {
  gpu.module @kernels {
    llvm.mlir.global internal @stages() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<128 x f32>
    llvm.mlir.global internal @full() {addr_space = 3 : i32} : !llvm.array<2 x i64>
    llvm.mlir.global internal @empty() {addr_space = 3 : i32} : !llvm.array<2 x i64>

    // Threads 0 to 31 sum columns lane and lane + 32; thread 32 fills stages.
    llvm.func @sum(%x: !llvm.ptr, %x1: !llvm.ptr, %x2: i64, %x3: i64, %x4: i64, %x5: i64, %x6: i64,
                   %y: !llvm.ptr, %y1: !llvm.ptr, %y2: i64, %y3: i64, %y4: i64) attributes {gpu.kernel, nvvm.kernel} {
      %zero = llvm.mlir.constant(0 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %two = llvm.mlir.constant(2 : i32) : i32
      %four = llvm.mlir.constant(4 : i32) : i32
      %count = llvm.mlir.constant(32 : i32) : i32
      %bytes = llvm.mlir.constant(256 : i32) : i32
      %ticks = llvm.mlir.constant(100000 : i32) : i32
      %zerof = llvm.mlir.constant(0.0 : f32) : f32
      %stages = llvm.mlir.addressof @stages : !llvm.ptr<3>
      %full = llvm.mlir.addressof @full : !llvm.ptr<3>
      %empty = llvm.mlir.addressof @empty : !llvm.ptr<3>
      %full1 = llvm.getelementptr %full[1] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i64
      %empty1 = llvm.getelementptr %empty[1] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i64
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %first = llvm.icmp "eq" %tid, %zero : i32
      llvm.cond_br %first, ^init, ^ready
    ^init:
      nvvm.mbarrier.init %full, %one : !llvm.ptr<3>, i32
      nvvm.mbarrier.init %full1, %one : !llvm.ptr<3>, i32
      nvvm.mbarrier.init %empty, %count : !llvm.ptr<3>, i32
      nvvm.mbarrier.init %empty1, %count : !llvm.ptr<3>, i32
      nvvm.fence.mbarrier.init
      llvm.br ^ready
    ^ready:
      nvvm.barrier0 // INITIALISED
      %consumes = llvm.icmp "ult" %tid, %count : i32
      %produces = llvm.icmp "eq" %tid, %count : i32
      llvm.cond_br %consumes, ^consume(%zero, %zerof, %zerof : i32, f32, f32), ^other
    ^other:
      llvm.cond_br %produces, ^produce(%zero : i32), ^end

    ^produce(%i: i32):
      %stage = llvm.urem %i, %two : i32
      %round = llvm.udiv %i, %two : i32
      %lap = llvm.urem %round, %two : i32
      %parity = llvm.xor %lap, %one : i32
      %isEmpty = llvm.getelementptr %empty[%stage] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
      %isFull = llvm.getelementptr %full[%stage] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
      nvvm.mbarrier.try_wait.parity %isEmpty, %parity, %ticks : !llvm.ptr<3>, i32, i32 // WAIT-EMPTY
      nvvm.mbarrier.arrive.expect_tx %isFull, %bytes : !llvm.ptr<3>, i32
      %row = llvm.getelementptr %x[%i, 0] : (!llvm.ptr, i32) -> !llvm.ptr, !llvm.array<64 x f32>
      %from = llvm.addrspacecast %row : !llvm.ptr to !llvm.ptr<1>
      %to = llvm.getelementptr %stages[%stage, 0] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, !llvm.array<64 x f32>
      nvvm.cp.async.bulk.shared.cluster.global %to, %from, %isFull, %bytes : !llvm.ptr<3>, !llvm.ptr<1>
      %next = llvm.add %i, %one : i32
      %more = llvm.icmp "ult" %next, %four : i32
      llvm.cond_br %more, ^produce(%next : i32), ^end

    ^consume(%j: i32, %a: f32, %b: f32):
      %cstage = llvm.urem %j, %two : i32
      %cround = llvm.udiv %j, %two : i32
      %cparity = llvm.urem %cround, %two : i32
      %cfull = llvm.getelementptr %full[%cstage] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
      %cempty = llvm.getelementptr %empty[%cstage] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
      nvvm.mbarrier.try_wait.parity %cfull, %cparity, %ticks : !llvm.ptr<3>, i32, i32 // WAIT-FULL
      %at = llvm.getelementptr %stages[%cstage, 0] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, !llvm.array<64 x f32>
      %left = llvm.getelementptr %at[%tid] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      %right = llvm.getelementptr %left[32] : (!llvm.ptr<3>) -> !llvm.ptr<3>, f32
      %v = llvm.load %left : !llvm.ptr<3> -> f32
      %w = llvm.load %right : !llvm.ptr<3> -> f32
      %state = nvvm.mbarrier.arrive %cempty : !llvm.ptr<3> -> i64
      %sumA = llvm.fadd %a, %v : f32
      %sumB = llvm.fadd %b, %w : f32
      %cnext = llvm.add %j, %one : i32
      %cmore = llvm.icmp "ult" %cnext, %four : i32
      llvm.cond_br %cmore, ^consume(%cnext, %sumA, %sumB : i32, f32, f32), ^store
    ^store:
      %out = llvm.getelementptr %y[%tid] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      %out1 = llvm.getelementptr %out[32] : (!llvm.ptr) -> !llvm.ptr, f32
      llvm.store %sumA, %out : f32, !llvm.ptr
      llvm.store %sumB, %out1 : f32, !llvm.ptr
      llvm.br ^end
    ^end:
      llvm.return
    }
  }

  func.func @input() -> (tensor<4x64xf32>, tensor<64xf32>) {
    %e = tensor.empty() : tensor<4x64xf32>
    %x = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        outs(%e : tensor<4x64xf32>) {
    ^bb0(%old: f32):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %c1000 = arith.constant 1000 : index
      %0 = arith.muli %i, %c1000 : index
      %1 = arith.addi %0, %j : index
      %2 = arith.index_cast %1 : index to i32
      %3 = arith.sitofp %2 : i32 to f32
      linalg.yield %3 : f32
    } -> tensor<4x64xf32>
    %zero = arith.constant dense<0.0> : tensor<64xf32>
    %y = linalg.reduce {arith.addf} ins(%x : tensor<4x64xf32>) outs(%zero : tensor<64xf32>) dimensions = [0]
    return %x, %y : tensor<4x64xf32>, tensor<64xf32>
  }

  func.func @main(%x: tensor<4x64xf32>) -> tensor<64xf32> {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %in = bufferization.to_buffer %x read_only : tensor<4x64xf32> to memref<4x64xf32>
    %out = memref.alloc() : memref<64xf32>
    gpu.launch_func @kernels::@sum blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
        args(%in : memref<4x64xf32>, %out : memref<64xf32>)
    %r = bufferization.to_tensor %out restrict : memref<64xf32> to tensor<64xf32>
    return %r : tensor<64xf32>
  }
}
