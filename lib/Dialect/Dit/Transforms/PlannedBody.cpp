//===- PlannedBody.cpp - The steps of a sampler under a plan --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies of a body under a plan.
//
//===----------------------------------------------------------------------===//

#include "BranchChooser.h"
#include "dit/Dialect/Dit/Transforms/ApplyPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <map>

using namespace mlir;
using namespace mlir::dit;

Value mlir::dit::createInitialState(OpBuilder &builder, Location loc,
                                    RankedTensorType type) {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(type.getElementType()));
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

PlannedBody::PlannedBody(Block &body, std::vector<BranchEmitter> branches,
                         int64_t numSteps)
    : body(body), branches(std::move(branches)), numSteps(numSteps) {
  for (auto [index, branch] : llvm::enumerate(this->branches)) {
    offsets.push_back(stateTypes.size());
    for (auto [state, type] : llvm::enumerate(branch.getStateTypes())) {
      stateTypes.push_back(type);
      owners.emplace_back(index, state);
    }
  }
  offsets.push_back(stateTypes.size());
}

SmallVector<int64_t> PlannedBody::getClasses() const {
  std::map<SmallVector<int64_t>, int64_t> numbers;
  SmallVector<int64_t> classes;
  for (int64_t step = 0; step < getNumSteps(); ++step) {
    SmallVector<int64_t> key;
    for (const BranchEmitter &branch : branches)
      key.push_back(branch.getCaches().getClass(step));
    classes.push_back(numbers.try_emplace(key, numbers.size()).first->second);
  }
  return classes;
}

bool PlannedBody::isLiveAfter(int64_t state, int64_t step) const {
  auto [index, own] = owners[state];
  const BranchEmitter &branch = branches[index];
  return branch.getCaches()
      .getSlots()[branch.getSlotOfState(own)]
      .liveAfter[step];
}

bool PlannedBody::isWritten(int64_t state, int64_t step) const {
  auto [index, own] = owners[state];
  const BranchEmitter &branch = branches[index];
  return branch.getCaches()
             .getStep(step)
             .updates[branch.getSlotOfState(own)]
             .kind != SlotUpdate::Keep;
}

Value PlannedBody::getStepOf(OpBuilder &builder, Location loc, Value step,
                             size_t index) {
  if (!step || !isa<RankedTensorType>(step.getType()))
    return step;
  Value place = arith::ConstantIndexOp::create(builder, loc, index);
  Value number = tensor::ExtractOp::create(builder, loc, step, place);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                    number);
}

void PlannedBody::emit(RewriterBase &rewriter, ArrayRef<int64_t> steps,
                       Value step, IRMapping &copies,
                       MutableArrayRef<Value> states) {
  for (Operation &op : body.without_terminator()) {
    auto found = llvm::find_if(branches, [&](const BranchEmitter &branch) {
      return branch.getOp() == &op;
    });
    if (found == branches.end()) {
      rewriter.clone(op, copies);
      continue;
    }
    size_t index = found - branches.begin();
    auto own =
        states.slice(offsets[index], offsets[index + 1] - offsets[index]);
    Value stepOfBranch = getStepOf(rewriter, op.getLoc(), step, index);
    BranchEmitter::Values values =
        BranchChooser(rewriter, *found, stepOfBranch, copies)
            .choose(steps, own);
    copies.map(op.getResults(), values.added);
    llvm::copy(values.states, own.begin());
  }
}
