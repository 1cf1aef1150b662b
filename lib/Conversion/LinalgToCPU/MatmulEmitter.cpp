//===- MatmulEmitter.cpp - Packed matrix products -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The right-hand side is copied, once per call, into panels [K][panelWidth] of
// the accumulator's type, padded with zeros, unless it is stored in panels; a
// product of few rows, to which each element matters only a few times, reads it
// in place where its rows are contiguous. A tile of `rows` x `vectors`
// accumulators then runs over all of K: each step loads one row of a panel and
// broadcasts one element per row of the left-hand side. The tile is written
// once, so narrow types round once.
//
//===----------------------------------------------------------------------===//

#include "MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

class MatmulEmitter {
public:
  MatmulEmitter(OpBuilder &builder, linalg::LinalgOp op, const MatmulPlan &plan,
                bool overwrite)
      : b(builder), op(op), plan(plan), overwrite(overwrite || plan.hasBias),
        loc(op.getLoc()), left(op.getDpsInputOperand(0)),
        right(op.getDpsInputOperand(1)),
        bias(plan.hasBias ? op.getDpsInputOperand(2) : nullptr),
        output(op.getDpsInitOperand(0)),
        vectorType(VectorType::get({plan.lanes}, plan.accumulator)) {}

  void emit();

private:
  void emitPacking();
  void emitPanel(Value batch, Value panel);
  void emitFullPanel(Value batch, Value panel, Value column);
  void emitPartialPanel(Value batch, Value panel, Value column);
  void emitBlock(Value batch, Value rowBlock, Value panelBlock);
  void emitTile(Value batch, Value row, Value panel, int64_t rows);
  Value emitStart(Value panel, int64_t vector);
  SmallVector<Value> emitProducts(Value batch, Value row, Value panel,
                                  int64_t rows);
  void emitStores(Value batch, Value row, Value panel, int64_t rows,
                  ValueRange sums, bool partial);

  bool hasPartialPanel() {
    int64_t columns = op.getStaticLoopRanges()[plan.n];
    return ShapedType::isDynamic(columns) || columns % plan.panelWidth() != 0;
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value x, Value y) {
    return b.createOrFold<arith::AddIOp>(loc, x, y);
  }
  Value mul(Value x, int64_t y) {
    return b.createOrFold<arith::MulIOp>(loc, x, index(y));
  }
  /// The index along n of the first column of `panel`.
  Value firstColumn(Value panel) {
    return plan.panel ? index(0) : mul(panel, plan.panelWidth());
  }
  Value ceilDiv(Value x, int64_t y) {
    return b.createOrFold<arith::CeilDivUIOp>(loc, x, index(y));
  }
  /// Runs `body` for all points below `bounds`, on threads if that pays.
  void forAll(ValueRange bounds, function_ref<void(ValueRange)> body);
  scf::ForOp loop(Value begin, Value end, int64_t step,
                  function_ref<void(Value)> body);
  /// Indices of `operand` at (batch, m, n, k), those it uses; with stored
  /// panels, n is a column of `panel`.
  SmallVector<Value> at(OpOperand *operand, Value batch, Value m, Value n,
                        Value k, Value panel = {});
  Value toAccumulator(Value value);
  Value fromAccumulator(Value value, Type element);
  Value loadRight(Value batch, Value panel, Value k, int64_t vector);

  OpBuilder &b;
  linalg::LinalgOp op;
  const MatmulPlan &plan;
  bool overwrite;
  Location loc;
  /// Without a bias, that is null.
  OpOperand *left, *right, *bias, *output;
  VectorType vectorType;
  Value batches, rowCount, columns, depth, panels;
  /// Panels of the right-hand side: [batch][panel][k][panelWidth].
  Value packed;
};

} // namespace

