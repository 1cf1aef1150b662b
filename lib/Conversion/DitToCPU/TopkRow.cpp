//===- TopkRow.cpp - Selection in one row of scores -----------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys of a row, the number of tiles to take, and the list of those taken.
//
//===----------------------------------------------------------------------===//

#include "TopkRow.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

int64_t mlir::dit::cpu::getKeyLanes(const CPUTarget &target, unsigned bits) {
  return std::min<int64_t>(target.getLanes(bits), 64);
}

RowEmitter::RowEmitter(TopkMaskOp op, KernelBuilder &kb,
                       const CPUTarget &target, const RowOperands &operands,
                       RowScratch scratch)
    : op(op), kb(kb), row(operands.row), scoreRow(operands.scoreRow),
      scores(operands.scores), counts(operands.counts), num(operands.num),
      idx(operands.idx),
      type(cast<MemRefType>(scores.getType()).getElementType()),
      bits(type.getIntOrFloatBitWidth()), integer(kb.getIntegerType(bits)),
      lanes(getKeyLanes(target, bits)), vec(VectorType::get(lanes, integer)),
      compresses(target.compress.value_or(false) && bits >= 32 &&
                 lanes * bits == 512),
      tiles(kb.dim(scores, scoreRow.size())), keys(scratch.keys),
      candidates(scratch.candidates), weights(scratch.weights) {}

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
  SmallVector<Value> at(scoreRow);
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
  SmallVector<Value> at(scoreRow);
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
  Value top = kb.integer(integer, -1), rows = kb.dim(num, 2);
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

/// The number of bits of an i64, as an index.
Value RowEmitter::emitOnes(Value ones) {
  return kb.toIndex(math::CtPopOp::create(kb, ones));
}

/// The lowest `count` of the bits, or all if there are not as many.
Value RowEmitter::emitFirstBits(Value ones, Value count) {
  Value zero = kb.integer(kb.getI64Type(), 0);
  Value lowest = kb.integer(kb.getI64Type(), -1);
  auto loop = scf::WhileOp::create(
      kb, TypeRange{kb.getI64Type(), kb.getI64Type(), kb.getIndexType()},
      ValueRange{ones, zero, count},
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        Value more = inner.cmp(arith::CmpIPredicate::ne, state[0], zero);
        Value open = inner.lt(inner.index(0), state[2]);
        scf::ConditionOp::create(inner, inner.land(more, open), state);
      },
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        Value rest = inner.land(state[0], inner.add(state[0], lowest));
        Value bit = arith::XOrIOp::create(inner, state[0], rest);
        scf::YieldOp::create(inner, ValueRange{rest, inner.lor(state[1], bit),
                                               inner.add(state[2], -1)});
      });
  return loop.getResult(1);
}

/// Stores the lanes of `vector` that are `taken` from place `next` on, all at
/// once by `storeVector(lanes, count)` or one by one by `storeLane(lane,
/// place)`; returns how many there are.
Value RowEmitter::emitStoreTaken(
    Value vector, Value taken, Value next,
    llvm::function_ref<void(Value, Value)> storeVector,
    llvm::function_ref<void(Value, Value)> storeLane) {
  Value ones = emitBits(taken);
  Value count = emitOnes(ones);
  if (compresses) {
    storeVector(x86vector::MaskCompressOp::create(kb, vector.getType(), taken,
                                                  vector, Value(),
                                                  ElementsAttr()),
                count);
    return count;
  }
  Value zero = kb.integer(kb.getI64Type(), 0);
  Value minusOne = kb.integer(kb.getI64Type(), -1);
  scf::WhileOp::create(
      kb, TypeRange{kb.getI64Type(), kb.getIndexType()}, ValueRange{ones, next},
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        Value more = inner.cmp(arith::CmpIPredicate::ne, state[0], zero);
        scf::ConditionOp::create(inner, more, state);
      },
      [&](OpBuilder &builder, Location, ValueRange state) {
        OpBuilder::InsertionGuard guard(kb);
        kb.restoreInsertionPoint(builder.saveInsertionPoint());
        Value lane =
            kb.toIndex(math::CountTrailingZerosOp::create(kb, state[0]));
        storeLane(lane, state[1]);
        Value rest = kb.land(state[0], kb.add(state[0], minusOne));
        scf::YieldOp::create(kb, ValueRange{rest, kb.add(state[1], 1)});
      });
  return count;
}

