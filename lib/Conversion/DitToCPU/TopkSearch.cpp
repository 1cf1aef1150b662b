//===- TopkSearch.cpp - The threshold of a row of scores ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The threshold is found by counting keys at guesses between bounds. A guess is
// where the wanted number would be reached if the keys between the bounds were
// spread evenly, every third time the middle, so that no distribution is slow.
//
// Most of the counting is of few keys. First every 16th vector of a long row is
// searched for two keys that the threshold most likely lies between; two counts
// of the row check them. What is between the bounds is then collected, and the
// rest of the search looks at nothing else. Wherever the guesses fall, bounds
// only ever move by counts of the whole row, so the threshold is exact.
//
//===----------------------------------------------------------------------===//

#include "TopkRow.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// Of how many vectors one is looked at at first, and the fewest that this is
/// worth it for.
static constexpr int64_t kSampleStride = 16;
static constexpr int64_t kSampledVectors = 16 * kSampleStride;
/// The share of the keys that is collected at most.
static constexpr int64_t kCollectedShare = 8;

Value mlir::dit::cpu::getKeySpace(KernelBuilder &kb, Value tiles,
                                  int64_t lanes) {
  return kb.mul(kb.ceilDiv(tiles, lanes), lanes);
}

Value mlir::dit::cpu::getCandidateSpace(KernelBuilder &kb, Value tiles,
                                        int64_t lanes) {
  // Each vector of keys is stored whole, and zeros follow the last.
  return kb.add(kb.div(tiles, kCollectedShare), 2 * lanes);
}

/// How many keys compare with `bound`, which the zeros after them do not.
Value RowEmitter::emitCount(const KeyRange &range,
                            arith::CmpIPredicate predicate, Value bound) {
  // Counted in the width of the keys, so that a vector of keys gives a vector
  // of counts.
  Value bounds = kb.splat(vec, bound);
  Value counts =
      kb.loop(kb.index(0), range.length, lanes * range.stride,
              kb.integer(vec, 0),
              [&](Value tile, ValueRange carried) {
                Value holds = arith::CmpIOp::create(
                    kb, predicate, kb.vload(vec, range.memory, tile), bounds);
                Value ones = arith::ExtUIOp::create(kb, vec, holds);
                return SmallVector<Value>{
                    arith::AddIOp::create(kb, carried.front(), ones)};
              })
          .front();
  Value count = kb.toIndex(kb.reduceAdd(counts));
  return range.above ? kb.add(count, range.above) : count;
}

Value RowEmitter::emitCount(arith::CmpIPredicate predicate, Value bound) {
  return emitCount(KeyRange{keys, tiles, Value()}, predicate, bound);
}

/// A key between the bounds: where `number` would be reached if the keys
/// between were spread evenly, and every third time in the middle.
Value RowEmitter::emitGuess(Value number, const Bounds &bounds, Value round) {
  Value one = kb.integer(integer, 1);
  Value room = kb.sub(bounds.high, bounds.low);
  Type wide = kb.getF64Type();
  auto toFloat = [&](Value count) -> Value {
    return arith::SIToFPOp::create(
        kb, wide, arith::IndexCastOp::create(kb, kb.getI64Type(), count));
  };
  Value share =
      arith::DivFOp::create(kb, toFloat(kb.sub(bounds.atLow, number)),
                            toFloat(kb.sub(bounds.atLow, bounds.atHigh)));
  Value step = arith::FPToUIOp::create(
      kb, integer, kb.mulf(arith::UIToFPOp::create(kb, wide, room), share));
  Value third = kb.eq(kb.rem(round, 3), kb.index(2));
  step =
      kb.select(third, arith::ShRUIOp::create(kb, room, one).getResult(), step);
  step = arith::MaxUIOp::create(kb, step, one);
  step = arith::MinUIOp::create(kb, step, kb.sub(room, one));
  return kb.add(bounds.low, step);
}

