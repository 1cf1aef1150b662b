//===- SparsifyAttention.cpp - Attention on selected tiles ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-sparsify-attention`. Queries and keys of full head size
// score the tiles, so nothing has to be trained; a softmax is monotonous in the
// scores and its scale positive, so the selection needs neither.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/SparsifyAttention.h"
#include "dit/Dialect/Dit/Analysis/AttentionCost.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"
#include "dit/Dialect/Dit/Transforms/StepLoop.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>
#include <numeric>

namespace mlir::dit {
#define GEN_PASS_DEF_SPARSIFYATTENTIONPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

//===----------------------------------------------------------------------===//
// Obstacles
//===----------------------------------------------------------------------===//

std::optional<StringRef>
mlir::dit::findSparsifyObstacle(AttentionOp op, const SparsifyOptions &options,
                                ArrayRef<double> shares) {
  if (!isa<RankedTensorType>(op.getQ().getType()))
    return "its operands are not tensors";
  if (op.hasTiles())
    return "it has a tile list already";
  if (op.getScale().convertToDouble() <= 0.0)
    return "its scale is not positive, so high scores are not heavy";
  if (static_cast<int64_t>(shares.size()) != op.getNumQueryHeads())
    return "the number of shares is not its number of heads";
  if (options.denseSteps > 0 && !op->getParentOfType<scf::ForOp>())
    return "it is not in a step loop, some steps of which could be dense";
  if (options.cube.empty())
    return std::nullopt;
  if (!op.getGrid())
    return "it has no grid to group tokens by";
  if (op.getGrid()->getNumTokens() != op.getKVLength())
    return "its keys do not lie on the grid";
  if (op.getPattern() || op.getBias() || op.getKvValid() || op.getHalfWidths())
    return "its mask is in the order of the tokens, which grouping changes";
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

static Value createEmptyLike(OpBuilder &b, Location loc, Value value) {
  return tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, value),
                                 getElementTypeOrSelf(value));
}

/// `value`, stored by `order`, with the dimensions `[B, H, S, D]`.
static Value toDefaultOrder(OpBuilder &b, Location loc, Value value,
                            DimOrderAttr order) {
  if (order.getLetters() == "bhsd")
    return value;
  // Missing dimensions of extent 1 come first, then all are permuted.
  SmallVector<ReassociationIndices> groups(order.getRank());
  SmallVector<OpFoldResult> sizes;
  std::string letters;
  for (char letter : {'b', 'h'})
    if (!order.position(letter)) {
      groups.front().push_back(sizes.size());
      sizes.push_back(b.getIndexAttr(1));
      letters += letter;
    }
  for (auto [position, letter] : llvm::enumerate(order.getLetters())) {
    groups[position].push_back(sizes.size());
    sizes.push_back(tensor::getMixedSize(b, loc, value, position));
    letters += letter;
  }
  Type element = getElementTypeOrSelf(value);
  if (sizes.size() != order.getRank())
    value = tensor::ExpandShapeOp::create(
        b, loc,
        RankedTensorType::get(decomposeMixedValues(sizes).first, element),
        value, groups, sizes);
  SmallVector<int64_t> permutation;
  for (char letter : StringRef("bhsd"))
    permutation.push_back(letters.find(letter));
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, 4)))
    return value;
  Value init = tensor::EmptyOp::create(
      b, loc, applyPermutation(ArrayRef<OpFoldResult>(sizes), permutation),
      element);
  return linalg::TransposeOp::create(b, loc, value, init, permutation)
      ->getResult(0);
}

/// Groups the tokens of `value`, or restores their order.
template <typename OpTy>
static Value permuteTokens(OpBuilder &b, Location loc, Value value, int64_t dim,
                           GridAttr grid, ArrayRef<int64_t> cube) {
  return OpTy::create(b, loc, value, createEmptyLike(b, loc, value), grid, cube,
                      dim)
      ->getResult(0);
}

/// Number of tiles of `tile` tokens in the sequence dimension of `value`.
static OpFoldResult createNumTiles(OpBuilder &b, Location loc, Value value,
                                   DimOrderAttr order, int64_t tile) {
  OpFoldResult length =
      tensor::getMixedSize(b, loc, value, *order.position('s'));
  AffineExpr tokens = b.getAffineSymbolExpr(0);
  return affine::makeComposedFoldedAffineApply(b, loc, tokens.ceilDiv(tile),
                                               {length});
}

