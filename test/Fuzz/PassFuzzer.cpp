//===- PassFuzzer.cpp - Fuzz target: passes over valid programs -----------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes decide what program the generator makes and what happens to it. Any
// failure is a finding, since the program is valid.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"
#include "ProgramChecker.h"

#include "dit/InitAll.h"

#include "mlir/InitAllPasses.h"

using namespace mlir;
using namespace mlir::dit;

static void require(llvm::Error error, const GeneratedProgram &program) {
  if (error)
    reportFinding(llvm::toString(std::move(error)) + "\n" + program.text);
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  mlir::registerAllPasses();
  mlir::dit::registerAllPasses();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzContext fuzzContext(registerCheckerDialects);
  static std::unique_ptr<ProgramChecker> checker;
  Choices choices(llvm::ArrayRef(data, size));
  // What is to be done comes first, so that it does not depend on how many
  // bytes the program takes.
  // Numbers take two compilations, a hundred times as long as the rest.
  bool wantsNumbers = choices.once(48);
  uint64_t seed = choices.below(256);
  Choices actions(seed);
  GeneratedProgram program = generateProgram(choices);
  MLIRContext *context = fuzzContext.get([] { checker.reset(); });
  if (!checker)
    checker = std::make_unique<ProgramChecker>(context);
  require(checker->checkRoundTrip(program), program);
  require(checker->checkPasses(program, actions), program);
  if (wantsNumbers)
    require(checker->checkNumbers(program, actions, seed), program);
  return 0;
}
