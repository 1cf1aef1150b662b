//===- ProfileSite.cpp - What is measured of a branch ---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an earlier step gave is kept in a ring with a slot for each age. All
// measuring comes after the clock that ends the branch, and computes nothing
// that the branch could have shared with it.
//
//===----------------------------------------------------------------------===//

#include "ProfileSite.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// What is measured
//===----------------------------------------------------------------------===//

ProfileSite::ProfileSite(Operation *op, const ProfileRequest &request)
    : op(op), request(request) {
  if (auto branch = dyn_cast<BranchOp>(op)) {
    site = branch.getSite().str();
    attention = branch.getAttention();
  } else {
    attention = cast<AttentionOp>(op);
    site = attention.getSite().value_or("").str();
  }
  obstacle = findObstacle();
  if (!obstacle.empty())
    return;
  findProbes();
  if (!output.getType().hasStaticShape() || !added.getType().hasStaticShape())
    obstacle = "it has extents that only run time knows";
  else
    choose();
}

std::string ProfileSite::findObstacle() {
  if (site.empty())
    return "it has no site; --dit-annotate-sites gives names";
  auto branch = dyn_cast<BranchOp>(op);
  if (!attention && branch.getKind() != BranchKind::MLP)
    return "it has several attentions";
  if (branch && attention && attention->getParentOp() != op)
    return "its attention is inside of another op";
  return "";
}

/// The values that the first stages of `branch` yield, up to `point`.
static Value getYielded(BranchOp branch, CachePoint point) {
  Value found;
  for (unsigned stage = 0; stage <= static_cast<unsigned>(point); ++stage)
    if (Region &region = branch->getRegion(stage); !region.empty())
      found = region.front().getTerminator()->getOperand(0);
  return found;
}

void ProfileSite::findProbes() {
  auto branch = dyn_cast<BranchOp>(op);
  added.value = branch ? getYielded(branch, CachePoint::AfterProjection)
                       : attention->getResult(0);
  output = added;
  if (!attention)
    return;
  DimOrderAttr order = attention.getODimOrder();
  output.value = attention->getResult(0);
  output.headDim = order.position('h');
  output.batchDim = order.position('b').value_or(0);
  if (!branch)
    added.batchDim = output.batchDim;
}

void ProfileSite::addEntry(Metric metric, int64_t heads, int64_t ages,
                           std::optional<Mode> mode,
                           std::optional<double> mass) {
  Measurement entry;
  entry.site = site;
  entry.metric = metric;
  entry.mass = mass;
  entry.mode = mode;
  entry.heads = heads;
  entry.ages = ages;
  entry.values.resize(request.steps * heads * ages);
  entries.push_back({std::move(entry), /*offset=*/0});
}

int64_t ProfileSite::addHistory(RankedTensorType type, int64_t ages) {
  SmallVector<int64_t> shape = {ages};
  llvm::append_range(shape, type.getShape());
  histories.push_back(RankedTensorType::get(shape, type.getElementType()));
  return histories.size() - 1;
}

/// The mode of one half of the batch for both.
static Mode getHalfMode() {
  Mode mode = Mode::full();
  mode.part = BatchPart::First;
  return mode;
}

static Mode getResidual(Mode mode) {
  mode.residual = true;
  return mode;
}

void ProfileSite::choose() {
  int64_t heads = output.getNumHeads();
  int64_t ages = std::min(request.ages, request.steps - 1);
  addEntry(Metric::Seconds, 1);
  if (ages > 0) {
    addEntry(Metric::StepDifference, 1);
    addEntry(Metric::Rse, heads, ages, Mode::share());
    addHistory(added.getType(), 1);
    addHistory(output.getType(), ages);
  }
  if (added.hasHalves())
    addEntry(Metric::GuidanceDifference, 1);
  if (output.hasHalves())
    addEntry(Metric::Rse, heads, 1, getHalfMode());
  if (output.hasHalves() && ages > 0) {
    addEntry(Metric::Rse, heads, ages, getResidual(getHalfMode()));
    halvesHistory = addHistory(output.getHalfType(), ages);
  }
  if (!attention)
    return;
  if (attention.getPattern() || attention.getTileNum() ||
      attention.getKvValid() || attention.getHalfWidths())
    maskObstacle = "its attention is masked already";
  else if (attention.getBias())
    maskObstacle = "its attention has a bias";
  if (!maskObstacle.empty())
    return;
  for (double mass : request.masses)
    addEntry(Metric::Sparsity, heads, 1, std::nullopt, mass);
  chooseMasks();
  for (const Mode &mode : masks)
    addEntry(Metric::Rse, heads, 1, mode);
  if (masks.empty() || ages < 1)
    return;
  addEntry(Metric::Rse, heads, ages, getResidual(masks.front()));
  maskHistory = addHistory(output.getType(), ages);
}

