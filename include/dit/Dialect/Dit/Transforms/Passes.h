//===- Passes.h - Transforms of the dit dialect -----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Constructors, options and registration of the passes in Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_DIALECT_DIT_TRANSFORMS_PASSES_H
#define DIT_DIALECT_DIT_TRANSFORMS_PASSES_H

#include "dit/Dialect/Dit/IR/Dit.h"
#include "dit/Dialect/Dit/Plan/PlanFile.h"
#include "dit/Dialect/Dit/Plan/SamplerSchedule.h"
#include "mlir/Pass/Pass.h"

namespace mlir::dit {

/// How the steps of a plan are written out.
enum class PlanForm {
  /// One body for all steps, which asks for the step.
  Table,
  /// A body for each distinct step.
  Steps
};

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dit/Dialect/Dit/Transforms/Passes.h.inc"

} // namespace mlir::dit

#endif // DIT_DIALECT_DIT_TRANSFORMS_PASSES_H
