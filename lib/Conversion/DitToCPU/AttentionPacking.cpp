//===- AttentionPacking.cpp - Operands of an attention into panels --------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Packing reads the operands through their strides, whatever their order of
// dimensions, converts them to the type of the arithmetic and pads them with
// zeros. A key panel holds element d of all its keys together; a value panel
// holds, for each chunk of columns, the rows of its keys.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"

#include <cmath>

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

static bool isContiguous(Value memref) {
  return cast<MemRefType>(memref.getType())
             .getStridesAndOffset()
             .first.back() == 1;
}

/// Transposes the square whose rows are `rows` in log2 steps, each of which
/// swaps the off-diagonal blocks of half the size.
static void transposeSquare(KernelBuilder &kb, MutableArrayRef<Value> rows) {
  int64_t lanes = rows.size();
  for (int64_t width = 1; width < lanes; width *= 2) {
    SmallVector<int64_t> low(lanes), high(lanes);
    for (int64_t l = 0; l < lanes; ++l) {
      bool upper = l & width;
      low[l] = upper ? lanes + l - width : l;
      high[l] = upper ? lanes + l : l + width;
    }
    for (int64_t i = 0; i < lanes; ++i) {
      if (i & width)
        continue;
      Value a = rows[i], b = rows[i + width];
      rows[i] = vector::ShuffleOp::create(kb, a, b, low);
      rows[i + width] = vector::ShuffleOp::create(kb, a, b, high);
    }
  }
}

void AttentionEmitter::emitPackQueries(KernelBuilder &kb, Value q,
                                       const AttentionStep &step) {
  double scale = op.getScale().convertToDouble() * (hasBias ? 1.0 : M_LOG2E);
  Value factor = kb.constant(compute, scale), factors = kb.constant(vec, scale);
  auto sourceVec = vec.clone(op.getElementType());
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    if (isContiguous(q)) {
      for (int64_t d = 0; d < headSize; d += plan.lanes) {
        Value part = kb.vloadPart(cast<VectorType>(sourceVec), q,
                                  {step.batch, step.head, query, kb.index(d)},
                                  std::min(plan.lanes, headSize - d));
        kb.vstore(kb.mulf(kb.convert(part, compute), factors), step.queries,
                  {row, kb.index(d)});
      }
      return;
    }
    kb.loop(0, headSize, 1, [&](Value d) {
      Value element = kb.load(q, {step.batch, step.head, query, d});
      kb.store(kb.mulf(kb.convert(element, compute), factor), step.queries,
               {row, d});
    });
  });
  // The rows that fill up the last register tile.
  Value zeros = kb.constant(vec, 0.0);
  kb.loop(step.numRows, kb.index(plan.paddedRows), 1, [&](Value row) {
    for (int64_t d = 0; d < headSize; d += plan.lanes)
      kb.vstore(zeros, step.queries, {row, kb.index(d)});
  });
}

