//===- ThreadConverter.cpp - Code of GPU threads to native code -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registers travel as they are: operands of one register by value, fragments
// of several through arrays on the thread's stack.
//
//===----------------------------------------------------------------------===//

#include "ThreadRewriter.h"

#include "dit/Emulator/Emulator.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dit::emulator;

static constexpr unsigned kSharedSpace =
    static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);

static bool isInShared(LLVM::GlobalOp global) {
  return global.getAddrSpace() == kSharedSpace;
}

SharedLayout mlir::dit::emulator::layOutShared(Operation *module) {
  SharedLayout layout;
  DataLayout sizes = DataLayout::closest(module);
  SmallVector<LLVM::GlobalOp> dynamic;
  for (auto global : module->getRegion(0).getOps<LLVM::GlobalOp>()) {
    if (!isInShared(global))
      continue;
    int64_t bytes = sizes.getTypeSize(global.getType());
    if (bytes == 0) {
      dynamic.push_back(global);
      continue;
    }
    int64_t alignment =
        std::max<int64_t>(global.getAlignment().value_or(0),
                          sizes.getTypeABIAlignment(global.getType()));
    layout.bytes = llvm::alignTo(layout.bytes, alignment);
    layout.offsets[global.getName()] = layout.bytes;
    layout.bytes += bytes;
  }
  for (LLVM::GlobalOp global : dynamic)
    layout.bytes = llvm::alignTo(
        layout.bytes, std::max<int64_t>(global.getAlignment().value_or(1), 1));
  for (LLVM::GlobalOp global : dynamic)
    layout.offsets[global.getName()] = layout.bytes;
  return layout;
}

Value ThreadRewriter::store(ValueRange values, Type element) {
  Value array = allocateOnStack(builder, element, values.size());
  for (auto [i, value] : llvm::enumerate(values)) {
    Value at = LLVM::GEPOp::create(builder, pointer, element, array,
                                   ArrayRef<LLVM::GEPArg>{int32_t(i)});
    LLVM::StoreOp::create(builder, bitcast(value, element), at);
  }
  return array;
}

