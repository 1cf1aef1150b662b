//===- CheckSizes.cpp - Values that no process can address ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements `--dit-check-sizes`.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/Passes.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::dit {
#define GEN_PASS_DEF_CHECKSIZESPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

static constexpr int64_t kMaxBytes = int64_t(1) << 47;

/// Whether the static extents of `type` alone exceed the limit. An extent of 0
/// saves the others.
static bool isTooLarge(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank() || llvm::is_contained(shaped.getShape(), 0))
    return false;
  Type element = shaped.getElementType();
  int64_t bytes =
      element.isIntOrFloat()
          ? llvm::divideCeil(uint64_t(element.getIntOrFloatBitWidth()), 8)
          : 8;
  for (int64_t extent : shaped.getShape())
    if (!ShapedType::isDynamic(extent) &&
        (llvm::MulOverflow(bytes, extent, bytes) || bytes > kMaxBytes))
      return true;
  return false;
}

namespace {

struct CheckSizesPass : mlir::dit::impl::CheckSizesPassBase<CheckSizesPass> {
  void runOnOperation() override {
    llvm::DenseSet<Type> fitting;
    auto check = [&](Operation *op, TypeRange types) {
      for (Type type : types) {
        if (fitting.contains(type))
          continue;
        if (isTooLarge(type)) {
          op->emitError() << "expected values of at most 2^47 bytes, which is "
                             "what a process can address, got "
                          << type << "; split it, or make an extent smaller";
          return WalkResult::interrupt();
        }
        fitting.insert(type);
      }
      return WalkResult::advance();
    };
    WalkResult result =
        getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
          for (Region &region : op->getRegions())
            for (Block &block : region)
              if (check(op, block.getArgumentTypes()).wasInterrupted())
                return WalkResult::interrupt();
          return check(op, op->getResultTypes());
        });
    if (result.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