/// `ceil(share * numTiles)` as an i32.
static Value createCount(OpBuilder &b, Location loc, OpFoldResult numTiles,
                         double share) {
  // A product that is a whole number but for rounding is not rounded up.
  constexpr double kSlack = 1e-9;
  if (std::optional<int64_t> tiles = getConstantIntValue(numTiles))
    return arith::ConstantIntOp::create(
        b, loc, static_cast<int64_t>(std::ceil(share * *tiles - kSlack)), 32);
  Value tiles =
      arith::IndexCastOp::create(b, loc, b.getI32Type(), cast<Value>(numTiles));
  if (share >= 1.0)
    return tiles;
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
  };
  Value kept = arith::SIToFPOp::create(b, loc, b.getF64Type(), tiles);
  kept = arith::MulFOp::create(b, loc, kept, constant(share));
  kept = arith::SubFOp::create(b, loc, kept, constant(kSlack));
  kept = math::CeilOp::create(b, loc, kept);
  return arith::FPToSIOp::create(b, loc, b.getI32Type(), kept);
}

/// The number of tiles that each head keeps of `numTiles`.
static Value createCounts(OpBuilder &b, Location loc, OpFoldResult numTiles,
                          ArrayRef<double> shares) {
  SmallVector<Value> counts;
  for (double share : shares)
    counts.push_back(createCount(b, loc, numTiles, share));
  return b.createOrFold<tensor::FromElementsOp>(
      loc,
      RankedTensorType::get({static_cast<int64_t>(counts.size())},
                            b.getI32Type()),
      counts);
}

/// The same; in the first steps of the loop around `op` all, if `denseSteps`
/// says so.
static Value createCountsOfStep(OpBuilder &b, Location loc, AttentionOp op,
                                OpFoldResult numTiles, int64_t denseSteps,
                                ArrayRef<double> shares) {
  Value counts = createCounts(b, loc, numTiles, shares);
  if (denseSteps <= 0)
    return counts;
  Value step = createStep(b, op->getParentOfType<scf::ForOp>());
  Value bound = arith::ConstantIndexOp::create(b, loc, denseSteps);
  Value isDense =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, step, bound);
  SmallVector<double> all(shares.size(), 1.0);
  return arith::SelectOp::create(b, loc, isDense,
                                 createCounts(b, loc, numTiles, all), counts);
}

/// Scores the key tiles of `q` and `k` and lists the best of each head.
static TopkMaskOp createSelection(OpBuilder &b, Location loc, AttentionOp op,
                                  Value q, Value k,
                                  const SparsifyOptions &options,
                                  ArrayRef<double> shares) {
  OpFoldResult queryTiles =
      createNumTiles(b, loc, q, op.getQDimOrder(), options.tile[0]);
  OpFoldResult keyTiles =
      createNumTiles(b, loc, k, op.getKDimOrder(), options.tile[1]);
  Value counts;
  if (!options.mass)
    counts =
        createCountsOfStep(b, loc, op, keyTiles, options.denseSteps, shares);
  q = toDefaultOrder(b, loc, q, op.getQDimOrder());
  k = toDefaultOrder(b, loc, k, op.getKDimOrder());
  SmallVector<OpFoldResult> extents = {tensor::getMixedSize(b, loc, q, 0),
                                       b.getIndexAttr(op.getNumQueryHeads()),
                                       queryTiles, keyTiles};

  Value scores =
      tensor::EmptyOp::create(b, loc, extents, op.getAccumulatorType());
  scores = LowRankScoreOp::create(b, loc, q, k, scores, options.tile,
                                  options.proxy, llvm::APFloat(1.0))
               ->getResult(0);
  Value num = tensor::EmptyOp::create(b, loc, ArrayRef(extents).drop_back(),
                                      b.getI32Type());
  Value idx = tensor::EmptyOp::create(b, loc, extents, b.getI32Type());
  return TopkMaskOp::create(b, loc, scores, counts, num, idx,
                            /*fraction=*/nullptr,
                            options.mass ? b.getF64FloatAttr(*options.mass)
                                         : FloatAttr(),
                            /*keep=*/nullptr);
}

