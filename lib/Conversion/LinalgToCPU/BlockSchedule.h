//===- BlockSchedule.h - An order that keeps groups together -----*- C++
//-*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Orders the ops of a block anew so that the ops of a group follow each other.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_LINALGTOCPU_BLOCKSCHEDULE_H
#define DIT_LIB_CONVERSION_LINALGTOCPU_BLOCKSCHEDULE_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace mlir::dit {

/// All ops of `block` in an order in which nothing stands before what it uses,
/// ops with effects follow each other as before, and so do, with nothing
/// between, those of each group; `groups` are disjoint and in the order of the
/// block. What need not move stays. None if there is no such order, because a
/// group needs something that needs the group.
std::optional<SmallVector<Operation *>>
scheduleGroups(Block &block, ArrayRef<SmallVector<Operation *>> groups);

/// Brings the ops of `block` into that order; false, and nothing changes, if
/// there is none.
bool gatherGroups(Block &block, ArrayRef<SmallVector<Operation *>> groups);

} // namespace mlir::dit

#endif // DIT_LIB_CONVERSION_LINALGTOCPU_BLOCKSCHEDULE_H