/// The widest mask comes first. An eighth of the tokens on each side is that of
/// DiTFastAttn, the others are candidates of its version 2.
void ProfileSite::chooseMasks() {
  auto qType = cast<RankedTensorType>(attention.getQ().getType());
  auto kType = cast<RankedTensorType>(attention.getK().getType());
  int64_t queries = attention.getQDimOrder().extent('s', qType.getShape());
  int64_t keys = attention.getKDimOrder().extent('s', kType.getShape());
  if (queries != keys)
    return;
  GridAttr grid = attention.getGridAttr();
  int64_t text = grid ? grid.getText() : 0;
  SmallVector<int64_t> widths(request.windows);
  if (widths.empty())
    for (int64_t share : {8, 16, 32, 64})
      widths.push_back((queries - text) / share);
  llvm::sort(widths, std::greater<int64_t>());
  widths.erase(llvm::unique(widths), widths.end());
  for (int64_t width : widths)
    if (width > 0 && width < queries - text)
      masks.push_back(text > 0 ? Mode::arrow(width) : Mode::window(width));
}

int64_t ProfileSite::declare(Profile &profile) {
  int64_t offset = 0;
  for (Entry &entry : entries) {
    entry.offset = offset;
    offset += entry.measurement.values.size();
    profile.add(entry.measurement);
  }
  return offset;
}

