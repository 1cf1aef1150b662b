//===- GridPatterns.cpp - Patterns in space and time ----------------------===//
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

namespace {

/// Place of a video token in its grid.
struct GridPoint {
  int64_t frame, y, x;

  GridPoint(GridAttr grid, int64_t token) {
    int64_t video = token - grid.getVideoBegin();
    frame = video / (grid.getHeight() * grid.getWidth());
    y = video / grid.getWidth() % grid.getHeight();
    x = video % grid.getWidth();
  }
};

struct GridPointValue {
  Value frame, y, x;

  GridPointValue(IndexEmitter &e, GridAttr grid, Value token) {
    Value video = e.add(token, -grid.getVideoBegin());
    frame = e.div(video, grid.getHeight() * grid.getWidth());
    y = e.rem(e.div(video, grid.getWidth()), grid.getHeight());
    x = e.rem(video, grid.getWidth());
  }
};

} // namespace

static TextSplit getTextSplit(GridAttr grid) {
  return {grid.getText(), grid.getTextFirst()};
}

static LogicalResult
verifyGridShape(function_ref<InFlightDiagnostic()> emitError, GridAttr grid,
                PatternShape shape) {
  for (auto [length, what] :
       {std::pair(shape.q, "queries"), std::pair(shape.kv, "keys")})
    if (!ShapedType::isDynamic(length) && length != grid.getNumTokens())
      return emitError() << "grid of the pattern has " << grid.getNumTokens()
                         << " tokens, got " << length << " " << what;
  return success();
}

//===----------------------------------------------------------------------===//
// GridWindowAttr
//===----------------------------------------------------------------------===//

LogicalResult
GridWindowAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                       GridAttr grid, int64_t frames, int64_t height,
                       int64_t width) {
  // grid_window_c1
  if (!inRange(frames, -1) || !inRange(height, -1) || !inRange(width, -1))
    return emitError() << "expected half-widths between 0 and " << kMaxDistance
                       << ", or -1 for unlimited, got " << frames << " x "
                       << height << " x " << width;
  return success();
}

LogicalResult
GridWindowAttr::verifyShape(function_ref<InFlightDiagnostic()> emitError,
                            PatternShape shape) const {
  // grid_window_c2
  return verifyGridShape(emitError, getGrid(), shape);
}

bool GridWindowAttr::contains(int64_t q, int64_t kv, PatternShape shape) const {
  TextSplit split = getTextSplit(getGrid());
  if (split.isText(q, shape.q) || split.isText(kv, shape.kv))
    return true;
  GridPoint a(getGrid(), q), b(getGrid(), kv);
  return within(a.frame, b.frame, getFrames()) &&
         within(a.y, b.y, getHeight()) && within(a.x, b.x, getWidth());
}

Value GridWindowAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                                   Value kv, Value qLen, Value kvLen) const {
  IndexEmitter e(builder, loc);
  TextSplit split = getTextSplit(getGrid());
  GridPointValue a(e, getGrid(), q), b(e, getGrid(), kv);
  Value near = e.land(
      e.within(a.frame, b.frame, getFrames()),
      e.land(e.within(a.y, b.y, getHeight()), e.within(a.x, b.x, getWidth())));
  return split.emitOrText(e, near, q, kv, qLen, kvLen);
}

void GridWindowAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  GridAttr grid = getGrid();
  TextSplit split = getTextSplit(grid);
  if (split.isText(q, shape.q)) {
    intervals.push_back({0, shape.kv});
    return normalizeIntervals(intervals);
  }
  GridPoint point(grid, q);
  KeyInterval frames = clampedRange(point.frame, getFrames(), grid.getFrames());
  KeyInterval rows = clampedRange(point.y, getHeight(), grid.getHeight());
  KeyInterval columns = clampedRange(point.x, getWidth(), grid.getWidth());
  for (int64_t f = frames.begin; f < frames.end; ++f)
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      int64_t row =
          grid.getVideoBegin() + (f * grid.getHeight() + y) * grid.getWidth();
      intervals.push_back({row + columns.begin, row + columns.end});
    }
  intervals.push_back(split.textKeys(shape.kv));
  normalizeIntervals(intervals);
}

void GridWindowAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value q0,
                                   Value q1, Value qLen, Value kvLen,
                                   KeyRangeBody body) const {
  IndexEmitter e(builder, loc);
  GridAttr grid = getGrid();
  TextSplit split = getTextSplit(grid);
  int64_t frameTokens = grid.getHeight() * grid.getWidth();
  Value zero = e.constant(0), one = e.constant(1);
  Value lastVideo = e.constant(grid.getNumVideoTokens() - 1);
  auto videoIndex = [&](Value token) {
    return e.clamp(e.add(token, -grid.getVideoBegin()), zero, lastVideo);
  };
  Value first = videoIndex(q0), last = videoIndex(e.add(q1, -1));
  Value firstFrame = e.div(first, frameTokens);
  Value lastFrame = e.div(last, frameTokens);
  Value frameBegin, frameEnd, rowBegin, rowEnd;
  std::tie(frameBegin, frameEnd) =
      emitClampedRange(e, firstFrame, lastFrame, getFrames(), grid.getFrames());
  std::tie(rowBegin, rowEnd) = emitClampedRange(
      e, e.rem(e.div(first, grid.getWidth()), grid.getHeight()),
      e.rem(e.div(last, grid.getWidth()), grid.getHeight()), getHeight(),
      grid.getHeight());
  // Queries of several frames, or of text, look at all rows; queries of text
  // at all frames.
  Value anyText = split.emitAnyText(e, q0, q1, qLen);
  Value allRows = e.lor(anyText, e.lt(firstFrame, lastFrame));
  rowBegin = e.select(allRows, zero, rowBegin);
  rowEnd = e.select(allRows, e.constant(grid.getHeight()), rowEnd);
  frameBegin = e.select(anyText, zero, frameBegin);
  frameEnd = e.select(anyText, e.constant(grid.getFrames()), frameEnd);
  Value rowOffset = e.mul(rowBegin, grid.getWidth());
  Value rowLimit = e.mul(rowEnd, grid.getWidth());
  split.emitInOrder(e, kvLen, body, [&] {
    scf::ForOp::create(
        e.b, frameBegin, frameEnd, one, ValueRange(),
        [&](OpBuilder &inner, Location, Value frame, ValueRange) {
          IndexEmitter f(inner, loc);
          Value base = f.add(f.mul(frame, frameTokens), grid.getVideoBegin());
          body(f.b, loc, f.add(base, rowOffset), f.add(base, rowLimit));
          scf::YieldOp::create(f.b);
        });
  });
}

//===----------------------------------------------------------------------===//
// FrameCausalAttr
//===----------------------------------------------------------------------===//

LogicalResult
FrameCausalAttr::verifyShape(function_ref<InFlightDiagnostic()> emitError,
                             PatternShape shape) const {
  // frame_causal_c1
  return verifyGridShape(emitError, getGrid(), shape);
}

bool FrameCausalAttr::contains(int64_t q, int64_t kv,
                               PatternShape shape) const {
  TextSplit split = getTextSplit(getGrid());
  return split.isText(q, shape.q) || split.isText(kv, shape.kv) ||
         GridPoint(getGrid(), kv).frame <= GridPoint(getGrid(), q).frame;
}

Value FrameCausalAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                                    Value kv, Value qLen, Value kvLen) const {
  IndexEmitter e(builder, loc);
  TextSplit split = getTextSplit(getGrid());
  Value past = e.le(GridPointValue(e, getGrid(), kv).frame,
                    GridPointValue(e, getGrid(), q).frame);
  return split.emitOrText(e, past, q, kv, qLen, kvLen);
}

void FrameCausalAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  GridAttr grid = getGrid();
  TextSplit split = getTextSplit(grid);
  if (split.isText(q, shape.q)) {
    intervals.push_back({0, shape.kv});
  } else {
    int64_t frames = GridPoint(grid, q).frame + 1;
    int64_t begin = grid.getVideoBegin();
    intervals.push_back(
        {begin, begin + frames * grid.getHeight() * grid.getWidth()});
    intervals.push_back(split.textKeys(shape.kv));
  }
  normalizeIntervals(intervals);
}

Value FrameCausalAttr::emitCovers(OpBuilder &builder, Location loc, Value q0,
                                  Value, Value, Value kv1, Value, Value) const {
  IndexEmitter e(builder, loc);
  // The first query's frame and the last key's decide. Text before the video
  // counts as its first frame here, which is no stricter than it is; text after
  // it counts as later frames, which is.
  GridAttr grid = getGrid();
  int64_t frameTokens = grid.getHeight() * grid.getWidth();
  auto frame = [&](Value token) {
    Value video = e.max(e.add(token, -grid.getVideoBegin()), e.constant(0));
    return e.div(video, frameTokens);
  };
  return e.le(frame(e.add(kv1, -1)), frame(q0));
}

void FrameCausalAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value q0,
                                    Value q1, Value qLen, Value kvLen,
                                    KeyRangeBody body) const {
  IndexEmitter e(builder, loc);
  GridAttr grid = getGrid();
  TextSplit split = getTextSplit(grid);
  int64_t frameTokens = grid.getHeight() * grid.getWidth();
  auto [videoBegin, videoEnd] = split.emitVideoKeys(e, kvLen);
  Value last = e.clamp(e.add(q1, -1 - grid.getVideoBegin()), e.constant(0),
                       e.constant(grid.getNumVideoTokens() - 1));
  Value past = e.add(e.mul(e.add(e.div(last, frameTokens), 1), frameTokens),
                     grid.getVideoBegin());
  Value end = e.select(split.emitAnyText(e, q0, q1, qLen), videoEnd,
                       e.min(past, videoEnd));
  Value begin = videoBegin;
  split.emitInOrder(e, kvLen, body, [&] { body(builder, loc, begin, end); });
}
