//===- BranchChooser.cpp - Branches whose steps differ --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A branch whose steps differ becomes a `dit.reuse` if some of them write its
// states and others leave them alone, and conditions inside of that.
//
//===----------------------------------------------------------------------===//

#include "BranchChooser.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::dit;

Value BranchChooser::isOneOf(ArrayRef<StepGroup> groups) {
  std::string schedule(branch.getCaches().getNumSteps(), '0');
  for (const StepGroup &group : groups)
    for (int64_t at : group.steps)
      schedule[at] = '1';
  return ScheduledOp::create(
      rewriter, branch.getOp().getLoc(), step,
      ScheduleAttr::get(rewriter.getContext(), schedule));
}

BranchEmitter::Values BranchChooser::chooseAmong(ArrayRef<StepGroup> groups,
                                                 ValueRange states,
                                                 bool keeps) {
  if (groups.size() == 1)
    return branch.emit(rewriter, *groups.front().step, copies, states);
  Location loc = branch.getOp().getLoc();
  SmallVector<Type> types(branch.getOp().getResultTypes());
  if (!keeps)
    llvm::append_range(types, states.getTypes());
  Value condition = isOneOf(groups.front());
  auto chosen = scf::IfOp::create(rewriter, loc, types, condition,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  auto fill = [&](Block *block, ArrayRef<StepGroup> inside) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToEnd(block);
    BranchEmitter::Values values = chooseAmong(inside, states, keeps);
    if (!keeps)
      llvm::append_range(values.added, values.states);
    scf::YieldOp::create(rewriter, loc, values.added);
  };
  fill(chosen.thenBlock(), groups.take_front());
  fill(chosen.elseBlock(), groups.drop_front());
  size_t added = branch.getOp().getNumResults();
  BranchEmitter::Values values;
  llvm::append_range(values.added, chosen.getResults().take_front(added));
  if (keeps) {
    llvm::append_range(values.states, states);
    return values;
  }
  // A value that is added and kept is one value, as it is in both branches.
  for (size_t state = added; state < chosen.getNumResults(); ++state) {
    auto isSame = [&](size_t index) {
      return chosen.thenYield().getOperand(index) ==
                 chosen.thenYield().getOperand(state) &&
             chosen.elseYield().getOperand(index) ==
                 chosen.elseYield().getOperand(state);
    };
    size_t first = 0;
    while (first < state && !isSame(first))
      ++first;
    values.states.push_back(chosen.getResult(first));
  }
  return values;
}

/// Makes the op that defines `value` write to `destination` if it now writes to
/// a fresh tensor, so that the state is built in place.
static void buildInto(Value value, Value destination) {
  auto op = value.getDefiningOp<DestinationStyleOpInterface>();
  while (op) {
    OpOperand *init = op.getTiedOpOperand(cast<OpResult>(value));
    if (!init || init->get().getType() != destination.getType())
      return;
    if (init->get().getDefiningOp<tensor::EmptyOp>())
      return init->set(destination);
    value = init->get();
    if (!value.hasOneUse() ||
        value.getParentRegion() != destination.getParentRegion())
      return;
    op = value.getDefiningOp<DestinationStyleOpInterface>();
  }
}

BranchEmitter::Values BranchChooser::createReuse(ArrayRef<StepGroup> writers,
                                                 ArrayRef<StepGroup> keepers,
                                                 ValueRange states) {
  BranchOp op = branch.getOp();
  Location loc = op.getLoc();
  SmallVector<Type> types(op.getResultTypes());
  llvm::append_range(types, states.getTypes());
  Value condition = isOneOf(writers);
  auto reuse = ReuseOp::create(rewriter, loc, types, condition, states,
                               op.getSiteAttr());
  OpBuilder::InsertionGuard guard(rewriter);
  SmallVector<Location> locations(states.size(), loc);
  Block *body = rewriter.createBlock(&reuse.getComputeRegion(), {},
                                     states.getTypes(), locations);
  BranchEmitter::Values values =
      chooseAmong(writers, body->getArguments(), /*keeps=*/false);
  // A loop can carry a buffer only if each step ends in it, so that is said,
  // whatever becomes of the op that writes the result.
  for (auto [value, state] :
       llvm::zip_equal(values.states, body->getArguments())) {
    // A caller's states are read only; the results are other tensors.
    if (value == state || isa<FunctionOpInterface>(reuse->getParentOp()))
      continue;
    buildInto(value, state);
    Value stored = bufferization::MaterializeInDestinationOp::create(
                       rewriter, loc, value.getType(), value, state)
                       .getResult();
    llvm::replace(values.added, value, stored);
    value = stored;
  }
  llvm::append_range(values.added, values.states);
  YieldOp::create(rewriter, loc, values.added);

  body = rewriter.createBlock(&reuse.getOtherwiseRegion(), {},
                              states.getTypes(), locations);
  values = chooseAmong(keepers, body->getArguments(), /*keeps=*/true);
  YieldOp::create(rewriter, loc, values.added);
  return {llvm::to_vector_of<Value>(reuse.getOutputs()),
          llvm::to_vector_of<Value>(reuse.getNewStates())};
}

BranchEmitter::Values BranchChooser::choose(ArrayRef<int64_t> steps,
                                            ValueRange states) {
  const CachePlan &caches = branch.getCaches();
  llvm::MapVector<int64_t, StepGroup> groups;
  for (int64_t at : steps) {
    StepGroup &group = groups[caches.getClass(at)];
    group.step = &caches.getStep(at);
    group.steps.push_back(at);
  }
  SmallVector<StepGroup> writers, keepers;
  for (const auto &entry : groups)
    (entry.second.step->writes() ? writers : keepers).push_back(entry.second);
  if (writers.empty())
    return chooseAmong(keepers, states, /*keeps=*/true);
  if (keepers.empty())
    return chooseAmong(writers, states, /*keeps=*/false);
  return createReuse(writers, keepers, states);
}
