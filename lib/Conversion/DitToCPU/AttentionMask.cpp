//===- AttentionMask.cpp - Which keys an attention looks at ---------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ranges of the pattern, met with the tiles of the list and cut at
// kv_valid, fill the queue of a block: this is where work is skipped. What a
// queued panel holds beyond its range, or outside the pattern, is then set to
// -inf in the scores; panels that are wholly allowed pay for no mask.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"
#include "VectorPattern.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

//===----------------------------------------------------------------------===//
// The queue
//===----------------------------------------------------------------------===//

void AttentionEmitter::emitFlush(KernelBuilder &kb, const AttentionStep &step,
                                 Value count, func::FuncOp stepFunc) {
  AttentionStep call = step;
  call.count = count;
  SmallVector<Value> arguments;
  for (Value *field : call.fields())
    if (*field)
      arguments.push_back(*field);
  func::CallOp::create(kb, stepFunc, arguments);
  kb.store(kb.index(0), step.count, {});
}

void AttentionEmitter::emitFlushRest(KernelBuilder &kb,
                                     const AttentionStep &step,
                                     func::FuncOp stepFunc) {
  Value left = kb.load(step.count, {});
  kb.ifThen(kb.lt(kb.index(0), left),
            [&] { emitFlush(kb, step, left, stepFunc); });
}

void AttentionEmitter::emitQueueEntry(KernelBuilder &kb,
                                      const AttentionStep &step,
                                      ValueRange entry, func::FuncOp stepFunc) {
  Value count = kb.load(step.count, {});
  if (plan.gather) {
    kb.store(entry.front(), step.queue, count);
  } else {
    for (auto [i, value] : llvm::enumerate(entry))
      kb.store(value, step.queue, {count, kb.index(i)});
  }
  Value next = kb.add(count, 1);
  int64_t capacity = plan.gather ? plan.getStepKeys() : plan.panelsPerStep;
  kb.ifThenElse(
      kb.eq(next, kb.index(capacity)),
      [&] { emitFlush(kb, step, next, stepFunc); },
      [&] { kb.store(next, step.count, {}); });
}

/// Queues the keys of `[begin, end)`, which may be empty.
void AttentionEmitter::emitQueueRange(KernelBuilder &kb,
                                      const AttentionStep &step, Value begin,
                                      Value end, func::FuncOp stepFunc) {
  if (plan.gather) {
    kb.loop(begin, end, 1,
            [&](Value key) { emitQueueEntry(kb, step, {key}, stepFunc); });
    return;
  }
  Value firstPanel = kb.div(begin, plan.panelKeys);
  // An empty range ends before it begins, also after rounding.
  Value endPanel =
      kb.select(kb.lt(begin, end), kb.ceilDiv(end, plan.panelKeys), firstPanel);
  kb.loop(firstPanel, endPanel, 1, [&](Value panel) {
    Value first = kb.mul(panel, plan.panelKeys);
    emitQueueEntry(kb, step,
                   {panel, kb.max(first, begin),
                    kb.min(kb.add(first, plan.panelKeys), end)},
                   stepFunc);
  });
}

/// The first entry of row `row` of the list, which ascends, that is not below
/// tile `begin`.
Value AttentionEmitter::emitFirstEntry(KernelBuilder &kb, Value idx,
                                       ValueRange row, Value numTiles,
                                       Value begin) {
  // The entry lies in [low, low + length].
  auto loop = scf::WhileOp::create(
      kb, TypeRange{kb.getIndexType(), kb.getIndexType()},
      ValueRange{kb.index(0), kb.max(numTiles, kb.index(0))},
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        scf::ConditionOp::create(inner, inner.lt(inner.index(0), state[1]),
                                 state);
      },
      [&](OpBuilder &builder, Location loc, ValueRange state) {
        KernelBuilder inner(loc, builder);
        Value half = inner.div(state[1], 2);
        Value middle = inner.add(state[0], half);
        SmallVector<Value> at(row);
        at.push_back(middle);
        Value below = inner.lt(inner.toIndex(inner.load(idx, at)), begin);
        Value low = inner.select(below, inner.add(middle, 1), state[0]);
        Value right = inner.sub(inner.sub(state[1], half), inner.index(1));
        Value length = inner.select(below, right, half);
        scf::YieldOp::create(inner, ValueRange{low, length});
      });
  return loop.getResult(0);
}

