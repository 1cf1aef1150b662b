//===- TilingInterfaceImpl.h - Tiling of dit's ops --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_TILINGINTERFACEIMPL_H
#define DIT_DIALECT_DIT_TRANSFORMS_TILINGINTERFACEIMPL_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::dit {

/// Adds the external models of `TilingInterface` for dit's ops.
void registerTilingInterfaceExternalModels(DialectRegistry &registry);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_TILINGINTERFACEIMPL_H
