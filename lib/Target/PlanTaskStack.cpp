//===- PlanTaskStack.cpp - Buffers of tasks on their stacks ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The workspace cannot hold buffers of parallel iterations, since how many run
// at a time is not known; each gets one block of its stack for all of them.
//
//===----------------------------------------------------------------------===//

#include "BufferLifetimes.h"

#include "dit/Target/Passes.h"
#include "dit/Target/WorkspacePlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

namespace mlir::dit {
#define GEN_PASS_DEF_PLANTASKSTACKPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct PlanTaskStackPass
    : mlir::dit::impl::PlanTaskStackPassBase<PlanTaskStackPass> {
  using PlanTaskStackPassBase::PlanTaskStackPassBase;

  void runOnOperation() override;

private:
  void plan(scf::ParallelOp loop, const BufferLifetimes &lifetimes);
};

} // namespace

static void replaceByView(memref::AllocOp alloc, Value block, int64_t offset) {
  for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
    if (isa<memref::DeallocOp>(user))
      user->erase();
  OpBuilder builder(alloc);
  Location loc = alloc.getLoc();
  Value place = arith::ConstantIndexOp::create(builder, loc, offset);
  Value view = memref::ViewOp::create(builder, loc, alloc.getType(), block,
                                      place, ValueRange());
  alloc.replaceAllUsesWith(view);
  alloc.erase();
}

void PlanTaskStackPass::plan(scf::ParallelOp loop,
                             const BufferLifetimes &lifetimes) {
  DataLayout layout = DataLayout::closest(loop);
  SmallVector<memref::AllocOp> allocs;
  SmallVector<LiveBuffer> buffers;
  loop.walk([&](memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    std::optional<BufferLifetimes::Range> range = lifetimes.get(alloc, loop);
    if (!range || !type.hasStaticShape() || !type.getLayout().isIdentity() ||
        alloc.getAlignment().value_or(1) > WorkspacePlan::kAlignment)
      return;
    int64_t bytes =
        type.getNumElements() * layout.getTypeSize(type.getElementType());
    allocs.push_back(alloc);
    buffers.push_back({bytes, range->first, range->last});
  });
  WorkspacePlan plan = WorkspacePlan::compute(buffers);
  if (allocs.empty() || plan.getSize() > maxBytes)
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(loop.getBody());
  Value block = memref::AllocaOp::create(
      builder, loop.getLoc(),
      MemRefType::get({plan.getSize()}, builder.getI8Type()),
      builder.getI64IntegerAttr(WorkspacePlan::kAlignment));
  for (auto [i, alloc] : llvm::enumerate(allocs))
    replaceByView(alloc, block, plan.getOffset(i));
  numPlaced += allocs.size();
}

void PlanTaskStackPass::runOnOperation() {
  SmallVector<scf::ParallelOp> loops;
  getOperation().walk([&](scf::ParallelOp loop) {
    if (!isInParallelLoop(loop))
      loops.push_back(loop);
  });
  if (loops.empty())
    return;
  BufferLifetimes lifetimes(getOperation());
  for (scf::ParallelOp loop : loops)
    plan(loop, lifetimes);
}