void AttentionEmitter::emitQueueKeys(KernelBuilder &kb,
                                     const AttentionOperands &operands,
                                     const AttentionStep &step, Value row,
                                     func::FuncOp stepFunc, Value firstKey,
                                     Value endKey) {
  auto queue = [&](KernelBuilder &inner, Value begin, Value end) {
    emitQueueRange(inner, step, begin, end, stepFunc);
  };
  emitKeyRanges(kb, operands, step, row, queue, firstKey, endKey);
}

void AttentionEmitter::emitKeyRanges(
    KernelBuilder &kb, const AttentionOperands &operands,
    const AttentionStep &step, Value row,
    llvm::function_ref<void(KernelBuilder &, Value, Value)> body,
    Value firstKey, Value endKey) {
  Value zero = kb.index(0);
  bool isPart = static_cast<bool>(firstKey);
  if (!isPart)
    firstKey = zero;
  Value limit = isPart ? endKey : step.keyLength;
  if (operands.kvValid) {
    Value valid = kb.toIndex(kb.load(operands.kvValid, step.batch));
    limit = kb.max(zero, kb.min(valid, limit));
  }
  Value numTiles, firstEntry = zero;
  SmallVector<Value> listRow = {step.batch, step.head, row};
  if (operands.num) {
    Value listed = kb.toIndex(kb.load(operands.num, listRow));
    numTiles = kb.min(listed, kb.dim(operands.idx, 3));
    if (isPart) {
      Value first = kb.div(firstKey, op.getKVTile());
      firstEntry = emitFirstEntry(kb, operands.idx, listRow, numTiles, first);
      Value end = kb.ceilDiv(endKey, op.getKVTile());
      numTiles = emitFirstEntry(kb, operands.idx, listRow, numTiles, end);
    }
  }
  auto queueRange = [&](OpBuilder &builder, Location, Value begin, Value end) {
    KernelBuilder inner(kb.getLoc(), builder);
    end = inner.min(end, limit);
    if (isPart)
      begin = inner.max(begin, firstKey);
    if (!operands.num)
      return body(inner, begin, end);
    inner.loop(firstEntry, numTiles, 1, [&](Value entry) {
      Value tile = inner.toIndex(
          inner.load(operands.idx, {step.batch, step.head, row, entry}));
      Value first = inner.mul(tile, op.getKVTile());
      body(inner, inner.max(first, begin),
           inner.min(inner.add(first, op.getKVTile()), end));
    });
  };
  if (!step.pattern && !step.halfWidth)
    return queueRange(kb, kb.getLoc(), zero, step.keyLength);
  Value bandBegin, bandEnd;
  if (step.halfWidth) {
    std::tie(bandBegin, bandEnd) = emitBandRange(
        kb, step, step.queryBegin, kb.add(step.queryBegin, step.numRows));
    queueRange(kb, kb.getLoc(), bandBegin, bandEnd);
  }
  if (!step.pattern)
    return;
  // No key is queued twice: the band is cut out of the pattern's ranges.
  auto queueOutsideBand = [&](OpBuilder &builder, Location loc, Value begin,
                              Value end) {
    if (!step.halfWidth)
      return queueRange(builder, loc, begin, end);
    KernelBuilder inner(kb.getLoc(), builder);
    queueRange(inner, loc, begin, inner.min(end, bandBegin));
    queueRange(inner, loc, inner.max(begin, bandEnd), end);
  };
  step.pattern.emitKeyRanges(
      kb, kb.getLoc(), step.queryBegin, kb.add(step.queryBegin, step.numRows),
      step.queryLength, step.keyLength, queueOutsideBand);
}

