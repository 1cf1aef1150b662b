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

void AttentionEmitter::emitPackPairs(KernelBuilder &kb, Value source,
                                     const AttentionStep &step, Value target,
                                     int64_t size, bool negate) {
  int64_t elements = 2 * plan.lanes;
  auto sourceVec = VectorType::get(elements, kb.getBF16Type());
  auto scalars = VectorType::get(2, kb.getBF16Type());
  auto signs = [&](Value pairs) -> Value {
    if (!negate)
      return pairs;
    return arith::XOrIOp::create(
        kb, pairs, kb.integer(pairs.getType(), int64_t(int32_t(0x80008000u))));
  };
  kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    auto at = [&](Value d) {
      return SmallVector<Value>{step.batch, step.head, query, d};
    };
    if (isContiguous(source)) {
      for (int64_t d = 0; d < size; d += elements) {
        Value part = kb.vloadPart(sourceVec, source, at(kb.index(d)),
                                  std::min(elements, size - d));
        Value pairs = vector::BitCastOp::create(kb, packedVec, part);
        kb.vstore(signs(pairs), target, {row, kb.index(d / 2)});
      }
      return;
    }
    auto packPair = [&](Value pair, bool whole) {
      Value d = kb.mul(pair, 2);
      Value low = kb.load(source, at(d));
      Value high = whole ? kb.load(source, at(kb.add(d, 1)))
                         : kb.constant(kb.getBF16Type(), 0.0);
      Value both =
          vector::FromElementsOp::create(kb, scalars, ValueRange{low, high});
      Value pairs =
          vector::BitCastOp::create(kb, VectorType::get(1, packed), both);
      kb.store(signs(vector::ExtractOp::create(kb, pairs, int64_t(0))), target,
               {row, pair});
    };
    kb.loop(0, size / 2, 1, [&](Value pair) { packPair(pair, true); });
    if (size % 2)
      packPair(kb.index(size / 2), false);
  });
  // The rows that fill up the last register tile.
  Value zeros = kb.integer(packedVec, 0);
  kb.loop(step.numRows, kb.index(plan.paddedRows), 1, [&](Value row) {
    for (int64_t d = 0; d < size; d += elements)
      kb.vstore(zeros, target, {row, kb.index(d / 2)});
  });
}

namespace {

/// Reads the keys or values of a panel from one head of a source; columns
/// without a key read as zeros. Elements come converted to the type of `vec`,
/// or where that is a pair of bf16, as the bits of one in its low half.
struct PanelReader {
  Value source;
  Value batch, head, numColumns;
  llvm::function_ref<Value(Value)> keyOf;
  VectorType vec;

  bool hasRows() const { return isContiguous(source); }
  bool hasPairs() const { return vec.getElementType().isInteger(); }

  /// Indices of element `d` of column `column`, and whether the column has a
  /// key; if not, they are those of column 0.
  std::pair<SmallVector<Value>, Value> locate(KernelBuilder &kb, Value column,
                                              Value d) const {
    Value present = kb.lt(column, numColumns);
    Value key = keyOf(kb.select(present, column, kb.index(0)));
    return {{batch, head, key, d}, present};
  }

  Value zero(KernelBuilder &kb, Type type) const {
    return hasPairs() ? kb.integer(type, 0) : kb.constant(type, 0.0);
  }

  /// `value`, one element or a vector of them, as `type`.
  Value convert(KernelBuilder &kb, Value value, Type type) const {
    if (!hasPairs())
      return kb.convert(value, vec.getElementType());
    Type bits = kb.getI16Type();
    if (auto vector = dyn_cast<VectorType>(type))
      bits = vector.clone(bits);
    return arith::ExtUIOp::create(kb, type,
                                  arith::BitcastOp::create(kb, bits, value));
  }

  /// `count` elements from `d` on.
  Value loadRow(KernelBuilder &kb, Value column, Value d, int64_t count) const {
    auto [at, present] = locate(kb, column, d);
    Type element = cast<MemRefType>(source.getType()).getElementType();
    Value part = kb.vloadPart(VectorType::get(vec.getShape(), element), source,
                              at, count);
    return kb.select(present, convert(kb, part, vec), zero(kb, vec));
  }

  /// The pairs of `count` elements from `d` on.
  Value loadPairs(KernelBuilder &kb, Value column, Value d,
                  int64_t count) const {
    auto [at, present] = locate(kb, column, d);
    auto elements = VectorType::get(2 * vec.getNumElements(), kb.getBF16Type());
    Value part = kb.vloadPart(elements, source, at, count);
    return kb.select(present, vector::BitCastOp::create(kb, vec, part),
                     zero(kb, vec));
  }

