//===- TileListKernels.cpp - Union, slice and transpose of tile lists -----===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <limits>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// `row` followed by `last`.
static SmallVector<Value> append(ValueRange row, Value last) {
  SmallVector<Value> indices(row);
  indices.push_back(last);
  return indices;
}

/// Runs `body` for each row (batch, head, query tile) of a list in parallel.
static void forRows(KernelBuilder &kb, Value num,
                    llvm::function_ref<void(ValueRange)> body) {
  kb.parallel({kb.dim(num, 0), kb.dim(num, 1), kb.dim(num, 2)}, body);
}

/// Length of a row, no more than it has place for.
static Value getRowLength(KernelBuilder &kb, Value num, Value idx,
                          ValueRange row) {
  return kb.min(kb.toIndex(kb.load(num, row)), kb.dim(idx, 3));
}

//===----------------------------------------------------------------------===//
// Union
//===----------------------------------------------------------------------===//

namespace {

/// A row of a list while it is merged.
struct RowReader {
  RowReader(KernelBuilder &kb, Value num, Value idx, ValueRange row)
      : idx(idx), row(row), length(getRowLength(kb, num, idx, row)) {}

  /// Entry `position`, or `past` beyond the end.
  Value read(KernelBuilder &kb, Value position, Value past) const {
    Value inside = kb.lt(position, length);
    Value result;
    auto op = scf::IfOp::create(kb, past.getType(), inside,
                                /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(kb);
    kb.setInsertionPointToStart(op.thenBlock());
    result = kb.load(idx, append(row, position));
    scf::YieldOp::create(kb, result);
    kb.setInsertionPointToStart(op.elseBlock());
    scf::YieldOp::create(kb, past);
    return op.getResult(0);
  }

  Value idx;
  ValueRange row;
  Value length;
};

} // namespace

/// Takes the lower of the next entries of both sides, once if they are equal.
static void emitUnionRow(KernelBuilder &kb, ValueRange lists, ValueRange row) {
  RowReader first(kb, lists[0], lists[1], row);
  RowReader second(kb, lists[2], lists[3], row);
  Value num = lists[4], idx = lists[5];
  Value zero = kb.index(0), capacity = kb.dim(idx, 3);
  Value past = kb.integer(kb.getI32Type(), std::numeric_limits<int32_t>::max());
  // Carries the positions in both sides and the number taken.
  auto step = [&](Value, ValueRange state) {
    Value lhs = first.read(kb, state[0], past);
    Value rhs = second.read(kb, state[1], past);
    Value lower = kb.min(lhs, rhs);
    auto next = [&](Value position, Value entry) {
      return kb.select(kb.eq(entry, lower), kb.add(position, 1), position);
    };
    Value taken = kb.land(kb.lt(lower, past), kb.lt(state[2], capacity));
    kb.ifThen(taken, [&] { kb.store(lower, idx, append(row, state[2])); });
    return SmallVector<Value>{next(state[0], lhs), next(state[1], rhs),
                              kb.select(taken, kb.add(state[2], 1), state[2])};
  };
  Value taken = kb.loop(zero, kb.add(first.length, second.length), 1,
                        {zero, zero, zero}, step)
                    .back();
  kb.store(kb.toI32(taken), num, row);
}

LogicalResult mlir::dit::cpu::callKernel(TilesUnionOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  auto result = cast<MemRefType>(op.getNum().getType());
  SmallVector<OperandView> views;
  for (Value operand : op->getOperands()) {
    views.push_back(getIdentityView(operand));
    // Batch and head dimensions of 1 repeat.
    OperandView &view = views.back();
    view.extents.resize(view.shape.size());
    for (int64_t d = 0; d < 2; ++d) {
      view.shape[d] = result.getDimSize(d);
      view.extents[d] = kb.dim(op.getNum(), d);
    }
  }
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        forRows(kb, arguments[4],
                [&](ValueRange row) { emitUnionRow(kb, arguments, row); });
      });
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

LogicalResult mlir::dit::cpu::callKernel(TilesSliceOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views;
  for (Value list : {op.getSrcNum(), op.getSrcIdx(), op.getNum(), op.getIdx()})
    views.push_back(getIdentityView(list));
  SmallVector<Value> offsets = {op.getBatchOffset(), op.getHeadOffset(),
                                op.getQueryOffset()};
  auto emit = [&](KernelBuilder &kb, ValueRange arguments) {
    Value srcNum = arguments[0], srcIdx = arguments[1], num = arguments[2],
          idx = arguments[3];
    ValueRange offset = arguments.drop_front(4);
    forRows(kb, num, [&](ValueRange row) {
      SmallVector<Value> from;
      for (int64_t d = 0; d < 3; ++d) {
        Value shifted = kb.add(row[d], offset[d]);
        // A batch or head dimension of extent 1 stands for all.
        if (d < 2)
          shifted = kb.select(kb.eq(kb.dim(srcNum, d), kb.index(1)),
                              kb.index(0), shifted);
        from.push_back(shifted);
      }
      kb.store(kb.load(srcNum, from), num, row);
      // What follows the last entry stays as it was.
      Value length = getRowLength(kb, srcNum, srcIdx, from);
      kb.loop(kb.index(0), length, 1, [&](Value entry) {
        kb.store(kb.load(srcIdx, append(from, entry)), idx, append(row, entry));
      });
    });
  };
  return callSimpleKernel(op, kb, library, views, offsets, emit);
}

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

/// Appends each query tile to the rows of the key tiles that it lists. Heads
/// are independent, rows of one head are not.
static void emitTransposeHead(KernelBuilder &kb, ValueRange lists,
                              ValueRange head) {
  Value srcNum = lists[0], srcIdx = lists[1], num = lists[2], idx = lists[3];
  Value rows = kb.dim(num, 2), capacity = kb.dim(idx, 3), zero = kb.index(0);
  Value none = kb.integer(kb.getI32Type(), 0);
  kb.loop(zero, rows, 1,
          [&](Value tile) { kb.store(none, num, append(head, tile)); });
  kb.loop(zero, kb.dim(srcNum, 2), 1, [&](Value query) {
    SmallVector<Value> source = append(head, query);
    Value length = getRowLength(kb, srcNum, srcIdx, source);
    kb.loop(zero, length, 1, [&](Value entry) {
      Value tile = kb.toIndex(kb.load(srcIdx, append(source, entry)));
      SmallVector<Value> target = append(head, tile);
      Value count = kb.toIndex(kb.load(num, target));
      kb.ifThen(kb.lt(count, capacity), [&] {
        kb.store(kb.toI32(query), idx, append(target, count));
        kb.store(kb.toI32(kb.add(count, 1)), num, target);
      });
    });
  });
}

LogicalResult mlir::dit::cpu::callKernel(TilesTransposeOp op, KernelBuilder &kb,
                                         KernelLibrary &library) {
  SmallVector<OperandView> views;
  for (Value operand : op->getOperands())
    views.push_back(getIdentityView(operand));
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        Value num = arguments[2];
        kb.parallel({kb.dim(num, 0), kb.dim(num, 1)}, [&](ValueRange head) {
          emitTransposeHead(kb, arguments, head);
        });
      });
}