void AttentionEmitter::emitPackPanel(KernelBuilder &kb, ValueRange target,
                                     Value keys, Value values, Value keyPanels,
                                     Value valuePanels, Value b, Value g,
                                     Value numColumns,
                                     llvm::function_ref<Value(Value)> keyOf) {
  auto at = [&](Value element) {
    SmallVector<Value> indices(target);
    indices.push_back(element);
    return indices;
  };
  auto sourceVec = cast<VectorType>(vec.clone(op.getElementType()));
  Value zeros = kb.constant(vec, 0.0), zero = kb.constant(compute, 0.0);
  // Columns without a key repeat the first one, as zeros.
  auto columnKey = [&](Value column) {
    Value present = kb.lt(column, numColumns);
    return std::pair(keyOf(kb.select(present, column, kb.index(0))), present);
  };
  auto loadRow = [&](Value source, Value column, Value d, int64_t count) {
    auto [key, present] = columnKey(column);
    Value part = kb.vloadPart(sourceVec, source, {b, g, key, d}, count);
    return kb.select(present, kb.convert(part, compute), zeros);
  };
  auto loadElement = [&](Value source, Value column, Value d) {
    auto [key, present] = columnKey(column);
    Value element = kb.convert(kb.load(source, {b, g, key, d}), compute);
    return kb.select(present, element, zero);
  };

  if (isContiguous(keys)) {
    auto packSquare = [&](Value first, Value d, int64_t count) {
      SmallVector<Value> square;
      for (int64_t i = 0; i < plan.lanes; ++i)
        square.push_back(loadRow(keys, kb.add(first, i), d, count));
      transposeSquare(kb, square);
      for (int64_t i = 0; i < count; ++i)
        kb.vstore(square[i], keyPanels,
                  at(kb.add(first, kb.mul(kb.add(d, i), plan.panelKeys))));
    };
    int64_t whole = headSize / plan.lanes * plan.lanes;
    kb.loop(0, plan.panelKeys, plan.lanes, [&](Value first) {
      kb.loop(0, whole, plan.lanes,
              [&](Value d) { packSquare(first, d, plan.lanes); });
      if (whole < headSize)
        packSquare(first, kb.index(whole), headSize - whole);
    });
  } else {
    kb.loop(0, headSize, 1, [&](Value d) {
      kb.loop(0, plan.panelKeys, 1, [&](Value column) {
        kb.store(loadElement(keys, column, d), keyPanels,
                 at(kb.add(kb.mul(d, plan.panelKeys), column)));
      });
    });
  }

  kb.loop(0, plan.panelKeys, 1, [&](Value column) {
    int64_t firstVector = 0;
    for (int64_t chunk : plan.valueChunks) {
      Value row = kb.add(kb.mul(column, chunk * plan.lanes),
                         firstVector * plan.lanes * plan.panelKeys);
      for (int64_t i = 0; i < chunk; ++i) {
        int64_t d = (firstVector + i) * plan.lanes;
        Value element = kb.add(row, i * plan.lanes);
        if (isContiguous(values)) {
          kb.vstore(loadRow(values, column, kb.index(d),
                            std::min(plan.lanes, valueHeadSize - d)),
                    valuePanels, at(element));
          continue;
        }
        kb.vstore(zeros, valuePanels, at(element));
        kb.loop(0, std::min(plan.lanes, valueHeadSize - d), 1, [&](Value l) {
          kb.store(loadElement(values, column, kb.add(l, d)), valuePanels,
                   at(kb.add(element, l)));
        });
      }
      firstVector += chunk;
    }
  });
}

std::pair<Value, Value> AttentionEmitter::emitPackHeads(KernelBuilder &kb) {
  auto kernel = cast<func::FuncOp>(kb.getInsertionBlock()->getParentOp());
  AttentionOperands operands = bind(kernel);
  Value batches = kb.dim(operands.k, 0), heads = kb.dim(operands.k, 1);
  Value keys = kb.dim(operands.k, 2);
  Value panels = kb.ceilDiv(keys, plan.panelKeys);
  auto allocate = [&](int64_t elements) -> Value {
    SmallVector<int64_t> shape(3, ShapedType::kDynamic);
    shape.push_back(elements);
    auto alloc = memref::AllocOp::create(kb, MemRefType::get(shape, compute),
                                         ValueRange{batches, heads, panels});
    alloc.setAlignment(64);
    return alloc;
  };
  Value keyPanels = allocate(headSize * plan.panelKeys);
  Value valuePanels = allocate(plan.panelKeys * plan.getPaddedValueSize());
  kb.parallel({batches, heads, panels}, [&](ValueRange ivs) {
    Value first = kb.mul(ivs[2], plan.panelKeys);
    emitPackPanel(kb, ivs, operands.k, operands.v, keyPanels, valuePanels,
                  ivs[0], ivs[1], kb.sub(keys, first),
                  [&](Value column) { return kb.add(first, column); });
  });
  return {keyPanels, valuePanels};
}