/// Guesses and counts until `number` is reached exactly, no key is left between
/// the bounds, or `enough` keys or fewer are.
RowEmitter::Bounds RowEmitter::emitNarrow(const KeyRange &range, Value number,
                                          const Bounds &bounds, Value enough) {
  SmallVector<Value> inits = bounds.values();
  inits.push_back(kb.index(0));
  SmallVector<Type> types(ValueRange(inits).getTypes());
  auto loop = scf::WhileOp::create(
      kb, types, inits,
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        Bounds now = Bounds::get(state);
        Value open =
            inner.cmp(arith::CmpIPredicate::ugt, inner.sub(now.high, now.low),
                      inner.integer(integer, 1));
        Value inexact = inner.cmp(arith::CmpIPredicate::ne, now.atLow, number);
        Value many = inner.lt(enough, inner.sub(now.atLow, now.atHigh));
        scf::ConditionOp::create(
            inner, inner.land(inner.land(open, inexact), many), state);
      },
      [&](OpBuilder &builder, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(kb);
        kb.restoreInsertionPoint(builder.saveInsertionPoint());
        Bounds now = Bounds::get(state);
        Value guess = emitGuess(number, now, state[4]);
        Value count = emitCount(range, arith::CmpIPredicate::uge, guess);
        Value reached = kb.le(number, count);
        scf::YieldOp::create(kb,
                             ValueRange{kb.select(reached, guess, now.low),
                                        kb.select(reached, count, now.atLow),
                                        kb.select(reached, now.high, guess),
                                        kb.select(reached, now.atHigh, count),
                                        kb.add(state[4], 1)});
      });
  return Bounds::get(loop.getResults());
}

/// Bounds that hold whatever the keys are.
RowEmitter::Bounds RowEmitter::emitFirstBounds(Value number) {
  Value zero = kb.integer(integer, 0), one = kb.integer(integer, 1);
  // Kept tiles have the highest integer, which no score has.
  Value high = kb.integer(integer, -1), atHigh = kb.index(0);
  if (op.getKeep())
    atHigh = emitCount(arith::CmpIPredicate::uge, high);
  else
    high = kb.add(highestKey, one);
  Value enough = kb.le(number, atHigh);
  return {kb.select(enough, high, zero), kb.select(enough, atHigh, tiles), high,
          kb.select(enough, kb.index(0), atHigh)};
}

/// Counts the row at `guess`, if it lies between the bounds.
RowEmitter::Bounds RowEmitter::emitTry(Value guess, Value number,
                                       const Bounds &bounds) {
  auto inside = kb.land(kb.cmp(arith::CmpIPredicate::ugt, guess, bounds.low),
                        kb.cmp(arith::CmpIPredicate::ult, guess, bounds.high));
  auto count = [&](OpBuilder &builder, Location) {
    OpBuilder::InsertionGuard guard(kb);
    kb.restoreInsertionPoint(builder.saveInsertionPoint());
    Value count = emitCount(arith::CmpIPredicate::uge, guess);
    Value reached = kb.le(number, count);
    scf::YieldOp::create(kb,
                         ValueRange{kb.select(reached, guess, bounds.low),
                                    kb.select(reached, count, bounds.atLow),
                                    kb.select(reached, bounds.high, guess),
                                    kb.select(reached, bounds.atHigh, count)});
  };
  auto keep = [&](OpBuilder &builder, Location loc) {
    scf::YieldOp::create(builder, loc, bounds.values());
  };
  return Bounds::get(scf::IfOp::create(kb, inside, count, keep).getResults());
}

