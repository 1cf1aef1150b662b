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

void AttentionEmitter::emitPackRows(KernelBuilder &kb, Value source,
                                    const AttentionStep &step, Value target,
                                    int64_t size, double scale) {
  Value factor = kb.constant(compute, scale), factors = kb.constant(vec, scale);
  auto scaled = [&](Value value, Value by) {
    value = kb.convert(value, compute);
    return scale == 1.0 ? value : kb.mulf(value, by);
  };
  auto sourceVec = cast<VectorType>(vec.clone(op.getElementType()));
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    if (isContiguous(source)) {
      for (int64_t d = 0; d < size; d += plan.lanes) {
        Value part = kb.vloadPart(sourceVec, source,
                                  {step.batch, step.head, query, kb.index(d)},
                                  std::min(plan.lanes, size - d));
        kb.vstore(scaled(part, factors), target, {row, kb.index(d)});
      }
      return;
    }
    if (size % plan.lanes)
      kb.vstore(kb.constant(vec, 0.0), target,
                {row, kb.index(size / plan.lanes * plan.lanes)});
    kb.loop(0, size, 1, [&](Value d) {
      Value element = kb.load(source, {step.batch, step.head, query, d});
      kb.store(scaled(element, factor), target, {row, d});
    });
  });
  // The rows that fill up the last register tile.
  Value zeros = kb.constant(vec, 0.0);
  kb.loop(step.numRows, kb.index(plan.paddedRows), 1, [&](Value row) {
    for (int64_t d = 0; d < size; d += plan.lanes)
      kb.vstore(zeros, target, {row, kb.index(d)});
  });
}

namespace {

/// Reads the keys or values of a panel, converted, from one head of a source;
/// columns without a key read as zeros.
struct PanelReader {
  Value source;
  Value batch, head, numColumns;
  llvm::function_ref<Value(Value)> keyOf;
  VectorType vec;

  bool hasRows() const { return isContiguous(source); }

  /// Indices of element `d` of column `column`, and whether the column has a
  /// key; if not, they are those of column 0.
  std::pair<SmallVector<Value>, Value> locate(KernelBuilder &kb, Value column,
                                              Value d) const {
    Value present = kb.lt(column, numColumns);
    Value key = keyOf(kb.select(present, column, kb.index(0)));
    return {{batch, head, key, d}, present};
  }

  /// `count` elements from `d` on.
  Value loadRow(KernelBuilder &kb, Value column, Value d, int64_t count) const {
    auto [at, present] = locate(kb, column, d);
    Type element = cast<MemRefType>(source.getType()).getElementType();
    Value part = kb.vloadPart(VectorType::get(vec.getShape(), element), source,
                              at, count);
    return kb.select(present, kb.convert(part, vec.getElementType()),
                     kb.constant(vec, 0.0));
  }

  Value loadElement(KernelBuilder &kb, Value column, Value d) const {
    auto [at, present] = locate(kb, column, d);
    Type compute = vec.getElementType();
    return kb.select(present, kb.convert(kb.load(source, at), compute),
                     kb.constant(compute, 0.0));
  }
};

/// Where the elements of a panel go.
struct PanelWriter {
  Value panels;
  ValueRange panel;

  SmallVector<Value> at(Value element) const {
    SmallVector<Value> indices(panel);
    indices.push_back(element);
    return indices;
  }
};

} // namespace

void AttentionEmitter::emitPackTransposed(KernelBuilder &kb,
                                          const PanelSource &source,
                                          Value panels, ValueRange target,
                                          int64_t size) {
  PanelReader reader{source.tokens,     source.batch, source.head,
                     source.numColumns, source.keyOf, vec};
  PanelWriter writer{panels, target};
  int64_t lanes = plan.lanes;
  if (!reader.hasRows()) {
    kb.loop(0, size, 1, [&](Value d) {
      kb.loop(0, plan.panelKeys, 1, [&](Value column) {
        kb.store(reader.loadElement(kb, column, d), writer.panels,
                 writer.at(kb.add(kb.mul(d, plan.panelKeys), column)));
      });
    });
    return;
  }
  auto packSquare = [&](Value first, Value d, int64_t count) {
    SmallVector<Value> square;
    for (int64_t i = 0; i < lanes; ++i)
      square.push_back(reader.loadRow(kb, kb.add(first, i), d, count));
    transposeSquare(kb, square);
    for (int64_t i = 0; i < count; ++i)
      kb.vstore(square[i], writer.panels,
                writer.at(kb.add(first, kb.mul(kb.add(d, i), plan.panelKeys))));
  };
  int64_t whole = size / lanes * lanes;
  kb.loop(0, plan.panelKeys, lanes, [&](Value first) {
    kb.loop(0, whole, lanes, [&](Value d) { packSquare(first, d, lanes); });
    if (whole < size)
      packSquare(first, kb.index(whole), size - whole);
  });
}

void AttentionEmitter::emitPackChunks(KernelBuilder &kb,
                                      const PanelSource &source, Value panels,
                                      ValueRange target, int64_t size,
                                      ArrayRef<int64_t> chunks) {
  PanelReader reader{source.tokens,     source.batch, source.head,
                     source.numColumns, source.keyOf, vec};
  PanelWriter writer{panels, target};
  int64_t lanes = plan.lanes;
  auto packVector = [&](Value column, int64_t d, Value element) {
    int64_t count = std::min(lanes, size - d);
    if (reader.hasRows()) {
      Value row = reader.loadRow(kb, column, kb.index(d), count);
      return kb.vstore(row, writer.panels, writer.at(element));
    }
    kb.vstore(kb.constant(reader.vec, 0.0), writer.panels, writer.at(element));
    kb.loop(0, count, 1, [&](Value lane) {
      kb.store(reader.loadElement(kb, column, kb.add(lane, d)), writer.panels,
               writer.at(kb.add(element, lane)));
    });
  };
  kb.loop(0, plan.panelKeys, 1, [&](Value column) {
    int64_t firstVector = 0;
    for (int64_t chunk : chunks) {
      Value row = kb.add(kb.mul(column, chunk * lanes),
                         firstVector * lanes * plan.panelKeys);
      for (int64_t i = 0; i < chunk; ++i)
        packVector(column, (firstVector + i) * lanes, kb.add(row, i * lanes));
      firstVector += chunk;
    }
  });
}
