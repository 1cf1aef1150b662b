//===- dit-reduce.cpp - Shrinks a program that shows a bug ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's reductions and those of dit, over programs of all dialects. Unlike
// upstream's driver it survives files that its parsers do not.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Reduction/Reductions.h"
#include "dit/InitAll.h"
#include "dit/Support/CommandLine.h"
#include "dit/Target/ModuleFile.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Reducer/Passes.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace mlir::dit;
namespace cl = llvm::cl;

static const char kHelp[] = R"(
USING IT
  dit-reduce makes a program smaller as long as a test still calls it interesting:

    dit-reduce bug.mlir --reduction-tree='traversal-mode=0 test=./is-bug.sh' -o small.mlir

  The test gets the name of a file, a valid module, and exits with 1 if the file
  still shows the bug and with 0 if not. For example:

    #!/bin/sh
    dit-opt --convert-dit-to-cpu "$1" 2>&1 | grep -q 'the message' && exit 1
    exit 0
)";

namespace {

/// What the command line says.
struct Options {
  std::string input, output;
};

} // namespace

static Options parseOptions(int argc, char **argv) {
  static cl::OptionCategory category("dit-reduce options");
  static cl::opt<std::string> input(cl::Positional, cl::desc("<input file>"),
                                    cl::init("-"), cl::cat(category));
  static cl::opt<std::string> output(
      "o", cl::desc("Where the small program goes"), cl::value_desc("filename"),
      cl::init("-"), cl::cat(category));
  cl::ParseCommandLineOptions(argc, argv,
                              "dit-reduce: makes a program smaller that shows "
                              "a bug\n");
  return {input, output};
}

static llvm::Error reduce(const Options &options,
                          const PassPipelineCLParser &passes,
                          MLIRContext &context) {
  auto module = parseModuleFile(options.input, &context);
  if (!module)
    return inArgument(options.input, module.takeError());
  std::string error;
  std::unique_ptr<llvm::ToolOutputFile> file =
      openOutputFile(options.output, &error);
  if (!file)
    return llvm::createStringError(error);
  PassManager manager(&context);
  auto report = [&](const Twine &message) {
    error = message.str();
    return failure();
  };
  if (failed(passes.addToPipeline(manager, report)))
    return llvm::createStringError(error.empty() ? "no such reduction" : error);
  if (failed(manager.run(**module)))
    return llvm::createStringError(
        "nothing was written. The test must exit with 1 for the input as it "
        "is, and with 0 for what is of no interest");
  (*module)->print(file->os());
  file->keep();
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  hideForeignOptions();
  addVersion();
  cl::extrahelp help(kHelp);
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::dit::registerAllDialects(registry);
  mlir::dit::registerAllPasses();
  registerReductions(registry);
  registerReducerPasses();
  // The module is read in a child process first, which must have one thread.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  PassPipelineCLParser passes("", "Reductions");
  Options options = parseOptions(argc, argv);
  return reportError("dit-reduce", reduce(options, passes, context));
}
