//===- Stripes.cpp - A pattern of another dialect -------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three methods make a pattern: `contains` on numbers, the same as IR, and the
// keys of a row. Everything else (decomposition, kernels, cost) follows; the
// other methods of the interface only make it faster.
//
//===----------------------------------------------------------------------===//

#include "Stripes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace host;

#include "StripesDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "Stripes.cpp.inc"

void HostDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "Stripes.cpp.inc"
      >();
}

LogicalResult StripesAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t period) {
  if (period < 1)
    return emitError() << "expected a positive period, got " << period;
  return success();
}

bool StripesAttr::contains(int64_t q, int64_t kv, dit::PatternShape) const {
  return q % getPeriod() == kv % getPeriod();
}

Value StripesAttr::emitContains(OpBuilder &builder, Location loc, Value q,
                                Value kv, Value, Value) const {
  Value period = arith::ConstantIndexOp::create(builder, loc, getPeriod());
  return arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::eq,
      arith::RemUIOp::create(builder, loc, q, period),
      arith::RemUIOp::create(builder, loc, kv, period));
}

void StripesAttr::appendKeyIntervals(
    int64_t q, dit::PatternShape shape,
    SmallVectorImpl<dit::KeyInterval> &intervals) const {
  if (getPeriod() == 1)
    return void(intervals.push_back({0, shape.kv}));
  for (int64_t kv = q % getPeriod(); kv < shape.kv; kv += getPeriod())
    intervals.push_back({kv, kv + 1});
}
