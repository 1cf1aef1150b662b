//===- StoreLoopState.cpp - Loops that carry buffers in place -------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-store-loop-state. A store is left out where bufferization
// could not do it in place: where the tensor is still needed, or where what is
// stored may be in its buffer already. A linalg.copy only asks for its place,
// so that where this is wrong the program is still right.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::dit {
#define GEN_PASS_DEF_STORELOOPSTATEPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;

/// Adds the arguments of `loop` whose buffer `value` may be in.
static void collectOrigins(Value value, scf::ForOp loop,
                           llvm::SmallPtrSetImpl<Value> &visited) {
  if (!isa<TensorType>(value.getType()) || !visited.insert(value).second)
    return;
  auto visit = [&](Value next) { collectOrigins(next, loop, visited); };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto inner = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (inner && inner != loop) {
      visit(inner.getTiedLoopInit(argument)->get());
      visit(inner.getTiedLoopYieldedValue(argument)->get());
    }
    return;
  }
  Operation *op = value.getDefiningOp();
  unsigned index = cast<OpResult>(value).getResultNumber();
  if (!loop->isProperAncestor(op))
    return;
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    visit(branch.thenYield().getOperand(index));
    visit(branch.elseYield().getOperand(index));
  } else if (auto inner = dyn_cast<scf::ForOp>(op)) {
    visit(inner.getInitArgs()[index]);
    visit(inner.getYieldedValues()[index]);
  } else if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
    visit(destination.getTiedOpOperand(cast<OpResult>(value))->get());
  } else if (!op->hasTrait<OpTrait::Elementwise>() ||
             isa<arith::SelectOp>(op)) {
    // Views, calls, and what else may hand on what it got.
    for (Value operand : op->getOperands())
      visit(operand);
  }
}

static bool mayBeIn(Value value, Value argument, scf::ForOp loop) {
  llvm::SmallPtrSet<Value, 16> visited;
  collectOrigins(value, loop, visited);
  return visited.contains(argument);
}

/// Whether nothing in `loop` uses `argument` after `op`, one of its body's.
static bool isLastUse(Operation *op, Value argument, scf::ForOp loop) {
  return llvm::all_of(argument.getUsers(), [&](Operation *user) {
    Operation *ancestor = loop.getBody()->findAncestorOpInBlock(*user);
    return ancestor == op || ancestor->isBeforeInBlock(op) ||
           isa<scf::YieldOp>(ancestor);
  });
}

/// Stores what `operand` of a terminator yields in `argument`, in the branches
/// that do not yield that itself; returns the number of stores.
static unsigned store(OpOperand &operand, BlockArgument argument,
                      scf::ForOp loop) {
  Value next = operand.get();
  if (!mayBeIn(next, argument, loop)) {
    OpBuilder builder(operand.getOwner());
    operand.set(
        linalg::CopyOp::create(builder, next.getLoc(), next, Value(argument))
            .getResult(0));
    return 1;
  }
  auto branch = next.getDefiningOp<scf::IfOp>();
  if (!branch || branch->getBlock() != loop.getBody() ||
      operand.getOwner()->getBlock() != loop.getBody() ||
      !isLastUse(branch, argument, loop))
    return 0;
  unsigned index = cast<OpResult>(next).getResultNumber();
  return store(branch.thenYield()->getOpOperand(index), argument, loop) +
         store(branch.elseYield()->getOpOperand(index), argument, loop);
}

/// Stores what `loop` yields in the tensors that it got; returns the number of
/// stores.
static unsigned storeState(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  unsigned count = 0;
  for (auto [index, argument] : llvm::enumerate(loop.getRegionIterArgs())) {
    if (!isa<RankedTensorType>(argument.getType()))
      continue;
    // What goes into another tensor of the next iteration must not change.
    bool isMoved = false;
    for (OpOperand &other : yield->getOpOperands())
      isMoved |= other.getOperandNumber() != index &&
                 mayBeIn(other.get(), argument, loop);
    if (!isMoved)
      count += store(yield->getOpOperand(index), argument, loop);
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
