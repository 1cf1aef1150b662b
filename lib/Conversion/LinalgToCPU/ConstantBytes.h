//===- ConstantBytes.h - Constants in another order -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Computes constants that hold the elements of others in another order.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_CONSTANTBYTES_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_CONSTANTBYTES_H

#include "mlir/IR/BuiltinAttributes.h"

namespace mlir::dit {

/// The elements of `attr`, read as an array of `shape`, with dimension
/// `permutation[i]` moved to place i; the resource that holds them is called
/// `name`. Null if `attr` holds no plain data or a splat.
ElementsAttr permuteElements(ElementsAttr attr, ArrayRef<int64_t> shape,
                             ArrayRef<int64_t> permutation, StringRef name);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_CONSTANTBYTES_H
