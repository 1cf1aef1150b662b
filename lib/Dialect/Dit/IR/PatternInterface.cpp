//===- PatternInterface.cpp - Defaults of the pattern interface -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

TileClass mlir::dit::detail::classifyTileByRows(PatternAttrInterface pattern,
                                                int64_t q0, int64_t q1,
                                                int64_t kv0, int64_t kv1,
                                                PatternShape shape) {
  bool any = false, all = true;
  SmallVector<KeyInterval> intervals;
  for (int64_t q = q0; q < q1 && !(any && !all); ++q) {
    intervals.clear();
    pattern.appendKeyIntervals(q, shape, intervals);
    int64_t covered = 0;
    for (KeyInterval interval : intervals)
      covered += std::max<int64_t>(
          std::min(interval.end, kv1) - std::max(interval.begin, kv0), 0);
    any |= covered > 0;
    all &= covered == kv1 - kv0;
  }
  return all ? TileClass::Full : any ? TileClass::Partial : TileClass::Empty;
}

Value mlir::dit::detail::emitIntersectsBySearch(PatternAttrInterface pattern,
                                                OpBuilder &builder,
                                                Location loc, Value q0,
                                                Value q1, Value kv0, Value kv1,
                                                Value qLen, Value kvLen) {
  IndexEmitter e(builder, loc);
  Value one = e.constant(1);
  auto rows = scf::ForOp::create(
      e.b, q0, q1, one, e.bit(false),
      [&](OpBuilder &outer, Location, Value q, ValueRange rowAny) {
        auto columns = scf::ForOp::create(
            outer, loc, kv0, kv1, one, rowAny,
            [&](OpBuilder &inner, Location, Value kv, ValueRange any) {
              Value inside =
                  pattern.emitContains(inner, loc, q, kv, qLen, kvLen);
              Value result = arith::OrIOp::create(inner, loc, any[0], inside);
              scf::YieldOp::create(inner, loc, result);
            });
        scf::YieldOp::create(outer, loc, columns.getResults());
      });
  return rows.getResult(0);
}

Value mlir::dit::detail::emitNeverCovers(OpBuilder &builder, Location loc) {
  return arith::ConstantIntOp::create(builder, loc, 0, /*width=*/1);
}

void mlir::dit::detail::emitAllKeys(OpBuilder &builder, Location loc,
                                    Value kvLen, KeyRangeBody body) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  body(builder, loc, zero, kvLen);
}

void mlir::dit::normalizeIntervals(SmallVectorImpl<KeyInterval> &intervals) {
  llvm::erase_if(intervals, [](KeyInterval i) { return i.end <= i.begin; });
  llvm::sort(intervals, [](KeyInterval lhs, KeyInterval rhs) {
    return lhs.begin < rhs.begin;
  });
  size_t last = 0;
  for (size_t i = 1; i < intervals.size(); ++i) {
    if (intervals[i].begin <= intervals[last].end)
      intervals[last].end = std::max(intervals[last].end, intervals[i].end);
    else
      intervals[++last] = intervals[i];
  }
  if (!intervals.empty())
    intervals.truncate(last + 1);
}
