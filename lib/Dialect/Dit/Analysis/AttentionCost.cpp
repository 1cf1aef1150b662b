//===- AttentionCost.cpp - Work of an attention ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kept share of a pattern is counted row by row; the one of a tile list
// comes from the selection that made it, as the list itself is run-time data.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "dit/Dialect/Dit/IR/PatternCost.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace mlir::dit;

/// Work beyond 64 bits counts as the largest number.
static constexpr int64_t kMostWork = std::numeric_limits<int64_t>::max();

static int64_t multiplySaturating(int64_t lhs, int64_t rhs) {
  int64_t product;
  return llvm::MulOverflow(lhs, rhs, product) ? kMostWork : product;
}

static int64_t addSaturating(int64_t lhs, int64_t rhs) {
  int64_t sum;
  return llvm::AddOverflow(lhs, rhs, sum) ? kMostWork : sum;
}

//===----------------------------------------------------------------------===//
// Executions
//===----------------------------------------------------------------------===//

/// Deeper expressions of a step, and loops of more iterations, are not known:
/// both are evaluated once for each iteration.
static constexpr unsigned kMaxStepDepth = 8;
static constexpr int64_t kMaxTrips = int64_t(1) << 20;

/// The value of an integer expression over the induction variable `iv`.
static std::optional<int64_t> evaluate(Value value, Value iv, int64_t at,
                                       unsigned depth = 0) {
  if (value == iv)
    return at;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  Operation *op = value.getDefiningOp();
  if (!op || depth == kMaxStepDepth)
    return std::nullopt;
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
    return evaluate(op->getOperand(0), iv, at, depth + 1);
  if (op->getNumOperands() != 2)
    return std::nullopt;
  std::optional<int64_t> lhs = evaluate(op->getOperand(0), iv, at, depth + 1);
  std::optional<int64_t> rhs = evaluate(op->getOperand(1), iv, at, depth + 1);
  if (!lhs || !rhs)
    return std::nullopt;
  int64_t result;
  if (isa<arith::AddIOp>(op) && !llvm::AddOverflow(*lhs, *rhs, result))
    return result;
  if (isa<arith::SubIOp>(op) && !llvm::SubOverflow(*lhs, *rhs, result))
    return result;
  if (isa<arith::MulIOp>(op) && !llvm::MulOverflow(*lhs, *rhs, result))
    return result;
  if (isa<arith::DivUIOp, arith::DivSIOp>(op) && *rhs > 0 && *lhs >= 0)
    return *lhs / *rhs;
  return std::nullopt;
}

namespace {
/// Constant bounds of a loop.
struct LoopRange {
  int64_t lower;
  int64_t step;
  int64_t trips;
};
} // namespace

static std::optional<LoopRange> getRange(scf::ForOp loop) {
  std::optional<APInt> trips = loop.getStaticTripCount();
  APInt lower, step;
  if (!trips || trips->ugt(kMaxTrips) ||
      !matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
      !matchPattern(loop.getStep(), m_ConstantInt(&step)))
    return std::nullopt;
  int64_t last;
  if (llvm::MulOverflow(step.getSExtValue(), trips->getSExtValue(), last) ||
      llvm::AddOverflow(last, lower.getSExtValue(), last))
    return std::nullopt;
  return LoopRange{lower.getSExtValue(), step.getSExtValue(),
                   trips->getSExtValue()};
}

namespace {

/// A condition, and what it has to be for an op to run.
struct Condition {
  Value value;
  bool wanted;
};

} // namespace

/// Whether all of `conditions` hold in the iteration of `loop` at `iv`, as far
/// as is known.
static bool holdAt(ArrayRef<Condition> conditions, scf::ForOp loop, int64_t iv,
                   bool &exact) {
  return llvm::all_of(conditions, [&](const Condition &condition) {
    auto scheduled = condition.value.getDefiningOp<ScheduledOp>();
    std::optional<int64_t> at;
    if (scheduled)
      at = evaluate(scheduled.getStep(), loop.getInductionVar(), iv);
    if (!at)
      exact = false;
    return !at || scheduled.getSchedule().computes(*at) == condition.wanted;
  });
}

