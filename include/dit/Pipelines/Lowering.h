//===- Lowering.h - Lowering for a named target -----------------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The step that dit-run and dit-compile share.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_PIPELINES_LOWERING_H
#define DIT_PIPELINES_LOWERING_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

namespace mlir::dit {

/// The function to compile: `entry` if given, else @main, else the only public
/// function. The error lists what there is.
llvm::Expected<std::string> chooseEntry(ModuleOp module, StringRef entry);

/// Fills `pm`, on modules, with the passes that export `entries`, separated by
/// commas, and lower them by the pipeline `dit-to-<target>`.
llvm::Error buildTargetPipeline(OpPassManager &pm, StringRef entries,
                                StringRef target, StringRef pipelineOptions);

/// Exports `entry` and lowers `module` to the LLVM dialect by the pipeline
/// `dit-to-<target>` with `pipelineOptions`. The error is one line.
llvm::Error lowerToTarget(ModuleOp module, StringRef entry, StringRef target,
                          StringRef pipelineOptions);

} // namespace mlir::dit

#endif // DIT_PIPELINES_LOWERING_H
