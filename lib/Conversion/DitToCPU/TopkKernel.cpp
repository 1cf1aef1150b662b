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
// Scores that nothing but the selection reads are made by it, a register tile
// of rows at a time: the matrix of them, as large as that of an attention where
// tiles are short, is never there.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "ScoreEmitter.h"
#include "TopkRow.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// Slots that rows are dealt out to: enough to keep the threads of any machine
/// busy.
static constexpr int64_t kSlots = 64;

/// Entry `slot` of `memref`.
static Value getSlot(KernelBuilder &kb, Value memref, Value slot) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), kb.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(type.getRank(), kb.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    sizes.push_back(kb.dim(memref, d));
  offsets.front() = slot;
  sizes.front() = kb.getIndexAttr(1);
  MemRefType slotType = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(), type, offsets, sizes, strides);
  return memref::SubViewOp::create(kb, slotType, memref, offsets, sizes,
                                   strides);
}

namespace {

/// The memory of the slots, and what they go through.
class SlotLoop {
public:
  /// Deals out `count` pieces of work on rows of `tiles` scores of `type`.
  SlotLoop(TopkMaskOp op, KernelBuilder &kb, const CPUTarget &target, Type type,
           Value tiles, Value count);

  /// Memory of `shape` in each slot; a shape may have one dynamic extent.
  Value allocate(Type element, ArrayRef<int64_t> shape, Value extent);
  /// Runs `body` for each piece of work with its number, its slot and that
  /// slot's memory for a row.
  void emit(llvm::function_ref<void(Value, Value, RowScratch)> body);

private:
  KernelBuilder &kb;
  Value count, slots;
  RowScratch memory;
};

} // namespace

SlotLoop::SlotLoop(TopkMaskOp op, KernelBuilder &kb, const CPUTarget &target,
                   Type type, Value tiles, Value count)
    : kb(kb), count(count), slots(kb.min(count, kb.index(kSlots))) {
  unsigned bits = type.getIntOrFloatBitWidth();
  int64_t lanes = getKeyLanes(target, bits);
  Value space = getKeySpace(kb, tiles, lanes);
  Type integer = kb.getIntegerType(bits);
  memory.keys = allocate(integer, ShapedType::kDynamic, space);
  memory.candidates = allocate(integer, ShapedType::kDynamic,
                               getCandidateSpace(kb, tiles, lanes));
  if (op.getMass())
    memory.weights = allocate(type, ShapedType::kDynamic, space);
}

Value SlotLoop::allocate(Type element, ArrayRef<int64_t> shape, Value extent) {
  SmallVector<int64_t> all = {ShapedType::kDynamic};
  llvm::append_range(all, shape);
  auto alloc = memref::AllocOp::create(kb, MemRefType::get(all, element),
                                       ValueRange{slots, extent});
  alloc.setAlignment(64);
  return alloc;
}

void SlotLoop::emit(llvm::function_ref<void(Value, Value, RowScratch)> body) {
  kb.parallel({slots}, [&](ValueRange ivs) {
    Value slot = ivs.front();
    RowScratch scratch = {getSlot(kb, memory.keys, slot),
                          getSlot(kb, memory.candidates, slot), Value()};
    if (memory.weights)
      scratch.weights = getSlot(kb, memory.weights, slot);
    auto loop = scf::ForOp::create(kb, slot, count, slots);
    OpBuilder::InsertionGuard guard(kb);
    kb.setInsertionPoint(loop.getBody()->getTerminator());
    body(loop.getInductionVar(), slot, scratch);
  });
}

//===----------------------------------------------------------------------===//
// Selection alone
//===----------------------------------------------------------------------===//

/// (batch, head, rest) of number `index`, with `extent` of the rest.
static SmallVector<Value> splitIndex(KernelBuilder &kb, Value index,
                                     Value heads, Value extent) {
  Value head = kb.div(index, extent);
  return {kb.div(head, heads), kb.rem(head, heads), kb.rem(index, extent)};
}

/// Selects in all rows.
static void emitRows(KernelBuilder &kb, TopkMaskOp op, const CPUTarget &target,
                     ValueRange arguments) {
  RowOperands operands;
  operands.scores = arguments.front();
  operands.counts = op.getCount() ? arguments[1] : Value();
  operands.num = arguments.drop_back().back();
  operands.idx = arguments.back();
  Type type = cast<MemRefType>(operands.scores.getType()).getElementType();
  Value heads = kb.dim(operands.num, 1), queries = kb.dim(operands.num, 2);
  Value rows = kb.mul(kb.mul(kb.dim(operands.num, 0), heads), queries);
  SlotLoop loop(op, kb, target, type, kb.dim(operands.scores, 3), rows);
  loop.emit([&](Value index, Value, RowScratch scratch) {
    operands.row = splitIndex(kb, index, heads, queries);
    operands.scoreRow = operands.row;
    RowEmitter(op, kb, target, operands, scratch).emit();
  });
}