/// Counts the iterations of `loop` in which `conditions` hold.
static void applyLoop(scf::ForOp loop, ArrayRef<Condition> conditions,
                      ExecutionCount &count) {
  std::optional<LoopRange> range = getRange(loop);
  if (!range) {
    count.exact = false;
    return;
  }
  int64_t computing = 0;
  for (int64_t trip = 0; trip < range->trips; ++trip)
    computing += holdAt(conditions, loop, range->lower + trip * range->step,
                        count.exact);
  count.steps = multiplySaturating(count.steps, range->trips);
  count.executed = multiplySaturating(count.executed, computing);
}

ExecutionCount mlir::dit::countExecutions(Operation *op) {
  ExecutionCount count;
  // The conditions between the op and the next loop around it.
  SmallVector<Condition> conditions;
  Region *region = op->getParentRegion();
  for (Operation *parent = op->getParentOp();
       parent && !parent->hasTrait<OpTrait::IsIsolatedFromAbove>();
       region = parent->getParentRegion(), parent = parent->getParentOp()) {
    if (auto reuse = dyn_cast<ReuseOp>(parent)) {
      conditions.push_back(
          {reuse.getCompute(), region == &reuse.getComputeRegion()});
    } else if (auto branch = dyn_cast<scf::IfOp>(parent)) {
      conditions.push_back(
          {branch.getCondition(), region == &branch.getThenRegion()});
    } else if (auto loop = dyn_cast<scf::ForOp>(parent)) {
      applyLoop(loop, conditions, count);
      conditions.clear();
    } else if (!isa<BranchOp>(parent)) {
      count.exact = false;
    }
  }
  if (!conditions.empty())
    count.exact = false;
  return count;
}

//===----------------------------------------------------------------------===//
// AttentionCost
//===----------------------------------------------------------------------===//

/// A share is kept for each head; there is no memory for those of absurd types.
static constexpr int64_t kMostHeads = int64_t(1) << 20;

std::optional<AttentionCost> AttentionCost::get(AttentionOp op) {
  for (int64_t extent : {op.getBatch(), op.getNumQueryHeads(),
                         op.getQueryLength(), op.getKVLength()})
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
  if (op.getNumQueryHeads() > kMostHeads)
    return std::nullopt;
  AttentionCost cost(op);
  cost.executions = countExecutions(op);
  cost.keptShare.assign(op.getNumQueryHeads(), 1.0);
  // How many keys are valid is run-time data.
  cost.sharesExact = !op.getKvValid();
  cost.applyPattern();
  cost.applyTiles();
  return cost;
}

/// Intervals that are looked at to count the positions of a pattern.
static constexpr int64_t kMaxPatternSteps = int64_t(1) << 26;

std::optional<double> mlir::dit::getShareOfPattern(PatternAttrInterface pattern,
                                                   PatternShape shape,
                                                   bool &exact) {
  if (shape.q == 0 || shape.kv == 0)
    return 1.0;
  int64_t rowSteps = countIntervalSteps(pattern, shape);
  if (rowSteps > kMaxPatternSteps)
    return std::nullopt;
  int64_t maxRows = kMaxPatternSteps / rowSteps;
  int64_t stride = llvm::divideCeil(static_cast<uint64_t>(shape.q),
                                    static_cast<uint64_t>(maxRows));
  exact &= stride == 1;
  double positions = 0;
  int64_t rows = 0;
  SmallVector<KeyInterval> intervals;
  for (int64_t row = stride / 2; row < shape.q; row += stride, ++rows) {
    intervals.clear();
    pattern.appendKeyIntervals(row, shape, intervals);
    for (const KeyInterval &interval : intervals)
      positions += static_cast<double>(interval.end - interval.begin);
  }
  return positions / rows / shape.kv;
}

