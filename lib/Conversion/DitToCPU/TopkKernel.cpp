//===- TopkKernel.cpp - The kernel of dit.topk_mask -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores become integers that order as they do, tiles to be kept the highest of
// all. The n-th highest is found bit by bit, counting the row at each bit; what
// lies above it is taken, and of what equals it the first few. Memory is one
// integer per tile of a row, whatever n is, and ties go by index.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

namespace {

/// Emits the selection of one row of scores.
class RowEmitter {
public:
  RowEmitter(TopkMaskOp op, KernelBuilder &kb, ValueRange arguments,
             ValueRange row);

  void emit();

private:
  Value emitKey(Value score);
  void emitFillKeys();
  Value emitNumber();
  Value emitFillWeights(Value weights);
  Value emitMassAbove(Value weights, Value bound);
  Value emitNumberByMass();
  Value emitKeepTiles();
  Value emitThreshold(Value number);
  Value emitCount(arith::CmpIPredicate predicate, Value bound);
  void emitList(Value threshold, Value ties);

  /// A loop over the tiles that carries one value.
  Value fold(Value init, llvm::function_ref<Value(Value, Value)> body);
  Value loadScore(Value tile);
  /// A sum whose order is left to the vectoriser.
  Value addUnordered(Value lhs, Value rhs) {
    auto sum = arith::AddFOp::create(kb, lhs, rhs);
    sum.setFastmath(arith::FastMathFlags::reassoc);
    return sum;
  }
  Value toNumber(Value bit) {
    return arith::IndexCastUIOp::create(kb, kb.getIndexType(), bit);
  }

  TopkMaskOp op;
  KernelBuilder &kb;
  SmallVector<Value> row;
  Value scores, counts, num, idx;
  Type type;
  unsigned bits;
  Type integer;
  Value tiles, keys, highest;
};

} // namespace

RowEmitter::RowEmitter(TopkMaskOp op, KernelBuilder &kb, ValueRange arguments,
                       ValueRange row)
    : op(op), kb(kb), row(row), scores(arguments.front()),
      num(arguments.drop_back().back()), idx(arguments.back()),
      type(cast<MemRefType>(scores.getType()).getElementType()),
      bits(type.getIntOrFloatBitWidth()), integer(kb.getIntegerType(bits)),
      tiles(kb.dim(scores, 3)) {
  if (op.getCount())
    counts = arguments[1];
}

Value RowEmitter::fold(Value init,
                       llvm::function_ref<Value(Value, Value)> body) {
  return kb
      .loop(kb.index(0), tiles, 1, init,
            [&](Value tile, ValueRange carried) {
              return SmallVector<Value>{body(tile, carried.front())};
            })
      .front();
}

Value RowEmitter::loadScore(Value tile) {
  SmallVector<Value> at(row);
  at.push_back(tile);
  Value score = kb.load(scores, at);
  Value nan = kb.cmpf(arith::CmpFPredicate::UNO, score, score);
  return kb.select(nan, kb.minusInfinity(type), score);
}

/// An unsigned integer that orders as the score does.
Value RowEmitter::emitKey(Value score) {
  // Adding 0 makes -0 the same as 0.
  score = kb.addf(score, kb.constant(type, 0.0));
  Value pattern = arith::BitcastOp::create(kb, integer, score);
  Value sign =
      arith::ShRSIOp::create(kb, pattern, kb.integer(integer, bits - 1));
  auto signBit = kb.getIntegerAttr(integer, llvm::APInt::getSignMask(bits));
  Value flip = kb.lor(sign, arith::ConstantOp::create(kb, signBit));
  return arith::XOrIOp::create(kb, pattern, flip);
}

/// Fills the keys of the row and finds its highest score.
void RowEmitter::emitFillKeys() {
  highest = fold(kb.minusInfinity(type), [&](Value tile, Value best) {
    Value score = loadScore(tile);
    kb.store(emitKey(score), keys, tile);
    return kb.maxf(score, best);
  });
}

