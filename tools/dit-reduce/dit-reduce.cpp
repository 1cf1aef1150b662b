//===- dit-reduce.cpp - Shrinks a program that shows a bug ----------------===//
//
// Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's reducer with the dialects, passes and reductions of dit:
//
//   dit-reduce bug.mlir --reduction-tree='traversal-mode=0 test=./is-bug.sh'
//
//===----------------------------------------------------------------------===//

#include "dit/Dialect/Dit/Reduction/Reductions.h"
#include "dit/InitAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
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