/// What a head with a band of `halfWidth` looks at under `pattern`, which may
/// be null; null if that is everything.
static PatternAttrInterface getPatternOfHead(MLIRContext *context,
                                             PatternAttrInterface pattern,
                                             int64_t halfWidth) {
  if (halfWidth < 0)
    return {};
  PatternAttrInterface band = WindowAttr::get(context, halfWidth, halfWidth);
  return pattern ? OrAttr::get(context, {pattern, band}) : band;
}

void AttentionCost::applyPattern() {
  PatternShape shape{op.getQueryLength(), op.getKVLength()};
  PatternAttrInterface pattern = op.getPatternAttr();
  auto apply = [&](double &kept, PatternAttrInterface pattern) {
    std::optional<double> share =
        pattern ? getShareOfPattern(pattern, shape, sharesExact) : 1.0;
    sharesExact &= share.has_value();
    kept *= share.value_or(1.0);
  };
  if (!op.getHalfWidths()) {
    double share = 1.0;
    apply(share, pattern);
    for (double &kept : keptShare)
      kept *= share;
    return;
  }
  DenseIntElementsAttr widths;
  if (!matchPattern(op.getHalfWidths(), m_Constant(&widths))) {
    sharesExact = false;
    return;
  }
  for (auto [kept, width] : llvm::zip(keptShare, widths.getValues<int32_t>())) {
    if (width == 0)
      kept = 0.0;
    else
      apply(kept, getPatternOfHead(op.getContext(), pattern, width));
  }
}

/// The share of the iterations of the loop around `condition` in which it
/// holds, a comparison of its steps.
static std::optional<double> getShareOfSteps(Value condition) {
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  auto loop = compare ? compare->getParentOfType<scf::ForOp>() : nullptr;
  std::optional<LoopRange> range = loop ? getRange(loop) : std::nullopt;
  if (!range || range->trips == 0)
    return std::nullopt;
  int64_t holds = 0;
  for (int64_t trip = 0; trip < range->trips; ++trip) {
    int64_t iv = range->lower + trip * range->step;
    auto lhs = evaluate(compare.getLhs(), loop.getInductionVar(), iv);
    auto rhs = evaluate(compare.getRhs(), loop.getInductionVar(), iv);
    if (!lhs || !rhs)
      return std::nullopt;
    holds += arith::applyCmpPredicate(compare.getPredicate(),
                                      APInt(64, *lhs, /*isSigned=*/true),
                                      APInt(64, *rhs, /*isSigned=*/true));
  }
  return static_cast<double>(holds) / range->trips;
}

/// Entry `head` of constant counts, or its mean over the steps when they choose
/// between constants.
static std::optional<double> getCount(Value counts, int64_t head) {
  DenseIntElementsAttr constant;
  if (matchPattern(counts, m_Constant(&constant)))
    return constant
        .getValues<int32_t>()[constant.getNumElements() == 1 ? 0 : head];
  auto select = counts.getDefiningOp<arith::SelectOp>();
  if (!select)
    return std::nullopt;
  std::optional<double> share = getShareOfSteps(select.getCondition());
  std::optional<double> onTrue = getCount(select.getTrueValue(), head);
  std::optional<double> onFalse = getCount(select.getFalseValue(), head);
  if (!share || !onTrue || !onFalse)
    return std::nullopt;
  return *share * *onTrue + (1.0 - *share) * *onFalse;
}

/// The number of tiles of `numTiles` that `topk` selects in each row of `head`,
/// a mean over the steps, none when it depends on the scores.
static std::optional<double> selectedTiles(TopkMaskOp topk, int64_t head,
                                           int64_t numTiles) {
  if (topk.getKeep())
    return std::nullopt;
  std::optional<double> count;
  if (topk.getFraction())
    count = std::ceil(topk.getFraction()->convertToDouble() * numTiles);
  else if (topk.getCount())
    count = getCount(topk.getCount(), head);
  if (!count)
    return std::nullopt;
  int64_t cap = cast<ShapedType>(topk.getIdx().getType()).getDimSize(3);
  double most = ShapedType::isDynamic(cap) ? numTiles : std::min(cap, numTiles);
  return std::clamp(*count, 0.0, most);
}

