//===- ProfileLayout.h - What an instrumented program gives -----*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instrumented program returns all that it measured as one tensor of
// numbers, and a constant text that says what they are: a profile file whose
// quantities have a `shape`, [steps, heads, ages], in place of their values.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_PROFILELAYOUT_H
#define DIT_DIALECT_DIT_PLAN_PROFILELAYOUT_H

#include "dit/Dialect/Dit/Plan/Profile.h"
#include "llvm/Support/Error.h"

namespace mlir::dit {

/// Names of the results of an instrumented function.
inline constexpr llvm::StringLiteral kProfileValues = "profile_values";
inline constexpr llvm::StringLiteral kProfileLayout = "profile_layout";

/// The layout of the quantities of `profile`, whose values do not count but in
/// number.
std::string writeProfileLayout(const Profile &profile);

/// The profile file of a layout and its values. Fails if they do not fit each
/// other, or a value is not finite.
llvm::Expected<std::string> fillProfileLayout(StringRef layout,
                                              ArrayRef<double> values);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_PROFILELAYOUT_H
