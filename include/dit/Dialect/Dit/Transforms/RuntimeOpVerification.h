//===- RuntimeOpVerification.h - Checks at run time -------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_RUNTIMEOPVERIFICATION_H
#define DIT_DIALECT_DIT_TRANSFORMS_RUNTIMEOPVERIFICATION_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::dit {

/// Adds the external models of `RuntimeVerifiableOpInterface` for dit's ops.
void registerRuntimeVerifiableOpInterfaceExternalModels(
    DialectRegistry &registry);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_RUNTIMEOPVERIFICATION_H
