//===- MultipleChoice.h - One option of each group --------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The multiple-choice knapsack problem: one option of each group, at the least
// cost, with a bound on the sum of the losses. All planners end in it.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLANNERS_MULTIPLECHOICE_H
#define DIT_DIALECT_DIT_PLANNERS_MULTIPLECHOICE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <vector>

namespace mlir::dit {

/// An option of a group.
struct Choice {
  double cost = 0.0;
  /// Not negative.
  double loss = 0.0;
};

/// One option of each group.
struct Choices {
  SmallVector<int64_t> chosen;
  double cost = 0.0;
  double loss = 0.0;
  /// Whether no other choice costs less.
  bool isOptimal = true;
};

/// The number of partial choices that are kept at a time. More of them, which
/// takes groups whose options hardly differ, give up the proof of optimality.
constexpr size_t kMaxPartialChoices = size_t(1) << 18;

/// The choice of least cost whose losses, added in the order of the groups, are
/// at most `maxLoss`; none if there is none. No group is empty. Deterministic.
///
/// A dynamic programme over the groups keeps the partial choices that no other
/// one beats in both numbers, and drops those that cannot lead below the best
/// known cost, by the linear relaxation of the groups that remain.
std::optional<Choices>
chooseOptions(ArrayRef<std::vector<Choice>> groups, double maxLoss,
              size_t maxPartialChoices = kMaxPartialChoices);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLANNERS_MULTIPLECHOICE_H
