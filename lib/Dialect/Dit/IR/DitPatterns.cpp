//===- DitPatterns.cpp - Patterns -----------------------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each pattern states `contains` twice, on integers and as IR, and its key
// intervals; a unit test holds the three together.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::dit;

namespace {

/// Shorthands for the index arithmetic that patterns emit.
class IndexEmitter {
public:
  IndexEmitter(OpBuilder &builder, Location loc) : b(loc, builder) {}

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value add(Value lhs, Value rhs) { return arith::AddIOp::create(b, lhs, rhs); }
  Value add(Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : add(lhs, constant(rhs));
  }
  Value sub(Value lhs, Value rhs) { return arith::SubIOp::create(b, lhs, rhs); }
  Value mul(Value lhs, int64_t rhs) {
    return arith::MulIOp::create(b, lhs, constant(rhs));
  }
  Value div(Value lhs, int64_t rhs) {
    return arith::DivUIOp::create(b, lhs, constant(rhs));
  }
  Value rem(Value lhs, int64_t rhs) {
    return arith::RemUIOp::create(b, lhs, constant(rhs));
  }
  Value min(Value lhs, Value rhs) {
    return arith::MinSIOp::create(b, lhs, rhs);
  }
  Value max(Value lhs, Value rhs) {
    return arith::MaxSIOp::create(b, lhs, rhs);
  }
  Value clamp(Value value, Value low, Value high) {
    return min(max(value, low), high);
  }
  Value le(Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, lhs, rhs);
  }
  Value lt(Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, lhs, rhs);
  }
  Value eq(Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lhs, rhs);
  }
  Value land(Value lhs, Value rhs) {
    return arith::AndIOp::create(b, lhs, rhs);
  }
  Value lor(Value lhs, Value rhs) { return arith::OrIOp::create(b, lhs, rhs); }
  Value bit(bool value) {
    return arith::ConstantIntOp::create(b, value, /*width=*/1);
  }
  Value select(Value condition, Value lhs, Value rhs) {
    return arith::SelectOp::create(b, condition, lhs, rhs);
  }
  /// |lhs - rhs| <= distance, or true for an unlimited distance of -1.
  Value within(Value lhs, Value rhs, int64_t distance) {
    if (distance < 0)
      return bit(true);
    return land(le(lhs, add(rhs, distance)), le(rhs, add(lhs, distance)));
  }

  ImplicitLocOpBuilder b;
};

/// |lhs - rhs| <= distance, or true for an unlimited distance of -1.
bool within(int64_t lhs, int64_t rhs, int64_t distance) {
  return distance < 0 || std::abs(lhs - rhs) <= distance;
}

/// Text and video tokens of a sequence whose text is first or last. `text` is
/// the number of text tokens and `length` that of all.
struct TextSplit {
  int64_t text;
  bool first;

  bool isText(int64_t token, int64_t length) const {
    return first ? token < text : token >= length - text;
  }
  KeyInterval textKeys(int64_t length) const {
    return first ? KeyInterval{0, text} : KeyInterval{length - text, length};
  }
  KeyInterval videoKeys(int64_t length) const {
    return first ? KeyInterval{text, length} : KeyInterval{0, length - text};
  }

  Value emitIsText(IndexEmitter &e, Value token, Value length) const {
    if (text == 0)
      return e.bit(false);
    if (first)
      return e.lt(token, e.constant(text));
    return e.le(e.add(length, -text), token);
  }
  /// First and end of the video keys.
  std::pair<Value, Value> emitVideoKeys(IndexEmitter &e, Value length) const {
    if (first)
      return {e.constant(text), length};
    return {e.constant(0), e.add(length, -text)};
  }
  /// Whether any query of `[q0, q1)` is text.
  Value emitAnyText(IndexEmitter &e, Value q0, Value q1, Value qLen) const {
    return emitIsText(e, first ? q0 : e.add(q1, -1), qLen);
  }
  /// Whether all of the tokens `[begin, end)` are text.
  Value emitAllText(IndexEmitter &e, Value begin, Value end,
                    Value length) const {
    return emitIsText(e, first ? e.add(end, -1) : begin, length);
  }
  /// Calls `body` for the text keys and `video` for the rest, in order.
  void emitInOrder(IndexEmitter &e, Value kvLen, KeyRangeBody body,
                   function_ref<void()> video) const {
    if (first && text)
      body(e.b, e.b.getLoc(), e.constant(0), e.constant(text));
    video();
    if (!first && text)
      body(e.b, e.b.getLoc(), e.add(kvLen, -text), kvLen);
  }
};

TextSplit getTextSplit(GridAttr grid) {
  return {grid.getText(), grid.getTextFirst()};
}

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

