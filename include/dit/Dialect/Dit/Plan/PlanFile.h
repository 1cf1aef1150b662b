//===- PlanFile.h - Plans in JSON -------------------------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes the files that `docs/Spec.md` describes under "Plan files":
// a table of modes, rules of attention broadcast, the configuration of
// diffusers, the methods of xDiT.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_PLAN_PLANFILE_H
#define DIT_DIALECT_DIT_PLAN_PLANFILE_H

#include "dit/Dialect/Dit/Plan/Plan.h"
#include "llvm/Support/Error.h"

#include <deque>

namespace mlir::dit {

enum class PlanFormat { Table, Diffusers, XDiT };

/// What a file does not say.
struct PlanFileContext {
  MLIRContext *context;
  SiteList sites;
  /// The timesteps of the sampler; may be empty if the file has them.
  SmallVector<double> timesteps;
  /// Those to take if neither has any.
  SmallVector<double> defaultTimesteps;
  /// Half-width of the windows of xDiT.
  int64_t window = 64;
  /// The half of the batch that computes for both under xDiT's CFG sharing.
  BatchPart conditional = BatchPart::All;
};

/// A plan and what its reader wants a person to know.
struct PlanFile {
  Plan plan;
  std::vector<std::string> warnings;
  /// The text of the fault that was reported, if it is no literal, and keys
  /// that were made up to look for; places of faults refer to them.
  std::string fault;
  std::deque<std::string> keys;
};

/// Reads the text of a file in any of the formats, which its keys tell apart.
/// The plan has no fault and fits the sites of `context`.
llvm::Expected<PlanFile> parsePlanFile(const PlanFileContext &context,
                                       StringRef text);

/// Writes `plan`; fails if the format cannot say it.
llvm::Error writePlanFile(const Plan &plan, PlanFormat format, raw_ostream &os);

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_PLAN_PLANFILE_H
