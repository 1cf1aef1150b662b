//===- Kernels.h - Call sites of the kernels --------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function replaces one op on memrefs by a call of its kernel, at the
// builder's insertion point, and leaves the op to be erased.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_KERNELS_H
#define DIT_LIB_CONVERSION_DITTOCPU_KERNELS_H

#include "KernelLibrary.h"
#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::cpu {

LogicalResult callKernel(AttentionOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(AttentionPairOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(AttentionBackwardOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(AttentionMergeOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(LowRankScoreOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(TopkMaskOp op, KernelBuilder &kb,
                         KernelLibrary &library);
/// The op that makes the scores `op` selects among, if nothing else reads them
/// and it may run where `op` stands; null if not.
LowRankScoreOp findScoresToSelect(TopkMaskOp op);
/// Scores and selection in one kernel.
LogicalResult callKernel(LowRankScoreOp score, TopkMaskOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(TilesUnionOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(TilesSliceOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(TilesTransposeOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(GroupTokensOp op, KernelBuilder &kb,
                         KernelLibrary &library);
LogicalResult callKernel(UngroupTokensOp op, KernelBuilder &kb,
                         KernelLibrary &library);

/// Calls `kernel` on views of `operands`, after checking that all of them are
/// strided; `getKernel` gives the kernel for the types of the views.
LogicalResult
callOnViews(Operation *op, KernelBuilder &kb, ArrayRef<OperandView> operands,
            ValueRange scalars,
            llvm::function_ref<func::FuncOp(TypeRange)> getKernel);

/// The same for an op whose kernel is one function, told apart by the op's
/// attributes and the types of the views; `emitBody` fills it.
LogicalResult callSimpleKernel(
    Operation *op, KernelBuilder &kb, KernelLibrary &library,
    ArrayRef<OperandView> operands, ValueRange scalars,
    llvm::function_ref<void(KernelBuilder &, ValueRange)> emitBody);

/// `value` as it is: all its dimensions, in order.
OperandView getIdentityView(Value value);

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_KERNELS_H
