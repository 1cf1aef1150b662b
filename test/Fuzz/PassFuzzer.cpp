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
  Choices choices(llvm::ArrayRef(data, size));
  // What is to be done comes first, so that it does not depend on how many
  // bytes the program takes.
  bool wantsNumbers = choices.once(16);
  uint64_t seed = choices.below(256);
  Choices actions(seed);
  GeneratedProgram program = generateProgram(choices);
  ProgramChecker checker(fuzzContext.get());
  require(checker.checkRoundTrip(program), program);
  require(checker.checkPasses(program, actions), program);
  if (wantsNumbers)
    require(checker.checkNumbers(program, actions, seed), program);
  return 0;
}