/// Low and high end of `[center - distance, center + distance]` in
/// `[0, extent)`, as a half-open interval; all of it for a distance of -1.
KeyInterval clampedRange(int64_t center, int64_t distance, int64_t extent) {
  if (distance < 0)
    return {0, extent};
  return {std::max<int64_t>(center - distance, 0),
          std::min(center + distance + 1, extent)};
}

/// The same for all centers of `[low, high]`, as IR.
std::pair<Value, Value> emitClampedRange(IndexEmitter &e, Value low, Value high,
                                         int64_t distance, int64_t extent) {
  Value zero = e.constant(0), end = e.constant(extent);
  if (distance < 0)
    return {zero, end};
  return {e.clamp(e.add(low, -distance), zero, end),
          e.clamp(e.add(high, distance + 1), zero, end)};
}

/// Widths, offsets and tiles up to here keep all index arithmetic inside 64
/// bits; no sequence is nearly as long.
constexpr int64_t kMaxDistance = int64_t(1) << 40;

/// Whether `value` lies in `[low, kMaxDistance]`.
bool inRange(int64_t value, int64_t low) {
  return value >= low && value <= kMaxDistance;
}

LogicalResult verifyGridShape(function_ref<InFlightDiagnostic()> emitError,
                              GridAttr grid, PatternShape shape) {
  for (auto [length, what] :
       {std::pair(shape.q, "queries"), std::pair(shape.kv, "keys")})
    if (!ShapedType::isDynamic(length) && length != grid.getNumTokens())
      return emitError() << "grid of the pattern has " << grid.getNumTokens()
                         << " tokens, got " << length << " " << what;
  return success();
}

LogicalResult verifyAll(ArrayRef<PatternAttrInterface> patterns,
                        function_ref<InFlightDiagnostic()> emitError,
                        PatternShape shape) {
  for (PatternAttrInterface pattern : patterns)
    if (failed(pattern.verifyShape(emitError, shape)))
      return failure();
  return success();
}

LogicalResult verifyOperands(function_ref<InFlightDiagnostic()> emitError,
                             ArrayRef<PatternAttrInterface> patterns) {
  if (patterns.empty())
    return emitError() << "expected at least one pattern";
  return success();
}

} // namespace

//===----------------------------------------------------------------------===//
// Defaults and helpers
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// CausalAttr
//===----------------------------------------------------------------------===//

LogicalResult CausalAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t offset) {
  // causal_c1
  if (!inRange(offset, -kMaxDistance))
    return emitError() << "expected an offset between " << -kMaxDistance
                       << " and " << kMaxDistance << ", got " << offset;
  return success();
}

bool CausalAttr::contains(int64_t q, int64_t kv, PatternShape) const {
  return kv <= q + getOffset();
}

Value CausalAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                               Value kv, Value, Value) const {
  IndexEmitter e(builder, loc);
  return e.le(kv, e.add(q, getOffset()));
}

void CausalAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  intervals.push_back(
      {0, std::clamp<int64_t>(q + getOffset() + 1, 0, shape.kv)});
  normalizeIntervals(intervals);
}

TileClass CausalAttr::classifyTile(int64_t q0, int64_t q1, int64_t kv0,
                                   int64_t kv1, PatternShape) const {
  if (kv1 - 1 <= q0 + getOffset())
    return TileClass::Full;
  return kv0 <= q1 - 1 + getOffset() ? TileClass::Partial : TileClass::Empty;
}

Value CausalAttr::emitIntersects(OpBuilder &builder, Location loc, Value,
                                 Value q1, Value kv0, Value, Value,
                                 Value) const {
  IndexEmitter e(builder, loc);
  return e.le(kv0, e.add(q1, getOffset() - 1));
}

Value CausalAttr::emitCovers(OpBuilder &builder, Location loc, Value q0, Value,
                             Value, Value kv1, Value, Value) const {
  IndexEmitter e(builder, loc);
  return e.le(kv1, e.add(q0, getOffset() + 1));
}

void CausalAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value,
                               Value q1, Value, Value kvLen,
                               KeyRangeBody body) const {
  IndexEmitter e(builder, loc);
  Value zero = e.constant(0);
  body(builder, loc, zero, e.clamp(e.add(q1, getOffset()), zero, kvLen));
}

//===----------------------------------------------------------------------===//
// WindowAttr
//===----------------------------------------------------------------------===//

LogicalResult WindowAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t left, int64_t right) {
  // window_c1
  if (!inRange(left, -1) || !inRange(right, -1))
    return emitError() << "expected widths between 0 and " << kMaxDistance
                       << ", or -1 for unlimited, got left = " << left
                       << ", right = " << right;
  return success();
}

