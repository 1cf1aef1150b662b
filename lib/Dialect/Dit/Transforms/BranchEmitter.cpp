//===- BranchEmitter.cpp - What a branch does at a step -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step that shares starts behind the stage after which the value was kept, so
// nothing of the stages before it is written out.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/BranchEmitter.h"
#include "AttendEmitter.h"
#include "dit/Dialect/Dit/Analysis/ProgramWork.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::dit;

FailureOr<PlanOp> mlir::dit::lookupPlan(ModuleOp module, StringRef name,
                                        StringRef pass) {
  SmallVector<PlanOp> plans;
  for (auto op : module.getOps<PlanOp>())
    if (name.empty() || op.getSymName() == name)
      plans.push_back(op);
  if (plans.size() == 1)
    return plans.front();
  InFlightDiagnostic diag = mlir::emitError(module.getLoc()) << pass << ": ";
  if (!name.empty())
    return diag << "there is no plan '" << name << "'";
  if (plans.empty())
    return diag << "there is no plan; run --dit-import-plan first";
  return diag << "there are several plans; choose one by the option name";
}

int64_t mlir::dit::getStateBytes(RankedTensorType type) {
  return llvm::divideCeil(static_cast<uint64_t>(type.getNumElements()) *
                              type.getElementTypeBitWidth(),
                          8);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

BranchEmitter::BranchEmitter(BranchOp op, BranchPlan plan, bool eager)
    : op(op), plan(plan), caches(plan, eager) {
  for (auto [slot, held] : llvm::enumerate(caches.getSlots())) {
    CachePoint point = held.residual ? CachePoint::BeforeProjection
                       : held.halves ? CachePoint::AfterProjection
                                     : this->plan.cache;
    for (Type type : op.getTypesAt(point)) {
      auto whole = cast<RankedTensorType>(type);
      stateTypes.push_back(
          held.halves
              ? getHalf(whole, /*dim=*/0, BatchPart::First).getType(whole)
              : whole);
      slotOf.push_back(slot);
    }
  }
}

SmallVector<Value> BranchEmitter::getStates(ValueRange states,
                                            int64_t slot) const {
  SmallVector<Value> found;
  for (auto [state, of] : llvm::zip_equal(states, slotOf))
    if (of == slot)
      found.push_back(state);
  return found;
}

/// The values of the heads that share, in a value of all heads.
SmallVector<Value> BranchEmitter::load(RewriterBase &rewriter,
                                       const BranchStep &step,
                                       ValueRange states) {
  int64_t first = -1;
  for (const HeadStep &head : step.heads)
    if (!head.mode.computes() && first < 0)
      first = head.load;
  SmallVector<Value> values = getStates(states, first);
  if (plan.cache != CachePoint::BeforeProjection)
    return values;
  AttentionOp attention = op.getAttention();
  for (auto [index, head] : llvm::enumerate(step.heads)) {
    if (head.mode.computes() || head.load == first)
      continue;
    Value part = extractHeads(rewriter, attention,
                              getStates(states, head.load).front(), index, 1);
    values.front() =
        insertHeads(rewriter, attention, part, values.front(), index);
  }
  return values;
}

/// A tensor of zeros, to which values of some heads can be added.
static Value createZeros(OpBuilder &builder, Location loc,
                         RankedTensorType type) {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(type.getElementType()));
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

void BranchEmitter::store(RewriterBase &rewriter, const SlotUpdate &update,
                          int64_t slot, ValueRange values,
                          MutableArrayRef<Value> states) {
  if (update.kind == SlotUpdate::Keep)
    return;
  size_t next = 0;
  for (auto [state, of] : llvm::zip_equal(states, slotOf)) {
    if (of != slot)
      continue;
    Value value = values[next++];
    if (update.kind == SlotUpdate::Replace) {
      state = value;
      continue;
    }
    AttentionOp attention = op.getAttention();
    if (!state)
      state = createZeros(rewriter, op.getLoc(),
                          cast<RankedTensorType>(value.getType()));
    for (const auto &[head, mask] : update.heads) {
      Value part = extractHeads(rewriter, attention, value, head, 1);
      state = insertHeads(rewriter, attention, part, state, head);
    }
  }
}

//===----------------------------------------------------------------------===//
// Obstacles
//===----------------------------------------------------------------------===//

/// Whether a step is the stage as it is.
static bool isPlain(const BranchStep &step, const CachePlan &caches) {
  bool full = llvm::all_of(step.heads, [](const HeadStep &head) {
    return head.mode == Mode::full();
  });
  for (auto [slot, update] : llvm::zip_equal(caches.getSlots(), step.updates))
    full &= !slot.residual || update.kind == SlotUpdate::Keep;
  return full;
}

/// What an attention has to be like for modes of heads and masks.
static std::string findAttentionObstacle(BranchOp op) {
  AttentionOp attention = op.getAttention();
  if (!attention || attention->getParentRegion() != &op.getAttendRegion())
    return "it has not a single attention";
  ValueRange yielded =
      op.getAttendRegion().front().getTerminator()->getOperands();
  if (yielded.size() != 1 || attention->getNumResults() != 1 ||
      yielded.front() != attention->getResult(0))
    return "its first stage does not end with the output of its attention";
  if (attention.getHalfWidths())
    return "its attention has half-widths of its own";
  for (Value operand : attention->getOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.getType());
        !type || !type.hasStaticShape())
      return "its attention has dynamic extents";
  return "";
}

