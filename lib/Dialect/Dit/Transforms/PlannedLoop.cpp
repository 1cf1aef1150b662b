//===- PlannedLoop.cpp - A step loop under a plan -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One loop that carries all states, or runs of steps that repeat, with states
// only where a later step reads them.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/ApplyPlan.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// Writes out the steps of a loop.
class LoopWriter {
public:
  LoopWriter(RewriterBase &rewriter, scf::ForOp loop, PlannedBody &body)
      : rewriter(rewriter), loop(loop), body(body), carried(loop.getInitArgs()),
        states(body.getStateTypes().size()) {}

  /// Steps `[run.begin, ...)` as a loop of `run.repeats` iterations that holds
  /// `run.period` steps one after the other, or one body that is asked for its
  /// step.
  void writeLoop(StepRun run, PlanForm form);
  void writeStep(int64_t step, Value position);
  ArrayRef<Value> getCarried() const { return carried; }

private:
  /// The value of the induction variable at `step`.
  Value createPosition(int64_t step);
  Value createOffset(Value position, int64_t steps);
  void writeBody(ArrayRef<int64_t> steps, Value position, Value step);

  RewriterBase &rewriter;
  scf::ForOp loop;
  PlannedBody &body;
  SmallVector<Value> carried;
  SmallVector<Value> states;
};

} // namespace

Value LoopWriter::createOffset(Value position, int64_t steps) {
  if (steps == 0)
    return position;
  Location loc = loop.getLoc();
  Value count = arith::ConstantOp::create(
      rewriter, loc, rewriter.getIntegerAttr(position.getType(), steps));
  Value distance =
      rewriter.createOrFold<arith::MulIOp>(loc, count, loop.getStep());
  return rewriter.createOrFold<arith::AddIOp>(loc, position, distance);
}

Value LoopWriter::createPosition(int64_t step) {
  return createOffset(loop.getLowerBound(), step);
}

void LoopWriter::writeBody(ArrayRef<int64_t> steps, Value position,
                           Value step) {
  IRMapping copies;
  copies.map(loop.getInductionVar(), position);
  copies.map(loop.getRegionIterArgs(), carried);
  body.emit(rewriter, steps, step, copies, states);
  for (auto [value, yielded] :
       llvm::zip_equal(carried, loop.getYieldedValues()))
    value = copies.lookupOrDefault(yielded);
}

void LoopWriter::writeStep(int64_t step, Value position) {
  writeBody(step, position ? position : createPosition(step), Value());
  for (auto [index, state] : llvm::enumerate(states))
    if (!body.isLiveAfter(index, step))
      state = nullptr;
}

void LoopWriter::writeLoop(StepRun run, PlanForm form) {
  Location loc = loop.getLoc();
  int64_t end = run.begin + run.period * run.repeats;
  auto steps = llvm::to_vector(llvm::seq(run.begin, end));
  // What lives on entry or is written inside is carried.
  SmallVector<int64_t> inside;
  for (size_t state = 0; state < states.size(); ++state)
    if ((run.begin > 0 && body.isLiveAfter(state, run.begin - 1)) ||
        llvm::any_of(steps,
                     [&](int64_t step) { return body.isWritten(state, step); }))
      inside.push_back(state);
  SmallVector<Value> inits = carried;
  for (int64_t state : inside)
    inits.push_back(
        states[state]
            ? states[state]
            : createInitialState(rewriter, loc, body.getStateTypes()[state]));
  int64_t stride = form == PlanForm::Table ? 1 : run.period;
  Value one = rewriter.createOrFold<arith::ConstantOp>(
      loc, rewriter.getIntegerAttr(loop.getStep().getType(), stride));
  Value stepSize =
      stride == 1
          ? loop.getStep()
          : rewriter.createOrFold<arith::MulIOp>(loc, one, loop.getStep());
  Value lower = createPosition(run.begin);
  bool toEnd = end == body.getNumSteps() && stride == 1;
  Value upper = toEnd ? loop.getUpperBound() : createPosition(end);
  auto made = scf::ForOp::create(rewriter, loc, lower, upper, stepSize, inits);
  made->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(made.getBody());
  size_t numCarried = carried.size();
  auto setValues = [&](ValueRange values) {
    llvm::copy(values.take_front(numCarried), carried.begin());
    for (auto [state, value] :
         llvm::zip_equal(inside, values.drop_front(numCarried)))
      states[state] = value;
  };
  setValues(made.getRegionIterArgs());
  if (form == PlanForm::Table)
    writeBody(steps, made.getInductionVar(), createStep(rewriter, made));
  else
    for (int64_t at = 0; at < run.period; ++at)
      writeBody(run.begin + at, createOffset(made.getInductionVar(), at),
                Value());
  SmallVector<Value> yielded = carried;
  for (int64_t state : inside)
    yielded.push_back(states[state]);
  scf::YieldOp::create(rewriter, loc, yielded);
  setValues(made.getResults());
  for (auto [index, state] : llvm::enumerate(states))
    if (!body.isLiveAfter(index, end - 1))
      state = nullptr;
}

void mlir::dit::applyToLoop(RewriterBase &rewriter, scf::ForOp loop,
                            PlannedBody &body, PlanForm form) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  LoopWriter writer(rewriter, loop, body);
  if (form == PlanForm::Table) {
    writer.writeLoop({0, body.getNumSteps(), 1}, form);
  } else {
    for (const StepRun &run : findStepRuns(body.getClasses())) {
      if (run.repeats > 1) {
        writer.writeLoop(run, form);
        continue;
      }
      for (int64_t at = 0; at < run.period; ++at)
        writer.writeStep(run.begin + at, Value());
    }
  }
  rewriter.replaceOp(loop, writer.getCarried());
}
