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
#include "mlir/Interfaces/RuntimeVerifiableOpInterface.h"

namespace mlir::dit {
#define GEN_PASS_DEF_GENERATECHECKSPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Whether the op's verifier has compared all extents there are.
static bool isKnownToFit(Operation *op) {
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
