//===- SequencePatterns.cpp - Patterns along the sequence -----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::detail;

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
  return split.emitOrText(e, e.within(q, kv, getWidth()), q, kv, qLen, kvLen);
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
