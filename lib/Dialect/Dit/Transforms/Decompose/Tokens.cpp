//===- Tokens.cpp - The meaning of group and ungroup ----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both directions read the tokens through a constant permutation.
//
//===----------------------------------------------------------------------===//

#include "DecomposeUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::decompose;

/// For each token of the result of `op`, the token of its input.
static SmallVector<int64_t> getSources(GroupTokensOp op) {
  return computeGroupedOrder(op.getGrid(), op.getCube());
}

static SmallVector<int64_t> getSources(UngroupTokensOp op) {
  SmallVector<int64_t> order = computeGroupedOrder(op.getGrid(), op.getCube());
  SmallVector<int64_t> inverse(order.size());
  for (auto [position, token] : llvm::enumerate(order))
    inverse[token] = position;
  return inverse;
}

namespace {

template <typename OpTy>
struct DecomposePermutation : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "operates on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    SmallVector<int64_t> sources = getSources(op);
    auto tableType = RankedTensorType::get(
        {static_cast<int64_t>(sources.size())}, b.getI64Type());
    Value table = arith::ConstantOp::create(
        b, tableType, DenseElementsAttr::get(tableType, ArrayRef(sources)));
    unsigned rank = cast<RankedTensorType>(op.getOutput().getType()).getRank();
    unsigned dim = op.getDim();
    SmallVector<unsigned> loops = llvm::to_vector(llvm::seq<unsigned>(rank));
    Value result = generic(
        b, Operand(table, rank, {dim}), Operand(op.getOutput(), rank, loops),
        /*numReductions=*/0, [&](ImplicitLocOpBuilder &b, ValueRange e) {
          SmallVector<Value> indices;
          for (unsigned loop : loops)
            indices.push_back(loop == dim ? toIndex(b, e[0])
                                          : loopIndex(b, loop));
          return tensor::ExtractOp::create(b, op.getInput(), indices);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void decompose::populateTokenPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposePermutation<GroupTokensOp>,
               DecomposePermutation<UngroupTokensOp>>(patterns.getContext());
}