scf::ForOp MatmulEmitter::loop(Value begin, Value end, int64_t step,
                               function_ref<void(Value)> body) {
  auto result = scf::ForOp::create(b, loc, begin, end, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(result.getBody());
  body(result.getInductionVar());
  return result;
}

void MatmulEmitter::forAll(ValueRange bounds,
                           function_ref<void(ValueRange)> body) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> zeros(bounds.size(), index(0));
  SmallVector<Value> ones(bounds.size(), index(1));
  if (plan.parallel) {
    auto parallel = scf::ParallelOp::create(b, loc, zeros, bounds, ones);
    parallel->setAttr("dit.grain", b.getI64IntegerAttr(1));
    b.setInsertionPointToStart(parallel.getBody());
    return body(parallel.getInductionVars());
  }
  SmallVector<Value> ivs;
  for (Value bound : bounds) {
    auto serial =
        scf::ForOp::create(b, loc, zeros.front(), bound, ones.front());
    b.setInsertionPointToStart(serial.getBody());
    ivs.push_back(serial.getInductionVar());
  }
  body(ivs);
}

SmallVector<Value> MatmulEmitter::at(OpOperand *operand, Value batch, Value m,
                                     Value n, Value k, Value panel) {
  SmallVector<Value> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    indices.push_back(dim == plan.m       ? m
                      : dim == plan.n     ? n
                      : dim == plan.k     ? k
                      : plan.panel == dim ? panel
                                          : batch);
  }
  return indices;
}

Value MatmulEmitter::toAccumulator(Value value) {
  if (getElementTypeOrSelf(value.getType()) == plan.accumulator)
    return value;
  Type type = plan.accumulator;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(plan.accumulator);
  return arith::ExtFOp::create(b, loc, type, value);
}

Value MatmulEmitter::fromAccumulator(Value value, Type element) {
  auto vector = cast<VectorType>(value.getType());
  if (vector.getElementType() == element)
    return value;
  return arith::TruncFOp::create(b, loc, vector.clone(element), value);
}

/// Copies a panel whose columns all exist.
void MatmulEmitter::emitFullPanel(Value batch, Value panel, Value column) {
  Type element = getElementTypeOrSelf(right->get().getType());
  bool rows = isUnitStrideAlong(op, right, plan.n);
  loop(index(0), depth, 1, [&](Value k) {
    for (int64_t v = 0; v < plan.vectors; ++v) {
      Value value;
      Value first = add(column, index(v * plan.lanes));
      if (rows) {
        value = vector::LoadOp::create(
            b, loc, VectorType::get({plan.lanes}, element), right->get(),
            at(right, batch, {}, first, k));
      } else {
        SmallVector<Value> elements;
        for (int64_t lane = 0; lane < plan.lanes; ++lane)
          elements.push_back(memref::LoadOp::create(
              b, loc, right->get(),
              at(right, batch, {}, add(first, index(lane)), k)));
        value = vector::FromElementsOp::create(
            b, loc, VectorType::get({plan.lanes}, element), elements);
      }
      vector::StoreOp::create(
          b, loc, toAccumulator(value), packed,
          ValueRange{batch, panel, k, index(v * plan.lanes)});
    }
  });
}

/// Copies the last panel, with zeros for the columns that do not exist.
void MatmulEmitter::emitPartialPanel(Value batch, Value panel, Value column) {
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(plan.accumulator));
  Value last = b.createOrFold<arith::SubIOp>(loc, columns, index(1));
  loop(index(0), depth, 1, [&](Value k) {
    loop(index(0), index(plan.panelWidth()), 1, [&](Value lane) {
      Value n = add(column, lane);
      Value inside =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, n, columns);
      Value clamped = arith::MinSIOp::create(b, loc, n, last);
      Value value = toAccumulator(memref::LoadOp::create(
          b, loc, right->get(), at(right, batch, {}, clamped, k)));
      value = arith::SelectOp::create(b, loc, inside, value, zero);
      memref::StoreOp::create(b, loc, value, packed,
                              ValueRange{batch, panel, k, lane});
    });
  });
}

void MatmulEmitter::emitPacking() {
  bool batched = plan.batch &&
                 op.getMatchingIndexingMap(right).isFunctionOfDim(*plan.batch);
  SmallVector<OpFoldResult> shape = getAsOpFoldResult(
      {batched ? batches : index(1), panels, depth, index(plan.panelWidth())});
  SmallVector<int64_t> sizes;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(shape, dynamic, sizes);
  packed =
      memref::AllocOp::create(b, loc, MemRefType::get(sizes, plan.accumulator),
                              dynamic, b.getI64IntegerAttr(64));
  Value bound = batched ? batches : index(1);
  forAll({bound, panels}, [&](ValueRange ivs) { emitPanel(ivs[0], ivs[1]); });
}