/// What is wrong with the tokens that `mode` is about.
static std::string findTokenObstacle(const Mode &mode, AttentionOp attention,
                                     GridAttr grid) {
  int64_t queries = attention.getQueryLength(), keys = attention.getKVLength();
  bool onGrid = mode.inGrid || mode.byPlace;
  if (onGrid && (queries != keys || queries != grid.getNumTokens()))
    return llvm::formatv("its mask needs queries and keys that are the {0} "
                         "tokens of the grid, and it has {1} and {2}",
                         grid.getNumTokens(), queries, keys);
  if (mode.kind == ModeKind::Arrow && grid &&
      std::min(queries, keys) < grid.getText())
    return "it has fewer tokens than the text of its arrow";
  return "";
}

std::string BranchEmitter::findStepObstacle(const BranchStep &step) {
  bool byHead = plan.cache == CachePoint::BeforeProjection;
  if (step.isShared())
    return "";
  BatchPart part = step.getPart();
  bool halves = llvm::any_of(step.heads, [](const HeadStep &head) {
    return head.mode.part != BatchPart::All;
  });
  auto isEven = [](Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return tensor.hasStaticShape() && tensor.getRank() > 0 &&
           tensor.getDimSize(0) % 2 == 0;
  };
  if (halves &&
      !llvm::all_of(op.getTypesAt(CachePoint::AfterProjection), isEven))
    return "a half needs a batch, the first dimension of what it adds, of an "
           "even extent";
  if (step.heads.front().mode.addsHalf() && op.getProjectRegion().empty())
    return "the residual of a half needs an output projection";
  if (op.getKind() == BranchKind::MLP || isPlain(step, caches))
    return "";
  std::string text = findAttentionObstacle(op);
  if (!text.empty())
    return text;
  AttentionOp attention = op.getAttention();
  auto type = cast<RankedTensorType>(attention->getResult(0).getType());
  std::optional<int64_t> batch = getBatchDim(attention);
  if (halves && (!batch || type.getDimSize(*batch) % 2 != 0))
    return "a half needs an attention with a batch of an even extent";
  SmallVector<std::pair<std::optional<Mode>, int64_t>> heads;
  for (const HeadStep &head : step.heads) {
    heads.emplace_back();
    if (head.mode.computes())
      heads.back() = {head.mode, head.load};
    text = findTokenObstacle(head.mode, attention, plan.grid);
    if (!text.empty())
      return text;
  }
  AttendEmitter emitter(attention, plan, part, IRMapping());
  bool aligned = AttendEmitter::isAligned(attention, emitter.getRuns(heads));
  if (!aligned && byHead)
    return "heads that share keys run in different modes";
  return aligned ? "" : "heads that share keys have different masks";
}

