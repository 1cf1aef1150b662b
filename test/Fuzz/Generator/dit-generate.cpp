//===- dit-generate.cpp - Random valid programs ---------------------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints a generated program, with inputs if wanted, or checks many of them.
//
//===----------------------------------------------------------------------===//

#include "ProgramChecker.h"

#include "dit/InitAll.h"
#include "dit/Support/CommandLine.h"
#include "dit/Support/Npy.h"

#include "mlir/InitAllPasses.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::dit;

static const char kOverview[] =
    R"(dit-generate: random valid programs of dit ops, the same for the same seed.

  dit-generate --seed 7
      prints a program
  dit-generate --seed 7 --inputs-dir in
      also writes arguments for it: in/0.npy, in/1.npy, ...
  dit-generate --seed 0 --count 50 --check
      makes 50 programs; sends each through printers, parsers and passes, and
      runs it on two ways through the compiler, which have to agree
)";

namespace {
struct Options {
  cl::OptionCategory category{"dit-generate options"};
  cl::opt<uint64_t> seed{"seed", cl::init(0), cl::value_desc("N"),
                         cl::cat(category),
                         cl::desc("Seed of the first program")};
  cl::opt<unsigned> count{"count", cl::init(1), cl::value_desc("N"),
                          cl::cat(category), cl::desc("Number of programs")};
  cl::opt<bool> check{"check", cl::cat(category),
                      cl::desc("Check programs instead of printing them")};
  cl::opt<std::string> inputsDir{"inputs-dir", cl::value_desc("folder"),
                                 cl::cat(category),
                                 cl::desc("Where to write arguments")};
};
} // namespace

static llvm::Error checkOne(uint64_t seed) {
  // A context of its own: none of a thousand programs is kept.
  DialectRegistry registry;
  registerCheckerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  Choices choices(seed);
  GeneratedProgram program = generateProgram(choices);
  ProgramChecker checker(&context);
  if (llvm::Error error = checker.checkRoundTrip(program))
    return error;
  for (int repetition = 0; repetition < 2; ++repetition)
    if (llvm::Error error = checker.checkPasses(program, choices))
      return error;
  return checker.checkNumbers(program, choices, seed);
}

static llvm::Error checkAll(uint64_t first, unsigned count) {
  llvm::Error errors = llvm::Error::success();
  for (uint64_t seed = first; seed < first + count; ++seed)
    if (llvm::Error error = checkOne(seed))
      errors = llvm::joinErrors(
          std::move(errors),
          inArgument("--seed " + Twine(seed), std::move(error)));
  if (!errors)
    llvm::outs() << count << " programs checked\n";
  return errors;
}

static llvm::Error printOne(const Options &options, uint64_t seed) {
  Choices choices(seed);
  GeneratedProgram program = generateProgram(choices);
  llvm::outs() << program.text;
  if (options.inputsDir.empty())
    return llvm::Error::success();
  if (std::error_code error =
          llvm::sys::fs::create_directories(options.inputsDir))
    return inArgument("--inputs-dir", llvm::errorCodeToError(error));
  for (auto [index, input] : llvm::enumerate(makeInputs(program, seed))) {
    SmallString<128> path(options.inputsDir);
    llvm::sys::path::append(path, Twine(index) + ".npy");
    if (llvm::Error error = writeNpy(path, input))
      return inArgument("--inputs-dir: " + path, std::move(error));
  }
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::registerAllPasses();
  mlir::dit::registerAllPasses();
  removeForeignOptions();
  Options options;
  cl::ParseCommandLineOptions(argc, argv, kOverview);
  if (options.check)
    return reportError("dit-generate", checkAll(options.seed, options.count));
  llvm::Error errors = llvm::Error::success();
  for (uint64_t seed = options.seed; seed < options.seed + options.count;
       ++seed) {
    if (seed != options.seed)
      llvm::outs() << "// -----\n";
    errors = llvm::joinErrors(std::move(errors), printOne(options, seed));
  }
  return reportError("dit-generate", std::move(errors));
}