void MatmulEmitter::emitPanel(Value batch, Value panel) {
  Value column = mul(panel, plan.panelWidth());
  if (!hasPartialPanel())
    return emitFullPanel(batch, panel, column);
  Value end = add(column, index(plan.panelWidth()));
  Value full =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end, columns);
  auto choice = scf::IfOp::create(b, loc, full, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  emitFullPanel(batch, panel, column);
  b.setInsertionPointToStart(choice.elseBlock());
  emitPartialPanel(batch, panel, column);
}

Value MatmulEmitter::loadRight(Value batch, Value panel, Value k,
                               int64_t vector) {
  if (plan.pack) {
    bool batched =
        plan.batch &&
        op.getMatchingIndexingMap(right).isFunctionOfDim(*plan.batch);
    return vector::LoadOp::create(b, loc, vectorType, packed,
                                  ValueRange{batched ? batch : index(0), panel,
                                             k, index(vector * plan.lanes)});
  }
  Value column = add(firstColumn(panel), index(vector * plan.lanes));
  return vector::LoadOp::create(b, loc, vectorType, right->get(),
                                at(right, batch, {}, column, k, panel));
}

/// What the sums of a row begin as in one vector.
Value MatmulEmitter::emitStart(Value panel, int64_t vector) {
  if (!bias)
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(vectorType));
  Value first = add(firstColumn(panel), index(vector * plan.lanes));
  VectorType type = VectorType::get(
      {plan.lanes}, getElementTypeOrSelf(bias->get().getType()));
  if (!hasPartialPanel() && isUnitStrideAlong(op, bias, plan.n))
    return toAccumulator(vector::LoadOp::create(
        b, loc, type, bias->get(), at(bias, {}, {}, first, {}, panel)));
  // Columns that do not exist take what the last one does.
  Value last = b.createOrFold<arith::SubIOp>(loc, columns, index(1));
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < plan.lanes; ++lane) {
    Value column =
        b.createOrFold<arith::MinSIOp>(loc, add(first, index(lane)), last);
    elements.push_back(memref::LoadOp::create(
        b, loc, bias->get(), at(bias, {}, {}, column, {}, panel)));
  }
  return toAccumulator(vector::FromElementsOp::create(b, loc, type, elements));
}

