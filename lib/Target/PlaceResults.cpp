//===- PlaceResults.cpp - Buffers of results become the caller's ----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-place-results.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/EntrySignature.h"
#include "dit/Target/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::dit {
#define GEN_PASS_DEF_PLACERESULTSPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// The allocation that `buffer` is, itself or by way of loops that carry it
/// unchanged.
static memref::AllocOp getAllocation(Value buffer) {
  while (auto loop = buffer.getDefiningOp<scf::ForOp>()) {
    unsigned index = cast<OpResult>(buffer).getResultNumber();
    if (loop.getYieldedValues()[index] != loop.getRegionIterArg(index))
      return {};
    buffer = loop.getInitArgs()[index];
  }
  return buffer.getDefiningOp<memref::AllocOp>();
}

/// Whether `op`, between a copy and the return, leaves alone all memory but
/// that of results and of the allocation that it names.
static bool isHarmless(Operation *op,
                       llvm::SmallPtrSetImpl<Operation *> &stored) {
  if (isa<memref::CopyOp, memref::AllocOp>(op) || isMemoryEffectFree(op))
    return true;
  auto store = dyn_cast<memref::StoreOp>(op);
  auto alloc =
      store ? store.getMemRef().getDefiningOp<memref::AllocOp>() : nullptr;
  if (alloc)
    stored.insert(alloc);
  return alloc != nullptr;
}

/// Lets the memory that `copy` fills, a result of the entry, be the memory that
/// it copies from; nothing after it writes to allocations other than `stored`.
static bool placeResult(memref::CopyOp copy,
                        const llvm::SmallPtrSetImpl<Operation *> &stored) {
  auto argument = dyn_cast<BlockArgument>(copy.getTarget());
  memref::AllocOp alloc = getAllocation(copy.getSource());
  if (!argument || argument.getOwner() != copy->getBlock() || !alloc ||
      alloc->getBlock() != copy->getBlock() || stored.contains(alloc) ||
      alloc.getType() != argument.getType() || !argument.hasOneUse())
    return false;
  alloc.getResult().replaceAllUsesWith(argument);
  alloc.erase();
  copy.erase();
  return true;
}

namespace {

struct PlaceResultsPass
    : public mlir::dit::impl::PlaceResultsPassBase<PlaceResultsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    // Of other functions the arguments may be the same memory.
    if (!getSignature(function) || !llvm::hasSingleElement(function.getBody()))
      return;
    llvm::SmallPtrSet<Operation *, 4> stored;
    Operation *op = function.getBody().front().getTerminator();
    for (op = op->getPrevNode(); op && isHarmless(op, stored);) {
      Operation *previous = op->getPrevNode();
      if (auto copy = dyn_cast<memref::CopyOp>(op))
        numPlaced += placeResult(copy, stored);
      op = previous;
    }
  }
};

} // namespace
