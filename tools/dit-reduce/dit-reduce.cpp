//===- dit-reduce.cpp - Shrinks a program that shows a bug ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's reducer with the dialects, passes and reductions of dit.
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Reduction/Reductions.h"
#include "dit/InitAll.h"
#include "dit/Support/CommandLine.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

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

int main(int argc, char **argv) {
  mlir::dit::hideForeignOptions();
  mlir::dit::addVersion();
  llvm::cl::extrahelp help(kHelp);
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::dit::registerAllDialects(registry);
  mlir::dit::registerAllPasses();
  mlir::dit::registerReductions(registry);
  mlir::MLIRContext context(registry);
  if (mlir::succeeded(mlir::mlirReduceMain(argc, argv, context)))
    return 0;
  llvm::errs() << "dit-reduce: nothing was written. The test must exit with 1 "
                  "for the input as it is, and with 0 for what is of no "
                  "interest\n";
  return 1;
}
