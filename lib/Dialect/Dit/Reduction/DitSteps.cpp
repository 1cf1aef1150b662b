//===- DitSteps.cpp - Steps for the ops of dit ----------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// What a pattern is made of.
static ArrayRef<PatternAttrInterface>
getParts(PatternAttrInterface pattern,
         SmallVectorImpl<PatternAttrInterface> &storage) {
  return TypeSwitch<Attribute, ArrayRef<PatternAttrInterface>>(pattern)
      .Case<AndAttr, OrAttr>([](auto join) { return join.getPatterns(); })
      .Case<TiledAttr>([&](TiledAttr tiled) {
        storage.push_back(tiled.getPattern());
        return ArrayRef(storage);
      })
      .Default(ArrayRef<PatternAttrInterface>());
}

/// `op` again without its LSE, whose users get the destination.
static void dropLse(AttentionOp op, RewriterBase &rewriter) {
  Value lse = op.getLse();
  if (op->getNumResults() == 2)
    rewriter.replaceAllUsesWith(op->getResult(1), lse);
  AttentionOp plain = op.cloneWithoutLse(rewriter);
  if (op->getNumResults() == 2)
    rewriter.replaceAllUsesWith(op->getResult(0), plain->getResult(0));
  rewriter.eraseOp(op);
}

/// Without an optional operand or attribute, with a simpler pattern.
static void collectAttentionSteps(AttentionOp op, Steps &steps) {
  auto add = [&](auto change) {
    steps.push_back([change](Operation *op, RewriterBase &rewriter) {
      rewriter.modifyOpInPlace(op, [&] { change(cast<AttentionOp>(op)); });
    });
  };
  if (op.hasTiles())
    add([](AttentionOp op) {
      op.getTileIdxMutable().clear();
      op.getTileNumMutable().clear();
      op.removeTileAttr();
    });
  if (op.getBias())
    add([](AttentionOp op) { op.getBiasMutable().clear(); });
  if (op.getKvValid())
    add([](AttentionOp op) { op.getKvValidMutable().clear(); });
  if (op.getHalfWidths())
    add([](AttentionOp op) { op.getHalfWidthsMutable().clear(); });
  if (op.getLse())
    steps.push_back([](Operation *op, RewriterBase &rewriter) {
      dropLse(cast<AttentionOp>(op), rewriter);
    });
  if (auto pattern = op.getPatternAttr()) {
    add([](AttentionOp op) { op.removePatternAttr(); });
    SmallVector<PatternAttrInterface> storage;
    for (PatternAttrInterface part :
         getParts(cast<PatternAttrInterface>(pattern), storage))
      add([part](AttentionOp op) { op.setPatternAttr(part); });
  }
  for (StringAttr name :
       {op.getSiteAttrName(), op.getKindAttrName(), op.getLayerAttrName(),
        op.getGridAttrName(), op.getQOrderAttrName(), op.getKOrderAttrName(),
        op.getVOrderAttrName(), op.getOOrderAttrName()})
    if (op->hasAttr(name))
      add([name](AttentionOp op) { op->removeAttr(name); });
}

//===----------------------------------------------------------------------===//
// Reuse and selection
//===----------------------------------------------------------------------===//

/// Moves the body of `region` before `op`; what it yields.
static SmallVector<Value> inlineBody(ReuseOp op, Region &region,
                                     RewriterBase &rewriter) {
  Block &body = region.front();
  Operation *yield = body.getTerminator();
  rewriter.inlineBlockBefore(&body, op, op.getStates());
  SmallVector<Value> values(yield->getOperands());
  rewriter.eraseOp(yield);
  return values;
}

static void collectReuseSteps(ReuseOp op, Steps &steps) {
  steps.push_back([](Operation *op, RewriterBase &rewriter) {
    auto reuse = cast<ReuseOp>(op);
    rewriter.replaceOp(op,
                       inlineBody(reuse, reuse.getComputeRegion(), rewriter));
  });
  if (!op.hasOtherwise())
    return;
  steps.push_back([](Operation *op, RewriterBase &rewriter) {
    auto reuse = cast<ReuseOp>(op);
    SmallVector<Value> values =
        inlineBody(reuse, reuse.getOtherwiseRegion(), rewriter);
    llvm::append_range(values, reuse.getStates());
    rewriter.replaceOp(op, values);
  });
}

static void collectTopkSteps(TopkMaskOp topk, Steps &steps) {
  if (topk.getKeepAttr())
    steps.push_back([](Operation *op, RewriterBase &rewriter) {
      rewriter.modifyOpInPlace(op,
                               [&] { cast<TopkMaskOp>(op).removeKeepAttr(); });
    });
  // A fraction needs no operand and no sum.
  if (!topk.getFractionAttr())
    steps.push_back([](Operation *op, RewriterBase &rewriter) {
      rewriter.modifyOpInPlace(op, [&] {
        auto topk = cast<TopkMaskOp>(op);
        topk.getCountMutable().clear();
        topk.removeMassAttr();
        topk.setFractionAttr(rewriter.getF64FloatAttr(0.5));
      });
    });
}

/// Adds steps that give an operand the value of the first one of its type.
static void collectSharingSteps(Operation *op, Steps &steps) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto types = op->getOperandTypes();
    unsigned first = std::distance(types.begin(),
                                   llvm::find(types, operand.get().getType()));
    if (op->getOperand(first) == operand.get())
      continue;
    steps.push_back([first, index = operand.getOperandNumber()](
                        Operation *op, RewriterBase &rewriter) {
      rewriter.modifyOpInPlace(
          op, [&] { op->setOperand(index, op->getOperand(first)); });
    });
  }
}

void mlir::dit::detail::collectDitSteps(Operation *op, Steps &steps) {
  if (!isa_and_nonnull<DitDialect>(op->getDialect()))
    return;
  if (auto attention = dyn_cast<AttentionOp>(op))
    collectAttentionSteps(attention, steps);
  if (auto reuse = dyn_cast<ReuseOp>(op))
    collectReuseSteps(reuse, steps);
  if (auto scheduled = dyn_cast<ScheduledOp>(op))
    steps.push_back([](Operation *op, RewriterBase &rewriter) {
      rewriter.replaceOpWithNewOp<arith::ConstantIntOp>(op, 1, /*width=*/1);
    });
  if (auto topk = dyn_cast<TopkMaskOp>(op))
    collectTopkSteps(topk, steps);
  collectSharingSteps(op, steps);
}