/// The sums of a tile, `vectors` per row.
SmallVector<Value> MatmulEmitter::emitProducts(Value batch, Value row,
                                               Value panel, int64_t rows) {
  SmallVector<Value> start, sums;
  for (int64_t v = 0; v < plan.vectors; ++v)
    start.push_back(emitStart(panel, v));
  for (int64_t r = 0; r < rows; ++r)
    llvm::append_range(sums, start);
  auto kLoop = scf::ForOp::create(b, loc, index(0), depth, index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(kLoop.getBody());
  Value k = kLoop.getInductionVar();
  SmallVector<Value> columnVectors;
  for (int64_t v = 0; v < plan.vectors; ++v)
    columnVectors.push_back(loadRight(batch, panel, k, v));
  SmallVector<Value> next;
  for (int64_t r = 0; r < rows; ++r) {
    Value element = toAccumulator(memref::LoadOp::create(
        b, loc, left->get(), at(left, batch, add(row, index(r)), {}, k)));
    Value factor = vector::BroadcastOp::create(b, loc, vectorType, element);
    for (int64_t v = 0; v < plan.vectors; ++v)
      next.push_back(vector::FMAOp::create(
          b, loc, factor, columnVectors[v],
          kLoop.getRegionIterArgs()[r * plan.vectors + v]));
  }
  scf::YieldOp::create(b, loc, next);
  return kLoop.getResults();
}

void MatmulEmitter::emitStores(Value batch, Value row, Value panel,
                               int64_t rows, ValueRange sums, bool partial) {
  Type element = getElementTypeOrSelf(output->get().getType());
  VectorType type = VectorType::get({plan.lanes}, element);
  Value column = firstColumn(panel);
  for (int64_t v = 0; v < plan.vectors; ++v) {
    Value first = add(column, index(v * plan.lanes));
    Value mask, padding;
    if (partial) {
      Value rest = arith::SubIOp::create(b, loc, columns, first);
      rest = arith::MaxSIOp::create(b, loc, rest, index(0));
      mask = vector::CreateMaskOp::create(
          b, loc, VectorType::get({plan.lanes}, b.getI1Type()), rest);
      padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    }
    for (int64_t r = 0; r < rows; ++r) {
      SmallVector<Value> indices =
          at(output, batch, add(row, index(r)), first, {}, panel);
      Value sum = sums[r * plan.vectors + v];
      if (!overwrite) {
        Value old =
            partial
                ? vector::MaskedLoadOp::create(b, loc, type, output->get(),
                                               indices, mask, padding)
                      .getResult()
                : vector::LoadOp::create(b, loc, type, output->get(), indices)
                      .getResult();
        sum = arith::AddFOp::create(b, loc, toAccumulator(old), sum);
      }
      sum = fromAccumulator(sum, element);
      if (partial)
        vector::MaskedStoreOp::create(b, loc, output->get(), indices, mask,
                                      sum);
      else
        vector::StoreOp::create(b, loc, sum, output->get(), indices);
    }
  }
}

void MatmulEmitter::emitTile(Value batch, Value row, Value panel,
                             int64_t rows) {
  SmallVector<Value> sums = emitProducts(batch, row, panel, rows);
  if (!hasPartialPanel())
    return emitStores(batch, row, panel, rows, sums, /*partial=*/false);
  Value end = mul(add(panel, index(1)), plan.panelWidth());
  Value full =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end, columns);
  auto choice = scf::IfOp::create(b, loc, full, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  emitStores(batch, row, panel, rows, sums, /*partial=*/false);
  b.setInsertionPointToStart(choice.elseBlock());
  emitStores(batch, row, panel, rows, sums, /*partial=*/true);
}

/// One task: a block of rows times a block of panels.
void MatmulEmitter::emitBlock(Value batch, Value rowBlock, Value panelBlock) {
  Value firstRow = mul(rowBlock, plan.rowBlock);
  Value lastRow = b.createOrFold<arith::MinSIOp>(
      loc, add(firstRow, index(plan.rowBlock)), rowCount);
  Value firstPanel = index(0), lastPanel = panels;
  if (plan.panelBlock) {
    firstPanel = mul(panelBlock, plan.panelBlock);
    lastPanel = b.createOrFold<arith::MinSIOp>(
        loc, add(firstPanel, index(plan.panelBlock)), panels);
  }
  Value span = b.createOrFold<arith::SubIOp>(loc, lastRow, firstRow);
  Value rest = b.createOrFold<arith::RemUIOp>(loc, span, index(plan.rows));
  Value tiled = b.createOrFold<arith::SubIOp>(loc, lastRow, rest);
  int64_t staticRows = op.getStaticLoopRanges()[plan.m];
  bool tail = ShapedType::isDynamic(staticRows) || staticRows % plan.rows != 0;
  loop(firstPanel, lastPanel, 1, [&](Value panel) {
    loop(firstRow, tiled, plan.rows,
         [&](Value row) { emitTile(batch, row, panel, plan.rows); });
    if (tail && plan.rows > 1)
      loop(tiled, lastRow, 1,
           [&](Value row) { emitTile(batch, row, panel, 1); });
  });
}

void MatmulEmitter::emit() {
  SmallVector<Range> ranges = op.createLoopRanges(b, loc);
  auto extent = [&](unsigned dim) {
    return getValueOrCreateConstantIndexOp(b, loc, ranges[dim].size);
  };
  batches = plan.batch ? extent(*plan.batch) : index(1);
  rowCount = extent(plan.m);
  columns = extent(plan.n);
  depth = extent(plan.k);
  panels =
      plan.panel ? extent(*plan.panel) : ceilDiv(columns, plan.panelWidth());
  if (plan.pack)
    emitPacking();
  Value rowBlocks = ceilDiv(rowCount, plan.rowBlock);
  Value panelBlocks =
      plan.panelBlock ? ceilDiv(panels, plan.panelBlock) : index(1);
  forAll({batches, rowBlocks, panelBlocks},
         [&](ValueRange ivs) { emitBlock(ivs[0], ivs[1], ivs[2]); });
}

void mlir::dit::emitMatmul(OpBuilder &builder, linalg::LinalgOp op,
                           const MatmulPlan &plan, bool overwrite) {
  MatmulEmitter(builder, op, plan, overwrite).emit();
}
