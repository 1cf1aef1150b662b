//===- dit-lsp-server.cpp - Editor support for .mlir files with dit -------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's language server with the dialects of dit, in a child process that
// may crash. docs/Editors.md says how editors find it.
//
//===----------------------------------------------------------------------===//

#include "Supervisor.h"
#include "dit/InitAll.h"
#include "dit/Support/CommandLine.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir::dit;
using llvm::StringRef;

/// Whether the messages of the editor are those of a test. Upstream's main
/// function parses the options, in the child.
static bool isDelimited(llvm::ArrayRef<char *> arguments) {
  return llvm::any_of(arguments, [](StringRef argument) {
    argument = argument.ltrim('-');
    return argument == "lit-test" || argument == "input-style=delimited";
  });
}

static unsigned getTimeLimit(llvm::ArrayRef<char *> arguments,
                             unsigned byDefault) {
  for (StringRef argument : arguments) {
    argument = argument.ltrim('-');
    unsigned seconds;
    if (argument.consume_front("time-limit=") &&
        !argument.getAsInteger(10, seconds) && seconds > 0)
      return seconds;
  }
  return byDefault;
}

int main(int argc, char **argv) {
  removeForeignOptions();
  addVersion();
  llvm::cl::opt<unsigned> timeLimit(
      "time-limit", llvm::cl::value_desc("seconds"), llvm::cl::init(60),
      llvm::cl::desc("What takes longer, such as reading a damaged file, is an "
                     "error (60)"));
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::dit::registerAllDialects(registry);
  llvm::ArrayRef<char *> arguments(argv + 1, argv + argc);
  auto serve = [&] {
    return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry)) ? 1 : 0;
  };
  return Supervisor(serve,
                    isDelimited(arguments)
                        ? llvm::lsp::JSONStreamStyle::Delimited
                        : llvm::lsp::JSONStreamStyle::Standard,
                    getTimeLimit(arguments, timeLimit))
      .run();
}
