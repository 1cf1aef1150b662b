//===- AttentionTrim.cpp - What register tiles look at --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The queue of a block holds every panel that any of its queries looks at. At
// the edges of a window most of such a panel is of no use to most rows. So each
// register tile of rows asks the pattern again, for its few queries, and keeps
// the columns of each queued panel that any of them looks at: products, masks
// and softmax leave out the rest.
//
//===----------------------------------------------------------------------===//

#include "AttentionEmitter.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

void AttentionEmitter::emitTrim(KernelBuilder &kb, const AttentionStep &step,
                                Value panels) {
  if (!trims(step))
    return;
  Value zero = kb.index(0), one = kb.index(1);
  Value width = kb.index(plan.panelKeys);
  Value queryEnd = kb.add(step.queryBegin, step.numRows);
  Value tiles = kb.ceilDiv(step.numRows, plan.tileRows);
  kb.loop(zero, tiles, 1, [&](Value tile) {
    kb.store(panels, step.tilePanels, {tile, zero});
    kb.store(zero, step.tilePanels, {tile, one});
    kb.loop(zero, panels, 1, [&](Value p) {
      kb.store(width, step.tileColumns, {tile, p, zero});
      kb.store(zero, step.tileColumns, {tile, p, one});
    });
    // Widens the columns of each panel by the keys `[begin, end)`.
    auto addRange = [&](OpBuilder &builder, Location, Value begin, Value end) {
      KernelBuilder inner(kb.getLoc(), builder);
      inner.loop(inner.index(0), panels, 1, [&](Value p) {
        Columns queued = emitColumns(inner, step, p);
        Value first =
            inner.max(inner.sub(begin, queued.firstKey), queued.begin);
        Value last = inner.min(inner.sub(end, queued.firstKey), queued.end);
        inner.ifThen(inner.lt(first, last), [&] {
          auto widen = [&](Value memory, ValueRange at, Value low, Value high) {
            SmallVector<Value> lowAt(at), highAt(at);
            lowAt.push_back(zero);
            highAt.push_back(one);
            low = inner.min(inner.load(memory, lowAt), low);
            inner.store(low, memory, lowAt);
            high = inner.max(inner.load(memory, highAt), high);
            inner.store(high, memory, highAt);
          };
          widen(step.tileColumns, {tile, p}, first, last);
          widen(step.tilePanels, tile, p, inner.add(p, 1));
        });
      });
    };
    Value begin = kb.add(step.queryBegin, kb.mul(tile, plan.tileRows));
    Value end = kb.min(kb.add(begin, plan.tileRows), queryEnd);
    if (step.halfWidth) {
      auto [bandBegin, bandEnd] = emitBandRange(kb, step, begin, end);
      addRange(kb, kb.getLoc(), bandBegin, bandEnd);
    }
    if (step.pattern)
      step.pattern.emitKeyRanges(kb, kb.getLoc(), begin, end, step.queryLength,
                                 step.keyLength, addRange);
  });
}

AttentionEmitter::Columns
AttentionEmitter::emitTileColumns(KernelBuilder &kb, const AttentionStep &step,
                                  Value row, Value p) {
  Value tile = kb.div(row, plan.tileRows);
  return {kb.load(step.tileColumns, {tile, p, kb.index(0)}),
          kb.load(step.tileColumns, {tile, p, kb.index(1)}), Value()};
}

std::pair<Value, Value>
AttentionEmitter::emitTilePanels(KernelBuilder &kb, const AttentionStep &step,
                                 Value row, Value panels) {
  if (!step.tilePanels)
    return {kb.index(0), panels};
  Value tile = kb.div(row, plan.tileRows);
  return {kb.load(step.tilePanels, {tile, kb.index(0)}),
          kb.load(step.tilePanels, {tile, kb.index(1)})};
}
