//===- OptimizeLinalg.cpp - Fusion of linalg on tensors -------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Brings linalg on tensors into the form from which convert-linalg-to-cpu
// makes good kernels: few, large elementwise ops and reductions, and matrix
// products without copies around them.
//
//===----------------------------------------------------------------------===//

#include "dit/Conversion/CPUTarget.h"
#include "dit/Conversion/Passes.h"

#include "ContractionPatterns.h"
#include "PackWeights.h"
#include "ProductBias.h"
#include "SeparateInits.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::dit {
#define GEN_PASS_DEF_OPTIMIZELINALGFORCPU
#include "dit/Conversion/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Ops of a body that are cheaper to repeat in each user than to store.
static constexpr unsigned kCheapOps = 2;

/// Whether `op` only moves elements, and some that are neighbours in memory
/// are not in the result: to read it in place would cost vectors.
static bool breaksRows(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getBlock()->getOperations().size() != 1)
    return false;
  AffineMap input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  return input.getNumResults() > 0 && output.getNumResults() > 0 &&
         input.isFunctionOfDim(
             cast<AffineDimExpr>(output.getResults().back()).getPosition()) &&
         input.getResults().back() != output.getResults().back();
}

/// Whether every user may compute `op` for itself: a few simple operations on
/// one tensor at most, next to constants and what broadcasts.
static bool isCheap(linalg::GenericOp op) {
  unsigned ops = 0;
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (isa<math::MathDialect>(inner.getDialect()) ||
        isa<arith::DivFOp, tensor::ExtractOp, linalg::IndexOp>(inner))
      return false;
    ++ops;
  }
  unsigned large = 0;
  for (OpOperand *input : op.getDpsInputOperands())
    large += op.getMatchingIndexingMap(input).isPermutation();
  return ops <= kCheapOps && large <= 1;
}

/// Whether `op` multiplies matrices or a matrix and a vector, so that it uses
/// the elements of an operand more than once. A sum of squares does not.
static bool isMatrixProduct(linalg::GenericOp op) {
  if (!linalg::isaContractionOpInterface(op))
    return false;
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  return failed(dims) || !dims->m.empty() || !dims->n.empty();
}

/// Whether `consumer`, which only moves elements, brings those of `operand`
/// that `producer` moved back into the order of their rows.
static bool restoresRows(linalg::GenericOp producer, OpOperand *operand) {
  auto consumer = cast<linalg::GenericOp>(operand->getOwner());
  AffineMap output =
      producer.getMatchingIndexingMap(producer.getDpsInitOperand(0));
  AffineMap result =
      consumer.getMatchingIndexingMap(consumer.getDpsInitOperand(0));
  if (!output.isPermutation() || result.getNumResults() == 0)
    return false;
  AffineMap source =
      producer.getMatchingIndexingMap(producer.getDpsInputOperand(0))
          .compose(inversePermutation(output))
          .compose(consumer.getMatchingIndexingMap(operand));
  return source.getResults().back() == result.getResults().back();
}

/// Whether the producer of `operand` may move into its user.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  if (!producer || !linalg::isElementwise(producer))
    return false;
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!consumer || isMatrixProduct(consumer))
    return false;
  return producer->hasOneUse() &&
         (!breaksRows(producer) || restoresRows(producer, operand));
}

/// Whether a reshape next to `operand` may move to the other side of the
/// elementwise op there.
static bool shouldMoveReshape(OpOperand *operand) {
  auto elementwise = [](Operation *op) {
    auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
    return generic && linalg::isElementwise(generic);
  };
  Operation *producer = operand->get().getDefiningOp();
  Operation *consumer = operand->getOwner();
  if (isa<linalg::LinalgOp>(consumer))
    return elementwise(consumer) && producer && producer->hasOneUse();
  return elementwise(producer) && producer->hasOneUse();
}

/// Runs of dimensions that are neighbours in every operand of an op other than
/// a matrix product: as one dimension they make longer vectors.
static SmallVector<ReassociationIndices>
findMergeableDims(linalg::LinalgOp op) {
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (!generic || !op.hasPureTensorSemantics() || op.hasIndexSemantics() ||
      op.hasDynamicShape() || isMatrixProduct(generic))
    return {};
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  // Windows read neighbours of what is theirs.
  if (llvm::any_of(maps,
                   [](AffineMap map) { return !map.isProjectedPermutation(); }))
    return {};
  SmallVector<ReassociationIndices> runs;
  for (int64_t d = 0, e = op.getNumLoops(); d < e; ++d) {
    if (!runs.empty() && iterators[runs.back().back()] == iterators[d]) {
      ReassociationIndices longer = runs.back();
      longer.push_back(d);
      if (linalg::areDimSequencesPreserved(maps, {longer})) {
        runs.back() = longer;
        continue;
      }
    }
    runs.push_back({d});
  }
  llvm::erase_if(
      runs, [](const ReassociationIndices &run) { return run.size() == 1; });
  return runs;
}