/// `factor` times all extents, saturating.
static int64_t getProductOfExtents(ArrayRef<int64_t> extents, int64_t factor) {
  if (llvm::is_contained(extents, 0))
    return 0;
  return std::accumulate(extents.begin(), extents.end(), factor,
                         multiplySaturating);
}

void AttentionCost::applyTiles() {
  if (!op.hasTiles())
    return;
  auto topk = op.getTileNum().getDefiningOp<TopkMaskOp>();
  if (!topk || op.getTileIdx().getDefiningOp() != topk) {
    sharesExact = false;
    return;
  }
  int64_t numTiles = llvm::divideCeil(static_cast<uint64_t>(op.getKVLength()),
                                      static_cast<uint64_t>(op.getKVTile()));
  // A ragged last tile is selected in an unknown number of rows.
  sharesExact &= !op.getPattern() && op.getKVLength() % op.getKVTile() == 0;
  // Counts that depend on the step are averaged over all steps.
  sharesExact &= executions.executed == executions.steps || !topk.getCount() ||
                 matchPattern(topk.getCount(), m_Constant());
  for (auto [head, kept] : llvm::enumerate(keptShare)) {
    if (std::optional<double> count = selectedTiles(topk, head, numTiles))
      kept *= numTiles ? *count / numTiles : 1.0;
    else
      sharesExact = false;
  }
  auto score = topk.getScores().getDefiningOp<LowRankScoreOp>();
  if (!score)
    return;
  auto scores = cast<ShapedType>(score.getScores().getType());
  int64_t rank = cast<ShapedType>(score.getQ().getType()).getDimSize(3);
  if (scores.hasStaticShape() && !ShapedType::isDynamic(rank))
    selectionFlops = getProductOfExtents(scores.getShape(), 2 * rank);
}

int64_t AttentionCost::getFlopsOfPositions(double positions) const {
  // Positions are whole, and so is the work of each.
  double whole = std::round(positions);
  if (!(whole < static_cast<double>(kMostWork)))
    return kMostWork;
  int64_t sizes =
      addSaturating(getOp().getHeadSize(), getOp().getValueHeadSize());
  return multiplySaturating(
      std::llround(whole),
      multiplySaturating(2, multiplySaturating(getOp().getBatch(), sizes)));
}

int64_t AttentionCost::getDenseFlopsOfAllSteps() const {
  return multiplySaturating(executions.steps, getDenseFlops());
}

int64_t AttentionCost::getExecutedFlops() const {
  return addSaturating(getExecutedKeptFlops(),
                       multiplySaturating(executions.executed, selectionFlops));
}

int64_t AttentionCost::getDenseFlops() const {
  return getFlopsOfPositions(static_cast<double>(getOp().getNumQueryHeads()) *
                             getOp().getQueryLength() * getOp().getKVLength());
}

double AttentionCost::getKeptPositions() const {
  double heads = 0.0;
  for (double share : keptShare)
    heads += share;
  return heads * getOp().getQueryLength() * getOp().getKVLength();
}

int64_t AttentionCost::getKeptFlops() const {
  return getFlopsOfPositions(getKeptPositions());
}

int64_t AttentionCost::getExecutedKeptFlops() const {
  // Before it is rounded: the share may be a mean over the steps.
  return getFlopsOfPositions(getKeptPositions() *
                             static_cast<double>(executions.executed));
}