/// The views of the operands of `op` from the counts on.
static void appendViews(TopkMaskOp op, KernelBuilder &kb,
                        SmallVectorImpl<OperandView> &views) {
  for (Value operand : op->getOperands().drop_front()) {
    views.push_back(getIdentityView(operand));
    if (operand != op.getCount())
      continue;
    // One count for all heads is repeated.
    views.back().shape = {
        cast<MemRefType>(op.getScores().getType()).getDimSize(1)};
    views.back().extents = {kb.dim(op.getScores(), 1)};
  }
}

LogicalResult mlir::dit::cpu::callKernel(TopkMaskOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views = {getIdentityView(op.getScores())};
  appendViews(op, kb, views);
  return callSimpleKernel(op, kb, library, views, {},
                          [&](KernelBuilder &kb, ValueRange arguments) {
                            emitRows(kb, op, library.getTarget(), arguments);
                          });
}

//===----------------------------------------------------------------------===//
// Scores and selection
//===----------------------------------------------------------------------===//

LowRankScoreOp mlir::dit::cpu::findScoresToSelect(TopkMaskOp op) {
  auto alloc = op.getScores().getDefiningOp<memref::AllocOp>();
  if (!alloc)
    return {};
  LowRankScoreOp score;
  for (OpOperand &use : alloc->getUses()) {
    Operation *user = use.getOwner();
    if (user == op && use.getOperandNumber() == 0)
      continue;
    auto writer = dyn_cast<LowRankScoreOp>(user);
    if (!writer || score || !writer.isDpsInit(&use) ||
        writer->getBlock() != op->getBlock() || !writer->isBeforeInBlock(op))
      return {};
    score = writer;
  }
  // The proxies are then read where the selection is.
  auto writes = [](Operation &between) {
    return !isMemoryEffectFree(&between) &&
           !hasSingleEffect<MemoryEffects::Allocate>(&between);
  };
  if (!score || llvm::any_of(llvm::make_range(std::next(score->getIterator()),
                                              op->getIterator()),
                             writes))
    return {};
  return score;
}

/// Scores a register tile of rows into memory of the slot and selects in them:
/// never is there more of the scores than one tile for each slot.
static void emitScoredRows(KernelBuilder &kb, LowRankScoreOp score,
                           TopkMaskOp op, const CPUTarget &target,
                           ValueRange arguments) {
  RowOperands operands;
  operands.counts = op.getCount() ? arguments[2] : Value();
  operands.num = arguments.drop_back().back();
  operands.idx = arguments.back();
  Type type = cast<MemRefType>(op.getScores().getType()).getElementType();
  ScoreEmitter scores(score, type, target);
  Value tiles = kb.ceilDiv(kb.dim(arguments[1], 2), score.getKVTile());
  Value heads = kb.dim(operands.num, 1), queries = kb.dim(operands.num, 2);
  Value blocks = kb.ceilDiv(queries, scores.getTileRows());
  ScoreEmitter::Proxies proxies =
      scores.emitProxies(kb, arguments[0], arguments[1]);
  Value all = kb.mul(kb.mul(kb.dim(operands.num, 0), heads), blocks);
  SlotLoop loop(op, kb, target, type, tiles, all);
  Value memory =
      loop.allocate(type, {scores.getTileRows(), ShapedType::kDynamic}, tiles);
  loop.emit([&](Value index, Value slot, RowScratch scratch) {
    SmallVector<Value> block = splitIndex(kb, index, heads, blocks);
    Value firstRow = kb.mul(block[2], scores.getTileRows());
    auto at = [&](Value row) {
      return SmallVector<Value>{slot, kb.sub(row, firstRow)};
    };
    scores.emitRows(kb, proxies, block, queries, {memory, at});
    Value endRow = kb.min(kb.add(firstRow, scores.getTileRows()), queries);
    kb.loop(firstRow, endRow, 1, [&](Value row) {
      operands.scores = memory;
      operands.scoreRow = at(row);
      operands.row = {block[0], block[1], row};
      RowEmitter(op, kb, target, operands, scratch).emit();
    });
  });
}

LogicalResult mlir::dit::cpu::callKernel(LowRankScoreOp score, TopkMaskOp op,
                                         KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views = {getIdentityView(score.getQ()),
                                    getIdentityView(score.getK())};
  appendViews(op, kb, views);
  return callOnViews(op, kb, views, {}, [&](TypeRange types) {
    SmallVector<Attribute> key = {
        score->getName().getIdentifier(), score->getAttrDictionary(),
        op->getName().getIdentifier(), op->getAttrDictionary(),
        TypeAttr::get(op.getScores().getType())};
    for (Type type : types)
      key.push_back(TypeAttr::get(type));
    return library.getOrCreate(
        kb.getArrayAttr(key), "dit_low_rank_topk", types, op.getLoc(),
        [&](KernelBuilder &body, func::FuncOp func) {
          emitScoredRows(body, score, op, library.getTarget(),
                         func.getArguments());
        });
  });
}
