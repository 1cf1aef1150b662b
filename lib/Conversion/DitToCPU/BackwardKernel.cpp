//===- BackwardKernel.cpp - Kernel and tasks of a gradient ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The outer two functions of the kernel; see BackwardEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "BackwardEmitter.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// Tasks that are wanted at least, and parts that are made at most for them:
/// each costs memory for the gradients of all queries and packs these anew,
/// which pays less the fewer keys of the part a list names.
static constexpr int64_t kWantedTasks = 64;
static constexpr int64_t kMaxParts = 8;
static constexpr int64_t kMaxListParts = 4;

/// A scale of zero would lose the -inf of masked scores if it came after them.
static bool allowsDot(AttentionBackwardOp op) {
  return !op.getScale().isZero();
}

BackwardEmitter::BackwardEmitter(AttentionBackwardOp op, KernelLibrary &library)
    : AttentionEmitter(op, library, "dit_attention_backward", allowsDot(op),
                       /*stepKeys=*/128),
      backward(op), keyChunks(plan.splitColumns(headSize)) {
  double scale = op.getScale().convertToDouble();
  exponentFactor = hasBias ? M_LOG2E : 1.0;
  queryFactor = hasBias ? scale : scale * M_LOG2E;
  keyFactor = hasBias ? 1.0 : M_LN2;
  if (!plan.dot)
    return;
  // The scores come from pairs, which take no factor but a sign.
  queryFactor = scale;
  keyFactor = 1.0;
  if (hasBias)
    scoreFactor = std::abs(scale);
  else
    exponentFactor = std::abs(scale) * M_LOG2E;
}

ValueRange BackwardEmitter::bind(func::FuncOp func, AttentionOperands &operands,
                                 Memory *memory) {
  ArgumentReader take(func);
  take(operands.q);
  take(operands.k);
  take(operands.v);
  take(operands.output);
  take(operands.lse);
  take(operands.dO);
  bindMask(take, operands);
  take(operands.dq);
  take(operands.dk);
  take(operands.dv);
  if (memory)
    for (auto [i, field] : llvm::enumerate(memory->fields()))
      take(*field, !plan.gather || i > 2);
  return take.rest();
}

BackwardEmitter::Memory
BackwardEmitter::emitMemory(KernelBuilder &kb,
                            const AttentionOperands &operands, Value parts) {
  Memory memory;
  Value batches = kb.dim(operands.k, 0), heads = kb.dim(operands.k, 1);
  Value panels = kb.ceilDiv(kb.dim(operands.k, 2), plan.panelKeys);
  auto allocate = [&](ValueRange extents, int64_t elements,
                      Type element) -> Value {
    SmallVector<int64_t> shape(extents.size(), ShapedType::kDynamic);
    shape.push_back(elements);
    auto alloc =
        memref::AllocOp::create(kb, MemRefType::get(shape, element), extents);
    alloc.setAlignment(64);
    return alloc;
  };
  if (!plan.gather) {
    SmallVector<Value> extents = {batches, heads, panels};
    memory.keyPanels = allocate(extents, getPanelWords(headSize), packed);
    memory.keyRows = allocate(
        extents, paddedSize() * plan.panelKeys / plan.getUnit(), packed);
    memory.valuePanels =
        allocate(extents, getPanelWords(valueHeadSize), packed);
  }
  Value keys = kb.mul(panels, plan.panelKeys);
  memory.keyGradients = allocate({batches, heads, keys}, paddedSize(), compute);
  memory.valueGradients =
      allocate({batches, heads, keys}, paddedValueSize(), compute);
  memory.queryGradients =
      allocate({parts, kb.dim(operands.q, 0), kb.dim(operands.q, 1),
                kb.dim(operands.q, 2)},
               paddedSize(), compute);
  auto perBlock = MemRefType::get(SmallVector<int64_t>(4, ShapedType::kDynamic),
                                  kb.getI1Type());
  memory.touched = memref::AllocOp::create(
      kb, perBlock,
      ValueRange{parts, kb.dim(operands.q, 0), kb.dim(operands.q, 1),
                 emitNumBlocks(kb, kb.dim(operands.q, 2))});
  memory.partPanels = kb.div(kb.add(panels, kb.sub(parts, kb.index(1))), parts);
  return memory;
}

