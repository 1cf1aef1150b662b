//===- BranchWork.cpp - What a branch computes in full --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Planners/BranchWork.h"

#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "dit/Dialect/Dit/Analysis/ResidualBranches.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

/// Two operations for each point of a contraction; 0 for any other op, and none
/// for a contraction of dynamic extents.
static std::optional<int64_t> getContractionFlops(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || !linalg::isaContractionOpInterface(linalgOp))
    return 0;
  int64_t flops = 2;
  for (int64_t extent : linalgOp.getStaticLoopRanges())
    if (ShapedType::isDynamic(extent) ||
        llvm::MulOverflow(flops, extent, flops))
      return std::nullopt;
  return flops;
}

/// Adds the contractions of `ops` to the work before and after the attention.
static void addContractions(ArrayRef<Operation *> ops, Operation *attention,
                            BranchWork &work) {
  llvm::SmallPtrSet<Operation *, 16> after;
  if (attention)
    after.insert(attention);
  for (Operation *op : ops) {
    bool isAfter = llvm::any_of(op->getOperands(), [&](Value operand) {
      return after.contains(operand.getDefiningOp());
    });
    if (isAfter)
      after.insert(op);
    std::optional<int64_t> flops = getContractionFlops(op);
    work.isKnown &= flops.has_value();
    (isAfter ? work.outputFlops : work.inputFlops) += flops.value_or(0);
  }
}

/// More than any memory holds; products of longer ones would leave 64 bits.
static constexpr int64_t kMaxExtent = int64_t(1) << 24;

static void setExtents(AttentionOp op, BranchWork &work) {
  work.batch = op.getBatch();
  work.queries = op.getQueryLength();
  work.keys = op.getKVLength();
  work.headSize = op.getHeadSize();
  work.valueHeadSize = op.getValueHeadSize();
  work.pattern = op.getPatternAttr();
  for (int64_t extent :
       {work.batch, work.queries, work.keys, work.headSize, work.valueHeadSize})
    work.isKnown &= !ShapedType::isDynamic(extent) && extent <= kMaxExtent;
}

/// The stages of an outlined branch.
static void addStages(BranchOp op, BranchWork &work) {
  AttentionOp attention = op.getAttention();
  for (Region &stage : op->getRegions()) {
    if (stage.empty())
      continue;
    BranchWork part;
    auto ops = llvm::to_vector(llvm::make_pointer_range(stage.front()));
    addContractions(ops, attention, part);
    bool isAfter = attention && !stage.isAncestor(attention->getParentRegion());
    work.isKnown &= part.isKnown;
    (isAfter ? work.outputFlops : work.inputFlops) += part.inputFlops;
    work.outputFlops += part.outputFlops;
  }
}

std::vector<BranchWork> mlir::dit::collectBranchWork(Operation *root) {
  SiteList sites = SiteList::collect(root);
  llvm::StringMap<BranchOp> outlined;
  llvm::StringMap<AttentionOp> attentions;
  root->walk([&](Operation *op) {
    if (auto branch = dyn_cast<BranchOp>(op))
      outlined[branch.getSite()] = branch;
    else if (auto attention = dyn_cast<AttentionOp>(op))
      if (attention.getSite())
        attentions[*attention.getSite()] = attention;
  });
  // What was not outlined, as the model has it.
  DenseMap<Operation *, const ResidualBranch *> branches;
  ResidualBranchAnalysis analysis(root);
  for (const ResidualBranch &branch : analysis.getBranches())
    if (branch.attention)
      branches[branch.attention] = &branch;
  std::vector<BranchWork> result;
  for (const Site &site : sites.getSites()) {
    BranchWork &work = result.emplace_back();
    work.site = site;
    work.context = root->getContext();
    BranchOp outline = outlined.lookup(site.name);
    AttentionOp attention =
        outline ? outline.getAttention() : attentions.lookup(site.name);
    if (attention)
      setExtents(attention, work);
    if (outline)
      addStages(outline, work);
    else if (const ResidualBranch *branch = branches.lookup(attention))
      addContractions(branch->ops, attention, work);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// The pattern of a window or an arrow; null if it keeps everything. A window
/// by place keeps as many positions as one along the sequence.
static PatternAttrInterface getPattern(MLIRContext *context, const Mode &mode,
                                       GridAttr grid) {
  if (mode.kind == ModeKind::Window && mode.inGrid)
    return GridWindowAttr::get(context, grid, mode.width[0], mode.width[1],
                               mode.width[2]);
  if (mode.kind == ModeKind::Window)
    return WindowAttr::get(context, mode.width[0], mode.width[0]);
  if (mode.kind == ModeKind::Arrow)
    return ArrowAttr::get(context, mode.width[0], grid ? grid.getText() : 0,
                          grid && grid.getTextFirst());
  return {};
}

KeptPositions mlir::dit::countPositions(const BranchWork &work,
                                        const BranchPlan &branch,
                                        const Mode &mode) {
  KeptPositions kept;
  double all = static_cast<double>(work.queries) * work.keys;
  if (!mode.computes() || all == 0.0)
    return kept;
  double share = 1.0;
  MLIRContext *context = work.context;
  PatternAttrInterface pattern = getPattern(context, mode, branch.grid);
  if (pattern && branch.rounded)
    pattern = TiledAttr::get(context, pattern, branch.tile[0], branch.tile[1]);
  if (pattern && work.pattern)
    pattern = AndAttr::get(context, {work.pattern, pattern});
  else if (!pattern)
    pattern = work.pattern;
  PatternShape shape{work.queries, work.keys};
  if (pattern)
    share = getShareOfPattern(pattern, shape, kept.isExact).value_or(1.0);
  if (mode.kind == ModeKind::TopK) {
    // How many tiles hold a mass, and which of them are ragged, is run-time
    // data.
    int64_t tiles = llvm::divideCeil(static_cast<uint64_t>(work.keys),
                                     static_cast<uint64_t>(branch.tile[1]));
    if (!mode.ofMass)
      share *= std::ceil(mode.amount * tiles) / tiles;
    kept.isExact &= !mode.ofMass && !pattern && work.keys % branch.tile[1] == 0;
  }
  kept.count = std::llround(share * all);
  return kept;
}
