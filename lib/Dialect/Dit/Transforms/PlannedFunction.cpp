//===- PlannedFunction.cpp - A denoiser under a plan ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The step and the states become arguments, and the new states results.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/ApplyPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::dit;

/// Writes out one of the distinct steps, which `step` chooses, and returns what
/// the function returns then.
static SmallVector<Value> chooseStep(RewriterBase &rewriter, PlannedBody &body,
                                     Value step,
                                     ArrayRef<SmallVector<int64_t>> groups,
                                     const IRMapping &copies, ValueRange states,
                                     Operation *terminator) {
  auto write = [&](ArrayRef<int64_t> steps) {
    IRMapping inner = copies;
    SmallVector<Value> newStates(states);
    body.emit(rewriter, steps, step, inner, newStates);
    SmallVector<Value> values;
    for (Value value : terminator->getOperands())
      values.push_back(inner.lookupOrDefault(value));
    llvm::append_range(values, newStates);
    return values;
  };
  if (groups.size() == 1)
    return write(groups.front());
  Location loc = terminator->getLoc();
  std::string schedule(body.getNumSteps(), '0');
  for (int64_t at : groups.front())
    schedule[at] = '1';
  Value condition = ScheduledOp::create(
      rewriter, loc, step, ScheduleAttr::get(rewriter.getContext(), schedule));
  SmallVector<Type> types(terminator->getOperandTypes());
  llvm::append_range(types, states.getTypes());
  auto chosen = scf::IfOp::create(rewriter, loc, types, condition,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  auto fill = [&](Block *block, ArrayRef<SmallVector<int64_t>> inside) {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToEnd(block);
    scf::YieldOp::create(
        rewriter, loc,
        chooseStep(rewriter, body, step, inside, copies, states, terminator));
  };
  fill(chosen.thenBlock(), groups.take_front());
  fill(chosen.elseBlock(), groups.drop_front());
  return llvm::to_vector_of<Value>(chosen.getResults());
}

/// Adds the step, of type `stepType`, and the states to the signature of
/// `function`.
static void addArguments(RewriterBase &rewriter, func::FuncOp function,
                         Type stepType, ArrayRef<RankedTensorType> stateTypes) {
  auto add = [&](Type type, const Twine &name) {
    unsigned index = function.getNumArguments();
    NamedAttribute nameAttr(rewriter.getStringAttr("dit.name"),
                            rewriter.getStringAttr(name));
    (void)function.insertArgument(
        index, type, rewriter.getDictionaryAttr(nameAttr), function.getLoc());
  };
  add(stepType, "step");
  for (auto [index, type] : llvm::enumerate(stateTypes)) {
    add(type, "state" + Twine(index));
    unsigned result = function.getNumResults();
    NamedAttribute nameAttr(rewriter.getStringAttr("dit.name"),
                            rewriter.getStringAttr("state" + Twine(index)));
    (void)function.insertResult(result, type,
                                rewriter.getDictionaryAttr(nameAttr));
  }
}

static void createInit(RewriterBase &rewriter, func::FuncOp function,
                       ArrayRef<RankedTensorType> stateTypes, StringRef name) {
  if (stateTypes.empty())
    return;
  rewriter.setInsertionPointAfter(function);
  Location loc = function.getLoc();
  auto init = func::FuncOp::create(
      rewriter, loc, name,
      rewriter.getFunctionType({}, llvm::to_vector_of<Type>(stateTypes)));
  rewriter.setInsertionPointToStart(init.addEntryBlock());
  SmallVector<Value> states;
  for (RankedTensorType type : stateTypes)
    states.push_back(createInitialState(rewriter, loc, type));
  func::ReturnOp::create(rewriter, loc, states);
}

/// The steps that run one body each.
static SmallVector<SmallVector<int64_t>> groupSteps(const PlannedBody &body,
                                                    PlanForm form) {
  SmallVector<SmallVector<int64_t>> groups;
  for (auto [step, number] : llvm::enumerate(body.getClasses())) {
    size_t group = form == PlanForm::Table ? 0 : number;
    if (group >= groups.size())
      groups.resize(group + 1);
    groups[group].push_back(step);
  }
  return groups;
}

/// Reports a step that the plan does not have at run time.
static void checkStep(RewriterBase &rewriter, Location loc, Value step,
                      int64_t numSteps) {
  Value steps = arith::ConstantIndexOp::create(rewriter, loc, numSteps);
  Value inside = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::ult,
                                       step, steps);
  cf::AssertOp::create(rewriter, loc, inside,
                       "expected a step below " + std::to_string(numSteps) +
                           ", the number of steps of the plan");
}

void mlir::dit::applyToFunction(RewriterBase &rewriter, func::FuncOp function,
                                PlannedBody &body, PlanForm form,
                                const StepFunctionOptions &options) {
  OpBuilder::InsertionGuard guard(rewriter);
  Location loc = function.getLoc();
  int64_t numBranches = body.getBranches().size();
  Type stepType = rewriter.getIndexType();
  if (options.stepByBranch)
    stepType = RankedTensorType::get(numBranches, rewriter.getI64Type());
  addArguments(rewriter, function, stepType, body.getStateTypes());
  Block &old = body.getBody();
  SmallVector<Location> locations(old.getNumArguments(), loc);
  Block *entry =
      rewriter.createBlock(&function.getBody(), function.getBody().begin(),
                           old.getArgumentTypes(), locations);
  size_t numStates = body.getStateTypes().size();
  ValueRange states = entry->getArguments().take_back(numStates);
  Value step = entry->getArgument(entry->getNumArguments() - numStates - 1);
  for (int64_t index = 0; index < (options.stepByBranch ? numBranches : 1);
       ++index)
    checkStep(rewriter, loc, PlannedBody::getStepOf(rewriter, loc, step, index),
              body.getNumSteps());
  IRMapping copies;
  copies.map(old.getArguments(), entry->getArguments());
  SmallVector<Value> values =
      chooseStep(rewriter, body, step, groupSteps(body, form), copies, states,
                 old.getTerminator());
  func::ReturnOp::create(rewriter, loc, values);
  rewriter.eraseBlock(&old);
  createInit(rewriter, function, body.getStateTypes(), options.init);
}
