//===- GenerateChecks.cpp - Checks of what only the caller knows ----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Asks the ops for their run-time checks, as upstream's pass does, but not
// those that the verifier has already answered, and without the text of whole
// operations, which is most of that pass's time on a large function.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/RuntimeVerifiableOpInterface.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace mlir::dit {
#define GEN_PASS_DEF_GENERATECHECKSPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Whether `slice` stays within what it is a slice of, whatever the loops
/// around it are at.
static bool isSliceWithin(memref::SubViewOp slice) {
  using presburger::BoundType;
  if (!slice.getSourceType().hasStaticShape())
    return false;
  for (auto [offset, size, stride, extent] : llvm::zip_equal(
           slice.getMixedOffsets(), slice.getStaticSizes(),
           slice.getStaticStrides(), slice.getSourceType().getShape())) {
    if (ShapedType::isDynamic(size) || ShapedType::isDynamic(stride) ||
        stride < 1)
      return false;
    FailureOr<int64_t> least =
        ValueBoundsConstraintSet::computeConstantBound(BoundType::LB, offset);
    FailureOr<int64_t> most = ValueBoundsConstraintSet::computeConstantBound(
        BoundType::UB, offset, /*stopCondition=*/nullptr, /*closedUB=*/true);
    if (failed(least) || failed(most) || *least < 0 ||
        *most + (size - 1) * stride >= extent)
      return false;
  }
  return true;
}

/// Whether all extents there are have been compared.
static bool isKnownToFit(Operation *op) {
  if (auto slice = dyn_cast<memref::SubViewOp>(op))
    return isSliceWithin(slice);
  if (!isa<linalg::LinalgOp>(op))
    return false;
  return llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return !shaped || shaped.hasStaticShape();
  });
}

/// The reason and the place, on one line.
static std::string formatMessage(Operation *op, StringRef reason) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << reason << ", Location: " << op->getLoc();
  return text;
}

namespace {

struct GenerateChecksPass
    : public mlir::dit::impl::GenerateChecksPassBase<GenerateChecksPass> {
  void runOnOperation() override {
    SmallVector<RuntimeVerifiableOpInterface> ops;
    getOperation()->walk([&](RuntimeVerifiableOpInterface op) {
      if (!isKnownToFit(op))
        ops.push_back(op);
    });
    OpBuilder builder(&getContext());
    for (RuntimeVerifiableOpInterface op : ops) {
      builder.setInsertionPoint(op);
      op.generateRuntimeVerification(builder, op.getLoc(), formatMessage);
    }
    numChecked += ops.size();
  }
};

} // namespace
