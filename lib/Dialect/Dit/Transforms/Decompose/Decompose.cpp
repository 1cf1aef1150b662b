//===- Decompose.cpp - Dit ops to upstream ops ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-decompose` from the patterns of the single ops beside this
// file.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/Decompose.h"
#include "DecomposeUtils.h"
#include "dit/Dialect/Dit/Transforms/LowerReuse.h"
#include "dit/Dialect/Dit/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::dit {
#define GEN_PASS_DEF_DECOMPOSEPASS
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

namespace {

struct DecomposePass : mlir::dit::impl::DecomposePassBase<DecomposePass> {
  using DecomposePassBase::DecomposePassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateDecomposePatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    int64_t before = countOps();
    walkAndApplyPatterns(getOperation(), patterns);
    numDecomposed += before - countOps();
  }

private:
  int64_t countOps() {
    int64_t count = 0;
    getOperation()->walk([&](Operation *op) {
      count +=
          isa_and_nonnull<DitDialect>(op->getDialect()) && !isa<YieldOp>(op);
    });
    return count;
  }

  FrozenRewritePatternSet patterns;
};

} // namespace

void mlir::dit::populateDecomposePatterns(RewritePatternSet &patterns) {
  decompose::populateAttentionPatterns(patterns);
  decompose::populateAttentionBackwardPatterns(patterns);
  decompose::populateMergePatterns(patterns);
  decompose::populateScorePatterns(patterns);
  decompose::populateTileListPatterns(patterns);
  decompose::populateTokenPatterns(patterns);
  decompose::populateTopkPatterns(patterns);
  populateLowerReusePatterns(patterns);
}
