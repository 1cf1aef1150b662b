//===- FuseRows.cpp - Chains of ops on tiles of rows ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Between two attentions, a transformer computes each token for itself. This
// pass makes a loop over tiles of tokens of that, so that what one op writes is
// still in the cache when the next one reads it.
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/CPUTarget.h"
#include "dit/Conversion/Passes.h"

#include "BlockSchedule.h"
#include "MatmulPlan.h"
#include "RowTiling.h"
#include "SeparateInits.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"

namespace mlir::dit {
#define GEN_PASS_DEF_FUSEROWSFORCPU
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Tiles that rows are cut into at least, so that threads can share them.
static constexpr int64_t kMinTiles = 8;
/// What the values of a tile may take of the stack of a thread.
static constexpr int64_t kMaxTileBytes = 384 * 1024;
/// Without a description of the machine.
static constexpr int64_t kDefaultCacheBytes = 512 * 1024;

namespace {

struct FuseRowsForCPUPass : dit::impl::FuseRowsForCPUBase<FuseRowsForCPUPass> {
  using FuseRowsForCPUBase::FuseRowsForCPUBase;

  void runOnOperation() override;

private:
  void fuse(Block &block);
  bool fuse(Block &block, const RowSpace &space);

  int64_t maxSharedBytes = 0;
};

} // namespace

/// The rows of the products in `block`, those of most products first.
static SmallVector<int64_t> findRowCounts(Block &block) {
  llvm::MapVector<int64_t, int64_t> counts;
  for (auto op : block.getOps<linalg::LinalgOp>()) {
    if (!op.hasPureTensorSemantics() || !ProductForm::match(op))
      continue;
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (type.hasStaticShape() && type.getRank() >= 2)
      ++counts[type.getDimSize(0)];
  }
  auto sorted = counts.takeVector();
  llvm::sort(sorted, [](const auto &lhs, const auto &rhs) {
    return std::tie(lhs.second, lhs.first) > std::tie(rhs.second, rhs.first);
  });
  return llvm::to_vector(llvm::make_first_range(sorted));
}

/// Fuses what works on the rows of `space`; false, and changes nothing, if a
/// tile of it is too large.
bool FuseRowsForCPUPass::fuse(Block &block, const RowSpace &space) {
  RowGroups groups(block, space, maxSharedBytes);
  for (ArrayRef<Operation *> group : groups.getGroups())
    if (getTileBytes(group, space) > kMaxTileBytes)
      return false;
  if (!gatherGroups(block, groups.getGroups()))
    return false;
  for (ArrayRef<Operation *> group : groups.getGroups()) {
    if (!tileRowGroup(group, space))
      continue;
    ++numGroups;
    numFused += group.size();
  }
  return true;
}

void FuseRowsForCPUPass::fuse(Block &block) {
  for (int64_t rows : findRowCounts(block))
    for (int64_t tile = tileRows; tile >= 16; tile /= 2)
      if (rows % tile == 0 && rows >= kMinTiles * tile &&
          fuse(block, {rows, tile}))
        break;
}

void FuseRowsForCPUPass::runOnOperation() {
  CPUTarget target = CPUTarget().resolve(getOperation());
  maxSharedBytes = target.l2Bytes ? target.l2Bytes : kDefaultCacheBytes;
  SmallVector<Block *> blocks;
  getOperation().walk([&](Block *block) {
    if (!isa<linalg::LinalgOp>(block->getParentOp()))
      blocks.push_back(block);
  });
  for (Block *block : blocks)
    fuse(*block);
  // Tiles of one value are the same slice, but what they write is not.
  IRRewriter rewriter(&getContext());
  DominanceInfo dominance;
  eliminateCommonSubExpressions(rewriter, dominance, getOperation());
  separateInits(getOperation());
}
