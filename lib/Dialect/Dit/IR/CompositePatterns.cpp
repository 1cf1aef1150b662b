//===- CompositePatterns.cpp - Patterns made of patterns ------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

static LogicalResult verifyAll(ArrayRef<PatternAttrInterface> patterns,
                               function_ref<InFlightDiagnostic()> emitError,
                               PatternShape shape) {
  for (PatternAttrInterface pattern : patterns)
    if (failed(pattern.verifyShape(emitError, shape)))
      return failure();
  return success();
}

static LogicalResult
verifyOperands(function_ref<InFlightDiagnostic()> emitError,
               ArrayRef<PatternAttrInterface> patterns) {
  if (patterns.empty())
    return emitError() << "expected at least one pattern";
  return success();
}

/// What `emit` gives for each of the patterns, joined by `JoinOp`.
template <typename JoinOp>
static Value emitJoined(OpBuilder &builder, Location loc,
                        ArrayRef<PatternAttrInterface> patterns,
                        function_ref<Value(PatternAttrInterface)> emit) {
  Value result;
  for (PatternAttrInterface pattern : patterns) {
    Value value = emit(pattern);
    result = result ? JoinOp::create(builder, loc, result, value) : value;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// AndAttr and OrAttr
//===----------------------------------------------------------------------===//

LogicalResult AndAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              ArrayRef<PatternAttrInterface> patterns) {
  // and_c1
  return verifyOperands(emitError, patterns);
}

LogicalResult AndAttr::verifyShape(function_ref<InFlightDiagnostic()> emitError,
                                   PatternShape shape) const {
  return verifyAll(getPatterns(), emitError, shape);
}

bool AndAttr::contains(int64_t q, int64_t kv, PatternShape shape) const {
  return llvm::all_of(getPatterns(), [&](PatternAttrInterface pattern) {
    return pattern.contains(q, kv, shape);
  });
}

Value AndAttr::emitContains(OpBuilder &builder, Location loc, Value q, Value kv,
                            Value qLen, Value kvLen) const {
  return emitJoined<arith::AndIOp>(
      builder, loc, getPatterns(), [&](PatternAttrInterface pattern) {
        return pattern.emitContains(builder, loc, q, kv, qLen, kvLen);
      });
}

void AndAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  SmallVector<KeyInterval> common = {{0, shape.kv}};
  for (PatternAttrInterface pattern : getPatterns()) {
    SmallVector<KeyInterval> row, both;
    pattern.appendKeyIntervals(q, shape, row);
    for (KeyInterval lhs : common)
      for (KeyInterval rhs : row)
        both.push_back(
            {std::max(lhs.begin, rhs.begin), std::min(lhs.end, rhs.end)});
    normalizeIntervals(both);
    common = std::move(both);
  }
  llvm::append_range(intervals, common);
}

void AndAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value q0,
                            Value q1, Value qLen, Value kvLen,
                            KeyRangeBody body) const {
  // The ranges of any one pattern cover the intersection.
  getPatterns().front().emitKeyRanges(builder, loc, q0, q1, qLen, kvLen, body);
}

Value AndAttr::emitCovers(OpBuilder &builder, Location loc, Value q0, Value q1,
                          Value kv0, Value kv1, Value qLen, Value kvLen) const {
  return emitJoined<arith::AndIOp>(
      builder, loc, getPatterns(), [&](PatternAttrInterface pattern) {
        return pattern.emitCovers(builder, loc, q0, q1, kv0, kv1, qLen, kvLen);
      });
}

LogicalResult OrAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                             ArrayRef<PatternAttrInterface> patterns) {
  // or_c1
  return verifyOperands(emitError, patterns);
}

LogicalResult OrAttr::verifyShape(function_ref<InFlightDiagnostic()> emitError,
                                  PatternShape shape) const {
  return verifyAll(getPatterns(), emitError, shape);
}

bool OrAttr::contains(int64_t q, int64_t kv, PatternShape shape) const {
  return llvm::any_of(getPatterns(), [&](PatternAttrInterface pattern) {
    return pattern.contains(q, kv, shape);
  });
}

Value OrAttr::emitContains(OpBuilder &builder, Location loc, Value q, Value kv,
                           Value qLen, Value kvLen) const {
  return emitJoined<arith::OrIOp>(
      builder, loc, getPatterns(), [&](PatternAttrInterface pattern) {
        return pattern.emitContains(builder, loc, q, kv, qLen, kvLen);
      });
}

void OrAttr::appendKeyIntervals(int64_t q, PatternShape shape,
                                SmallVectorImpl<KeyInterval> &intervals) const {
  for (PatternAttrInterface pattern : getPatterns())
    pattern.appendKeyIntervals(q, shape, intervals);
  normalizeIntervals(intervals);
}

