//===- BufferizableOpInterfaceImpl.h - Bufferization of dit -----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lets one-shot-bufferize turn the destination-style ops of dit into
// themselves on memrefs.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
#define DIT_DIALECT_DIT_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::dit {

/// Adds the external models of `BufferizableOpInterface` for dit's ops.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
