//===- RowTiling.h - A group of ops as one loop over tiles ------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rewrites a group of row-wise ops as one parallel loop over tiles of rows.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_ROWTILING_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_ROWTILING_H

#include "RowGroups.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::dit {

/// The bytes that the values of `group` take in one tile at the same time.
int64_t getTileBytes(ArrayRef<Operation *> group, const RowSpace &space);

/// Replaces `group`, whose ops follow each other in their block, by an
/// `scf.forall` over the tiles of `space`. Null, and nothing changes, if nobody
/// uses what the group computes.
scf::ForallOp tileRowGroup(ArrayRef<Operation *> group, const RowSpace &space);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_ROWTILING_H
