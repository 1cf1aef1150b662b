//===- SeparateInits.cpp - Tensors that results begin as
//---------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SeparateInits.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::dit;

/// A shared init would be copied by every user but the last.
static void duplicateInits(Operation *root) {
  SmallVector<Operation *> inits;
  root->walk([&](Operation *op) {
    if (isa<linalg::FillOp, tensor::EmptyOp>(op) && op->getNumResults() == 1 &&
        !op->use_empty() && !op->hasOneUse())
      inits.push_back(op);
  });
  // Users first: copies of a fill use its empty tensor again.
  auto duplicate = [](Operation *op) {
    for (OpOperand &use :
         llvm::make_early_inc_range(llvm::drop_begin(op->getUses()))) {
      OpBuilder builder(use.getOwner());
      use.set(builder.clone(*op)->getResult(0));
    }
  };
  for (Operation *op : inits)
    if (isa<linalg::FillOp>(op))
      duplicate(op);
  root->walk([&](tensor::EmptyOp op) {
    if (!op->use_empty() && !op->hasOneUse())
      duplicate(op);
  });
}

/// Moves each fill and empty tensor that is left to one user next to it. One
/// that stays outside of a loop is a buffer for the whole loop, and a fill out
/// there has to be copied in each iteration.
static void sinkInits(Operation *root) {
  SmallVector<Operation *> inits;
  root->walk([&](Operation *op) {
    if (isa<linalg::FillOp, tensor::EmptyOp>(op) && op->getNumResults() == 1 &&
        op->hasOneUse())
      inits.push_back(op);
  });
  // Fills first: their empty tensors follow them.
  for (bool fills : {true, false})
    for (Operation *op : inits)
      if (isa<linalg::FillOp>(op) == fills)
        op->moveBefore(*op->user_begin());
}

void mlir::dit::separateInits(Operation *root) {
  duplicateInits(root);
  sinkInits(root);
}
