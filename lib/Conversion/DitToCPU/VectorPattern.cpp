//===- VectorPattern.cpp - Patterns on vectors of keys --------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What does not depend on the key stays scalar. Where such a number is compared
// with one that does, it is clamped, so that it may be of any size.
//
//===----------------------------------------------------------------------===//

#include "VectorPattern.h"

using namespace mlir;
using namespace mlir::dit;
using namespace mlir::dit::cpu;

/// What depends on a key stays below this in magnitude, so that a number that
/// is clamped to it compares as before.
static constexpr int64_t kLimit = int64_t(1) << 30;

bool VectorPattern::fits(PatternShape shape) {
  return !ShapedType::isDynamic(shape.q) && !ShapedType::isDynamic(shape.kv) &&
         std::max(shape.q, shape.kv) <= kLimit / 2;
}

VectorPattern::VectorPattern(PatternAttrInterface pattern, PatternShape shape,
                             int64_t keyLimit, int64_t lanes)
    : lanes(lanes) {
  assert(fits(shape) && keyLimit <= kLimit && "expected short sequences");
  MLIRContext *context = pattern.getContext();
  Location loc = UnknownLoc::get(context);
  OpBuilder builder(context);
  Block *block = builder.createBlock(
      &body, {}, SmallVector<Type>(4, builder.getIndexType()),
      SmallVector<Location>(4, loc));
  auto argument = [&](Argument which, Interval interval) {
    Value value = block->getArgument(which);
    intervals[value] = interval;
    return value;
  };
  Value query = argument(Query, {0, std::max<int64_t>(shape.q - 1, 0)});
  Value key = argument(Key, {0, keyLimit - 1});
  Value queryLength = argument(QueryLength, {shape.q, shape.q});
  Value keyLength = argument(KeyLength, {shape.kv, shape.kv});
  varying.insert(key);
  result =
      pattern.emitContains(builder, loc, query, key, queryLength, keyLength);
  valid = llvm::all_of(*block, [&](Operation &op) { return analyze(op); });
}

/// The values of an integer op on known ones; none if it is not known.
std::optional<VectorPattern::Interval>
VectorPattern::getInterval(Operation &op) {
  IntegerAttr constant;
  if (matchPattern(&op, m_Constant(&constant)))
    return Interval{constant.getInt(), constant.getInt()};
  SmallVector<Interval> in;
  for (Value operand : op.getOperands()) {
    auto known = intervals.find(operand);
    if (known != intervals.end())
      in.push_back(known->second);
    else if (operand.getType().isIndex())
      return std::nullopt;
  }
  auto isSmall = [](Interval interval) {
    return interval.low > -kLimit && interval.high < kLimit;
  };
  // Sums and products of larger numbers are not followed.
  if (in.size() != 2 || !isSmall(in[0]) || !isSmall(in[1]))
    return std::nullopt;
  auto [a, b] = std::pair(in[0], in[1]);
  if (isa<arith::AddIOp>(op))
    return Interval{a.low + b.low, a.high + b.high};
  if (isa<arith::SubIOp>(op))
    return Interval{a.low - b.high, a.high - b.low};
  if (isa<arith::MulIOp>(op) && a.low >= 0 && b.low >= 0)
    return Interval{a.low * b.low, a.high * b.high};
  if (isa<arith::MinSIOp>(op))
    return Interval{std::min(a.low, b.low), std::min(a.high, b.high)};
  if (isa<arith::MaxSIOp>(op))
    return Interval{std::max(a.low, b.low), std::max(a.high, b.high)};
  if (isa<arith::SelectOp>(op))
    return Interval{std::min(a.low, b.low), std::max(a.high, b.high)};
  bool divides = a.low >= 0 && b.low > 0;
  if (isa<arith::DivUIOp, arith::DivSIOp>(op) && divides)
    return Interval{a.low / b.high, a.high / b.low};
  if (isa<arith::RemUIOp, arith::RemSIOp>(op) && divides)
    return Interval{0, std::min(a.high, b.high - 1)};
  return std::nullopt;
}

/// Whether the op can be emitted on vectors, or does not have to be.
bool VectorPattern::analyze(Operation &op) {
  if (op.getNumResults() != 1 || op.getNumRegions() != 0 ||
      !isMemoryEffectFree(&op))
    return false;
  Value value = op.getResult(0);
  if (std::optional<Interval> interval = getInterval(op))
    intervals[value] = *interval;
  if (llvm::none_of(op.getOperands(),
                    [&](Value operand) { return dependsOnKey(operand); }))
    return true;
  varying.insert(value);
  auto fits = [&](Value number) {
    auto known = intervals.find(number);
    return known != intervals.end() && known->second.low > -kLimit &&
           known->second.high < kLimit;
  };
  if (value.getType().isIndex())
    return fits(value) && llvm::all_of(op.getOperands(), [&](Value operand) {
             return operand.getType().isInteger(1) || fits(operand);
           });
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    // An unsigned comparison would not survive the clamp.
    arith::CmpIPredicate predicate = compare.getPredicate();
    return compare.getLhs().getType().isIndex() &&
           predicate < arith::CmpIPredicate::ult;
  }
  return value.getType().isInteger(1) &&
         isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::SelectOp>(op);
}

Value VectorPattern::emitKeys(KernelBuilder &kb, Value firstKey,
                              int64_t lanes) {
  auto type = VectorType::get(lanes, kb.getI32Type());
  SmallVector<int32_t> steps;
  for (int64_t lane = 0; lane < lanes; ++lane)
    steps.push_back(lane);
  Value offsets = arith::ConstantOp::create(
      kb, DenseElementsAttr::get(type, ArrayRef<int32_t>(steps)));
  return kb.add(kb.splat(type, kb.toI32(firstKey)), offsets);
}

Value VectorPattern::emitBound(KernelBuilder &kb, Value index, int64_t lanes) {
  Value clamped = kb.min(kb.max(index, kb.index(-kLimit)), kb.index(kLimit));
  return kb.splat(VectorType::get(lanes, kb.getI32Type()), kb.toI32(clamped));
}

Value VectorPattern::emit(KernelBuilder &kb, Value query, Value firstKey,
                          Value queryLength, Value keyLength) {
  assert(valid && "expected a pattern that can be emitted on vectors");
  IRMapping mapping;
  Block &block = body.front();
  mapping.map(block.getArgument(Query), query);
  mapping.map(block.getArgument(Key), emitKeys(kb, firstKey, lanes));
  mapping.map(block.getArgument(QueryLength), queryLength);
  mapping.map(block.getArgument(KeyLength), keyLength);
  auto get = [&](Value operand) {
    Value value = mapping.lookup(operand);
    if (dependsOnKey(operand))
      return value;
    if (operand.getType().isIndex())
      return emitBound(kb, value, lanes);
    return kb.splat(VectorType::get(lanes, operand.getType()), value);
  };
  for (Operation &op : block) {
    if (!dependsOnKey(op.getResult(0))) {
      kb.clone(op, mapping);
      continue;
    }
    Type element = op.getResult(0).getType();
    if (element.isIndex())
      element = kb.getI32Type();
    OperationState state(kb.getLoc(), op.getName());
    state.addOperands(llvm::map_to_vector(op.getOperands(), get));
    state.addTypes(VectorType::get(lanes, element));
    state.addAttributes(op.getAttrs());
    mapping.map(op.getResult(0), kb.create(state)->getResult(0));
  }
  return get(result);
}