Value ThreadRewriter::load(Value array, Type type, Type element) {
  auto structType = dyn_cast<LLVM::LLVMStructType>(type);
  if (!structType)
    return bitcast(LLVM::LoadOp::create(builder, element, array), type);
  Value result = LLVM::PoisonOp::create(builder, type);
  for (auto [i, field] : llvm::enumerate(structType.getBody())) {
    Value at = LLVM::GEPOp::create(builder, pointer, element, array,
                                   ArrayRef<LLVM::GEPArg>{int32_t(i)});
    Value loaded = LLVM::LoadOp::create(builder, element, at);
    result =
        LLVM::InsertValueOp::create(builder, result, bitcast(loaded, field), i);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Whether `address` is on the thread's own stack, which nobody else sees.
static bool isOnStack(Value address) {
  while (auto gep = address.getDefiningOp<LLVM::GEPOp>())
    address = gep.getBase();
  return address.getDefiningOp<LLVM::AllocaOp>() != nullptr;
}

void ThreadRewriter::noteAccess(Operation *op, Value address, Type type,
                                bool write, bool atomic) {
  if (isOnStack(address))
    return;
  Value bytes =
      constant(i64, DataLayout::closest(op).getTypeSize(type).getFixedValue());
  if (atomic)
    calls.call(builder, "dit_emu_atomic", {}, {address, bytes}, op);
  else
    calls.call(builder, "dit_emu_access", {},
               {address, bytes, constant(i1, write)}, op);
}

LogicalResult ThreadRewriter::convertMemory(Operation *op) {
  if (auto addressOf = dyn_cast<LLVM::AddressOfOp>(op)) {
    auto at = shared.offsets.find(addressOf.getGlobalName());
    if (at == shared.offsets.end())
      return success();
    Value base = calls.call(builder, "dit_emu_shared", pointer, {});
    Value address =
        LLVM::GEPOp::create(builder, pointer, builder.getI8Type(), base,
                            ArrayRef<LLVM::GEPArg>{int32_t(at->second)});
    if (address.getType() != addressOf.getType())
      address =
          LLVM::AddrSpaceCastOp::create(builder, addressOf.getType(), address);
    replace(op, address);
  } else if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    noteAccess(op, load.getAddr(), load.getType(), /*write=*/false,
               load.getOrdering() != LLVM::AtomicOrdering::not_atomic);
  } else if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    noteAccess(op, store.getAddr(), store.getValue().getType(), /*write=*/true,
               store.getOrdering() != LLVM::AtomicOrdering::not_atomic);
  } else if (auto rmw = dyn_cast<LLVM::AtomicRMWOp>(op)) {
    noteAccess(op, rmw.getPtr(), rmw.getVal().getType(), true, true);
  } else if (auto exchange = dyn_cast<LLVM::AtomicCmpXchgOp>(op)) {
    noteAccess(op, exchange.getPtr(), exchange.getVal().getType(), true, true);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Registers, barriers and warps
//===----------------------------------------------------------------------===//

bool ThreadRewriter::convertRegister(Operation *op) {
  int32_t which = llvm::TypeSwitch<Operation *, int32_t>(op)
                      .Case([](NVVM::ThreadIdXOp) { return DIT_EMU_TID; })
                      .Case([](NVVM::ThreadIdYOp) { return DIT_EMU_TID + 1; })
                      .Case([](NVVM::ThreadIdZOp) { return DIT_EMU_TID + 2; })
                      .Case([](NVVM::BlockDimXOp) { return DIT_EMU_NTID; })
                      .Case([](NVVM::BlockDimYOp) { return DIT_EMU_NTID + 1; })
                      .Case([](NVVM::BlockDimZOp) { return DIT_EMU_NTID + 2; })
                      .Case([](NVVM::BlockIdXOp) { return DIT_EMU_CTAID; })
                      .Case([](NVVM::BlockIdYOp) { return DIT_EMU_CTAID + 1; })
                      .Case([](NVVM::BlockIdZOp) { return DIT_EMU_CTAID + 2; })
                      .Case([](NVVM::GridDimXOp) { return DIT_EMU_NCTAID; })
                      .Case([](NVVM::GridDimYOp) { return DIT_EMU_NCTAID + 1; })
                      .Case([](NVVM::GridDimZOp) { return DIT_EMU_NCTAID + 2; })
                      .Case([](NVVM::LaneIdOp) { return DIT_EMU_LANEID; })
                      .Case([](NVVM::WarpIdOp) { return DIT_EMU_WARPID; })
                      .Case([](NVVM::WarpDimOp) { return DIT_EMU_NWARPID; })
                      .Default([](Operation *) { return -1; });
  if (isa<NVVM::WarpSizeOp>(op)) {
    replace(op, constant(i32, 32));
    return true;
  }
  if (which < 0)
    return false;
  Value value =
      calls.call(builder, "dit_emu_register", i32, constant(i32, which));
  Type type = op->getResult(0).getType();
  if (type != i32)
    value = LLVM::ZExtOp::create(builder, type, value);
  replace(op, value);
  return true;
}

LogicalResult ThreadRewriter::convertSync(Operation *op) {
  auto barrier = [&](Value id, Value threads, bool wait) {
    calls.call(builder, "dit_emu_barrier", {},
               {orConstant(id, 0), orConstant(threads, -1), constant(i1, wait)},
               op);
  };
  if (isa<NVVM::Barrier0Op>(op)) {
    barrier({}, {}, true);
  } else if (auto sync = dyn_cast<NVVM::BarrierOp>(op)) {
    if (std::optional<NVVM::BarrierReduction> kind = sync.getReductionOp()) {
      replace(op, calls.call(builder, "dit_emu_barrier_reduce", i32,
                             {orConstant(sync.getBarrierId(), 0),
                              orConstant(sync.getNumberOfThreads(), -1),
                              constant(i32, static_cast<int64_t>(*kind)),
                              sync.getReductionPredicate()},
                             op));
      return success();
    }
    barrier(sync.getBarrierId(), sync.getNumberOfThreads(), true);
  } else if (auto arrive = dyn_cast<NVVM::BarrierArriveOp>(op)) {
    barrier(arrive.getBarrierId(), arrive.getNumberOfThreads(), false);
  } else if (auto syncWarp = dyn_cast<NVVM::SyncWarpOp>(op)) {
    calls.call(builder, "dit_emu_syncwarp", {}, syncWarp.getMask(), op);
  } else if (!isa<NVVM::MembarOp, NVVM::FenceMbarrierInitOp,
                  NVVM::FenceProxyOp>(op)) {
    // Threads take turns, so that memory is in one order for all.
    return op->emitError("the emulator does not know ") << op->getName();
  }
  op->erase();
  return success();
}

LogicalResult ThreadRewriter::convertWarp(Operation *op) {
  if (auto shuffle = dyn_cast<NVVM::ShflOp>(op)) {
    auto structType = dyn_cast<LLVM::LLVMStructType>(shuffle.getType());
    Value valid = structType
                      ? allocateOnStack(builder, builder.getI8Type(), 1)
                      : LLVM::ZeroOp::create(builder, pointer).getResult();
    Value result =
        calls.call(builder, "dit_emu_shuffle", i32,
                   {constant(i32, static_cast<int64_t>(shuffle.getKind())),
                    shuffle.getThreadMask(), bitcast(shuffle.getVal(), i32),
                    shuffle.getOffset(), shuffle.getMaskAndClamp(), valid},
                   op);
    result = bitcast(result, shuffle.getVal().getType());
    if (structType) {
      Value holds = LLVM::TruncOp::create(
          builder, i1,
          LLVM::LoadOp::create(builder, builder.getI8Type(), valid));
      Value both = LLVM::PoisonOp::create(builder, structType);
      both = LLVM::InsertValueOp::create(builder, both, result,
                                         ArrayRef<int64_t>{0});
      result = LLVM::InsertValueOp::create(builder, both, holds, 1);
    }
    replace(op, result);
  } else if (auto vote = dyn_cast<NVVM::VoteSyncOp>(op)) {
    Value result =
        calls.call(builder, "dit_emu_vote", i32,
                   {constant(i32, static_cast<int64_t>(vote.getKind())),
                    vote.getMask(), vote.getPred()},
                   op);
    if (vote.getType() != i32)
      result = LLVM::TruncOp::create(builder, vote.getType(), result);
    replace(op, result);
  } else if (auto elect = dyn_cast<NVVM::ElectSyncOp>(op)) {
    replace(op, calls.call(builder, "dit_emu_elect", i1,
                           orConstant(elect.getMembermask(), -1), op));
  } else {
    auto redux = cast<NVVM::ReduxOp>(op);
    if (redux.getType() != i32)
      return op->emitError("the emulator knows redux.sync of i32 only");
    replace(op,
            calls.call(builder, "dit_emu_redux", i32,
                       {constant(i32, static_cast<int64_t>(redux.getKind())),
                        redux.getMaskAndClamp(), redux.getVal()},
                       op));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// All operations
//===----------------------------------------------------------------------===//

/// Operations of the LLVM dialect that mean something else on a GPU.
LogicalResult ThreadRewriter::convertUpstream(Operation *op) {
  if (isa<LLVM::InlineAsmOp>(op))
    return op->emitError("the emulator does not know inline assembly");
  if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op)) {
    if (call.getIntrin() != "llvm.nvvm.ex2.approx.ftz.f")
      return op->emitError("the emulator does not know ") << call.getIntrin();
    replace(op, LLVM::Exp2Op::create(builder, call.getOperand(0)));
    return success();
  }
  return convertMemory(op);
}

LogicalResult ThreadRewriter::convertOp(Operation *op) {
  builder.setInsertionPoint(op);
  builder.setLoc(op->getLoc());
  if (isa<LLVM::LLVMDialect>(op->getDialect()))
    return convertUpstream(op);
  if (convertRegister(op))
    return success();
  if (isa<NVVM::ShflOp, NVVM::VoteSyncOp, NVVM::ElectSyncOp, NVVM::ReduxOp>(op))
    return convertWarp(op);
  if (isa<NVVM::MmaOp, NVVM::LdMatrixOp, NVVM::StMatrixOp>(op))
    return convertMatrix(op);
  if (isa<NVVM::CpAsyncOp, NVVM::CpAsyncCommitGroupOp, NVVM::CpAsyncWaitGroupOp,
          NVVM::CpAsyncMBarrierArriveOp,
          NVVM::CpAsyncBulkGlobalToSharedClusterOp>(op))
    return convertCopy(op);
  if (isa<NVVM::MBarrierInitOp, NVVM::MBarrierInvalOp, NVVM::MBarrierExpectTxOp,
          NVVM::MBarrierCompleteTxOp, NVVM::MBarrierArriveOp,
          NVVM::MBarrierArriveDropOp, NVVM::MBarrierArriveExpectTxOp,
          NVVM::MBarrierTryWaitParityOp, NVVM::MBarrierTestWaitOp,
          NVVM::MBarrierTryWaitOp>(op))
    return convertMBarrier(op);
  if (auto reciprocal = dyn_cast<NVVM::RcpApproxFtzF32Op>(op)) {
    Type f32 = builder.getF32Type();
    Value one =
        LLVM::ConstantOp::create(builder, f32, builder.getF32FloatAttr(1.0));
    replace(op, LLVM::FDivOp::create(builder, one, reciprocal.getArg()));
    return success();
  }
  return convertSync(op);
}

LogicalResult ThreadRewriter::convert() {
  SmallVector<Operation *> ops;
  function.getBody().walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops)
    if (failed(convertOp(op)))
      return failure();
  return success();
}

LogicalResult mlir::dit::emulator::convertThread(LLVM::LLVMFuncOp function,
                                                 EmulatorCalls &calls,
                                                 const SharedLayout &shared) {
  return ThreadRewriter(function, calls, shared).convert();
}
