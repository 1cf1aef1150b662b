//===- TopkKernel.cpp - The kernel of dit.topk_mask -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows are dealt out to a fixed number of slots, each of which goes through its
// rows one after the other: so that memory is that of the slots, whatever the
// number of rows and of threads. What happens in a row is in TopkRow.h.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "TopkRow.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// Slots that rows are dealt out to: enough to keep the threads of any machine
/// busy.
static constexpr int64_t kSlots = 64;

/// Row `slot` of `memref`.
static Value getSlot(KernelBuilder &kb, Value memref, Value slot, Value tiles) {
  SmallVector<OpFoldResult> offsets = {slot, kb.getIndexAttr(0)};
  SmallVector<OpFoldResult> sizes = {kb.getIndexAttr(1), tiles};
  SmallVector<OpFoldResult> strides(2, kb.getIndexAttr(1));
  MemRefType type = memref::SubViewOp::inferRankReducedResultType(
      {ShapedType::kDynamic}, cast<MemRefType>(memref.getType()), offsets,
      sizes, strides);
  return memref::SubViewOp::create(kb, type, memref, offsets, sizes, strides);
}

/// Selects in all rows.
static void emitRows(KernelBuilder &kb, TopkMaskOp op, const CPUTarget &target,
                     ValueRange arguments) {
  Value scores = arguments.front(), num = arguments.drop_back().back();
  Type type = cast<MemRefType>(scores.getType()).getElementType();
  Type integer = kb.getIntegerType(type.getIntOrFloatBitWidth());
  Value heads = kb.dim(num, 1), queries = kb.dim(num, 2);
  int64_t lanes = getKeyLanes(target, type.getIntOrFloatBitWidth());
  Value tiles = getKeySpace(kb, kb.dim(scores, 3), lanes);
  Value some = getCandidateSpace(kb, kb.dim(scores, 3), lanes);
  Value rows = kb.mul(kb.mul(kb.dim(num, 0), heads), queries);
  Value slots = kb.min(rows, kb.index(kSlots));
  auto allocate = [&](Type element, Value size) -> Value {
    SmallVector<int64_t> shape(2, ShapedType::kDynamic);
    auto alloc = memref::AllocOp::create(kb, MemRefType::get(shape, element),
                                         ValueRange{slots, size});
    alloc.setAlignment(64);
    return alloc;
  };
  Value keys = allocate(integer, tiles), weights;
  Value candidates = allocate(integer, some);
  if (op.getMass())
    weights = allocate(type, tiles);
  kb.parallel({slots}, [&](ValueRange slot) {
    RowScratch scratch = {getSlot(kb, keys, slot.front(), tiles),
                          getSlot(kb, candidates, slot.front(), some), Value()};
    if (weights)
      scratch.weights = getSlot(kb, weights, slot.front(), tiles);
    auto loop = scf::ForOp::create(kb, slot.front(), rows, slots);
    OpBuilder::InsertionGuard guard(kb);
    kb.setInsertionPoint(loop.getBody()->getTerminator());
    Value index = loop.getInductionVar();
    Value head = kb.div(index, queries);
    Value row[] = {kb.div(head, heads), kb.rem(head, heads),
                   kb.rem(index, queries)};
    RowEmitter(op, kb, target, arguments, row, scratch).emit();
  });
}

LogicalResult mlir::dit::cpu::callKernel(TopkMaskOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views;
  for (Value operand : op->getOperands())
    views.push_back(getIdentityView(operand));
  if (op.getCount()) {
    // One count for all heads is repeated.
    views[1].shape = {cast<MemRefType>(op.getScores().getType()).getDimSize(1)};
    views[1].extents = {kb.dim(op.getScores(), 1)};
  }
  return callSimpleKernel(op, kb, library, views, {},
                          [&](KernelBuilder &kb, ValueRange arguments) {
                            emitRows(kb, op, library.getTarget(), arguments);
                          });
}