std::pair<Value, Value>
AttentionEmitter::emitBandRange(KernelBuilder &kb, const AttentionStep &step,
                                Value queryBegin, Value queryEnd) {
  Value zero = kb.index(0), length = step.keyLength;
  Value unlimited = kb.lt(step.halfWidth, zero);
  auto clamped = [&](Value key) { return kb.min(kb.max(key, zero), length); };
  Value begin = clamped(kb.sub(queryBegin, step.halfWidth));
  Value end = clamped(kb.add(queryEnd, step.halfWidth));
  return {kb.select(unlimited, zero, begin), kb.select(unlimited, length, end)};
}

//===----------------------------------------------------------------------===//
// Bias and masks of a step
//===----------------------------------------------------------------------===//

AttentionEmitter::Columns
AttentionEmitter::emitColumns(KernelBuilder &kb, const AttentionStep &step,
                              Value p) {
  if (plan.gather) {
    Value left = kb.sub(step.count, kb.mul(p, plan.panelKeys));
    return {kb.index(0), kb.min(left, kb.index(plan.panelKeys)), Value()};
  }
  Value first = kb.mul(kb.load(step.queue, {p, kb.index(0)}), plan.panelKeys);
  return {kb.sub(kb.load(step.queue, {p, kb.index(1)}), first),
          kb.sub(kb.load(step.queue, {p, kb.index(2)}), first), first};
}

Value AttentionEmitter::emitKeyOfColumn(KernelBuilder &kb,
                                        const AttentionStep &step,
                                        const Columns &columns, Value p,
                                        Value column) {
  if (columns.firstKey)
    return kb.add(columns.firstKey, column);
  return kb.load(step.queue, kb.add(kb.mul(p, plan.panelKeys), column));
}

/// Adds the bias to the scores of all columns that hold a key.
void AttentionEmitter::emitBias(KernelBuilder &kb, const AttentionStep &step,
                                Value panels) {
  auto type = cast<MemRefType>(step.bias.getType());
  int64_t stride = type.getStridesAndOffset().first.back();
  auto sourceVec = cast<VectorType>(vec.clone(type.getElementType()));
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    Columns columns = emitColumns(kb, step, p);
    Value firstColumn = kb.mul(p, plan.panelKeys);
    kb.loop(kb.index(0), step.numRows, 1, [&](Value row) {
      Value query = kb.add(step.queryBegin, row);
      auto biasAt = [&](Value key) {
        return SmallVector<Value>{step.batch, step.head, query, key};
      };
      if (stride == 1 && columns.firstKey) {
        kb.loop(0, plan.panelKeys, plan.lanes, [&](Value column) {
          Value key = kb.add(columns.firstKey, column);
          Value mask = kb.lanesBelow(plan.lanes, kb.sub(step.keyLength, key));
          Value bias = vector::MaskedLoadOp::create(
              kb, sourceVec, step.bias, biasAt(key), mask,
              kb.constant(sourceVec, 0.0));
          SmallVector<Value> at = {row, kb.add(firstColumn, column)};
          Value score = kb.vload(vec, step.scores, at);
          kb.vstore(kb.addf(score, kb.convert(bias, compute)), step.scores, at);
        });
        return;
      }
      kb.loop(columns.begin, columns.end, 1, [&](Value column) {
        Value key = emitKeyOfColumn(kb, step, columns, p, column);
        Value bias = kb.convert(kb.load(step.bias, biasAt(key)), compute);
        SmallVector<Value> at = {row, kb.add(firstColumn, column)};
        kb.store(kb.addf(kb.load(step.scores, at), bias), step.scores, at);
      });
    });
  });
}

