//===- MatchSearch.cpp - Where an attention may be ------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Cheap looks at the IR around a contraction, before and after expressions are
// built: whether to try at all, which values may be the output, and whether a
// reader would call it an attention.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::raise;

static bool hasExponential(Operation *op) {
  if (isa<linalg::SoftmaxOp, math::ExpOp, math::Exp2Op, math::PowFOp>(op))
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getBlock() &&
         llvm::any_of(*linalgOp.getBlock(), [](Operation &scalar) {
           return isa<math::ExpOp, math::Exp2Op, math::PowFOp>(scalar);
         });
}

/// Whether `op` sums over a dimension.
static bool hasSum(Operation *op) {
  if (isa<linalg::SoftmaxOp>(op))
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getBlock() &&
         linalgOp.getNumReductionLoops() > 0 &&
         llvm::any_of(*linalgOp.getBlock(), [](Operation &scalar) {
           return isa<arith::AddFOp>(scalar);
         });
}

static bool isDivision(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getBlock() &&
         llvm::any_of(*linalgOp.getBlock(), [](Operation &scalar) {
           return isa<arith::DivFOp>(scalar);
         });
}

// What stands between two contractions of an attention is some tens of ops.
static constexpr unsigned maxOps = 128;

/// The activation that a linear layer `op` projects, or null.
Value mlir::dit::raise::getProjected(Operation *op) {
  if (!isContraction(op))
    return {};
  for (unsigned i : {0, 1})
    if (isWeightTensor(op->getOperand(i)) &&
        !isWeightTensor(op->getOperand(1 - i)))
      return op->getOperand(1 - i);
  return {};
}

/// The ops that compute `values` up to contractions and attentions. One linear
/// layer on the way may be crossed, as heads are mixed by one. `atBoundary`
/// gets the contractions of two activations.
static llvm::SetVector<Operation *>
getOpsBefore(ArrayRef<Value> values, bool crossLayer = false,
             function_ref<void(Operation *)> atBoundary = nullptr) {
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<Value> worklist(values.begin(), values.end());
  for (unsigned i = 0; i < worklist.size() && ops.size() < maxOps; ++i) {
    Operation *op = worklist[i].getDefiningOp();
    if (!op || ops.contains(op) || isa<AttentionOp>(op))
      continue;
    if (!isContraction(op)) {
      ops.insert(op);
      worklist.insert_range(getReadTensors(op));
    } else if (Value activation = getProjected(op)) {
      if (crossLayer)
        worklist.insert(activation);
      crossLayer = false;
    } else if (atBoundary) {
      atBoundary(op);
    }
  }
  return ops;
}

bool mlir::dit::raise::mayBeProbabilities(Value operand) {
  return llvm::any_of(getOpsBefore(operand), hasExponential);
}

/// Whether `op` takes the exponential of a product of two activations, which
/// with `crossLayer` may be mixed by a linear layer.
static bool isExponentialOfScores(Operation *op, bool crossLayer) {
  bool hasScores = false;
  if (hasExponential(op))
    getOpsBefore(getReadTensors(op), crossLayer, [&](Operation *boundary) {
      hasScores |= !isWeightTensor(boundary->getOperand(0)) &&
                   !isWeightTensor(boundary->getOperand(1));
    });
  return hasScores;
}

bool mlir::dit::raise::looksLikeAttention(Operation *valueProduct,
                                          unsigned side) {
  if (isWeightTensor(valueProduct->getOperand(0)) ||
      isWeightTensor(valueProduct->getOperand(1)))
    return false;
  // The division by the sum may also stand after the product.
  bool isDividedLate = llvm::any_of(
      getOutputCandidates(valueProduct->getResult(0), /*elementwise=*/true),
      [](Value candidate) { return isDivision(candidate.getDefiningOp()); });
  // Heads are mixed before the softmax or after it.
  for (bool isMixedAfter : {false, true}) {
    llvm::SetVector<Operation *> ops = getOpsBefore(
        valueProduct->getOperand(side), /*crossLayer=*/isMixedAfter);
    bool isNormalized = isDividedLate || llvm::any_of(ops, hasSum);
    if (isNormalized && llvm::any_of(ops, [&](Operation *op) {
          return isExponentialOfScores(op, /*crossLayer=*/!isMixedAfter);
        }))
      return true;
  }
  return false;
}

bool mlir::dit::raise::isSumOfWeighted(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || !hasSum(op) || isa<linalg::SoftmaxOp>(op) ||
      isContraction(op) || op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()) ||
      llvm::none_of(getOpsBefore(getReadTensors(op)), hasExponential))
    return false;
  AxisSpace space;
  Tracer tracer(space);
  View view = tracer.createView(op->getResult(0));
  const Expr *sum = stripCasts(tracer.trace(op->getResult(0), view));
  if (!sum->is(ExprKind::Reduce) || sum->combiner != ExprKind::Add)
    return false;
  const Expr *product = stripCasts(sum->operand(0));
  if (!product->is(ExprKind::Mul))
    return false;
  return llvm::any_of(product->operands, [&](const Expr *factor) {
    Reason reason;
    std::optional<SoftmaxForm> softmax =
        matchSoftmax(factor, sum->axes, reason);
    return softmax && softmax->isNormalized;
  });
}

/// Whether `op` only stores its operand in another way, possibly rounding it.
static bool isForwardView(Operation *op) {
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ReshapeOp,
          tensor::CastOp, linalg::TransposeOp>(op))
    return isa<RankedTensorType>(op->getResult(0).getType());
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumResults() != 1 || generic.getNumReductionLoops() != 0)
    return false;
  for (AffineMap map : generic.getIndexingMapsArray())
    if (!map.isPermutation())
      return false;
  Value yielded = generic.getBlock()->getTerminator()->getOperand(0);
  if (auto truncation = yielded.getDefiningOp<arith::TruncFOp>())
    yielded = truncation.getIn();
  return yielded == generic.getBlock()->getArgument(0);
}

SmallVector<Value> mlir::dit::raise::getOutputCandidates(Value product,
                                                         bool elementwise) {
  SmallVector<Value> candidates = {product};
  // Zeroing of rows before or after the division makes two.
  unsigned elementwiseLeft = elementwise ? 2 : 0;
  for (Value current = product; current.hasOneUse();) {
    Operation *user = *current.user_begin();
    if (user->getBlock() != product.getParentBlock() ||
        user->getNumResults() != 1)
      break;
    if (!isForwardView(user)) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
      bool isElementwise = linalgOp && linalgOp.getNumReductionLoops() == 0 &&
                           linalgOp.hasPureTensorSemantics() &&
                           !isContraction(user);
      if (!isElementwise || elementwiseLeft-- == 0)
        break;
    } else if (user->getOperand(0) != current) {
      break;
    }
    current = user->getResult(0);
    candidates.push_back(current);
  }
  return llvm::to_vector(llvm::reverse(candidates));
}