Value RowEmitter::emitCount(arith::CmpIPredicate predicate, Value bound) {
  // Counted in the width of the keys, so that a vector of keys gives a vector
  // of counts.
  Value count = fold(kb.integer(integer, 0), [&](Value tile, Value count) {
    Value holds = kb.cmp(predicate, kb.load(keys, tile), bound);
    return kb.add(count, arith::ExtUIOp::create(kb, integer, holds));
  });
  return kb.toIndex(count);
}

/// The `number`-th highest key; the highest integer if `number` is 0.
Value RowEmitter::emitThreshold(Value number) {
  auto step = [&](Value i, ValueRange found) {
    Value shift =
        arith::IndexCastOp::create(kb, integer, kb.sub(kb.index(bits - 1), i));
    Value bit = arith::ShLIOp::create(kb, kb.integer(integer, 1), shift);
    Value candidate = kb.lor(found[0], bit);
    Value count = emitCount(arith::CmpIPredicate::uge, candidate);
    return SmallVector<Value>{
        kb.select(kb.le(number, count), candidate, found[0])};
  };
  return kb.loop(kb.index(0), kb.index(bits), 1, kb.integer(integer, 0), step)
      .front();
}

/// Writes exp(score - highest) of each tile; returns their sum.
Value RowEmitter::emitFillWeights(Value weights) {
  Value zero = kb.constant(type, 0.0), one = kb.constant(type, 1.0);
  Value none =
      kb.cmpf(arith::CmpFPredicate::OEQ, highest, kb.minusInfinity(type));
  return fold(kb.constant(kb.getF64Type(), 0.0), [&](Value tile, Value sum) {
    // Infinite maxima: +inf is all of the mass, -inf is none.
    Value score = loadScore(tile);
    Value weight = math::ExpOp::create(kb, kb.subf(score, highest));
    Value isHighest = kb.cmpf(arith::CmpFPredicate::OEQ, score, highest);
    weight = kb.select(none, zero, kb.select(isHighest, one, weight));
    kb.store(weight, weights, tile);
    return addUnordered(sum, kb.convert(weight, kb.getF64Type()));
  });
}

/// The sum of the weights of keys above `bound`.
Value RowEmitter::emitMassAbove(Value weights, Value bound) {
  Value zero = kb.constant(kb.getF64Type(), 0.0);
  return fold(zero, [&](Value tile, Value sum) {
    Value above = kb.cmp(arith::CmpIPredicate::ugt, kb.load(keys, tile), bound);
    Value weight = kb.convert(kb.load(weights, tile), kb.getF64Type());
    return addUnordered(sum, kb.select(above, weight, zero));
  });
}

/// The number of tiles before which less than the share of the mass lies: all
/// above the lowest key of such a tile, and the first few of that key.
Value RowEmitter::emitNumberByMass() {
  Value weights = memref::AllocOp::create(
      kb, MemRefType::get({ShapedType::kDynamic}, type), tiles);
  Value total = emitFillWeights(weights);
  Value wanted = kb.mulf(
      total, kb.constant(kb.getF64Type(), op.getMass()->convertToDouble()));
  auto isReached = [&](Value bound) {
    return kb.cmpf(arith::CmpFPredicate::OGE, emitMassAbove(weights, bound),
                   wanted);
  };
  // The highest integer above which the share is reached, and the next one.
  Value zero = kb.integer(integer, 0), one = kb.integer(integer, 1);
  auto step = [&](Value i, ValueRange found) {
    Value shift =
        arith::IndexCastOp::create(kb, integer, kb.sub(kb.index(bits - 1), i));
    Value candidate = kb.lor(found[0], arith::ShLIOp::create(kb, one, shift));
    return SmallVector<Value>{
        kb.select(isReached(candidate), candidate, found[0])};
  };
  Value reached = kb.loop(kb.index(0), kb.index(bits), 1, zero, step).front();
  Value lowest = kb.select(isReached(zero), kb.add(reached, one), zero);

  Value number = emitCount(arith::CmpIPredicate::ugt, lowest);
  auto tie = [&](Value tile, ValueRange carried) {
    Value same = kb.cmp(arith::CmpIPredicate::eq, kb.load(keys, tile), lowest);
    Value isShort = kb.cmpf(arith::CmpFPredicate::OLT, carried[1], wanted);
    Value weight = kb.convert(kb.load(weights, tile), kb.getF64Type());
    Value sum = kb.select(same, kb.addf(carried[1], weight), carried[1]);
    return SmallVector<Value>{
        kb.add(carried[0], toNumber(kb.land(same, isShort))), sum};
  };
  number = kb.loop(kb.index(0), tiles, 1,
                   {number, emitMassAbove(weights, lowest)}, tie)
               .front();
  memref::DeallocOp::create(kb, weights);
  Value any = kb.cmpf(arith::CmpFPredicate::OGT, wanted,
                      kb.constant(kb.getF64Type(), 0.0));
  return kb.select(any, number, kb.index(0));
}