/// Writes elementwise and data movement ops as linalg.generic, which is what
/// fusion knows; aggregates such as softmax become their parts.
static LogicalResult generalize(Operation *root) {
  IRRewriter rewriter(root->getContext());
  SmallVector<linalg::AggregatedOpInterface> aggregates;
  root->walk([&](linalg::AggregatedOpInterface op) {
    if (isa<linalg::SoftmaxOp>(op))
      aggregates.push_back(op);
  });
  for (linalg::AggregatedOpInterface op : aggregates) {
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return op.emitOpError() << "cannot be decomposed for the CPU";
    rewriter.replaceOp(op, *values);
  }
  SmallVector<linalg::LinalgOp> ops;
  root->walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp>(op) &&
        linalg::isElementwise(op))
      ops.push_back(op);
    else if (isa<linalg::TransposeOp, linalg::BroadcastOp, linalg::MapOp>(op))
      ops.push_back(op);
  });
  for (linalg::LinalgOp op :
       llvm::SetVector<linalg::LinalgOp>(ops.begin(), ops.end())) {
    rewriter.setInsertionPoint(op);
    // Ops without a generic form stay as they are.
    (void)linalg::generalizeNamedOp(rewriter, op);
  }
  return success();
}

/// Gives each use of a cheap elementwise op a copy of its own, so that it can
/// fuse into all of them.
static void duplicateCheapProducers(Operation *root) {
  SmallVector<linalg::GenericOp> producers;
  root->walk([&](linalg::GenericOp op) {
    if (op->getNumResults() == 1 && !op->hasOneUse() &&
        op.hasPureTensorSemantics() && linalg::isElementwise(op) &&
        isCheap(op) && !breaksRows(op) &&
        llvm::all_of(op->getUsers(), llvm::IsaPred<linalg::GenericOp>))
      producers.push_back(op);
  });
  for (linalg::GenericOp op : llvm::reverse(producers)) {
    for (OpOperand &use :
         llvm::make_early_inc_range(llvm::drop_begin(op->getUses()))) {
      OpBuilder builder(use.getOwner());
      use.set(builder.clone(*op)->getResult(0));
    }
  }
}

/// A caller's arguments are not ours to overwrite.
static void protectArguments(ModuleOp module) {
  StringRef name = bufferization::BufferizationDialect::kWritableAttrName;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    for (unsigned index = 0; index < function.getNumArguments(); ++index)
      if (isa<TensorType>(function.getArgumentTypes()[index]) &&
          !function.getArgAttr(index, name))
        function.setArgAttr(index, name,
                            BoolAttr::get(module.getContext(), false));
  }
}

namespace {

struct OptimizeLinalgForCPUPass
    : dit::impl::OptimizeLinalgForCPUBase<OptimizeLinalgForCPUPass> {
  using OptimizeLinalgForCPUBase::OptimizeLinalgForCPUBase;

  void runOnOperation() override;
  LogicalResult simplifyContractions();
  LogicalResult fuse();
  LogicalResult mergeDims();
};

} // namespace

LogicalResult OptimizeLinalgForCPUPass::simplifyContractions() {
  RewritePatternSet patterns(&getContext());
  populateContractionPatterns(patterns);
  tensor::populateDecomposeTensorConcatPatterns(patterns);
  return applyPatternsGreedily(getOperation(), std::move(patterns));
}

LogicalResult OptimizeLinalgForCPUPass::fuse() {
  duplicateCheapProducers(getOperation());
  RewritePatternSet patterns(&getContext());
  MLIRContext *context = &getContext();
  linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
  linalg::populateFoldReshapeOpsByExpansionPatterns(patterns,
                                                    shouldMoveReshape);
  linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
  tensor::populateFoldTensorEmptyPatterns(patterns);
  linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
  linalg::FillOp::getCanonicalizationPatterns(patterns, context);
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
  context->getLoadedDialect<linalg::LinalgDialect>()
      ->getCanonicalizationPatterns(patterns);
  return applyPatternsGreedily(getOperation(), std::move(patterns));
}

LogicalResult OptimizeLinalgForCPUPass::mergeDims() {
  MLIRContext *context = &getContext();
  RewritePatternSet patterns(context);
  linalg::populateCollapseDimensions(patterns, findMergeableDims);
  linalg::FillOp::getCanonicalizationPatterns(patterns, context);
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::populateFoldTensorEmptyPatterns(patterns);
  return applyPatternsGreedily(getOperation(), std::move(patterns));
}

void OptimizeLinalgForCPUPass::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(simplifyContractions()) || failed(generalize(module)))
    return signalPassFailure();
  IRRewriter rewriter(&getContext());
  DominanceInfo dominance;
  // What fuses first is single use; copies then make more of it.
  for (int round = 0; round < 2; ++round) {
    if (failed(fuse()))
      return signalPassFailure();
    eliminateCommonSubExpressions(rewriter, dominance, module);
  }
  if (failed(mergeDims()))
    return signalPassFailure();
  CPUTarget given;
  given.vectorBits = vectorBits;
  numPacked += packConstantWeights(module, given.resolve(module).vectorBits);
  numBiased += startProductsAsBias(module);
  separateInits(module);
  protectArguments(module);
}