RankedTensorType ProfileSite::getValuesType(Builder &builder) const {
  int64_t count =
      entries.back().offset + entries.back().measurement.values.size();
  return RankedTensorType::get(count, builder.getF64Type());
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

static Value readClock(ImplicitLocOpBuilder &b) {
  return func::CallOp::create(b, kClockFunction, TypeRange{b.getF64Type()})
      .getResult(0);
}

/// The point behind `op` and an addition that is all that uses it: compilers
/// fuse that with the branch.
static Operation *getEnd(Operation *op) {
  if (op->getNumResults() != 1 || !op->hasOneUse())
    return op;
  Operation *user = *op->user_begin();
  bool isSum = user->getBlock() == op->getBlock() &&
               isa<linalg::LinalgOp>(user) && user->getNumResults() == 1;
  return isSum ? user : op;
}

void ProfileSite::inlineBranch(RewriterBase &rewriter) {
  auto branch = dyn_cast<BranchOp>(op);
  if (!branch)
    return;
  SmallVector<Value> values;
  for (unsigned stage = 0; stage < branch->getNumRegions(); ++stage) {
    Region &region = branch->getRegion(stage);
    if (!region.empty()) {
      Operation *terminator = region.front().getTerminator();
      rewriter.inlineBlockBefore(&region.front(), branch, values);
      values = llvm::to_vector(terminator->getOperands());
      rewriter.eraseOp(terminator);
    }
    if (stage == static_cast<unsigned>(CachePoint::AfterProjection))
      added.value = values.front();
  }
  if (!attention)
    output.value = added.value;
  rewriter.replaceOp(branch, values);
}

SmallVector<Value> ProfileSite::emit(RewriterBase &rewriter,
                                     ProfileState &state, ValueRange history) {
  OpBuilder::InsertionGuard guard(rewriter);
  ImplicitLocOpBuilder b(op->getLoc(), rewriter);
  Operation *end = getEnd(op);
  b.setInsertionPoint(op);
  Value start = readClock(b);
  b.setInsertionPointAfter(end);
  Value stop = readClock(b);
  Value seconds = arith::SubFOp::create(b, stop, start);
  Value time = tensor::FromElementsOp::create(b, seconds);
  record(b, state, time, Metric::Seconds);
  inlineBranch(rewriter);
  b.setInsertionPointAfter(state.values.getDefiningOp());
  kept = llvm::to_vector(history);
  deviation = ProbeBuilder(b).sumSquaredDeviation(output);
  emitDifferences(b, state);
  emitShares(b, state);
  emitMasks(b, state);
  emitSparsity(b, state);
  return std::move(kept);
}

void ProfileSite::record(ImplicitLocOpBuilder &b, ProfileState &state,
                         Value numbers, Metric metric, std::optional<Mode> mode,
                         int64_t age, std::optional<double> mass) {
  auto entry = llvm::find_if(entries, [&](const Entry &candidate) {
    const Measurement &measurement = candidate.measurement;
    return measurement.metric == metric && measurement.mode == mode &&
           measurement.mass == mass;
  });
  assert(entry != entries.end() && "was not declared");
  const Measurement &measurement = entry->measurement;
  Value stride =
      arith::ConstantIndexOp::create(b, measurement.heads * measurement.ages);
  Value base = arith::ConstantIndexOp::create(b, entry->offset + age - 1);
  Value offset = arith::AddIOp::create(
      b, arith::MulIOp::create(b, state.step, stride), base);
  state.values = tensor::InsertSliceOp::create(
      b, numbers, state.values, ArrayRef<OpFoldResult>{offset},
      ArrayRef<OpFoldResult>{b.getIndexAttr(measurement.heads)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(measurement.ages)});
}

/// Offsets, extents and strides of slot `slot` of a ring.
static std::array<SmallVector<OpFoldResult>, 3>
getSlot(ImplicitLocOpBuilder &b, RankedTensorType ring, Value slot) {
  SmallVector<OpFoldResult> offsets(ring.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(ring.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes;
  for (int64_t extent : ring.getShape())
    sizes.push_back(b.getIndexAttr(extent));
  offsets[0] = slot;
  sizes[0] = b.getIndexAttr(1);
  return {offsets, sizes, strides};
}

/// `step + shift` modulo the number of slots.
static Value createSlot(ImplicitLocOpBuilder &b, Value step, int64_t shift,
                        int64_t slots) {
  Value sum =
      arith::AddIOp::create(b, step, arith::ConstantIndexOp::create(b, shift));
  return arith::RemUIOp::create(b, sum,
                                arith::ConstantIndexOp::create(b, slots));
}

/// 1 from step `age` on, before that 0.
static Value createValid(ImplicitLocOpBuilder &b, Value step, int64_t age) {
  Value is = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, step,
                                   arith::ConstantIndexOp::create(b, age));
  Value number = arith::UIToFPOp::create(b, b.getF64Type(), is);
  return tensor::FromElementsOp::create(b, number);
}

static Value readRing(ImplicitLocOpBuilder &b, Value ring, Value step,
                      int64_t age) {
  auto type = cast<RankedTensorType>(ring.getType());
  int64_t slots = type.getDimSize(0);
  Value slot = createSlot(b, step, slots - age, slots);
  auto [offsets, sizes, strides] = getSlot(b, type, slot);
  auto result = RankedTensorType::get(type.getShape().drop_front(),
                                      type.getElementType());
  return tensor::ExtractSliceOp::create(b, result, ring, offsets, sizes,
                                        strides);
}

static Value writeRing(ImplicitLocOpBuilder &b, Value value, Value ring,
                       Value step) {
  auto type = cast<RankedTensorType>(ring.getType());
  Value slot = createSlot(b, step, 0, type.getDimSize(0));
  auto [offsets, sizes, strides] = getSlot(b, type, slot);
  return tensor::InsertSliceOp::create(b, value, ring, offsets, sizes, strides);
}

void ProfileSite::emitDifferences(ImplicitLocOpBuilder &b,
                                  ProfileState &state) {
  ProbeBuilder probes(b);
  double count = static_cast<double>(added.getType().getNumElements());
  if (!histories.empty()) {
    Value before = readRing(b, kept[0], state.step, /*age=*/1);
    Value error = probes.sumSquaredError(Probe{added.value, std::nullopt},
                                         added.value, before);
    record(b, state,
           probes.scale(error, 1.0 / count, 0.0,
                        createValid(b, state.step, /*age=*/1)),
           Metric::StepDifference);
    kept[0] = writeRing(b, added.value, kept[0], state.step);
  }
  if (added.hasHalves()) {
    auto [first, second] = probes.split(added);
    Value error =
        probes.sumSquaredError(Probe{first, std::nullopt}, first, second);
    record(b, state, probes.scale(error, 2.0 / count),
           Metric::GuidanceDifference);
  }
  if (output.hasHalves()) {
    auto [first, second] = probes.split(output);
    Value error =
        probes.sumSquaredError(Probe{first, output.headDim}, first, second);
    record(b, state, probes.divide(error, deviation), Metric::Rse,
           getHalfMode());
    if (!halvesHistory)
      return;
    // The other half is off by what lies between the two has changed.
    RankedTensorType half = output.getHalfType();
    Value empty =
        tensor::EmptyOp::create(b, half.getShape(), half.getElementType());
    Value apart =
        linalg::SubOp::create(b, half, ValueRange{second, first}, empty)
            .getResult(0);
    emitAges(b, state, Probe{apart, output.headDim}, *halvesHistory,
             getResidual(getHalfMode()));
  }
}

void ProfileSite::emitAges(ImplicitLocOpBuilder &b, ProfileState &state,
                           const Probe &probe, int64_t index,
                           const Mode &mode) {
  ProbeBuilder probes(b);
  for (int64_t age = 1; age <= histories[index].getDimSize(0); ++age) {
    Value before = readRing(b, kept[index], state.step, age);
    Value error = probes.sumSquaredError(probe, probe.value, before);
    record(b, state,
           probes.divide(error, deviation, createValid(b, state.step, age)),
           Metric::Rse, mode, age);
  }
  kept[index] = writeRing(b, probe.value, kept[index], state.step);
}

void ProfileSite::emitShares(ImplicitLocOpBuilder &b, ProfileState &state) {
  if (!histories.empty())
    emitAges(b, state, output, /*index=*/1, Mode::share());
}

Value ProfileSite::buildMasked(ImplicitLocOpBuilder &b, const Mode &mode) {
  int64_t width = mode.width[0];
  PatternAttrInterface pattern = WindowAttr::get(b.getContext(), width, width);
  if (mode.kind == ModeKind::Arrow)
    pattern =
        ArrowAttr::get(b.getContext(), width, attention.getGridAttr().getText(),
                       attention.getGridAttr().getTextFirst());
  auto masked = cast<AttentionOp>(b.clone(*attention.getOperation()));
  masked.setPatternAttr(pattern);
  // There is one op of a site.
  masked.removeSiteAttr();
  auto type = output.getType();
  Value empty =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  empty.getDefiningOp()->moveBefore(masked);
  masked.getOutputMutable().assign(empty);
  return masked->getResult(0);
}

void ProfileSite::emitMasks(ImplicitLocOpBuilder &b, ProfileState &state) {
  ProbeBuilder probes(b);
  for (auto [index, mode] : llvm::enumerate(masks)) {
    Value masked = buildMasked(b, mode);
    Value error = probes.sumSquaredError(output, output.value, masked);
    record(b, state, probes.divide(error, deviation), Metric::Rse, mode);
    if (index > 0 || !maskHistory)
      continue;
    // A residual of an earlier step is off by what it has changed since.
    auto type = output.getType();
    Value empty =
        tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
    Value residual =
        linalg::SubOp::create(b, type, ValueRange{output.value, masked}, empty)
            .getResult(0);
    Probe probe = output;
    probe.value = residual;
    emitAges(b, state, probe, *maskHistory, getResidual(mode));
  }
}

void ProfileSite::emitSparsity(ImplicitLocOpBuilder &b, ProfileState &state) {
  if (!attention || !maskObstacle.empty() || request.masses.empty())
    return;
  ProbeBuilder probes(b);
  auto type = cast<RankedTensorType>(attention.getQ().getType());
  int64_t queries = attention.getQDimOrder().extent('s', type.getShape());
  // Enough queries for a mean.
  constexpr int64_t kFewQueries = 64;
  int64_t stride =
      std::clamp<int64_t>(queries / kFewQueries, 1, request.queryStride);
  Value scores = probes.buildScores(attention, stride);
  for (double mass : request.masses)
    record(b, state, probes.measureSparsity(scores, mass), Metric::Sparsity,
           std::nullopt, /*age=*/1, mass);
}
