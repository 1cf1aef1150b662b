//===- VectorPattern.h - Patterns on vectors of keys ------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pattern says what it contains by index arithmetic on one query and one key.
// Where intervals prove that all of it fits 32 bits, the same is emitted for a
// vector of keys at once.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_LIB_CONVERSION_DITTOCPU_VECTORPATTERN_H
#define DIT_LIB_CONVERSION_DITTOCPU_VECTORPATTERN_H

#include "KernelBuilder.h"
#include "dit/Dialect/Dit/IR/Dit.h"

namespace mlir::dit::cpu {

class VectorPattern {
public:
  /// Keys may lie below `keyLimit`, a little above their number.
  VectorPattern(PatternAttrInterface pattern, PatternShape shape,
                int64_t keyLimit, int64_t lanes);

  /// Whether positions of these lengths are small enough.
  static bool fits(PatternShape shape);

  /// Whether the pattern can be emitted so.
  bool isValid() const { return valid; }

  /// The mask of the keys from `firstKey` on that query `query` may look at.
  Value emit(KernelBuilder &kb, Value query, Value firstKey, Value queryLength,
             Value keyLength);

  /// The keys from `firstKey` on as 32-bit integers.
  static Value emitKeys(KernelBuilder &kb, Value firstKey, int64_t lanes);
  /// An index as a 32-bit integer that compares with such keys as it does.
  static Value emitBound(KernelBuilder &kb, Value index, int64_t lanes);

private:
  /// Values from `low` to `high`.
  struct Interval {
    int64_t low, high;
  };
  /// The arguments of the body.
  enum Argument : unsigned { Query, Key, QueryLength, KeyLength };

  bool analyze(Operation &op);
  std::optional<Interval> getInterval(Operation &op);
  bool dependsOnKey(Value value) const { return varying.contains(value); }

  int64_t lanes;
  /// One block that computes for one key.
  Region body;
  Value result;
  bool valid = true;
  llvm::DenseMap<Value, Interval> intervals;
  llvm::DenseSet<Value> varying;
};

} // namespace mlir::dit::cpu

#endif // DIT_LIB_CONVERSION_DITTOCPU_VECTORPATTERN_H