  Value loadElement(KernelBuilder &kb, Value column, Value d) const {
    auto [at, present] = locate(kb, column, d);
    Type type = vec.getElementType();
    return kb.select(present, convert(kb, kb.load(source, at), type),
                     zero(kb, type));
  }

  /// Two elements, each in the low half, as a pair.
  static Value join(KernelBuilder &kb, Value low, Value high) {
    Value shifted =
        arith::ShLIOp::create(kb, high, kb.integer(high.getType(), 16));
    return arith::OrIOp::create(kb, low, shifted);
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
                     source.numColumns, source.keyOf, packedVec};
  PanelWriter writer{panels, target};
  int64_t lanes = plan.lanes, unit = plan.getUnit();
  if (!reader.hasRows()) {
    auto packElement = [&](Value d, bool whole) {
      kb.loop(0, plan.panelKeys, 1, [&](Value column) {
        Value first = kb.mul(d, unit);
        Value element = reader.loadElement(kb, column, first);
        if (unit == 2 && whole)
          element = PanelReader::join(
              kb, element, reader.loadElement(kb, column, kb.add(first, 1)));
        kb.store(element, writer.panels,
                 writer.at(kb.add(kb.mul(d, plan.panelKeys), column)));
      });
    };
    kb.loop(0, size / unit, 1, [&](Value d) { packElement(d, true); });
    if (size % unit)
      packElement(kb.index(size / unit), false);
    return;
  }
  // The square of `lanes` columns and as many elements (pairs) from `d` on.
  auto packSquare = [&](Value first, Value d, int64_t count) {
    SmallVector<Value> square;
    for (int64_t i = 0; i < lanes; ++i) {
      Value column = kb.add(first, i), element = kb.mul(d, unit);
      square.push_back(unit == 2 ? reader.loadPairs(kb, column, element, count)
                                 : reader.loadRow(kb, column, element, count));
    }
    transposeSquare(kb, square);
    int64_t used = llvm::divideCeil(count, unit);
    for (int64_t i = 0; i < used; ++i)
      kb.vstore(square[i], writer.panels,
                writer.at(kb.add(first, kb.mul(kb.add(d, i), plan.panelKeys))));
  };
  int64_t elements = lanes * unit, whole = size / elements * lanes;
  kb.loop(0, plan.panelKeys, lanes, [&](Value first) {
    kb.loop(0, whole, lanes, [&](Value d) { packSquare(first, d, elements); });
    if (whole * unit < size)
      packSquare(first, kb.index(whole), size - whole * unit);
  });
}

void AttentionEmitter::emitPackChunks(KernelBuilder &kb,
                                      const PanelSource &source, Value panels,
                                      ValueRange target, int64_t size,
                                      ArrayRef<int64_t> chunks) {
  PanelReader reader{source.tokens,     source.batch, source.head,
                     source.numColumns, source.keyOf, packedVec};
  PanelWriter writer{panels, target};
  int64_t lanes = plan.lanes, unit = plan.getUnit();
  // The columns of a unit, and the elements of them from `d` on.
  auto loadUnit = [&](Value first,
                      llvm::function_ref<Value(Value column)> load) {
    Value value = load(first);
    return unit == 1 ? value
                     : PanelReader::join(kb, value, load(kb.add(first, 1)));
  };
  auto packVector = [&](Value first, int64_t d, Value element) {
    int64_t count = std::min(lanes, size - d);
    if (reader.hasRows()) {
      Value row = loadUnit(first, [&](Value column) {
        return reader.loadRow(kb, column, kb.index(d), count);
      });
      return kb.vstore(row, writer.panels, writer.at(element));
    }
    kb.vstore(reader.zero(kb, packedVec), writer.panels, writer.at(element));
    kb.loop(0, count, 1, [&](Value lane) {
      Value value = loadUnit(first, [&](Value column) {
        return reader.loadElement(kb, column, kb.add(lane, d));
      });
      kb.store(value, writer.panels, writer.at(kb.add(element, lane)));
    });
  };
  int64_t columns = plan.panelKeys / unit;
  kb.loop(0, columns, 1, [&](Value column) {
    int64_t firstVector = 0;
    for (int64_t chunk : chunks) {
      Value row =
          kb.add(kb.mul(column, chunk * lanes), firstVector * lanes * columns);
      for (int64_t i = 0; i < chunk; ++i)
        packVector(kb.mul(column, unit), (firstVector + i) * lanes,
                   kb.add(row, i * lanes));
      firstVector += chunk;
    }
  });
}