bool WindowAttr::contains(int64_t q, int64_t kv, PatternShape) const {
  return (getLeft() < 0 || kv >= q - getLeft()) &&
         (getRight() < 0 || kv <= q + getRight());
}

Value WindowAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                               Value kv, Value, Value) const {
  IndexEmitter e(builder, loc);
  Value left = getLeft() < 0 ? e.bit(true) : e.le(q, e.add(kv, getLeft()));
  if (getRight() < 0)
    return left;
  return e.land(left, e.le(kv, e.add(q, getRight())));
}

void WindowAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  int64_t begin = getLeft() < 0 ? 0 : std::max<int64_t>(q - getLeft(), 0);
  int64_t end =
      getRight() < 0 ? shape.kv : std::min(q + getRight() + 1, shape.kv);
  intervals.push_back({begin, end});
  normalizeIntervals(intervals);
}

TileClass WindowAttr::classifyTile(int64_t q0, int64_t q1, int64_t kv0,
                                   int64_t kv1, PatternShape shape) const {
  // The corners farthest from the diagonal decide for all, the nearest for any.
  if (contains(q1 - 1, kv0, shape) && contains(q0, kv1 - 1, shape))
    return TileClass::Full;
  bool any = (getLeft() < 0 || kv1 - 1 >= q0 - getLeft()) &&
             (getRight() < 0 || kv0 <= q1 - 1 + getRight());
  return any ? TileClass::Partial : TileClass::Empty;
}

Value WindowAttr::emitIntersects(OpBuilder &builder, Location loc, Value q0,
                                 Value q1, Value kv0, Value kv1, Value,
                                 Value) const {
  IndexEmitter e(builder, loc);
  Value left = getLeft() < 0 ? e.bit(true) : e.lt(q0, e.add(kv1, getLeft()));
  if (getRight() < 0)
    return left;
  return e.land(left, e.lt(kv0, e.add(q1, getRight())));
}

Value WindowAttr::emitCovers(OpBuilder &builder, Location loc, Value q0,
                             Value q1, Value kv0, Value kv1, Value,
                             Value) const {
  IndexEmitter e(builder, loc);
  // The corners farthest from the diagonal decide.
  Value left =
      getLeft() < 0 ? e.bit(true) : e.le(q1, e.add(kv0, getLeft() + 1));
  if (getRight() < 0)
    return left;
  return e.land(left, e.le(kv1, e.add(q0, getRight() + 1)));
}

void WindowAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value q0,
                               Value q1, Value, Value kvLen,
                               KeyRangeBody body) const {
  IndexEmitter e(builder, loc);
  Value zero = e.constant(0);
  Value begin =
      getLeft() < 0 ? zero : e.clamp(e.add(q0, -getLeft()), zero, kvLen);
  Value end =
      getRight() < 0 ? kvLen : e.clamp(e.add(q1, getRight()), zero, kvLen);
  body(builder, loc, begin, end);
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
  if (!split.text)
    return near;
  return e.lor(near, e.lor(split.emitIsText(e, q, qLen),
                           split.emitIsText(e, kv, kvLen)));
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
// ArrowAttr
//===----------------------------------------------------------------------===//

Attribute ArrowAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  int64_t width = 0, text = 0;
  bool textFirst = false;
  if (parser.parseLess() || parser.parseKeyword("width") ||
      parser.parseEqual() || parser.parseInteger(width) ||
      parser.parseComma() || parser.parseKeyword("text") ||
      parser.parseEqual() || parser.parseInteger(text))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("text_first"))
      return {};
    textFirst = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<ArrowAttr>(loc, parser.getContext(), width, text,
                                      textFirst);
}

void ArrowAttr::print(AsmPrinter &printer) const {
  printer << "<width = " << getWidth() << ", text = " << getText();
  if (getTextFirst())
    printer << ", text_first";
  printer << ">";
}

LogicalResult ArrowAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t width, int64_t text, bool) {
  // arrow_c1
  if (!inRange(width, 0) || !inRange(text, 0))
    return emitError() << "expected width and text between 0 and "
                       << kMaxDistance << ", got width = " << width
                       << ", text = " << text;
  return success();
}

LogicalResult
ArrowAttr::verifyShape(function_ref<InFlightDiagnostic()> emitError,
                       PatternShape shape) const {
  // arrow_c2
  for (auto [length, what] :
       {std::pair(shape.q, "queries"), std::pair(shape.kv, "keys")})
    if (!ShapedType::isDynamic(length) && length < getText())
      return emitError() << "arrow has " << getText() << " text tokens, got "
                         << length << " " << what;
  return success();
}

