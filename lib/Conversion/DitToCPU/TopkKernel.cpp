//===- TopkKernel.cpp - The kernel of dit.topk_mask -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores become integers that order as they do, tiles to be kept the highest of
// all. An integer that n of them reach, or the n-th highest where that is tied,
// is found by counting the row at guesses between bounds; what lies above it is
// taken, and of what equals it the first few. Memory is one integer per tile of
// a row, whatever n is, and ties go by index.
//
// Rows are dealt out to a fixed number of slots, each of which goes through its
// rows one after the other: so that memory is that of the slots, whatever the
// number of rows and of threads.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

namespace {

/// Slots that rows are dealt out to: enough to keep the threads of any machine
/// busy.
constexpr int64_t kSlots = 64;

/// Scratch memory for one row.
struct RowScratch {
  Value keys;
  /// Null unless the number of tiles depends on their mass.
  Value weights;
};

/// Emits the selection of one row of scores.
class RowEmitter {
public:
  RowEmitter(TopkMaskOp op, KernelBuilder &kb, const CPUTarget &target,
             ValueRange arguments, ValueRange row, RowScratch scratch);

  void emit();

private:
  Value emitKey(Value score);
  Value loadScores(Value tile);
  void emitFillKeys();
  void emitHighest();
  Value emitNumber();
  Value emitFillWeights();
  Value emitMassAbove(Value bound);
  Value emitNumberByMass();
  Value emitKeepTiles();
  Value emitThreshold(Value number);
  Value emitGuess(Value number, ValueRange state);
  Value emitCount(arith::CmpIPredicate predicate, Value bound);
  void emitList(Value threshold, Value ties);
  SmallVector<Value> emitListBits(Value firstTile, Value taken, Value same,
                                  Value next, Value ties);
  Value emitBits(Value lanes);

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
  int64_t lanes;
  VectorType vec;
  Value tiles, keys, weights, highest, highestKey;
};

} // namespace

/// Keys of one vector.
static int64_t getKeyLanes(const CPUTarget &target, unsigned bits) {
  return std::min<int64_t>(target.getLanes(bits), 64);
}

