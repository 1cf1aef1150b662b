//===- PrepareBufferization.cpp - Tensors that may become buffers ---------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-prepare-bufferization. The analysis of one-shot
// bufferization follows tensors. It does not know that memory which has become
// a buffer of a result must stay as it is from then on, nor when memory of the
// caller that a tensor stands for is overwritten: both are kept from it here.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::dit {
#define GEN_PASS_DEF_PREPAREBUFFERIZATIONPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;

/// Moves the buffers that `returnOp` returns behind all that might write to
/// tensors that share memory with them.
static void moveToEnd(func::ReturnOp returnOp) {
  for (Value returned : returnOp.getOperands())
    if (auto buffer = returned.getDefiningOp<bufferization::ToBufferOp>();
        buffer && llvm::all_equal(buffer->getUsers()))
      buffer->moveBefore(returnOp);
}

/// The part of `insertion`'s destination that replaces `empty`; nothing if the
/// destination is memory, where --dit-place-results does better.
static Value getReplacement(RewriterBase &rewriter,
                            SubsetInsertionOpInterface insertion,
                            tensor::EmptyOp empty, Operation *user) {
  if (!isa<TensorType>(insertion.getDestinationOperand().get().getType()))
    return {};
  return bufferization::buildSubsetExtraction(rewriter, insertion, empty, user);
}

namespace {

struct PrepareBufferizationPass
    : public mlir::dit::impl::PrepareBufferizationPassBase<
          PrepareBufferizationPass> {
  void runOnOperation() override {
    getOperation().walk(moveToEnd);
    bufferization::OneShotBufferizationOptions options;
    options.allowReturnAllocsFromLoops = true;
    options.bufferizeFunctionBoundaries = true;
    bufferization::OneShotAnalysisState state(getOperation(), options);
    IRRewriter rewriter(&getContext());
    if (failed(bufferization::analyzeModuleOp(getOperation(), state)) ||
        failed(bufferization::eliminateEmptyTensors(rewriter, getOperation(),
                                                    state, getReplacement)))
      signalPassFailure();
  }
};

} // namespace
