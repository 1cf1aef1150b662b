//===- ProgramChecker.h - What must hold of a program -----------*- C++ -*-===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sends generated programs through printers, parsers, passes and targets. The
// decomposition is the oracle: what the reference target computes from the
// program as it was generated.
//
//===----------------------------------------------------------------------===//

#ifndef DIT_TEST_FUZZ_GENERATOR_PROGRAMCHECKER_H
#define DIT_TEST_FUZZ_GENERATOR_PROGRAMCHECKER_H

#include "ProgramGenerator.h"

#include "dit/Support/HostTensor.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace mlir::dit {

/// What a context needs to hold, lower and run generated programs.
void registerCheckerDialects(DialectRegistry &registry);

/// Random arguments for `program`.
llvm::SmallVector<HostTensor> makeInputs(const GeneratedProgram &program,
                                         uint64_t seed);

class ProgramChecker {
public:
  /// `context` must know what `registerCheckerDialects` registers, run without
  /// threads, and outlive the checker.
  explicit ProgramChecker(MLIRContext *context) : context(context) {}

  /// Printing and parsing as text and as bytecode give the program back.
  llvm::Error checkRoundTrip(const GeneratedProgram &program);

  /// One pipeline that `choices` take runs, and its result verifies.
  llvm::Error checkPasses(const GeneratedProgram &program, Choices &choices);

  /// A way through the compiler that `choices` take computes what the
  /// reference target does.
  llvm::Error checkNumbers(const GeneratedProgram &program, Choices &choices,
                           uint64_t seed);

private:
  llvm::Expected<OwningOpRef<ModuleOp>> parse(StringRef text);
  llvm::Error run(PassManager &pm, ModuleOp module, StringRef name);
  llvm::Error runPipeline(ModuleOp module, StringRef pipeline);
  llvm::Error lower(ModuleOp module, StringRef target, StringRef options);
  llvm::Expected<SmallVector<HostTensor>>
  execute(const GeneratedProgram &program, StringRef preparation,
          StringRef target, StringRef options, uint64_t seed);

  MLIRContext *context;
  /// By pipeline. What passes prepare for a context, such as sets of patterns,
  /// takes longer than they do on a small program.
  llvm::StringMap<std::unique_ptr<PassManager>> managers;
};

/// Splits each attention of `module` into tiles of these extents (0 for whole)
/// of batches, heads and queries.
LogicalResult tileAttentions(ModuleOp module, ArrayRef<int64_t> tile);

} // namespace mlir::dit

#endif // DIT_TEST_FUZZ_GENERATOR_PROGRAMCHECKER_H
