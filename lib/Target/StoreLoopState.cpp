//===- StoreLoopState.cpp - Loops that carry buffers in place -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-store-loop-state.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

namespace mlir::dit {
#define GEN_PASS_DEF_STORELOOPSTATEPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;

/// Stores what `loop` yields in the tensors that it got; returns the number of
/// stores.
static unsigned storeState(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  OpBuilder builder(yield);
  unsigned count = 0;
  for (auto [index, argument] : llvm::enumerate(loop.getRegionIterArgs())) {
    Value next = yield.getOperand(index);
    if (!isa<RankedTensorType>(next.getType()) || next == argument)
      continue;
    auto store =
        next.getDefiningOp<bufferization::MaterializeInDestinationOp>();
    if (store && store.getDest() == argument)
      continue;
    store = bufferization::MaterializeInDestinationOp::create(
        builder, next.getLoc(), next.getType(), next, argument);
    yield.setOperand(index, store.getResult());
    ++count;
  }
  return count;
}

namespace {

struct StoreLoopStatePass
    : public mlir::dit::impl::StoreLoopStatePassBase<StoreLoopStatePass> {
  void runOnOperation() override {
    getOperation()->walk(
        [&](scf::ForOp loop) { numStored += storeState(loop); });
  }
};

} // namespace