void BackwardEmitter::emitKernel(KernelBuilder &kb, func::FuncOp func) {
  AttentionOperands operands;
  bind(func, operands, nullptr);
  Value batches = kb.dim(operands.k, 0), heads = kb.dim(operands.k, 1);
  Value one = kb.index(1);
  Value wanted = kb.div(kb.add(kb.mul(batches, heads), kWantedTasks - 1),
                        kb.max(kb.mul(batches, heads), one));
  Value panels = kb.ceilDiv(kb.dim(operands.k, 2), plan.panelKeys);
  Value parts =
      kb.max(one, kb.min(kb.min(wanted, kb.index(op.hasTiles() ? kMaxListParts
                                                               : kMaxParts)),
                         panels));
  Memory memory = emitMemory(kb, operands, parts);
  SmallVector<Value> arguments(func.getArguments());
  for (Value *field : memory.fields())
    if (*field)
      arguments.push_back(*field);
  kb.parallel({batches, heads, parts}, [&](ValueRange ivs) {
    SmallVector<Value> callArguments(arguments);
    llvm::append_range(callArguments, ivs);
    func::FuncOp task =
        emitHelper(kb, func.getName() + "_task", callArguments,
                   [&](func::FuncOp task) { emitTaskBody(kb, task); });
    func::CallOp::create(kb, task, callArguments);
  });
  emitSumParts(kb, operands, memory, parts);
}

//===----------------------------------------------------------------------===//
// A part of the keys
//===----------------------------------------------------------------------===//

void BackwardEmitter::emitPackPart(KernelBuilder &kb,
                                   const AttentionOperands &operands,
                                   const Memory &memory, Value batch,
                                   Value head, Value beginPanel,
                                   Value endPanel) {
  Value keys = kb.dim(operands.k, 2);
  kb.loop(beginPanel, endPanel, 1, [&](Value panel) {
    Value first = kb.mul(panel, plan.panelKeys);
    auto keyOf = [&](Value column) { return kb.add(first, column); };
    Value left = kb.sub(keys, first);
    SmallVector<Value> target = {batch, head, panel};
    PanelSource k{operands.k, batch, head, left, keyOf};
    PanelSource v{operands.v, batch, head, left, keyOf};
    emitPackTransposed(kb, k, memory.keyPanels, target, headSize);
    emitPackChunks(kb, k, memory.keyRows, target, headSize, keyChunks);
    emitPackTransposed(kb, v, memory.valuePanels, target, valueHeadSize);
  });
}

void BackwardEmitter::emitZeroGradients(KernelBuilder &kb, Value memory,
                                        ValueRange head, Value begin, Value end,
                                        int64_t size) {
  Value zeros = kb.constant(vec, 0.0);
  kb.loop(begin, end, 1, [&](Value key) {
    kb.loop(0, size, plan.lanes, [&](Value column) {
      kb.vstore(zeros, memory, {head[0], head[1], key, column});
    });
  });
}

void BackwardEmitter::emitWrite(
    KernelBuilder &kb, Value target, ValueRange head, Value begin, Value end,
    int64_t size, double factor,
    llvm::function_ref<Value(Value, Value, Type)> load) {
  auto scaled = [&](Value row, Value column, Type type) {
    Value value = load(row, column, type);
    if (factor != 1.0)
      value = kb.mulf(value, kb.constant(type, factor));
    return kb.convert(value, op.getElementType());
  };
  kb.loop(begin, end, 1, [&](Value row) {
    if (!isContiguous(target)) {
      kb.loop(0, size, 1, [&](Value d) {
        kb.store(scaled(row, d, compute), target, {head[0], head[1], row, d});
      });
      return;
    }
    for (int64_t d = 0; d < size; d += plan.lanes)
      kb.vstorePart(scaled(row, kb.index(d), vec), target,
                    {head[0], head[1], row, kb.index(d)},
                    std::min(plan.lanes, size - d));
  });
}