RowEmitter::RowEmitter(TopkMaskOp op, KernelBuilder &kb,
                       const CPUTarget &target, ValueRange arguments,
                       ValueRange row, RowScratch scratch)
    : op(op), kb(kb), row(row), scores(arguments.front()),
      num(arguments.drop_back().back()), idx(arguments.back()),
      type(cast<MemRefType>(scores.getType()).getElementType()),
      bits(type.getIntOrFloatBitWidth()), integer(kb.getIntegerType(bits)),
      lanes(getKeyLanes(target, bits)), vec(VectorType::get(lanes, integer)),
      tiles(kb.dim(scores, 3)), keys(scratch.keys), weights(scratch.weights) {
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

/// An unsigned integer that orders as the score does, or a vector of them.
Value RowEmitter::emitKey(Value score) {
  Type target = integer;
  if (auto vector = dyn_cast<VectorType>(score.getType()))
    target = vector.clone(integer);
  // Adding 0 makes -0 the same as 0.
  score = kb.addf(score, kb.constant(score.getType(), 0.0));
  Value pattern = arith::BitcastOp::create(kb, target, score);
  Value sign =
      arith::ShRSIOp::create(kb, pattern, kb.integer(target, bits - 1));
  Value signBit =
      kb.integer(target, llvm::APInt::getSignMask(bits).getSExtValue());
  return arith::XOrIOp::create(kb, pattern, kb.lor(sign, signBit));
}

/// The scores of a vector of tiles; what is not there is not specified.
Value RowEmitter::loadScores(Value tile) {
  auto scoreVec = VectorType::get(lanes, type);
  Value minus = kb.minusInfinity(scoreVec);
  Value present = kb.lanesBelow(lanes, kb.sub(tiles, tile));
  SmallVector<Value> at(row);
  at.push_back(tile);
  auto layout = cast<MemRefType>(scores.getType()).getStridesAndOffset().first;
  if (layout.back() == 1) {
    Value loaded =
        vector::MaskedLoadOp::create(kb, scoreVec, scores, at, present, minus);
    Value nan = kb.cmpf(arith::CmpFPredicate::UNO, loaded, loaded);
    return arith::SelectOp::create(kb, nan, minus, loaded);
  }
  Value end = kb.min(kb.sub(tiles, tile), kb.index(lanes));
  return kb
      .loop(kb.index(0), end, 1, minus,
            [&](Value lane, ValueRange carried) {
              Value score = loadScore(kb.add(tile, lane));
              return SmallVector<Value>{vector::InsertOp::create(
                  kb, score, carried.front(), OpFoldResult(lane))};
            })
      .front();
}

/// Fills the keys of the row, zeros up to a whole vector, which no score has,
/// and finds the highest one.
void RowEmitter::emitFillKeys() {
  Value zeros = kb.integer(vec, 0);
  Value best = kb.loop(kb.index(0), tiles, lanes, zeros,
                       [&](Value tile, ValueRange carried) {
                         Value present =
                             kb.lanesBelow(lanes, kb.sub(tiles, tile));
                         Value key = arith::SelectOp::create(
                             kb, present, emitKey(loadScores(tile)), zeros);
                         kb.vstore(key, keys, tile);
                         return SmallVector<Value>{
                             arith::MaxUIOp::create(kb, carried.front(), key)};
                       })
                   .front();
  highestKey =
      vector::ReductionOp::create(kb, vector::CombiningKind::MAXUI, best);
}

/// Finds the highest score of the row.
void RowEmitter::emitHighest() {
  highest = fold(kb.minusInfinity(type), [&](Value tile, Value best) {
    return kb.maxf(loadScore(tile), best);
  });
}

/// How many keys compare with `bound`, which the zeros after them do not.
Value RowEmitter::emitCount(arith::CmpIPredicate predicate, Value bound) {
  // Counted in the width of the keys, so that a vector of keys gives a vector
  // of counts.
  Value bounds = kb.splat(vec, bound);
  Value counts =
      kb.loop(
            kb.index(0), tiles, lanes, kb.integer(vec, 0),
            [&](Value tile, ValueRange carried) {
              Value holds = arith::CmpIOp::create(
                  kb, predicate, kb.vload(vec, keys, tile), bounds);
              return SmallVector<Value>{arith::AddIOp::create(
                  kb, carried.front(), arith::ExtUIOp::create(kb, vec, holds))};
            })
          .front();
  return kb.toIndex(kb.reduceAdd(counts));
}

/// A key between the bounds of `state`: where `number` would be reached if the
/// keys between were spread evenly, and every third time in the middle.
Value RowEmitter::emitGuess(Value number, ValueRange state) {
  Value low = state[0], atLow = state[1], high = state[2], atHigh = state[3];
  Value one = kb.integer(integer, 1);
  Value room = kb.sub(high, low);
  Type wide = kb.getF64Type();
  auto toFloat = [&](Value count) -> Value {
    return arith::SIToFPOp::create(
        kb, wide, arith::IndexCastOp::create(kb, kb.getI64Type(), count));
  };
  Value share = arith::DivFOp::create(kb, toFloat(kb.sub(atLow, number)),
                                      toFloat(kb.sub(atLow, atHigh)));
  Value step = arith::FPToUIOp::create(
      kb, integer, kb.mulf(arith::UIToFPOp::create(kb, wide, room), share));
  Value third = kb.eq(kb.rem(state[4], 3), kb.index(2));
  step =
      kb.select(third, arith::ShRUIOp::create(kb, room, one).getResult(), step);
  step = arith::MaxUIOp::create(kb, step, one);
  step = arith::MinUIOp::create(kb, step, kb.sub(room, one));
  return kb.add(low, step);
}

/// A key that `number` keys reach, or if there is none the `number`-th highest.
Value RowEmitter::emitThreshold(Value number) {
  Value zero = kb.integer(integer, 0), one = kb.integer(integer, 1);
  // Kept tiles have the highest integer, which no score has.
  Value high = kb.integer(integer, -1), atHigh = kb.index(0);
  if (op.getKeep())
    atHigh = emitCount(arith::CmpIPredicate::uge, high);
  else
    high = kb.add(highestKey, one);
  Value enough = kb.le(number, atHigh);
  SmallVector<Value> inits = {kb.select(enough, high, zero), tiles, high,
                              atHigh, kb.index(0)};
  SmallVector<Type> types(ValueRange(inits).getTypes());
  auto loop = scf::WhileOp::create(
      kb, types, inits,
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        Value open = inner.cmp(arith::CmpIPredicate::ugt,
                               inner.sub(state[2], state[0]), one);
        Value exact = inner.eq(state[1], number);
        Value go = inner.land(
            open, arith::XOrIOp::create(inner, exact, inner.bit(true)));
        scf::ConditionOp::create(inner, go, state);
      },
      [&](OpBuilder &builder, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(kb);
        kb.restoreInsertionPoint(builder.saveInsertionPoint());
        Value guess = emitGuess(number, state);
        Value count = emitCount(arith::CmpIPredicate::uge, guess);
        Value reached = kb.le(number, count);
        scf::YieldOp::create(kb, ValueRange{kb.select(reached, guess, state[0]),
                                            kb.select(reached, count, state[1]),
                                            kb.select(reached, state[2], guess),
                                            kb.select(reached, state[3], count),
                                            kb.add(state[4], 1)});
      });
  return loop.getResult(0);
}

