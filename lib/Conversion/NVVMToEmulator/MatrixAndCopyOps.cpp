//===- MatrixAndCopyOps.cpp - Matrices, copies and mbarriers --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadRewriter.h"

#include "dit/Emulator/Emulator.h"

using namespace mlir;
using namespace mlir::dit::emulator;

//===----------------------------------------------------------------------===//
// Matrices and copies
//===----------------------------------------------------------------------===//

LogicalResult ThreadRewriter::checkMma(NVVM::MmaOp op) {
  auto shape = op.getShape();
  auto type = op.getMultiplicandAPtxType();
  bool isHalf =
      type && (*type == NVVM::MMATypes::f16 || *type == NVVM::MMATypes::bf16);
  auto results = cast<LLVM::LLVMStructType>(op.getType()).getBody();
  if (shape.getM() == 16 && shape.getN() == 8 &&
      (shape.getK() == 8 || shape.getK() == 16) && isHalf &&
      op.getMultiplicandBPtxType() == type &&
      op.getLayoutA() == NVVM::MMALayout::row &&
      op.getLayoutB() == NVVM::MMALayout::col &&
      llvm::all_of(results, [](Type type) { return type.isF32(); }))
    return success();
  return op.emitError(
      "the emulator knows mma.sync.m16n8k8 and .m16n8k16 of f16 "
      "and bf16 with accumulators of f32 only");
}

void ThreadRewriter::convertMma(NVVM::MmaOp op) {
  Type f32 = builder.getF32Type();
  int64_t type = *op.getMultiplicandAPtxType() == NVVM::MMATypes::bf16
                     ? DIT_EMU_BF16
                     : DIT_EMU_F16;
  Value a = store(op.getOperandA(), i32), b = store(op.getOperandB(), i32);
  Value c = store(op.getOperandC(), f32);
  Value d = allocateOnStack(builder, f32, 4);
  calls.call(
      builder, "dit_emu_mma", {},
      {constant(i32, op.getShape().getK()), constant(i32, type), a, b, c, d},
      op);
  replace(op, load(d, op.getType(), f32));
}

LogicalResult ThreadRewriter::convertMatrix(Operation *op) {
  auto checkType = [&](NVVM::LdStMatrixShapeAttr shape,
                       NVVM::LdStMatrixEltType element) -> LogicalResult {
    if (shape.getM() == 8 && shape.getN() == 8 &&
        element == NVVM::LdStMatrixEltType::B16)
      return success();
    return op->emitError("the emulator knows matrices of 8 x 8 elements of 16 "
                         "bits only");
  };
  if (auto mma = dyn_cast<NVVM::MmaOp>(op)) {
    if (failed(checkMma(mma)))
      return failure();
    convertMma(mma);
    return success();
  }
  auto isTransposed = [&](NVVM::MMALayout layout) {
    return constant(i1, layout == NVVM::MMALayout::col);
  };
  if (auto load = dyn_cast<NVVM::LdMatrixOp>(op)) {
    if (failed(checkType(load.getShapeAttr(), load.getEltType())))
      return failure();
    Value registers = allocateOnStack(builder, i32, load.getNum());
    calls.call(builder, "dit_emu_ldmatrix", {},
               {load.getPtr(), constant(i32, load.getNum()),
                isTransposed(load.getLayout()), registers},
               op);
    replace(op, this->load(registers, load.getType(), i32));
    return success();
  }
  auto store = cast<NVVM::StMatrixOp>(op);
  if (failed(checkType(store.getShapeAttr(), store.getEltType())))
    return failure();
  Value registers = this->store(store.getSources(), i32);
  calls.call(builder, "dit_emu_stmatrix", {},
             {store.getPtr(), constant(i32, store.getSources().size()),
              isTransposed(store.getLayout()), registers},
             op);
  op->erase();
  return success();
}

