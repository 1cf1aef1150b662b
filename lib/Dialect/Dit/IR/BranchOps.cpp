//===- BranchOps.cpp - Residual branches ----------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The verifier of `dit.branch`, and what the stages of a branch hand on.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/Dit.h"

using namespace mlir;
using namespace mlir::dit;

Region &BranchOp::getStage(CachePoint point) {
  return getOperation()->getRegion(static_cast<unsigned>(point));
}

TypeRange BranchOp::getTypesAt(CachePoint point) {
  if (point == CachePoint::AfterGate)
    return getResultTypes();
  for (int64_t at = static_cast<int64_t>(point); at >= 0; --at)
    if (Region &region = getOperation()->getRegion(at); !region.empty())
      return region.front().getTerminator()->getOperandTypes();
  return {};
}

AttentionOp BranchOp::getAttention() {
  AttentionOp found;
  bool several = false;
  getAttendRegion().walk([&](AttentionOp op) {
    several |= found != nullptr;
    found = op;
  });
  return several ? AttentionOp() : found;
}

LogicalResult BranchOp::verifyRegions() {
  // branch_c1
  if (getSite().empty())
    return emitOpError("expected a name of the site that is not empty");
  // branch_c2
  if (getHeads() < 1 || getHeads() > kMaxHeads)
    return emitOpError() << "expected between 1 and " << kMaxHeads
                         << " heads, got " << getHeads();
  bool isMLP = getKind() == BranchKind::MLP;
  // branch_c3
  if (isMLP && getHeads() != 1)
    return emitOpError() << "expected one head of an mlp, got " << getHeads();
  // branch_c4
  if (getAttendRegion().empty() != isMLP)
    return emitOpError() << (isMLP ? "expected no stage attend in an mlp"
                                   : "expected the stage attend");
  // branch_c5
  if (isMLP && getProjectRegion().empty())
    return emitOpError("expected the stage project in an mlp");
  TypeRange before;
  for (Region &region : getOperation()->getRegions()) {
    if (region.empty())
      continue;
    Operation *terminator = region.front().getTerminator();
    // branch_c6
    if (!isa<YieldOp>(terminator))
      return emitOpError() << "expected each stage to end with "
                           << YieldOp::getOperationName() << ", got "
                           << terminator->getName();
    // branch_c7
    if (region.getArgumentTypes() != before)
      return emitOpError("expected each stage to take what the one before it "
                         "yields, and the first one nothing");
    before = terminator->getOperandTypes();
    // branch_c8
    if (!llvm::all_of(before, llvm::IsaPred<RankedTensorType>))
      return emitOpError("expected each stage to yield ranked tensors");
  }
  // branch_c9
  if (before != TypeRange(getResultTypes()))
    return emitOpError(
        "expected the last stage to yield values of the types of the results");
  // branch_c10
  if (TypeRange(getStreams().getTypes()) != TypeRange(getResultTypes()))
    return emitOpError(
        "expected a result for each stream, and of the stream's type");
  return success();
}