std::string BranchEmitter::findObstacle() {
  for (RankedTensorType type : stateTypes)
    if (!type.hasStaticShape())
      return "what it keeps has a dynamic shape";
  for (const BranchStep &step : caches.getClasses()) {
    std::string text = findStepObstacle(step);
    if (!text.empty())
      return text;
  }
  // Masks of residuals are those of steps that were looked at.
  return "";
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Copies the ops of a stage that takes `values`.
static SmallVector<Value> cloneStage(RewriterBase &rewriter, Region &stage,
                                     ValueRange values, IRMapping copies) {
  if (stage.empty())
    return SmallVector<Value>(values);
  Block &body = stage.front();
  copies.map(body.getArguments(), values);
  for (Operation &inner : body.without_terminator())
    rewriter.clone(inner, copies);
  return llvm::map_to_vector(
      body.getTerminator()->getOperands(),
      [&](Value value) { return copies.lookupOrDefault(value); });
}

namespace {

/// The values of one step of a branch on their way through the stages.
class StepBuilder {
public:
  StepBuilder(RewriterBase &rewriter, BranchOp op, const BranchPlan &plan,
              const CachePlan &caches, const BranchStep &step,
              const IRMapping &copies)
      : rewriter(rewriter), op(op), plan(plan), caches(caches), step(step),
        copies(copies), part(step.getPart()) {}

  /// The output of the attention, of a half if the step is of one. `loaded` is
  /// the value of heads that share, `residuals` those of slots. Fills `kept`
  /// with the residuals that the step keeps, by slot.
  SmallVector<Value> attend(Value loaded, ArrayRef<Value> residuals,
                            SmallVectorImpl<Value> &kept);
  /// The output of the projection, of all of the batch. With `differences` of
  /// the halves, a half makes the other one by them.
  SmallVector<Value> project(ArrayRef<Value> values, ValueRange differences);
  /// How far the halves of values after the projection are apart.
  SmallVector<Value> compareHalves(ArrayRef<Value> values);
  SmallVector<Value> gate(ArrayRef<Value> values) {
    return cloneStage(rewriter, op.getGateRegion(), values, copies);
  }
  BatchPart getPart() const { return part; }
  Value duplicateAttention(Value value) {
    return duplicateHalf(rewriter, op.getLoc(), value,
                         *getBatchDim(op.getAttention()));
  }

private:
  using Heads = SmallVector<std::pair<std::optional<Mode>, int64_t>>;
  Heads getMasks(const SlotUpdate &update) const;

  RewriterBase &rewriter;
  BranchOp op;
  const BranchPlan &plan;
  const CachePlan &caches;
  const BranchStep &step;
  const IRMapping &copies;
  BatchPart part;
};

} // namespace

/// The masks under which heads keep a residual in a slot.
StepBuilder::Heads StepBuilder::getMasks(const SlotUpdate &update) const {
  Heads heads(step.heads.size(), {std::nullopt, -1});
  for (const auto &[head, mask] : update.heads) {
    heads[head].first = mask;
    heads[head].first->part = step.heads[head].mode.part;
  }
  return heads;
}

SmallVector<Value> StepBuilder::attend(Value loaded, ArrayRef<Value> residuals,
                                       SmallVectorImpl<Value> &kept) {
  kept.resize(caches.getSlots().size());
  if (isPlain(step, caches))
    return cloneStage(rewriter, op.getAttendRegion(), {}, copies);
  Location loc = op.getLoc();
  AttendEmitter emitter(op.getAttention(), plan, part, copies);
  Heads heads;
  for (const HeadStep &head : step.heads)
    heads.emplace_back(
        head.mode.computes() ? std::optional(head.mode) : std::nullopt,
        head.mode.computes() && !head.mode.addsHalf() ? head.load : -1);
  SmallVector<HeadRun> runs = emitter.getRuns(heads);
  emitter.demand(runs);
  SmallVector<SmallVector<HeadRun>> masks;
  for (auto [slot, update] : llvm::zip_equal(caches.getSlots(), step.updates)) {
    masks.emplace_back();
    if (slot.residual && update.kind != SlotUpdate::Keep)
      masks.back() = emitter.getRuns(getMasks(update));
    emitter.demand(masks.back());
  }
  emitter.prepare(rewriter);
  Value output =
      emitter.emit(rewriter, runs,
                   loaded ? loaded : emitter.createInit(rewriter), residuals);
  for (auto [slot, maskRuns] : llvm::enumerate(masks)) {
    if (maskRuns.empty())
      continue;
    // Heads that keep nothing have a difference of zero.
    Value masked = emitter.emit(rewriter, maskRuns, output, {});
    auto type = cast<RankedTensorType>(output.getType());
    Value init = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                         type.getElementType());
    kept[slot] =
        linalg::SubOp::create(rewriter, loc, ValueRange{output, masked}, init)
            .getResult(0);
    if (part != BatchPart::All)
      kept[slot] = duplicateAttention(kept[slot]);
  }
  return {output};
}

/// An elementwise sum or difference.
template <typename OpTy>
static Value combine(RewriterBase &rewriter, Location loc, Value lhs,
                     Value rhs) {
  auto type = cast<RankedTensorType>(lhs.getType());
  Value init = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                       type.getElementType());
  return OpTy::create(rewriter, loc, ValueRange{lhs, rhs}, init).getResult(0);
}

SmallVector<Value> StepBuilder::compareHalves(ArrayRef<Value> values) {
  return llvm::map_to_vector(values, [&](Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    auto get = [&](BatchPart half) {
      return createPart(rewriter, op.getLoc(), value,
                        getHalf(type, /*dim=*/0, half));
    };
    Value first = get(BatchPart::First), second = get(BatchPart::Second);
    return combine<linalg::SubOp>(rewriter, op.getLoc(), second, first);
  });
}

