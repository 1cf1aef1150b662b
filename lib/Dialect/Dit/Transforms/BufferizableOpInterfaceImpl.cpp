//===- BufferizableOpInterfaceImpl.cpp - Bufferization of dit
//--------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A destination-style op of dit bufferizes to itself on memrefs, writing into
// the buffers of its inits. Most ops overwrite their inits whole, so one whose
// old contents are used elsewhere costs an allocation but no copy; a tile list
// keeps the entries past its count and therefore reads them.
//
// dit.reuse has no model: it becomes scf.if before bufferization.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Transforms/BufferizableOpInterfaceImpl.h"

#include "dit/Dialect/Dit/IR/Dit.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::dit;

/// Rewrites `op` on tensors to the same op on the buffers of its operands.
static LogicalResult bufferizeToSelf(RewriterBase &rewriter,
                                     DestinationStyleOpInterface op,
                                     const BufferizationOptions &options,
                                     BufferizationState &state) {
  if (op.hasPureBufferSemantics())
    return success();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (!isa<TensorType>(operand.getType())) {
      operands.push_back(operand);
      continue;
    }
    FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
    if (failed(buffer))
      return failure();
    operands.push_back(*buffer);
  }
  SmallVector<Value> results;
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isa<TensorType>(init.get().getType()))
      results.push_back(operands[init.getOperandNumber()]);
  clone(rewriter, op, TypeRange{}, operands);
  replaceOpWithBufferizedValues(rewriter, op, results);
  return success();
}

namespace {

template <typename OpTy>
struct DestinationModel
    : DstBufferizableOpInterfaceExternalModel<DestinationModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    // A half-width of 0 keeps what the init holds for that head.
    if (auto attention = dyn_cast<AttentionOpInterface>(op))
      if (attention.getHalfWidths())
        return true;
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    return bufferizeToSelf(rewriter, cast<DestinationStyleOpInterface>(op),
                           options, state);
  }
};

/// An op whose last init is the index operand of a tile list.
template <typename OpTy>
struct TileListModel
    : DstBufferizableOpInterfaceExternalModel<TileListModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand) ||
           &operand == &cast<OpTy>(op).getIdxMutable();
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    return bufferizeToSelf(rewriter, cast<DestinationStyleOpInterface>(op),
                           options, state);
  }
};

} // namespace

template <template <typename> class Model, typename... OpTys>
static void attach(MLIRContext &context) {
  (OpTys::template attachInterface<Model<OpTys>>(context), ...);
}

void mlir::dit::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DitDialect *) {
    attach<DestinationModel, AttentionOp, AttentionPairOp, AttentionBackwardOp,
           AttentionMergeOp, LowRankScoreOp, GroupTokensOp, UngroupTokensOp>(
        *context);
    attach<TileListModel, TopkMaskOp, TilesUnionOp, TilesSliceOp,
           TilesTransposeOp>(*context);
  });
}