/// Stores the tiles of the lanes of `taken` at place `next` of the list;
/// returns how many there are.
Value RowEmitter::emitStoreTiles(Value firstTile, Value taken, Value next) {
  auto at = [&](Value place) {
    SmallVector<Value> indices(row);
    indices.push_back(place);
    return indices;
  };
  auto storeLane = [&](Value lane, Value place) {
    kb.store(kb.toI32(kb.add(firstTile, lane)), idx, at(place));
  };
  bool contiguous =
      cast<MemRefType>(idx.getType()).getStridesAndOffset().first.back() == 1;
  auto storeVector = [&](Value front, Value count) {
    auto narrow = cast<VectorType>(vec.clone(kb.getI32Type()));
    if (bits > 32)
      front = arith::TruncIOp::create(kb, narrow, front);
    if (contiguous) {
      Value used = kb.lanesBelow(lanes, count);
      vector::MaskedStoreOp::create(kb, idx, at(next), used, front);
      return;
    }
    kb.loop(kb.index(0), count, 1, [&](Value lane) {
      Value tile = vector::ExtractOp::create(kb, front, OpFoldResult(lane));
      kb.store(tile, idx, at(kb.add(next, lane)));
    });
  };
  // Tile numbers are of 32 bits, and lists of 16-bit keys are not compressed.
  Value all;
  if (compresses) {
    SmallVector<Attribute> steps;
    for (int64_t lane = 0; lane < lanes; ++lane)
      steps.push_back(kb.getIntegerAttr(integer, lane));
    all = arith::ConstantOp::create(kb, DenseElementsAttr::get(vec, steps));
    Value first = arith::IndexCastOp::create(kb, integer, firstTile);
    all = kb.add(all, kb.splat(vec, first));
  }
  return emitStoreTaken(all, taken, next, storeVector, storeLane);
}

/// Lists the tiles that the threshold lets through.
void RowEmitter::emitList(const Threshold &threshold) {
  Value bound = kb.splat(vec, threshold.bound);
  Value tied = kb.splat(vec, threshold.tied);
  auto word = VectorType::get(1, kb.getIntegerType(lanes));
  auto mask = VectorType::get(lanes, kb.getI1Type());
  auto step = [&](Value tile, ValueRange carried) {
    Value key = kb.vload(vec, keys, tile);
    Value present = kb.lanesBelow(lanes, kb.sub(tiles, tile));
    Value above =
        arith::CmpIOp::create(kb, arith::CmpIPredicate::ugt, key, bound);
    // Among equals the first; there are none left to take for most rows.
    auto addTies = [&](OpBuilder &builder, Location) {
      OpBuilder::InsertionGuard guard(kb);
      kb.restoreInsertionPoint(builder.saveInsertionPoint());
      Value same =
          arith::CmpIOp::create(kb, arith::CmpIPredicate::eq, key, tied);
      Value first = emitFirstBits(emitBits(kb.land(same, present)), carried[1]);
      Value left = kb.sub(carried[1], emitOnes(first));
      Value lanesOf;
      if (lanes == 1) {
        Value bit = arith::TruncIOp::create(kb, kb.getI1Type(), first);
        lanesOf = kb.splat(mask, bit);
      } else {
        Value narrow =
            lanes == 64
                ? first
                : arith::TruncIOp::create(kb, word.getElementType(), first)
                      .getResult();
        lanesOf = vector::BitCastOp::create(kb, mask, kb.splat(word, narrow));
      }
      scf::YieldOp::create(kb, ValueRange{kb.lor(above, lanesOf), left});
    };
    auto noTies = [&](OpBuilder &builder, Location loc) {
      scf::YieldOp::create(builder, loc, ValueRange{above, carried[1]});
    };
    auto choice =
        scf::IfOp::create(kb, kb.lt(kb.index(0), carried[1]), addTies, noTies);
    Value taken = kb.land(choice.getResult(0), present);
    Value count = emitStoreTiles(tile, taken, carried[0]);
    return SmallVector<Value>{kb.add(carried[0], count), choice.getResult(1)};
  };
  Value taken =
      kb.loop(kb.index(0), tiles, lanes, {kb.index(0), threshold.ties}, step)
          .front();
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
  emitList(emitThreshold(number));
}