/// Bounds from a sample of a long row: some 4 standard deviations of the number
/// that a random sample would have below and above the wanted one.
RowEmitter::Bounds RowEmitter::emitSampledBounds(Value number,
                                                 const Bounds &bounds) {
  auto sample = [&](OpBuilder &builder, Location) {
    OpBuilder::InsertionGuard guard(kb);
    kb.restoreInsertionPoint(builder.saveInsertionPoint());
    KeyRange range{keys, tiles, Value(), kSampleStride};
    Value size =
        emitCount(range, arith::CmpIPredicate::uge, kb.integer(integer, 0));
    Value wanted = kb.div(number, kSampleStride);
    Value root = math::SqrtOp::create(
        kb, arith::SIToFPOp::create(
                kb, kb.getF64Type(),
                arith::IndexCastOp::create(kb, kb.getI64Type(), wanted)));
    Value margin = kb.add(
        kb.mul(kb.toIndex(arith::FPToSIOp::create(kb, kb.getI64Type(), root)),
               4),
        4);
    Bounds found = bounds;
    for (bool above : {false, true}) {
      Value place = above ? kb.sub(wanted, margin) : kb.add(wanted, margin);
      place = kb.max(kb.index(1), kb.min(place, size));
      Bounds all = bounds;
      all.atLow = size;
      all.atHigh = kb.index(0);
      Bounds near = emitNarrow(range, place, all, kb.index(1));
      found = emitTry(above ? near.high : near.low, number, found);
    }
    scf::YieldOp::create(kb, found.values());
  };
  auto keep = [&](OpBuilder &builder, Location loc) {
    scf::YieldOp::create(builder, loc, bounds.values());
  };
  Value isLong = kb.le(kb.index(kSampledVectors * lanes), tiles);
  Value isOpen = kb.cmp(arith::CmpIPredicate::ne, bounds.atLow, number);
  return Bounds::get(
      scf::IfOp::create(kb, kb.land(isLong, isOpen), sample, keep)
          .getResults());
}

/// Collects the keys between the bounds; returns the length that they take up,
/// with zeros after them.
Value RowEmitter::emitCollect(const Bounds &bounds) {
  Value low = kb.splat(vec, bounds.low), high = kb.splat(vec, bounds.high);
  Value taken =
      kb.loop(
            kb.index(0), tiles, lanes, kb.index(0),
            [&](Value tile, ValueRange next) {
              Value key = kb.vload(vec, keys, tile);
              Value above = arith::CmpIOp::create(kb, arith::CmpIPredicate::uge,
                                                  key, low);
              Value below = arith::CmpIOp::create(kb, arith::CmpIPredicate::ult,
                                                  key, high);
              Value inside = kb.land(above, below);
              // Zeros after the row are below the lowest bound but 0.
              inside =
                  kb.land(inside, kb.lanesBelow(lanes, kb.sub(tiles, tile)));
              auto storeVector = [&](Value front, Value) {
                kb.vstore(front, candidates, next.front());
              };
              auto storeLane = [&](Value lane, Value place) {
                kb.store(kb.load(keys, kb.add(tile, lane)), candidates, place);
              };
              Value count = emitStoreTaken(key, inside, next.front(),
                                           storeVector, storeLane);
              return SmallVector<Value>{kb.add(next.front(), count)};
            })
          .front();
  kb.vstore(kb.integer(vec, 0), candidates, taken);
  return taken;
}

Threshold RowEmitter::emitThreshold(Value number) {
  Bounds bounds = emitSampledBounds(number, emitFirstBounds(number));
  Value some = kb.div(tiles, kCollectedShare);
  bounds = emitNarrow({keys, tiles, Value()}, number, bounds, some);
  Value open = kb.cmp(arith::CmpIPredicate::ugt,
                      kb.sub(bounds.high, bounds.low), kb.integer(integer, 1));
  Value inexact = kb.cmp(arith::CmpIPredicate::ne, bounds.atLow, number);
  auto search = [&](OpBuilder &builder, Location) {
    OpBuilder::InsertionGuard guard(kb);
    kb.restoreInsertionPoint(builder.saveInsertionPoint());
    KeyRange range{candidates, emitCollect(bounds), bounds.atHigh};
    Bounds found = emitNarrow(range, number, bounds, kb.index(0));
    scf::YieldOp::create(kb, found.values());
  };
  auto keep = [&](OpBuilder &builder, Location loc) {
    scf::YieldOp::create(builder, loc, bounds.values());
  };
  bounds = Bounds::get(
      scf::IfOp::create(kb, kb.land(open, inexact), search, keep).getResults());
  // No key is 0. Where no key is reached by exactly as many, the bounds are
  // neighbours: all above the lower are taken, and the first that equal it.
  Value one = kb.integer(integer, 1);
  Value below = kb.sub(arith::MaxUIOp::create(kb, bounds.low, one), one);
  Value exact = kb.eq(bounds.atLow, number);
  return {kb.select(exact, below, bounds.low), bounds.low,
          kb.select(exact, kb.index(0), kb.sub(number, bounds.atHigh))};
}

//===----------------------------------------------------------------------===//
// By mass
//===----------------------------------------------------------------------===//

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