Value OrAttr::emitCovers(OpBuilder &builder, Location loc, Value q0, Value q1,
                         Value kv0, Value kv1, Value qLen, Value kvLen) const {
  // One of the patterns alone has to cover the tile.
  return emitJoined<arith::OrIOp>(
      builder, loc, getPatterns(), [&](PatternAttrInterface pattern) {
        return pattern.emitCovers(builder, loc, q0, q1, kv0, kv1, qLen, kvLen);
      });
}

//===----------------------------------------------------------------------===//
// TiledAttr
//===----------------------------------------------------------------------===//

LogicalResult TiledAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                PatternAttrInterface, int64_t q, int64_t kv) {
  // tiled_c1
  if (!inRange(q, 1) || !inRange(kv, 1))
    return emitError() << "expected tile extents between 1 and " << kMaxDistance
                       << ", got " << q << " x " << kv;
  return success();
}

LogicalResult
TiledAttr::verifyShape(function_ref<InFlightDiagnostic()> emitError,
                       PatternShape shape) const {
  return getPattern().verifyShape(emitError, shape);
}

bool TiledAttr::contains(int64_t q, int64_t kv, PatternShape shape) const {
  int64_t q0 = q / getQ() * getQ(), kv0 = kv / getKv() * getKv();
  return getPattern().classifyTile(q0, std::min(q0 + getQ(), shape.q), kv0,
                                   std::min(kv0 + getKv(), shape.kv),
                                   shape) != TileClass::Empty;
}

Value TiledAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                              Value kv, Value qLen, Value kvLen) const {
  IndexEmitter e(builder, loc);
  Value q0 = e.mul(e.div(q, getQ()), getQ());
  Value kv0 = e.mul(e.div(kv, getKv()), getKv());
  return getPattern().emitIntersects(
      builder, loc, q0, e.min(e.add(q0, getQ()), qLen), kv0,
      e.min(e.add(kv0, getKv()), kvLen), qLen, kvLen);
}

void TiledAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  SmallVector<KeyInterval> rows;
  int64_t q0 = q / getQ() * getQ();
  for (int64_t row = q0; row < std::min(q0 + getQ(), shape.q); ++row)
    getPattern().appendKeyIntervals(row, shape, rows);
  normalizeIntervals(rows);
  for (KeyInterval interval : rows)
    intervals.push_back(
        {interval.begin / getKv() * getKv(),
         std::min((interval.end + getKv() - 1) / getKv() * getKv(), shape.kv)});
  normalizeIntervals(intervals);
}

Value TiledAttr::emitCovers(OpBuilder &builder, Location loc, Value q0,
                            Value q1, Value kv0, Value kv1, Value qLen,
                            Value kvLen) const {
  // Rounding out only adds positions.
  return getPattern().emitCovers(builder, loc, q0, q1, kv0, kv1, qLen, kvLen);
}

/// Memory for an index, at the top of the function if there is one: `b` may be
/// inside of a loop, where the stack would grow.
static Value createIndexOnStack(ImplicitLocOpBuilder &b) {
  OpBuilder::InsertionGuard guard(b);
  Operation *parent = b.getInsertionBlock()->getParentOp();
  auto function = dyn_cast_or_null<FunctionOpInterface>(parent);
  if (parent && !function)
    function = parent->getParentOfType<FunctionOpInterface>();
  if (function)
    b.setInsertionPointToStart(&function.getFunctionBody().front());
  return memref::AllocaOp::create(b, MemRefType::get({}, b.getIndexType()));
}

void TiledAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value q0,
                              Value q1, Value qLen, Value kvLen,
                              KeyRangeBody body) const {
  IndexEmitter e(builder, loc);
  Value rowBegin = e.mul(e.div(q0, getQ()), getQ());
  Value rowEnd =
      e.min(e.mul(e.div(e.add(q1, getQ() - 1), getQ()), getQ()), qLen);
  // Rounding can make consecutive ranges meet, so each starts where the one
  // before ended; the end is kept in memory because the inner pattern may
  // emit loops.
  Value reached = createIndexOnStack(e.b);
  memref::StoreOp::create(e.b, e.constant(0), reached);
  getPattern().emitKeyRanges(
      builder, loc, rowBegin, rowEnd, qLen, kvLen,
      [&](OpBuilder &inner, Location, Value begin, Value end) {
        IndexEmitter f(inner, loc);
        Value previous = memref::LoadOp::create(f.b, reached);
        // An empty range stays empty under rounding.
        Value low = f.max(f.mul(f.div(begin, getKv()), getKv()), previous);
        Value rounded = f.min(
            f.mul(f.div(f.add(end, getKv() - 1), getKv()), getKv()), kvLen);
        Value high = f.select(f.lt(begin, end), rounded, low);
        memref::StoreOp::create(f.b, f.max(high, previous), reached);
        body(inner, loc, low, high);
      });
}