SmallVector<Value> StepBuilder::project(ArrayRef<Value> values,
                                        ValueRange differences) {
  Region &stage = op.getProjectRegion();
  if (part == BatchPart::All)
    return cloneStage(rewriter, stage, values, copies);
  SmallVector<Value> whole;
  if (stage.empty()) {
    for (Value value : values)
      whole.push_back(duplicateAttention(value));
    return whole;
  }
  Block &body = stage.front();
  ValueRange yielded = body.getTerminator()->getOperands();
  auto getPartOf = [&](Value value) {
    return getHalf(cast<RankedTensorType>(value.getType()), 0, part);
  };
  SmallVector<BlockArgument> arguments(body.getArguments());
  IRMapping known = copies;
  known.map(body.getArguments(), values);
  RegionSlicer slicer(body, known);
  for (Value value : yielded)
    slicer.demand(value, getPartOf(value));
  slicer.plan();
  AttentionOp attention = op.getAttention();
  for (auto [argument, value] : llvm::zip_equal(arguments, values)) {
    TensorPart half = getHalf(cast<RankedTensorType>(argument.getType()),
                              *getBatchDim(attention), part);
    if (slicer.needsOnly(argument, half))
      slicer.setKnownPart(argument, half);
    else
      slicer.setKnown(argument, duplicateAttention(value));
  }
  slicer.emit(rewriter);
  Location loc = op.getLoc();
  for (auto [index, value] : llvm::enumerate(yielded)) {
    Value half = slicer.get(rewriter, value, getPartOf(value));
    if (differences.empty())
      whole.push_back(duplicateHalf(rewriter, loc, half, /*dim=*/0));
    else if (part == BatchPart::First)
      whole.push_back(joinHalves(
          rewriter, loc, half,
          combine<linalg::AddOp>(rewriter, loc, half, differences[index]),
          /*dim=*/0));
    else
      whole.push_back(joinHalves(
          rewriter, loc,
          combine<linalg::SubOp>(rewriter, loc, half, differences[index]), half,
          /*dim=*/0));
  }
  return whole;
}

BranchEmitter::Values BranchEmitter::emitStages(RewriterBase &rewriter,
                                                const BranchStep &step,
                                                const IRMapping &copies,
                                                ValueRange states) {
  StepBuilder builder(rewriter, op, plan, caches, step, copies);
  Values result;
  llvm::append_range(result.states, states);
  SmallVector<Value> values;
  bool shares = llvm::any_of(
      step.heads, [](const HeadStep &head) { return !head.mode.computes(); });
  if (shares)
    values = load(rewriter, step, states);
  auto keep = [&](CachePoint point) {
    if (plan.cache != point)
      return;
    for (auto [slot, held] : llvm::enumerate(caches.getSlots()))
      if (!held.residual && !held.halves)
        store(rewriter, step.updates[slot], slot, values, result.states);
  };
  bool computes = !step.isShared();
  if (computes && op.getKind() != BranchKind::MLP) {
    SmallVector<Value> residuals, kept;
    for (auto [slot, held] : llvm::enumerate(caches.getSlots()))
      residuals.push_back(held.residual ? getStates(states, slot).front()
                                        : Value());
    values = builder.attend(shares ? values.front() : Value(), residuals, kept);
    for (auto [slot, value] : llvm::enumerate(kept))
      if (value)
        store(rewriter, step.updates[slot], slot, value, result.states);
    if (plan.cache == CachePoint::BeforeProjection &&
        builder.getPart() != BatchPart::All) {
      values.front() = builder.duplicateAttention(values.front());
      keep(CachePoint::BeforeProjection);
      values = cloneStage(rewriter, op.getProjectRegion(), values, copies);
      result.added = builder.gate(values);
      return result;
    }
  }
  if (computes)
    keep(CachePoint::BeforeProjection);
  SmallVector<Value> differences;
  if (computes && step.heads.front().mode.addsHalf())
    differences = getStates(states, step.heads.front().load);
  if (computes || plan.cache == CachePoint::BeforeProjection)
    values = builder.project(values, differences);
  for (auto [slot, held] : llvm::enumerate(caches.getSlots()))
    if (held.halves && step.updates[slot].kind != SlotUpdate::Keep)
      store(rewriter, step.updates[slot], slot, builder.compareHalves(values),
            result.states);
  if (computes)
    keep(CachePoint::AfterProjection);
  if (computes || plan.cache != CachePoint::AfterGate)
    values = builder.gate(values);
  if (computes)
    keep(CachePoint::AfterGate);
  result.added = std::move(values);
  return result;
}

BranchEmitter::Values BranchEmitter::emit(RewriterBase &rewriter,
                                          const BranchStep &step,
                                          const IRMapping &copies,
                                          ValueRange states) {
  Block *block = rewriter.getInsertionBlock();
  Block::iterator point = rewriter.getInsertionPoint();
  Operation *before = point == block->begin() ? nullptr : &*std::prev(point);
  Values values = emitStages(rewriter, step, copies, states);
  setSiteOfWork(before ? std::next(before->getIterator()) : block->begin(),
                rewriter.getInsertionPoint(), op.getSite());
  return values;
}