LogicalResult ThreadRewriter::convertCopy(Operation *op) {
  if (auto copy = dyn_cast<NVVM::CpAsyncOp>(op)) {
    Value bytes = constant(i32, copy.getSize());
    calls.call(builder, "dit_emu_cp_async", {},
               {copy.getDst(), copy.getSrc(), bytes,
                copy.getCpSize() ? copy.getCpSize() : bytes},
               op);
  } else if (auto bulk =
                 dyn_cast<NVVM::CpAsyncBulkGlobalToSharedClusterOp>(op)) {
    if (bulk.getMulticastMask())
      return op->emitError("the emulator does not know clusters");
    calls.call(
        builder, "dit_emu_cp_async_bulk", {},
        {bulk.getDstMem(), bulk.getSrcMem(), bulk.getMbar(), bulk.getSize()},
        op);
  } else if (auto arrive = dyn_cast<NVVM::CpAsyncMBarrierArriveOp>(op)) {
    calls.call(builder, "dit_emu_cp_async_mbarrier_arrive", {},
               {arrive.getAddr(), constant(i1, arrive.getNoinc())}, op);
  } else if (isa<NVVM::CpAsyncCommitGroupOp>(op)) {
    calls.call(builder, "dit_emu_cp_async_commit", {}, {}, op);
  } else {
    auto wait = cast<NVVM::CpAsyncWaitGroupOp>(op);
    calls.call(builder, "dit_emu_cp_async_wait", {}, constant(i32, wait.getN()),
               op);
  }
  op->erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Mbarriers
//===----------------------------------------------------------------------===//

/// Arrives `count` times, expecting `bytes` more; returns the phase.
Value ThreadRewriter::arrive(Operation *op, Value barrier, Value bytes,
                             Value count, bool drop) {
  return calls.call(
      builder, "dit_emu_mbarrier_arrive", i64,
      {barrier, orConstant(bytes, 0), orConstant(count, 1), constant(i1, drop)},
      op);
}

void ThreadRewriter::testMBarrier(Operation *op, Value barrier, Value phase,
                                  bool blocks) {
  bool isParity = phase.getType() == i32;
  if (isParity)
    phase = LLVM::ZExtOp::create(builder, i64, phase);
  replace(op, calls.call(builder, "dit_emu_mbarrier_test", i1,
                         {barrier, phase, constant(i1, isParity),
                          constant(i1, blocks)},
                         op));
}

/// The predicate of an operation that has one.
static Value getPredicate(Operation *op) {
  if (auto init = dyn_cast<NVVM::MBarrierInitOp>(op))
    return init.getPredicate();
  if (auto arrive = dyn_cast<NVVM::MBarrierArriveExpectTxOp>(op))
    return arrive.getPredicate();
  return {};
}

LogicalResult ThreadRewriter::convertMBarrier(Operation *op) {
  if (getPredicate(op))
    return op->emitError("the emulator does not know predicates; put the "
                         "operation into a branch");
  Value barrier = op->getOperand(0), phase;
  if (auto init = dyn_cast<NVVM::MBarrierInitOp>(op)) {
    calls.call(builder, "dit_emu_mbarrier_init", {}, {barrier, init.getCount()},
               op);
  } else if (isa<NVVM::MBarrierInvalOp>(op)) {
    calls.call(builder, "dit_emu_mbarrier_inval", {}, barrier, op);
  } else if (auto expect = dyn_cast<NVVM::MBarrierExpectTxOp>(op)) {
    arrive(op, barrier, expect.getTxcount(), constant(i32, 0), false);
  } else if (auto complete = dyn_cast<NVVM::MBarrierCompleteTxOp>(op)) {
    calls.call(builder, "dit_emu_mbarrier_complete_tx", {},
               {barrier, complete.getTxcount()}, op);
  } else if (auto some = dyn_cast<NVVM::MBarrierArriveOp>(op)) {
    phase = arrive(op, barrier, {}, some.getCount(), false);
  } else if (auto drop = dyn_cast<NVVM::MBarrierArriveDropOp>(op)) {
    phase = arrive(op, barrier, {}, drop.getCount(), true);
  } else if (auto expecting = dyn_cast<NVVM::MBarrierArriveExpectTxOp>(op)) {
    phase = arrive(op, barrier, expecting.getTxcount(), {}, false);
  } else if (auto wait = dyn_cast<NVVM::MBarrierTryWaitParityOp>(op)) {
    calls.call(builder, "dit_emu_mbarrier_wait", {}, {barrier, wait.getPhase()},
               op);
  } else if (auto test = dyn_cast<NVVM::MBarrierTestWaitOp>(op)) {
    testMBarrier(op, barrier, test.getStateOrPhase(), /*blocks=*/false);
    return success();
  } else {
    auto attempt = cast<NVVM::MBarrierTryWaitOp>(op);
    testMBarrier(op, barrier, attempt.getStateOrPhase(), /*blocks=*/true);
    return success();
  }
  replace(op, op->getNumResults() ? phase : Value());
  return success();
}