/// Writes exp(score - highest) of each tile; returns their sum.
Value RowEmitter::emitFillWeights() {
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
Value RowEmitter::emitMassAbove(Value bound) {
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
  Value total = emitFillWeights();
  Value wanted = kb.mulf(
      total, kb.constant(kb.getF64Type(), op.getMass()->convertToDouble()));
  auto isReached = [&](Value bound) {
    return kb.cmpf(arith::CmpFPredicate::OGE, emitMassAbove(bound), wanted);
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
  number = kb.loop(kb.index(0), tiles, 1, {number, emitMassAbove(lowest)}, tie)
               .front();
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

/// A mask as an integer whose lowest bit is lane 0.
Value RowEmitter::emitBits(Value mask) {
  Value bits;
  if (lanes == 1) {
    bits = vector::ExtractOp::create(kb, mask, int64_t(0));
  } else {
    auto word = VectorType::get(1, kb.getIntegerType(lanes));
    bits = vector::ExtractOp::create(
        kb, vector::BitCastOp::create(kb, word, mask), int64_t(0));
  }
  return lanes == 64
             ? bits
             : arith::ExtUIOp::create(kb, kb.getI64Type(), bits).getResult();
}

/// Lists the tiles of the bits of `taken`, of those also in `same` at most
/// `ties`; returns the next place in the list and the ties that are left.
SmallVector<Value> RowEmitter::emitListBits(Value firstTile, Value taken,
                                            Value same, Value next,
                                            Value ties) {
  Value zero = kb.integer(kb.getI64Type(), 0);
  SmallVector<Value> inits = {taken, next, ties};
  SmallVector<Type> types(ValueRange(inits).getTypes());
  auto loop = scf::WhileOp::create(
      kb, types, inits,
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        scf::ConditionOp::create(
            inner, inner.cmp(arith::CmpIPredicate::ne, state[0], zero), state);
      },
      [&](OpBuilder &builder, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(kb);
        kb.restoreInsertionPoint(builder.saveInsertionPoint());
        Value lane = math::CountTrailingZerosOp::create(kb, state[0]);
        Value rest = kb.land(state[0],
                             kb.add(state[0], kb.integer(kb.getI64Type(), -1)));
        Value bit = arith::XOrIOp::create(kb, state[0], rest);
        Value isSame =
            kb.cmp(arith::CmpIPredicate::ne, kb.land(same, bit), zero);
        Value left = kb.lt(kb.index(0), state[2]);
        Value isAbove = arith::XOrIOp::create(kb, isSame, kb.bit(true));
        Value fits = kb.lor(isAbove, left);
        kb.ifThen(fits, [&] {
          SmallVector<Value> at(row);
          at.push_back(state[1]);
          kb.store(kb.toI32(kb.add(firstTile, kb.toIndex(lane))), idx, at);
        });
        scf::YieldOp::create(
            kb, ValueRange{rest, kb.add(state[1], toNumber(fits)),
                           kb.sub(state[2], toNumber(kb.land(isSame, fits)))});
      });
  return {loop.getResult(1), loop.getResult(2)};
}

/// Lists the tiles above the threshold and the first `ties` equal to it.
void RowEmitter::emitList(Value threshold, Value ties) {
  Value thresholds = kb.splat(vec, threshold);
  auto step = [&](Value tile, ValueRange carried) {
    Value key = kb.vload(vec, keys, tile);
    Value present = kb.lanesBelow(lanes, kb.sub(tiles, tile));
    auto compare = [&](arith::CmpIPredicate predicate) {
      Value holds = arith::CmpIOp::create(kb, predicate, key, thresholds);
      return emitBits(kb.land(holds, present));
    };
    Value same = compare(arith::CmpIPredicate::eq);
    // Without ties left nothing equal is looked at.
    Value none = kb.le(carried[1], kb.index(0));
    same = kb.select(none, kb.integer(kb.getI64Type(), 0), same);
    Value taken = kb.lor(compare(arith::CmpIPredicate::ugt), same);
    return emitListBits(tile, taken, same, carried[0], carried[1]);
  };
  Value taken =
      kb.loop(kb.index(0), tiles, lanes, {kb.index(0), ties}, step).front();
  kb.store(kb.toI32(taken), num, row);
}

void RowEmitter::emit() {
  emitFillKeys();
  if (op.getMass())
    emitHighest();
  Value number = emitNumber();
  if (op.getKeep())
    number = kb.max(number, emitKeepTiles());
  Value most = kb.min(tiles, kb.dim(idx, 3));
  number = kb.max(kb.min(number, most), kb.index(0));
  Value threshold = emitThreshold(number);
  Value above = emitCount(arith::CmpIPredicate::ugt, threshold);
  emitList(threshold, kb.sub(number, above));
}

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
  // Whole vectors of keys.
  int64_t lanes = getKeyLanes(target, type.getIntOrFloatBitWidth());
  Value tiles = kb.mul(kb.ceilDiv(kb.dim(scores, 3), lanes), lanes);
  Value rows = kb.mul(kb.mul(kb.dim(num, 0), heads), queries);
  Value slots = kb.min(rows, kb.index(kSlots));
  auto allocate = [&](Type element) -> Value {
    SmallVector<int64_t> shape(2, ShapedType::kDynamic);
    auto alloc = memref::AllocOp::create(kb, MemRefType::get(shape, element),
                                         ValueRange{slots, tiles});
    alloc.setAlignment(64);
    return alloc;
  };
  Value keys = allocate(integer), weights;
  if (op.getMass())
    weights = allocate(type);
  kb.parallel({slots}, [&](ValueRange slot) {
    RowScratch scratch = {getSlot(kb, keys, slot.front(), tiles), Value()};
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
