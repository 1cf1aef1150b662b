//===- PatternUtils.h - What patterns share ---------------------*- C++ -*-===//
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

#ifndef DIT_LIB_DIALECT_DIT_IR_PATTERNUTILS_H
#define DIT_LIB_DIALECT_DIT_IR_PATTERNUTILS_H

#include "dit/Dialect/Dit/IR/Dit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::dit::detail {

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
inline bool within(int64_t lhs, int64_t rhs, int64_t distance) {
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
  /// `inside` for video tokens; text sees everything and is seen by all.
  Value emitOrText(IndexEmitter &e, Value inside, Value q, Value kv, Value qLen,
                   Value kvLen) const {
    if (text == 0)
      return inside;
    return e.lor(inside,
                 e.lor(emitIsText(e, q, qLen), emitIsText(e, kv, kvLen)));
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

/// Low and high end of `[center - distance, center + distance]` in
/// `[0, extent)`, as a half-open interval; all of it for a distance of -1.
inline KeyInterval clampedRange(int64_t center, int64_t distance,
                                int64_t extent) {
  if (distance < 0)
    return {0, extent};
  return {std::max<int64_t>(center - distance, 0),
          std::min(center + distance + 1, extent)};
}

/// The same for all centers of `[low, high]`, as IR.
inline std::pair<Value, Value> emitClampedRange(IndexEmitter &e, Value low,
                                                Value high, int64_t distance,
                                                int64_t extent) {
  Value zero = e.constant(0), end = e.constant(extent);
  if (distance < 0)
    return {zero, end};
  return {e.clamp(e.add(low, -distance), zero, end),
          e.clamp(e.add(high, distance + 1), zero, end)};
}

/// Widths, offsets and tiles up to here keep all index arithmetic inside 64
/// bits; no sequence is nearly as long.
inline constexpr int64_t kMaxDistance = int64_t(1) << 40;

/// Whether `value` lies in `[low, kMaxDistance]`.
inline bool inRange(int64_t value, int64_t low) {
  return value >= low && value <= kMaxDistance;
}

} // namespace mlir::dit::detail

#endif // DIT_LIB_DIALECT_DIT_IR_PATTERNUTILS_H
