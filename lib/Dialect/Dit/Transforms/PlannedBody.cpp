//===- PlannedBody.cpp - The steps of a sampler under a plan --------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies of a body under a plan. A branch whose steps differ becomes a
// `dit.reuse` if some of them write its states and others leave them alone, and
// conditions inside of that.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/ApplyPlan.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/MapVector.h"

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

//===----------------------------------------------------------------------===//
// Branches whose steps differ
//===----------------------------------------------------------------------===//

namespace {

/// Steps of a branch that run the same code.
struct StepGroup {
  const BranchStep *step;
  SmallVector<int64_t> steps;
};

/// Writes out a branch that asks for the step.
class BranchChooser {
public:
  BranchChooser(RewriterBase &rewriter, BranchEmitter &branch, Value step,
                const IRMapping &copies)
      : rewriter(rewriter), branch(branch), step(step), copies(copies) {}

  BranchEmitter::Values choose(ArrayRef<int64_t> steps, ValueRange states);

private:
  /// True at the steps of `groups`, of those of the plan.
  Value isOneOf(ArrayRef<StepGroup> groups);
  /// One of `groups`; with `keeps`, these leave the states alone and yield
  /// none.
  BranchEmitter::Values chooseAmong(ArrayRef<StepGroup> groups,
                                    ValueRange states, bool keeps);
  BranchEmitter::Values createReuse(ArrayRef<StepGroup> writers,
                                    ArrayRef<StepGroup> keepers,
                                    ValueRange states);

  RewriterBase &rewriter;
  BranchEmitter &branch;
  Value step;
  const IRMapping &copies;
};

} // namespace

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

//===----------------------------------------------------------------------===//
// PlannedBody
//===----------------------------------------------------------------------===//

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

/// The step of branch `index`.
static Value getStepOf(OpBuilder &builder, Location loc, Value step,
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

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

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
    checkStep(rewriter, loc, getStepOf(rewriter, loc, step, index),
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