void AttentionCost::writeJSON(llvm::json::OStream &json) const {
  json.object([&] {
    json.attribute("site", getOp().getSite().value_or(""));
    if (std::optional<AttentionKind> kind = getOp().getKind())
      json.attribute("kind", stringifyAttentionKind(*kind));
    json.attribute("batch", getOp().getBatch());
    json.attribute("query_heads", getOp().getNumQueryHeads());
    json.attribute("query_length", getOp().getQueryLength());
    json.attribute("key_length", getOp().getKVLength());
    json.attribute("head_size", getOp().getHeadSize());
    json.attributeArray("kept_share", [&] {
      for (double share : keptShare)
        json.value(share);
    });
    json.attribute("steps", executions.steps);
    json.attribute("executed_steps", executions.executed);
    json.attribute("dense_flops", getDenseFlops());
    json.attribute("kept_flops", getKeptFlops());
    json.attribute("selection_flops", getSelectionFlops());
    json.attribute("executed_flops", getExecutedFlops());
    json.attribute("exact", isExact());
  });
}

//===----------------------------------------------------------------------===//
// AttentionCostAnalysis
//===----------------------------------------------------------------------===//

AttentionCostAnalysis::AttentionCostAnalysis(Operation *root) {
  root->walk<WalkOrder::PreOrder>([&](AttentionOp op) {
    if (std::optional<AttentionCost> cost = AttentionCost::get(op))
      costs.push_back(std::move(*cost));
    else
      unknown.push_back(op);
  });
}

void AttentionCostAnalysis::writeJSON(llvm::json::OStream &json) const {
  int64_t dense = 0, executed = 0;
  bool exact = unknown.empty();
  for (const AttentionCost &cost : costs) {
    dense = addSaturating(dense, cost.getDenseFlopsOfAllSteps());
    executed = addSaturating(executed, cost.getExecutedFlops());
    exact &= cost.isExact();
  }
  json.object([&] {
    json.attributeArray("sites", [&] {
      for (const AttentionCost &cost : costs)
        cost.writeJSON(json);
    });
    json.attributeArray("unknown", [&] {
      for (AttentionOp op : unknown)
        json.value(op.getSite().value_or(""));
    });
    json.attributeObject("total", [&] {
      json.attribute("dense_flops", dense);
      json.attribute("executed_flops", executed);
      json.attribute("exact", exact);
    });
  });
}

void AttentionCostAnalysis::print(raw_ostream &os) const {
  auto printRow = [&](auto... cells) {
    os << llvm::formatv("{0,-28} {1,-8} {2,5} {3,5} {4,7} {5,7} {6,5} {7,7} "
                        "{8,7} {9,10} {10,10}\n",
                        cells...);
  };
  printRow("site", "kind", "batch", "heads", "queries", "keys", "size", "kept",
           "steps", "GFLOP", "of dense");
  int64_t dense = 0, executed = 0;
  for (const AttentionCost &cost : costs) {
    AttentionOp op = cost.getOp();
    dense = addSaturating(dense, cost.getDenseFlopsOfAllSteps());
    executed = addSaturating(executed, cost.getExecutedFlops());
    double kept = 100.0 * cost.getKeptFlops();
    std::optional<AttentionKind> kind = op.getKind();
    printRow(
        op.getSite().value_or("-"),
        kind ? stringifyAttentionKind(*kind) : StringRef("-"), op.getBatch(),
        op.getNumQueryHeads(), op.getQueryLength(), op.getKVLength(),
        op.getHeadSize(),
        llvm::formatv("{0:f1} %", kept / cost.getDenseFlops()).str(),
        llvm::formatv("{0}/{1}", cost.getExecutions().executed,
                      cost.getExecutions().steps)
            .str(),
        llvm::formatv("{0:f3}", cost.getExecutedFlops() * 1e-9).str(),
        llvm::formatv("{0:f3}", cost.getDenseFlopsOfAllSteps() * 1e-9).str());
  }
  for (AttentionOp op : unknown)
    os << op.getSite().value_or("-") << ": extents are dynamic, no cost\n";
  os << llvm::formatv("{0} attentions, {1:f3} of {2:f3} GFLOP\n",
                      costs.size() + unknown.size(), executed * 1e-9,
                      dense * 1e-9);
}
