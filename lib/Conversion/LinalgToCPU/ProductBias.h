//===- ProductBias.h - Products that begin as a bias ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bias costs a pass over the result of a product, unless the sums begin as
// it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_PRODUCTBIAS_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_PRODUCTBIAS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::dit {

/// Where an elementwise op adds a bias, the same for all rows, to a product on
/// tensors that nothing else uses, lets the sums of the product begin as the
/// bias (ProductForm). Returns the number of products.
unsigned startProductsAsBias(ModuleOp module);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_PRODUCTBIAS_H