/// Sets the scores outside the columns of a panel to -inf.
void AttentionEmitter::emitRangeMask(KernelBuilder &kb,
                                     const AttentionStep &step, Value p,
                                     const Columns &columns, const Rows &rows) {
  Value minus = kb.minusInfinity(vec);
  auto type = VectorType::get(plan.lanes, kb.getI1Type());
  Value firstColumn = kb.mul(p, plan.panelKeys);
  for (int64_t c = 0; c < plan.panelKeys; c += plan.lanes) {
    Value below = kb.lanesBelow(plan.lanes, kb.add(columns.end, -c));
    Value before = kb.lanesBelow(plan.lanes, kb.add(columns.begin, -c));
    Value inside =
        kb.land(below, arith::XOrIOp::create(kb, before, kb.integer(type, 1)));
    Value column = kb.add(firstColumn, c);
    kb.loop(rows.begin, rows.end, 1, [&](Value row) {
      Value score = kb.vload(vec, step.scores, {row, column});
      kb.vstore(arith::SelectOp::create(kb, inside, score, minus), step.scores,
                {row, column});
    });
  }
}

/// Whether the pattern or the head's band contains a position.
Value AttentionEmitter::emitContains(KernelBuilder &kb,
                                     const AttentionStep &step, Value query,
                                     Value key) {
  Value inside;
  if (step.pattern)
    inside = step.pattern.emitContains(kb, kb.getLoc(), query, key,
                                       step.queryLength, step.keyLength);
  if (!step.halfWidth)
    return inside;
  Value unlimited = kb.lt(step.halfWidth, kb.index(0));
  Value near = kb.land(kb.le(key, kb.add(query, step.halfWidth)),
                       kb.le(query, kb.add(key, step.halfWidth)));
  Value inBand = kb.lor(unlimited, near);
  return inside ? kb.lor(inside, inBand) : inBand;
}

/// Whether one of the two is known to contain all of the queries with all of
/// the keys.
Value AttentionEmitter::emitCovers(KernelBuilder &kb, const AttentionStep &step,
                                   Value queryBegin, Value queryEnd,
                                   Value keyBegin, Value keyEnd) {
  Value covered;
  if (step.pattern)
    covered =
        step.pattern.emitCovers(kb, kb.getLoc(), queryBegin, queryEnd, keyBegin,
                                keyEnd, step.queryLength, step.keyLength);
  if (!step.halfWidth)
    return covered;
  Value unlimited = kb.lt(step.halfWidth, kb.index(0));
  // The corners farthest from the diagonal decide.
  Value reach = kb.add(step.halfWidth, 1);
  Value near = kb.land(kb.le(queryEnd, kb.add(keyBegin, reach)),
                       kb.le(keyEnd, kb.add(queryBegin, reach)));
  Value inBand = kb.lor(unlimited, near);
  return covered ? kb.lor(covered, inBand) : inBand;
}

bool AttentionEmitter::emitVectorMask(KernelBuilder &kb,
                                      const AttentionStep &step, Value p,
                                      const Columns &columns,
                                      const Rows &rows) {
  PatternShape shape = {op.getQueryLength(), op.getKVLength()};
  if (!columns.firstKey || !VectorPattern::fits(shape))
    return false;
  int64_t limit = llvm::alignTo(shape.kv, plan.panelKeys);
  std::optional<VectorPattern> vectors;
  if (step.pattern)
    vectors.emplace(step.pattern, shape, limit, plan.lanes);
  if (vectors && !vectors->isValid())
    return false;
  Value minus = kb.minusInfinity(vec);
  Value firstColumn = kb.mul(p, plan.panelKeys);
  auto maskAt = [&](Value query, Value key) {
    Value inside;
    if (vectors)
      inside = vectors->emit(kb, query, key, step.queryLength, step.keyLength);
    if (!step.halfWidth)
      return inside;
    Value keys = VectorPattern::emitKeys(kb, key, plan.lanes);
    auto bound = [&](Value index) {
      return VectorPattern::emitBound(kb, index, plan.lanes);
    };
    Value near = kb.land(kb.le(bound(kb.sub(query, step.halfWidth)), keys),
                         kb.le(keys, bound(kb.add(query, step.halfWidth))));
    Value unlimited = kb.splat(cast<VectorType>(near.getType()),
                               kb.lt(step.halfWidth, kb.index(0)));
    Value inBand = kb.lor(unlimited, near);
    return inside ? kb.lor(inside, inBand) : inBand;
  };
  Value begin = kb.mul(kb.div(columns.begin, plan.lanes), plan.lanes);
  kb.loop(begin, columns.end, plan.lanes, [&](Value column) {
    Value key = kb.add(columns.firstKey, column);
    kb.loop(rows.begin, rows.end, 1, [&](Value row) {
      Value inside = maskAt(kb.add(step.queryBegin, row), key);
      SmallVector<Value> at = {row, kb.add(firstColumn, column)};
      Value score = kb.vload(vec, step.scores, at);
      kb.vstore(arith::SelectOp::create(kb, inside, score, minus), step.scores,
                at);
    });
  });
  return true;
}

