//===- ProgramWork.cpp - Work of a program by site ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one run of an op takes comes from its types and its mask, and how often
// it runs from the loops and schedules around it.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Analysis/ProgramWork.h"
#include "dit/Dialect/Dit/Analysis/AttentionCost.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Kinds and sites
//===----------------------------------------------------------------------===//

StringRef mlir::dit::stringifyWorkKind(WorkKind kind) {
  switch (kind) {
  case WorkKind::Attention:
    return "attention";
  case WorkKind::Selection:
    return "selection";
  case WorkKind::Projection:
    return "projection";
  }
  llvm_unreachable("no such kind of work");
}

std::optional<WorkKind> mlir::dit::getWorkKind(Operation *op) {
  if (isa<AttentionOp>(op))
    return WorkKind::Attention;
  if (isa<LowRankScoreOp>(op))
    return WorkKind::Selection;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (linalgOp && linalg::isaContractionOpInterface(linalgOp))
    return WorkKind::Projection;
  return std::nullopt;
}

/// The attention whose tiles are those with the best of `scores`.
static AttentionOp findSelected(LowRankScoreOp scores) {
  for (Operation *mask : scores->getUsers())
    if (isa<TopkMaskOp>(mask))
      for (Operation *user : mask->getUsers())
        if (auto attention = dyn_cast<AttentionOp>(user))
          return attention;
  return nullptr;
}

StringRef mlir::dit::getSiteOfWork(Operation *op) {
  if (auto site = op->getAttrOfType<StringAttr>(kWorkSiteAttrName))
    return site;
  if (auto scores = dyn_cast<LowRankScoreOp>(op))
    if (AttentionOp attention = findSelected(scores))
      op = attention;
  if (auto attention = dyn_cast<AttentionOp>(op))
    if (std::optional<StringRef> site = attention.getSite())
      return *site;
  if (auto branch = op->getParentOfType<BranchOp>())
    return branch.getSite();
  return "";
}

void mlir::dit::setSiteOfWork(Block::iterator begin, Block::iterator end,
                              StringRef site) {
  for (Operation &op : llvm::make_range(begin, end))
    op.walk([&](Operation *inner) {
      if (getWorkKind(inner) && getSiteOfWork(inner).empty())
        inner->setDiscardableAttr(kWorkSiteAttrName,
                                  StringAttr::get(op.getContext(), site));
    });
}

//===----------------------------------------------------------------------===//
// ProgramWork
//===----------------------------------------------------------------------===//

static int64_t addSaturating(int64_t lhs, int64_t rhs) {
  int64_t sum;
  return llvm::AddOverflow(lhs, rhs, sum) ? std::numeric_limits<int64_t>::max()
                                          : sum;
}

/// `factor` times all extents; none if one of them is dynamic or the product
/// too large.
static std::optional<int64_t> multiply(ArrayRef<int64_t> extents,
                                       int64_t factor) {
  if (llvm::is_contained(extents, 0))
    return 0;
  for (int64_t extent : extents)
    if (ShapedType::isDynamic(extent) ||
        llvm::MulOverflow(factor, extent, factor))
      return std::nullopt;
  return factor;
}

/// The operations of one run of an op that is no attention.
static std::optional<int64_t> getFlopsOfRun(Operation *op) {
  if (auto scores = dyn_cast<LowRankScoreOp>(op)) {
    SmallVector<int64_t> extents(
        cast<ShapedType>(scores.getScores().getType()).getShape());
    extents.push_back(cast<ShapedType>(scores.getQ().getType()).getDimSize(3));
    return multiply(extents, 2);
  }
  return multiply(cast<linalg::LinalgOp>(op).getStaticLoopRanges(), 2);
}

static WorkEntry getWorkOf(Operation *op) {
  WorkEntry entry;
  ExecutionCount executions = countExecutions(op);
  entry.runs = executions.executed;
  entry.exact = executions.exact;
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    std::optional<AttentionCost> cost = AttentionCost::get(attention);
    entry.exact = cost && cost->isExact();
    entry.flops = cost ? cost->getExecutedKeptFlops() : 0;
    return entry;
  }
  std::optional<int64_t> flops = getFlopsOfRun(op);
  if (!flops || llvm::MulOverflow(*flops, entry.runs, entry.flops)) {
    entry.exact = false;
    entry.flops = 0;
  }
  return entry;
}

ProgramWork::ProgramWork(Operation *root) {
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    std::optional<WorkKind> kind = getWorkKind(op);
    if (!kind)
      return;
    WorkEntry work = getWorkOf(op);
    WorkEntry &entry = entries[{getSiteOfWork(op), *kind}];
    entry.runs = addSaturating(entry.runs, work.runs);
    entry.flops = addSaturating(entry.flops, work.flops);
    entry.exact &= work.exact;
  });
}

void ProgramWork::writeJSON(llvm::json::OStream &json) const {
  llvm::MapVector<WorkKind, int64_t> total;
  for (WorkKind kind :
       {WorkKind::Attention, WorkKind::Selection, WorkKind::Projection})
    total[kind] = 0;
  bool exact = true;
  json.object([&] {
    json.attributeArray("work", [&] {
      for (const auto &item : entries) {
        const WorkKey &key = item.first;
        const WorkEntry &entry = item.second;
        int64_t &sum = total[key.second];
        sum = addSaturating(sum, entry.flops);
        exact &= entry.exact;
        json.object([&] {
          json.attribute("site", key.first);
          json.attribute("kind", stringifyWorkKind(key.second));
          json.attribute("runs", entry.runs);
          json.attribute("flops", entry.flops);
          json.attribute("exact", entry.exact);
        });
      }
    });
    json.attributeObject("total", [&] {
      for (const auto &[kind, flops] : total)
        json.attribute(stringifyWorkKind(kind), flops);
      json.attribute("exact", exact);
    });
  });
}