Value RowEmitter::emitNumber() {
  if (counts)
    return kb.toIndex(kb.load(counts, row[1]));
  if (op.getMass())
    return emitNumberByMass();
  Type wide = kb.getI64Type();
  Value extent = arith::SIToFPOp::create(
      kb, kb.getF64Type(), arith::IndexCastOp::create(kb, wide, tiles));
  Value share =
      kb.mulf(extent, kb.constant(kb.getF64Type(),
                                  op.getFraction()->convertToDouble()));
  return kb.toIndex(
      arith::FPToSIOp::create(kb, wide, math::CeilOp::create(kb, share)));
}

/// Gives the tiles to be kept the highest key; returns how many there are.
Value RowEmitter::emitKeepTiles() {
  Value top = kb.integer(integer, -1), rows = kb.dim(scores, 2);
  return fold(kb.index(0), [&](Value tile, Value count) {
    Value kept =
        op.getKeep()->emitContains(kb, kb.getLoc(), row[2], tile, rows, tiles);
    kb.store(kb.select(kept, top, kb.load(keys, tile)), keys, tile);
    return kb.add(count, toNumber(kept));
  });
}

/// Lists the tiles above the threshold and the first `ties` equal to it.
void RowEmitter::emitList(Value threshold, Value ties) {
  Value zero = kb.index(0);
  auto step = [&](Value tile, ValueRange carried) {
    Value key = kb.load(keys, tile);
    Value above = kb.cmp(arith::CmpIPredicate::ugt, key, threshold);
    Value same = kb.land(kb.cmp(arith::CmpIPredicate::eq, key, threshold),
                         kb.lt(zero, carried[1]));
    Value taken = kb.lor(above, same);
    kb.ifThen(taken, [&] {
      SmallVector<Value> at(row);
      at.push_back(carried[0]);
      kb.store(kb.toI32(tile), idx, at);
    });
    return SmallVector<Value>{kb.add(carried[0], toNumber(taken)),
                              kb.sub(carried[1], toNumber(same))};
  };
  Value taken = kb.loop(zero, tiles, 1, {zero, ties}, step).front();
  kb.store(kb.toI32(taken), num, row);
}

void RowEmitter::emit() {
  keys = memref::AllocOp::create(
      kb, MemRefType::get({ShapedType::kDynamic}, integer), tiles);
  emitFillKeys();
  Value number = emitNumber();
  if (op.getKeep())
    number = kb.max(number, emitKeepTiles());
  Value most = kb.min(tiles, kb.dim(idx, 3));
  number = kb.max(kb.min(number, most), kb.index(0));
  Value threshold = emitThreshold(number);
  Value above = emitCount(arith::CmpIPredicate::ugt, threshold);
  emitList(threshold, kb.sub(number, above));
  memref::DeallocOp::create(kb, keys);
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
  return callSimpleKernel(
      op, kb, library, views, {}, [&](KernelBuilder &kb, ValueRange arguments) {
        Value num = arguments.drop_back().back();
        kb.parallel(
            {kb.dim(num, 0), kb.dim(num, 1), kb.dim(num, 2)},
            [&](ValueRange row) { RowEmitter(op, kb, arguments, row).emit(); });
      });
}
