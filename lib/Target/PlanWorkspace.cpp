//===- PlanWorkspace.cpp - Allocations become parts of a workspace --------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Implements --dit-plan-workspace: finds the lifetimes of allocations, lets
// WorkspacePlan place them, and rewrites the function.
//
//===----------------------------------------------------------------------===//

#include "dit/Target/EntrySignature.h"
#include "dit/Target/Passes.h"
#include "dit/Target/WorkspacePlan.h"

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::dit {
#define GEN_PASS_DEF_PLANWORKSPACEPASS
#include "dit/Target/Passes.h.inc"
} // namespace mlir::dit

using namespace mlir;
using namespace mlir::dit;

/// Bytes of a static memref without layout; nothing for other types.
static std::optional<int64_t> getNumBytes(MemRefType type) {
  if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
      type.getMemorySpace())
    return std::nullopt;
  Type elementType = type.getElementType();
  if (elementType.isIndex())
    return type.getNumElements() * 8;
  if (!elementType.isIntOrFloat())
    return std::nullopt;
  return type.getNumElements() *
         llvm::divideCeil(elementType.getIntOrFloatBitWidth(), 8);
}

namespace {

/// Lifetimes in the steps of a function: the ops of its only block.
class LifetimeAnalysis {
public:
  explicit LifetimeAnalysis(func::FuncOp function)
      : body(&function.getBody().front()), aliases(function) {
    for (auto [step, op] : llvm::enumerate(*body))
      steps[&op] = step;
  }

  /// When the memory of `alloc` is in use; nothing if it lives on after its
  /// block is left, or if several instances live at once.
  std::optional<LiveBuffer> getLifetime(memref::AllocOp alloc) const;

private:
  Block *body;
  BufferViewFlowAnalysis aliases;
  llvm::DenseMap<Operation *, int64_t> steps;
};

struct PlanWorkspacePass
    : public mlir::dit::impl::PlanWorkspacePassBase<PlanWorkspacePass> {
  void runOnOperation() override;
};

} // namespace

/// Whether iterations of a loop around `op` may run at the same time.
static bool isInParallelLoop(Operation *op) {
  return op->getParentOfType<scf::ParallelOp>() ||
         op->getParentOfType<scf::ForallOp>();
}

std::optional<LiveBuffer>
LifetimeAnalysis::getLifetime(memref::AllocOp alloc) const {
  std::optional<int64_t> size = getNumBytes(alloc.getType());
  if (!size || isInParallelLoop(alloc) ||
      alloc.getAlignment().value_or(1) > WorkspacePlan::kAlignment)
    return std::nullopt;
  LiveBuffer buffer{*size, static_cast<int64_t>(steps.size()), -1};
  Region *home = alloc->getParentRegion();
  for (Value alias : aliases.resolve(alloc.getMemref())) {
    // A buffer that leaves its loop body meets that of the next iteration.
    if (!home->isAncestor(alias.getParentRegion()))
      return std::nullopt;
    for (Operation *user : alias.getUsers()) {
      if (isa<func::ReturnOp>(user))
        return std::nullopt;
      int64_t step = steps.lookup(body->findAncestorOpInBlock(*user));
      buffer.firstUse = std::min(buffer.firstUse, step);
      buffer.lastUse = std::max(buffer.lastUse, step);
    }
  }
  return buffer;
}

/// Puts a part of `workspace` in the place of `alloc`.
static void replaceByView(memref::AllocOp alloc, Value workspace,
                          int64_t offset) {
  OpBuilder builder(alloc);
  Value byteOffset =
      arith::ConstantIndexOp::create(builder, alloc.getLoc(), offset);
  for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
    if (isa<memref::DeallocOp>(user))
      user->erase();
  alloc.replaceAllUsesWith(memref::ViewOp::create(builder, alloc.getLoc(),
                                                  alloc.getType(), workspace,
                                                  byteOffset, ValueRange())
                               .getResult());
  alloc.erase();
}

void PlanWorkspacePass::runOnOperation() {
  func::FuncOp function = getOperation();
  if (!getSignature(function) || !llvm::hasSingleElement(function.getBody()))
    return;
  SmallVector<memref::AllocOp> allocs;
  SmallVector<LiveBuffer> buffers;
  LifetimeAnalysis lifetimes(function);
  function.walk([&](memref::AllocOp alloc) {
    std::optional<LiveBuffer> buffer = lifetimes.getLifetime(alloc);
    if (!buffer)
      return;
    allocs.push_back(alloc);
    buffers.push_back(*buffer);
    numBytesAllocated += buffer->size;
  });
  if (allocs.empty())
    return;
  WorkspacePlan plan = WorkspacePlan::compute(buffers);
  Builder builder(&getContext());
  auto type = MemRefType::get({plan.getSize()}, builder.getI8Type());
  if (failed(function.insertArgument(function.getNumArguments(), type, {},
                                     function.getLoc())))
    return signalPassFailure();
  Value workspace = function.getArguments().back();
  for (auto [i, alloc] : llvm::enumerate(allocs))
    replaceByView(alloc, workspace, plan.getOffset(i));
  function->setAttr(kWorkspaceAttrName,
                    builder.getI64IntegerAttr(plan.getSize()));
  numPlanned += allocs.size();
  numBytesPlanned += plan.getSize();
}