bool ArrowAttr::contains(int64_t q, int64_t kv, PatternShape shape) const {
  TextSplit split{getText(), getTextFirst()};
  return split.isText(q, shape.q) || split.isText(kv, shape.kv) ||
         within(q, kv, getWidth());
}

Value ArrowAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                              Value kv, Value qLen, Value kvLen) const {
  IndexEmitter e(builder, loc);
  TextSplit split{getText(), getTextFirst()};
  return e.lor(
      e.within(q, kv, getWidth()),
      e.lor(split.emitIsText(e, q, qLen), split.emitIsText(e, kv, kvLen)));
}

void ArrowAttr::appendKeyIntervals(
    int64_t q, PatternShape shape,
    SmallVectorImpl<KeyInterval> &intervals) const {
  TextSplit split{getText(), getTextFirst()};
  if (split.isText(q, shape.q)) {
    intervals.push_back({0, shape.kv});
  } else {
    intervals.push_back(clampedRange(q, getWidth(), shape.kv));
    intervals.push_back(split.textKeys(shape.kv));
  }
  normalizeIntervals(intervals);
}

Value ArrowAttr::emitCovers(OpBuilder &builder, Location loc, Value q0,
                            Value q1, Value kv0, Value kv1, Value qLen,
                            Value kvLen) const {
  IndexEmitter e(builder, loc);
  TextSplit split{getText(), getTextFirst()};
  Value near = e.land(e.le(q1, e.add(kv0, getWidth() + 1)),
                      e.le(kv1, e.add(q0, getWidth() + 1)));
  return e.lor(near, e.lor(split.emitAllText(e, q0, q1, qLen),
                           split.emitAllText(e, kv0, kv1, kvLen)));
}

void ArrowAttr::emitKeyRanges(OpBuilder &builder, Location loc, Value q0,
                              Value q1, Value qLen, Value kvLen,
                              KeyRangeBody body) const {
  IndexEmitter e(builder, loc);
  TextSplit split{getText(), getTextFirst()};
  auto [videoBegin, videoEnd] = split.emitVideoKeys(e, kvLen);
  Value anyText = split.emitAnyText(e, q0, q1, qLen);
  Value begin = e.select(anyText, videoBegin,
                         e.clamp(e.add(q0, -getWidth()), videoBegin, videoEnd));
  Value end = e.select(anyText, videoEnd,
                       e.clamp(e.add(q1, getWidth()), videoBegin, videoEnd));
  split.emitInOrder(e, kvLen, body, [&] { body(builder, loc, begin, end); });
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
  if (!split.text)
    return past;
  return e.lor(past, e.lor(split.emitIsText(e, q, qLen),
                           split.emitIsText(e, kv, kvLen)));
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
  IndexEmitter e(builder, loc);
  Value result;
  for (PatternAttrInterface pattern : getPatterns()) {
    Value inside = pattern.emitContains(builder, loc, q, kv, qLen, kvLen);
    result = result ? e.land(result, inside) : inside;
  }
  return result;
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
  IndexEmitter e(builder, loc);
  Value result;
  for (PatternAttrInterface pattern : getPatterns()) {
    Value covers =
        pattern.emitCovers(builder, loc, q0, q1, kv0, kv1, qLen, kvLen);
    result = result ? e.land(result, covers) : covers;
  }
  return result;
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
  IndexEmitter e(builder, loc);
  Value result;
  for (PatternAttrInterface pattern : getPatterns()) {
    Value inside = pattern.emitContains(builder, loc, q, kv, qLen, kvLen);
    result = result ? e.lor(result, inside) : inside;
  }
  return result;
}

void OrAttr::appendKeyIntervals(int64_t q, PatternShape shape,
                                SmallVectorImpl<KeyInterval> &intervals) const {
  for (PatternAttrInterface pattern : getPatterns())
    pattern.appendKeyIntervals(q, shape, intervals);
  normalizeIntervals(intervals);
}

Value OrAttr::emitCovers(OpBuilder &builder, Location loc, Value q0, Value q1,
                         Value kv0, Value kv1, Value qLen, Value kvLen) const {
  IndexEmitter e(builder, loc);
  // One of the patterns alone has to cover the tile.
  Value result;
  for (PatternAttrInterface pattern : getPatterns()) {
    Value covers =
        pattern.emitCovers(builder, loc, q0, q1, kv0, kv1, qLen, kvLen);
    result = result ? e.lor(result, covers) : covers;
  }
  return result;
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
  Value reached =
      memref::AllocaOp::create(e.b, MemRefType::get({}, e.b.getIndexType()));
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