AttentionOp mlir::dit::sparsifyAttention(RewriterBase &rewriter, AttentionOp op,
                                         const SparsifyOptions &options,
                                         ArrayRef<double> shares) {
  assert(!findSparsifyObstacle(op, options, shares) && "not sparsifiable");
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  bool grouped = !options.cube.empty();
  auto group = [&](Value value, DimOrderAttr order) {
    return grouped ? permuteTokens<GroupTokensOp>(rewriter, loc, value,
                                                  *order.position('s'),
                                                  *op.getGrid(), options.cube)
                   : value;
  };
  Value q = group(op.getQ(), op.getQDimOrder());
  Value k = group(op.getK(), op.getKDimOrder());
  Value v = group(op.getV(), op.getVDimOrder());
  TopkMaskOp topk = createSelection(rewriter, loc, op, q, k, options, shares);

  auto sparse = cast<AttentionOp>(rewriter.clone(*op));
  sparse.getQMutable().assign(q);
  sparse.getKMutable().assign(k);
  sparse.getVMutable().assign(v);
  sparse.getTileNumMutable().assign(topk->getResult(0));
  sparse.getTileIdxMutable().assign(topk->getResult(1));
  sparse.setTile(options.tile);

  SmallVector<Value> results(sparse->getResults());
  if (grouped) {
    int64_t dims[] = {*op.getODimOrder().position('s'), /*lse=*/2};
    for (auto [result, dim] : llvm::zip(results, dims))
      result = permuteTokens<UngroupTokensOp>(rewriter, loc, result, dim,
                                              *op.getGrid(), options.cube);
    // The tokens of this op no longer lie on the grid in row-major order.
    sparse.removeGridAttr();
  }
  rewriter.replaceOp(op, results);
  return sparse;
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {

struct SparsifyAttentionPass
    : mlir::dit::impl::SparsifyAttentionPassBase<SparsifyAttentionPass> {
  using SparsifyAttentionPassBase::SparsifyAttentionPassBase;

  LogicalResult initialize(MLIRContext *context) override;
  void runOnOperation() override;

private:
  void sparsify(IRRewriter &rewriter, AttentionOp op);

  std::shared_ptr<HeadShares> shares;
  SparsifyOptions options;
};

} // namespace

LogicalResult SparsifyAttentionPass::initialize(MLIRContext *context) {
  auto fail = [&](const Twine &text) {
    return emitError(UnknownLoc::get(context))
           << "dit-sparsify-attention: " << text;
  };
  auto isPositive = [](int64_t extent) { return extent > 0; };
  if (!tile.empty() && (tile.size() != 2 || !llvm::all_of(tile, isPositive)))
    return fail("expected a tile of two positive extents");
  if (!cube.empty() && (cube.size() != 3 || !llvm::all_of(cube, isPositive)))
    return fail("expected a cube of three positive extents");
  if (!tile.empty())
    options.tile.assign(tile.begin(), tile.end());
  options.cube.assign(cube.begin(), cube.end());
  if (denseSteps < 0)
    return fail("expected a number of dense steps that is not negative");
  options.proxy = proxy;
  options.denseSteps = denseSteps;
  if (file.empty())
    return fail("expected the option file, a JSON of shares or a profile");
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(file);
  if (!buffer)
    return fail("cannot read '" + file + "': " + buffer.getError().message());
  llvm::Expected<HeadShares> read =
      HeadShares::parse((*buffer)->getBuffer(), {minSparsity, margin});
  if (!read)
    return fail("'" + file + "': " + llvm::toString(read.takeError()));
  shares = std::make_shared<HeadShares>(std::move(*read));
  return success();
}

static remark::RemarkOpts remarkOn(AttentionOp op) {
  StringRef function;
  if (auto parent = op->getParentOfType<FunctionOpInterface>())
    function = parent.getName();
  return remark::RemarkOpts::name("SparsifyAttention")
      .category("dit-sparsify-attention")
      .function(function);
}

void SparsifyAttentionPass::sparsify(IRRewriter &rewriter, AttentionOp op) {
  StringRef site = op.getSite().value_or("");
  auto missed = [&](StringRef reason) {
    ++numSkipped;
    remark::missed(op.getLoc(), remarkOn(op))
        << remark::metric("Site", site) << remark::reason("{0}", reason);
  };
  std::optional<ArrayRef<double>> heads = shares->lookup(site);
  if (!heads)
    return missed("the file has no such site");
  if (llvm::all_of(*heads, [](double share) { return share >= 1.0; }))
    return missed("none of its heads is sparse");
  if (std::optional<StringRef> reason =
          findSparsifyObstacle(op, options, *heads))
    return missed(*reason);
  AttentionOp sparse = sparsifyAttention(rewriter, op, options, *heads);

  int64_t sparseHeads =
      llvm::count_if(*heads, [](double share) { return share < 1.0; });
  ++numSites;
  numHeads += sparseHeads;
  auto passed = remark::passed(sparse.getLoc(), remarkOn(sparse));
  passed << remark::metric("Site", site)
         << remark::metric("SparseHeads", sparseHeads);
  std::optional<AttentionCost> cost = AttentionCost::get(sparse);
  if (!cost)
    return void(
        passed << remark::metric(
            "KeptShare", std::accumulate(heads->begin(), heads->end(), 0.0) /
                             heads->size()));
  int64_t saved =
      cost->getDenseFlops() - cost->getKeptFlops() - cost->getSelectionFlops();
  savedFlops += std::max<int64_t>(saved, 0);
  passed << remark::metric("DenseFlops", cost->getDenseFlops())
         << remark::metric("KeptFlops", cost->getKeptFlops())
         << remark::metric("SelectionFlops", cost->getSelectionFlops())
         << remark::metric("KeptShare",
                           static_cast<double>(cost->getKeptFlops()) /
                               cost->getDenseFlops());
}

void SparsifyAttentionPass::runOnOperation() {
  SmallVector<AttentionOp> ops;
  getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
  IRRewriter rewriter(&getContext());
  for (AttentionOp op : ops)
    sparsify(rewriter, op);
}