/// Sets the scores outside the pattern to -inf.
void AttentionEmitter::emitPatternMask(KernelBuilder &kb,
                                       const AttentionStep &step, Value p,
                                       const Columns &columns,
                                       const Rows &rows) {
  if (emitVectorMask(kb, step, p, columns, rows))
    return;
  Value minus = kb.minusInfinity(compute);
  Value firstColumn = kb.mul(p, plan.panelKeys);
  kb.loop(rows.begin, rows.end, 1, [&](Value row) {
    Value query = kb.add(step.queryBegin, row);
    kb.loop(columns.begin, columns.end, 1, [&](Value column) {
      Value key = emitKeyOfColumn(kb, step, columns, p, column);
      Value inside = emitContains(kb, step, query, key);
      SmallVector<Value> at = {row, kb.add(firstColumn, column)};
      Value score = kb.load(step.scores, at);
      kb.store(kb.select(inside, score, minus), step.scores, at);
    });
  });
}

void AttentionEmitter::emitMask(KernelBuilder &kb, const AttentionStep &step,
                                Value panels) {
  if (trims(step))
    return emitTrimmedMask(kb, step, panels);
  Rows rows = {kb.index(0), step.numRows};
  kb.loop(kb.index(0), panels, 1, [&](Value p) {
    Columns columns = emitColumns(kb, step, p);
    Value ranged = kb.lor(kb.lt(kb.index(0), columns.begin),
                          kb.lt(columns.end, kb.index(plan.panelKeys)));
    kb.ifThen(ranged, [&] { emitRangeMask(kb, step, p, columns, rows); });
    if (step.pattern || step.halfWidth)
      emitPatternMask(kb, step, p, columns, rows);
  });
}

/// Masks what register tiles look at only in part.
void AttentionEmitter::emitTrimmedMask(KernelBuilder &kb,
                                       const AttentionStep &step,
                                       Value panels) {
  kb.loop(kb.index(0), step.numRows, plan.tileRows, [&](Value row) {
    Rows rows = {row, kb.min(kb.add(row, plan.tileRows), step.numRows)};
    auto [firstPanel, endPanel] = emitTilePanels(kb, step, row, panels);
    kb.loop(firstPanel, endPanel, 1, [&](Value p) {
      Columns columns = emitTileColumns(kb, step, row, p);
      columns.firstKey = emitColumns(kb, step, p).firstKey;
      Value cut = kb.lor(kb.lt(kb.index(0), columns.begin),
                         kb.lt(columns.end, kb.index(plan.panelKeys)));
      kb.ifThen(cut, [&] { emitRangeMask(kb, step, p, columns, rows); });
      Value covered = emitCovers(kb, step, kb.add(step.queryBegin, rows.begin),
                                 kb.add(step.queryBegin, rows.end),
                                 kb.add(columns.firstKey, columns.begin),
                                 kb.add(columns.firstKey, columns.end));
      Value active = kb.lt(columns.begin, columns.end);
      Value open = arith::XOrIOp::create(kb, covered, kb.bit(true));
      kb.ifThen(kb.land(active, open),
                [&] { emitPatternMask(kb, step, p, columns, rows); });
    });
  });
}
