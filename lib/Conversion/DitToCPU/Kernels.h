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

/// Calls `kernel` on views of `operands`, after checking that all of them are
/// strided; `getKernel` gives the kernel for the types of the views.
LogicalResult
callOnViews(Operation *op, KernelBuilder &kb, ArrayRef<OperandView> operands,
            ValueRange scalars,
            llvm::function_ref<func::FuncOp(TypeRange)> getKernel);

/// `value` as it is: all its dimensions, in order.
OperandView getIdentityView(Value value);

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_KERNELS_H