void BackwardEmitter::emitTaskBody(KernelBuilder &kb, func::FuncOp task) {
  AttentionOperands operands;
  Memory memory;
  ValueRange indices = bind(task, operands, &memory);
  Value batch = indices[0], head = indices[1], part = indices[2];
  Value keys = kb.dim(operands.k, 2);
  Value panels = kb.ceilDiv(keys, plan.panelKeys);
  Value beginPanel = kb.min(kb.mul(part, memory.partPanels), panels);
  Value endPanel = kb.min(kb.add(beginPanel, memory.partPanels), panels);
  Value begin = kb.mul(beginPanel, plan.panelKeys);
  Value end = kb.mul(endPanel, plan.panelKeys);
  if (!plan.gather)
    emitPackPart(kb, operands, memory, batch, head, beginPanel, endPanel);
  SmallVector<Value> keyHead = {batch, head};
  emitZeroGradients(kb, memory.keyGradients, keyHead, begin, end, paddedSize());
  emitZeroGradients(kb, memory.valueGradients, keyHead, begin, end,
                    paddedValueSize());

  Value endKey = kb.min(end, keys);
  Value group = kb.div(kb.dim(operands.q, 1), kb.dim(operands.k, 1));
  Value blocks = emitNumBlocks(kb, kb.dim(operands.q, 2));
  ArrayRef<BlockArgument> own = task.getArguments().drop_back(3);
  kb.loop(kb.index(0), group, 1, [&](Value member) {
    Value queryHead = kb.add(kb.mul(head, group), member);
    kb.loop(kb.index(0), blocks, 1, [&](Value index) {
      SmallVector<Value> arguments(own.begin(), own.end());
      arguments.append({batch, queryHead, head, part, begin, endKey, index});
      func::FuncOp block =
          emitHelper(kb, task.getName() + "_block", arguments,
                     [&](func::FuncOp block) { emitBlockBody(kb, block); });
      func::CallOp::create(kb, block, arguments);
    });
  });

  auto from = [&](Value gradients) {
    return [&kb, batch, head, gradients](Value row, Value column, Type type) {
      SmallVector<Value> at = {batch, head, row, column};
      auto vector = dyn_cast<VectorType>(type);
      return vector ? kb.vload(vector, gradients, at) : kb.load(gradients, at);
    };
  };
  // The packed queries hold the scale, and maybe log2(e) with it.
  emitWrite(kb, operands.dk, keyHead, begin, endKey, headSize, keyFactor,
            from(memory.keyGradients));
  emitWrite(kb, operands.dv, keyHead, begin, endKey, valueHeadSize, 1.0,
            from(memory.valueGradients));
}

//===----------------------------------------------------------------------===//
// The queries
//===----------------------------------------------------------------------===//

void BackwardEmitter::emitSumParts(KernelBuilder &kb,
                                   const AttentionOperands &operands,
                                   const Memory &memory, Value parts) {
  Value queries = kb.dim(operands.dq, 2);
  Value extents[] = {kb.dim(operands.dq, 0), kb.dim(operands.dq, 1),
                     emitNumBlocks(kb, queries)};
  kb.parallel(extents, [&](ValueRange block) {
    // The sum over the parts that the block looked at, in order.
    auto load = [&](Value row, Value column, Type type) -> Value {
      auto addPart = [&](Value part, ValueRange sum) {
        Value touched =
            kb.load(memory.touched, {part, block[0], block[1], block[2]});
        SmallVector<Value> at = {part, block[0], block[1], row, column};
        auto add = [&](OpBuilder &builder, Location loc) {
          KernelBuilder inner(loc, builder);
          auto vector = dyn_cast<VectorType>(type);
          Value value = vector ? inner.vload(vector, memory.queryGradients, at)
                               : inner.load(memory.queryGradients, at);
          scf::YieldOp::create(inner, inner.addf(sum.front(), value));
        };
        auto keep = [&](OpBuilder &builder, Location loc) {
          scf::YieldOp::create(builder, loc, sum);
        };
        return SmallVector<Value>(
            scf::IfOp::create(kb, touched, add, keep).getResults());
      };
      return kb.loop(kb.index(0), parts, 1, kb.constant(type, 0.0), addPart)
          .front();
    };
    auto [begin, end] = emitQueryRange(kb, block[2], queries);
    emitWrite(kb, operands.dq, block.take_front(2), begin, end, headSize,
              op.getScale().convertToDouble(), load);
  });
}
